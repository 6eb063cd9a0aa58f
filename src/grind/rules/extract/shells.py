"""What a shell's command line says about how it will run: `bash -euo pipefail -c`, `sh -cu`."""

from __future__ import annotations

import re

from grind.rules.fragments import Context

SHELLS = {"bash": "bash", "sh": "sh", "dash": "sh", "ash": "sh", "ksh": "bash", "mksh": "bash"}
_NIX_RUNNER = re.compile(r"\bnix(-shell)?\b")


def with_shell(context: Context, command: str) -> Context | None:
    """The context under this shell command line; None when it is not a shell this package reads."""
    words = command.replace("{0}", " ").split()
    bases = [word.rsplit("/", 1)[-1] for word in words]
    at = next((i for i, base in enumerate(bases) if base in SHELLS), -1)
    if at < 0:
        return None
    name = bases[at]
    python = context.python
    if _NIX_RUNNER.search(" ".join(words[:at])):
        python = "nix"
    errexit, pipefail, nounset = flags(words[at + 1 :])
    return context._replace(
        dialect=SHELLS[name], errexit=errexit, pipefail=pipefail, nounset=nounset, python=python
    )


def flags(words: list[str]) -> tuple[bool, bool, bool]:
    """errexit, pipefail and nounset as these arguments of a shell or of `set` turn them on."""
    errexit = pipefail = nounset = False
    option = False
    for word in words:
        if option:
            errexit |= word == "errexit"
            pipefail |= word == "pipefail"
            nounset |= word == "nounset"
            option = False
        elif word.startswith("-") and not word.startswith("--"):
            letters = word[1:]
            errexit |= "e" in letters
            nounset |= "u" in letters
            option = letters.endswith("o")
        elif not word.startswith(("-", "+")):
            break
    return errexit, pipefail, nounset
