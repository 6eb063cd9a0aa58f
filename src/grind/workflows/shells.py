"""The shells of `run:` steps, as the runner starts them.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax (jobs.<job_id>.steps[*].shell)
and the runner's ScriptHandlerHelpers: no `shell:` is `bash -e {0}` WITHOUT pipefail; `shell: bash` is with it.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple


class Shell(NamedTuple):
    """How a script is started. `argv` holds `{0}` for the script's path."""

    argv: tuple[str, ...]
    suffix: str
    check: tuple[str, ...] | None
    """A command that answers 0 where the shell exists; None where it always does."""
    problem: str = ""
    before: str = ""
    after: str = ""


_POWERSHELL_AFTER = (
    "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }\n"
)

_KNOWN = {
    "": Shell(("bash", "-e", "{0}"), ".sh", None),
    "bash": Shell(("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"), ".sh", None),
    "sh": Shell(("sh", "-e", "{0}"), ".sh", None),
    "python": Shell(("python", "{0}"), ".py", ("bash", "-c", "command -v python3 python")),
    "pwsh": Shell(
        ("pwsh", "-command", ". '{0}'"),
        ".ps1",
        ("pwsh", "-Version"),
        before="$ErrorActionPreference = 'stop'\n",
        after=_POWERSHELL_AFTER,
    ),
}


def resolve_shell(shell: str) -> Shell:
    """Return how to start `shell`, a keyword or a template with `{0}`; `problem` says why not."""
    if shell in _KNOWN:
        return _KNOWN[shell]
    if shell in ("cmd", "powershell"):
        return Shell((), "", None, problem=f"shell {shell} exists on Windows only")
    if "{0}" not in shell:
        return Shell((), "", None, problem=f"shell {shell!r} is no known shell and has no {{0}}")
    try:
        argv = tuple(shlex.split(shell))
    except ValueError as error:
        return Shell((), "", None, problem=f"shell {shell!r}: {error}")
    check = ("bash", "-c", 'command -v -- "$0"', argv[0])
    like = _KNOWN.get(argv[0])
    if like is None:
        return Shell(argv, "", check)
    return like._replace(argv=argv, check=check)
