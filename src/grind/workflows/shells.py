"""The shells of `run:` steps, as the runner starts them.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax (jobs.<job_id>.steps[*].shell)
and the runner's ScriptHandlerHelpers: no `shell:` is `bash -e {0}` WITHOUT pipefail; `shell: bash` is with it.
"""

from __future__ import annotations

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
    """Return how to start `shell`, a keyword or a template with `{0}`; `problem` says why not.

    A template is a program, and arguments that are split as .NET splits them: double quotes group,
    single quotes and `$` mean nothing (ScriptHandlerHelpers.ParseShellOptionString, and .NET's
    ParseArgumentsIntoList on Unix).
    """
    if shell in _KNOWN:
        return _KNOWN[shell]
    program, _, format_ = shell.partition(" ")
    if program in ("cmd", "powershell"):
        return _not(f"shell {program} exists on Windows only")
    if "{0}" not in format_:
        return _not(f"shell {shell!r} is no known shell and has no {{0}} after its program")
    if not program:
        return _not(f"shell {shell!r} begins with a blank, where its program should stand")
    bare = format_.replace("{0}", "")
    if "{" in bare or "}" in bare:
        return _not(f"shell {shell!r} has a brace that is not of {{0}}, which the runner refuses")
    argv = (program, *split_arguments(format_))
    check = ("bash", "-c", 'command -v -- "$0"', program)
    like = _KNOWN.get(program)
    if like is None:
        return Shell(argv, "", check)
    return like._replace(argv=argv, check=check)


def _not(problem: str) -> Shell:
    return Shell((), "", None, problem=problem)


def split_arguments(text: str) -> tuple[str, ...]:
    """Split a command line as .NET does on Unix.

    Blanks and tabs separate. `"` groups; inside a group `""` is a quote. Backslashes stand for
    themselves but before a quote: two are one, and an odd one makes the quote a character.
    """
    found: list[str] = []
    place = 0
    while True:
        while place < len(text) and text[place] in " \t":
            place += 1
        if place >= len(text):
            return tuple(found)
        argument, place = _next_argument(text, place)
        found.append(argument)


def _next_argument(text: str, place: int) -> tuple[str, int]:
    parts: list[str] = []
    quoted = False
    while place < len(text):
        char = text[place]
        if char == "\\":
            begin = place
            while text[place : place + 1] == "\\":
                place += 1
            slashes = place - begin
            if text[place : place + 1] != '"':
                parts.append("\\" * slashes)
                continue
            parts.append("\\" * (slashes // 2))
            if slashes % 2:
                parts.append('"')
                place += 1
        elif char == '"':
            if quoted and text[place + 1 : place + 2] == '"':
                parts.append('"')
                place += 2
            else:
                quoted = not quoted
                place += 1
        elif char in " \t" and not quoted:
            break
        else:
            parts.append(char)
            place += 1
    return "".join(parts), place
