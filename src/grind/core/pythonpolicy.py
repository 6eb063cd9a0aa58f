"""The Python policy: which interpreter runs a script, decided from facts alone.

Tried in this order: the promoted app of the script; Python in the configured flake's shell; nixpkgs'
Python as the flake's lock pins it; what `[python] fallback` names. Never the bare PATH: what stands
there is a property of the machine, and on a NixOS host it is nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple, TypeAlias

from grind.core.errors import RefusedError
from grind.core.flakelock import Pinned


class Way(Enum):
    """How Python is reached. Each answers what callers ask, so that they need not switch on it."""

    APP = "app"
    """A promoted app: `nix run ./grind#NAME`."""
    SHELL = "shell"
    """The flake's shell has Python: `nix develop FLAKE --command python3`."""
    NIXPKGS = "nixpkgs"
    """`nix shell --inputs-from FLAKE nixpkgs#python3 --command python3`."""
    UV = "uv"
    """`uv run`, which brings what a script declares."""
    INTERPRETER = "interpreter"
    """An interpreter that the policy names by its path."""

    @property
    def brings_dependencies(self) -> bool:
        """Whether a script's declared dependencies are somebody else's care."""
        return self is Way.UV

    @property
    def needs_nix(self) -> bool:
        """Whether Nix is asked."""
        return self in (Way.APP, Way.SHELL, Way.NIXPKGS)


ShellPython: TypeAlias = Literal["yes", "no", "unknown"]
"""Whether the flake's shell has Python; `unknown` while nobody has looked."""


class Facts(NamedTuple):
    """What the decision hangs on."""

    nix: bool
    """Whether the host has Nix."""
    flake: str | None
    """The flake as configured (`.`, `./sandbox#dev`); None when there is none."""
    pinned: Pinned = Pinned.NO_LOCK
    """Whether its lock has a `nixpkgs`."""
    shell: ShellPython = "unknown"
    shell_error: str = ""
    """What Nix said when there is a shell and it could not be made."""
    app: str | None = None
    """The promoted app of exactly this script."""
    fallback: str = ""
    """`[python] fallback`: `uv run`, or an interpreter's absolute path."""
    host: str = "this machine"


class Decision(NamedTuple):
    """The way to take; `flake`, `app` and `program` as far as it needs them."""

    way: Way
    flake: str = ""
    app: str = ""
    program: str = ""


class Ask(NamedTuple):
    """The decision needs one more fact: whether this flake's shell has Python."""

    flake: str


def decide(facts: Facts) -> Decision | Ask:
    """Decide, or name the fact that is still needed.

    Raises RefusedError, with the remedy, where nothing that is pinned can run the script.
    """
    if facts.nix and facts.app is not None:
        return Decision(Way.APP, facts.flake or ".", app=facts.app)
    if facts.nix and facts.flake is not None:
        if facts.shell == "unknown":
            return Ask(facts.flake)
        if facts.shell == "yes":
            return Decision(Way.SHELL, facts.flake)
        if facts.shell_error:  # another Python than the one that was meant would be a wrong green
            raise RefusedError(
                f"the shell of {facts.flake} could not be made: {facts.shell_error}",
                remedy=f"nix flake lock {facts.flake.partition('#')[0]}"
                if "lock file" in facts.shell_error
                else f"nix develop {facts.flake}",
            )
        if facts.pinned is Pinned.YES:
            return Decision(Way.NIXPKGS, facts.flake)
    if facts.fallback and (not facts.nix or facts.flake is None):
        way = Way.UV if facts.fallback == "uv run" else Way.INTERPRETER
        return Decision(way, program=facts.fallback)
    raise _refusal(facts)


def _refusal(facts: Facts) -> RefusedError:
    if not facts.nix:
        return RefusedError(
            f"there is no Nix on {facts.host}, and the python3 on its PATH is nobody's promise",
            remedy='install Nix there, or set [python] fallback = "uv run" (or an absolute path)',
        )
    if facts.flake is None:
        return RefusedError(
            "there is no flake.nix that would pin Python",
            remedy='name one in grind.toml, [python] flake = "./sandbox", or set [python] fallback',
        )
    folder = facts.flake.partition("#")[0]
    shell = f"the shell of {facts.flake} has no python3"
    if facts.pinned is Pinned.NO_LOCK:
        return RefusedError(
            f"{shell}, and {folder} has no flake.lock, so no nixpkgs is pinned",
            remedy=f"nix flake lock {folder}",
        )
    if facts.pinned is Pinned.UNREADABLE:
        return RefusedError(
            f"{shell}, and {folder}/flake.lock cannot be read", remedy=f"nix flake lock {folder}"
        )
    return RefusedError(
        f"{shell}, and its lock has no `nixpkgs` input: "
        "`--inputs-from` would take whatever the global registry has today",
        remedy=f"add python3 to the shell of {folder}, or `inputs.nixpkgs` to its flake.nix",
    )


def require(needs: tuple[str, ...], decision: Decision, script: str) -> None:
    """Refuse a script whose declared dependencies the chosen interpreter lacks."""
    if not needs or decision.way.brings_dependencies:
        return
    where = f"the shell of {decision.flake}" if decision.way is Way.SHELL else "its interpreter"
    raise RefusedError(
        f"{script} declares what {where} does not have: {', '.join(needs)}",
        remedy="add it to the flake's shell: python3.withPackages (p: [ … ])",
    )
