"""Choose what runs a script under the Python policy, and make it where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from grind.core import pep723
from grind.core.config import PythonConfig
from grind.core.errors import RefusedError
from grind.core.flakelock import Pinned, pinned
from grind.core.flakeshell import Delta, Shell
from grind.core.pythonpolicy import Ask, Decision, Facts, Way, decide, require


class Supply(Protocol):
    """What gives Python on a host (adapters/nixpython)."""

    def known_shell(self, digest: str) -> Shell | None:
        """What was seen of a shell before."""

    def shell(self, flake: str, digest: str) -> Shell:
        """Make a shell and look at it."""

    def nixpkgs(self, flake: str, digest: str) -> str:
        """Folder with nixpkgs' python3 as the lock pins it."""

    def app(self, name: str, digest: str) -> str:
        """Program of a promoted app."""

    def versions(
        self, prefix: Sequence[str], delta: Delta, digest: str
    ) -> tuple[str, dict[str, str]]:
        """An interpreter's version and what is installed for it."""

    def in_shell(self, digest: str, argv: Sequence[str]) -> tuple[str, ...]:
        """The command that runs a program in a shell that was made before."""


class Script(NamedTuple):
    """What is to be run."""

    kind: str
    """`script`, `code` or `stdin`."""
    label: str
    """How it is named to people: its path, `-c` or `-`."""
    source: bytes
    words: tuple[str, ...]
    """What the interpreter gets for it: the path, `-c CODE`, or `-`."""


class Ground(NamedTuple):
    """Where it is to be run: what the policy's facts are made from."""

    host: str
    nix: bool
    flake: str | None
    lock: bytes | None
    digest: str
    """Of everything that the flake's shell is made from."""
    app_digest: str
    """Of everything that promoted apps are made from."""
    config: PythonConfig
    fresh: bool = False
    """Look again at what is remembered."""
    can_lend: bool = True
    """Whether a shell's environment can be given to a program without Nix: on this machine."""
    say: Callable[[str], None] = lambda _: None


class Launch(NamedTuple):
    """The program to run, and what its environment gets."""

    argv: tuple[str, ...]
    delta: Delta
    decision: Decision
    direct: bool
    """Whether nothing but files was asked: what the door may do again without Python."""


def choose(supply: Supply, ground: Ground, script: Script, app: str | None) -> Launch:
    """Return what runs `script`. Raises RefusedError with the remedy; ProblemsError for a script
    whose metadata is not right."""
    facts = Facts(
        nix=ground.nix,
        flake=ground.flake,
        pinned=pinned(ground.lock) if ground.flake is not None else Pinned.NO_LOCK,
        app=app,
        fallback=ground.config.fallback or "",
        host=ground.host,
    )
    shell = Shell()
    decision = decide(facts)
    if isinstance(decision, Ask):
        shell = _shell(supply, ground, decision.flake)
        seen = facts._replace(shell_error=shell.error)
        decision = decide(seen._replace(shell="yes" if shell.python is not None else "no"))
    if isinstance(decision, Ask):  # a fact was given, so that this cannot be
        raise RefusedError("the policy does not come to a decision")
    wanted = pep723.metadata(script.label, script.source)
    launch = _launch(supply, ground, decision, shell, script)
    if wanted is not None and decision.way is not Way.APP:
        _require(supply, ground, launch, wanted, script)
    return launch


def _shell(supply: Supply, ground: Ground, flake: str) -> Shell:
    known = None if ground.fresh else supply.known_shell(ground.digest)
    if known is not None:
        return known
    ground.say(f"making the shell of {flake}, once for this lock …")
    return supply.shell(flake, ground.digest)


def _launch(
    supply: Supply, ground: Ground, decision: Decision, shell: Shell, script: Script
) -> Launch:
    if decision.way is Way.APP:
        program = supply.app(decision.app, ground.app_digest)
        return Launch((program,), Delta(), decision, direct=True)
    if decision.way is Way.UV:
        run = ("uv", "run", "--quiet")
        words = script.words if script.kind != "code" else ("python3", *script.words)
        return Launch((*run, *words), Delta(), decision, direct=False)
    return _interpreter(supply, ground, decision, shell, script.words)


def _interpreter(
    supply: Supply, ground: Ground, decision: Decision, shell: Shell, words: tuple[str, ...]
) -> Launch:
    if decision.way is Way.INTERPRETER:
        return Launch((decision.program, *words), Delta(), decision, direct=True)
    if decision.way is Way.NIXPKGS:
        folder = supply.nixpkgs(decision.flake, ground.digest)
        delta = Delta(before={"PATH": folder})
        return Launch((f"{folder}/python3", *words), delta, decision, direct=True)
    if ground.can_lend and not shell.hook:
        return Launch((shell.python or "", *words), shell.delta, decision, direct=True)
    argv = supply.in_shell(ground.digest, ("python3", *words))
    return Launch(argv, Delta(), decision, direct=False)


def _require(
    supply: Supply, ground: Ground, launch: Launch, wanted: pep723.Metadata, script: Script
) -> None:
    if launch.decision.way.brings_dependencies or wanted == pep723.Metadata():
        return
    prefix = launch.argv[: len(launch.argv) - len(script.words)]
    pinned_by_nix = launch.decision.way.needs_nix
    known = f"{ground.digest}.{launch.decision.way.value}" if pinned_by_nix else ""
    python, installed = supply.versions(prefix, launch.delta, known)
    require(pep723.missing(wanted, installed, python), launch.decision, script.label)
