"""What a flake's shell does to the environment, kept so that it can be done again without Nix."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_SHELLS_OWN = frozenset(
    "_ PWD OLDPWD SHLVL SHELL BASHOPTS SHELLOPTS TMPDIR TMP TEMP TEMPDIR NIX_BUILD_TOP".split()  # noqa: SIM905
)
"""What belongs to one run of `nix develop`: folders it removes again, and bash's own."""


class Delta(msgspec.Struct, frozen=True):
    """What a shell does to the environment that it is started in."""

    put: dict[str, str] = {}
    """Variables with values of the shell's own."""
    before: dict[str, str] = {}
    """Text that goes before the value that is there, `:` between them."""
    behind: dict[str, str] = {}

    def over(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return an environment as the shell would make it."""
        made = dict(environ) | self.put
        for name, text in self.before.items():
            made[name] = f"{text}:{made[name]}" if made.get(name) else text
        for name, text in self.behind.items():
            made[name] = f"{made[name]}:{text}" if made.get(name) else text
        return made


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a flake's shell."""

    python: str | None = None
    """Its python3, absolute; None when it has none of its own."""
    delta: Delta = Delta()
    hook: bool = False
    """Whether it has a shellHook, which has to run every time."""
    error: str = ""
    """What Nix said when it could not be made; empty when the flake has none."""


def find_delta(before: Mapping[str, str], after: Mapping[str, str]) -> Delta:
    """Return what a shell has done to an environment."""
    put: dict[str, str] = {}
    front: dict[str, str] = {}
    behind: dict[str, str] = {}
    for name, value in after.items():
        old = before.get(name)
        if old == value or name in _SHELLS_OWN:
            continue
        if old and value.endswith(f":{old}"):
            front[name] = value[: -len(old) - 1]
        elif old and value.startswith(f"{old}:"):
            behind[name] = value[len(old) + 1 :]
        else:
            put[name] = value
    return Delta(put, front, behind)
