"""What a `run:` step is for: check, build, provision, e2e, deploy or notify, with the reason.

Order of the rules, first match wins, over every command of the text, those in substitutions,
functions and `bash -c` texts included:

1. deploy: a command acts outside (`outward.acts_outside`), or a task or script says so by its name
   (`tasknames.says_deploy`), or the step is called "Deploy …" and runs what cannot be read.
2. provision: a command changes the machine (`provision.changes_machine`).
3. notify: a command sends a message, or all the step does is write the job's summary.
4. e2e, then check when a test is recognised, then build, else check.

A text that cannot be read whole, or that is in another language, is searched word by word with the
same rules: that finds a deploy in a comment, and is meant to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grind.core.plan import StepClass
from grind.workflows.commandline import row
from grind.workflows.outward import acts_outside, speaks
from grind.workflows.provision import changes_machine, pipes_download
from grind.workflows.purpose import purpose
from grind.workflows.shellmodel import Command, Script, Word
from grind.workflows.shellread import mask_holes, read_shell
from grind.workflows.tasknames import says_deploy, task_name


class Provided(NamedTuple):
    """One command of a provision step."""

    argv: tuple[str, ...]
    line: int
    reason: str


class Class_(NamedTuple):  # noqa: N801 - `class` is a keyword, and this is its value
    """What a step is for."""

    klass: StepClass
    reason: str
    """Names the command and its line in the text (1-based) when a rule matched."""
    line: int | None = None
    """0-based line in the text of the command that decided."""
    provides: tuple[Provided, ...] = ()
    """Every command of the step that changes the machine."""
    rest: tuple[str, ...] = ()
    """For provision and notify: what the step does besides, such as `pytest (line 3)`. A check of
    the host can stand in for the step only when this is empty."""


_TALK = frozenset(
    row(
        "echo printf cat : true test [ sed awk grep cut tr head tail sort uniq wc date jq "
        "basename dirname set export local read exit shopt unset declare cd pwd sleep command "
        "type which env readonly"
    )
)
"""Commands that neither prove nor change anything worth naming."""
_CALLED_DEPLOY = re.compile(
    r"\W*(?:deploy|publish|release|promote|rollout|roll out|ship|redeploy)\b", re.IGNORECASE
)
_CALLED_OTHERWISE = re.compile(
    r"\b(?:check|test|tests|verify|lint|dry|build|validate|notes?|version|mode)\b", re.IGNORECASE
)
_POSIX_SHELLS = ("bash", "sh", "dash", "zsh", "ksh", "ash")
_SPLIT = re.compile(r"[\s\"'`()\[\]{},;|&<>]+")
_WINDOW = 8
_LONGEST = 4096
"""Words of a text that are searched when it cannot be read; far above any real one."""


def classify_run(name: str, text: str, shell: str = "") -> Class_:
    """Return what the step called `name` that runs `text` in `shell` (as written) is for."""
    program = shell.split()[0].rpartition("/")[2] if shell.split() else "bash"
    script = read_shell(text) if program in _POSIX_SHELLS else Script((), (), False)
    return classify_script(name, text, script)


def classify_script(name: str, text: str, script: Script) -> Class_:
    """Like `classify_run` for a text that was read already."""
    commands = [c for c in script.commands if c.words or c.redirects or c.wrappers]
    commands += list(_called(commands))
    if not script.complete:
        commands += list(_guess(text))
    return _deploy(name, commands) or _provision(commands) or _notify(commands) or _inward(commands)


def _called(commands: list[Command]) -> Iterator[Command]:
    """What a text runs by a variable or by a function of its own.

    `$guard gh release create` also runs `gh release create`; after `on() { git -C x "$@"; }`,
    `on push` also runs `git -C x push`.
    """
    passes_on = {c.place.function: c for c in commands if c.place.function and _ALL & {*c.argv}}
    for command in commands:
        if len(command.words) > 1 and _EXPANSION.fullmatch(command.words[0].text):
            yield command._replace(words=command.words[1:])
        inner = passes_on.get(command.name)
        if inner is not None and command.place.function != command.name:
            words: list[Word] = []
            for word in inner.words:
                words += command.words[1:] if word.text in _ALL else (word,)
            yield command._replace(words=tuple(words), wrappers=command.wrappers + inner.wrappers)


_ALL = frozenset({"$@", "$*", "${@}", "${*}"})
_EXPANSION = re.compile(r"\$\w+|\$\{[^{}]*\}|\$\{\{.*\}\}", re.DOTALL)


def _where(command: Command, reason: str) -> str:
    return f"{reason} (line {command.line + 1})"


def _deploy(name: str, commands: list[Command]) -> Class_ | None:
    for command in commands:
        if not command.words:
            continue
        reason = acts_outside(command.argv)
        if reason is not None and not speaks(command.argv):
            return Class_(StepClass.DEPLOY, _where(command, reason), command.line)
        task = says_deploy(command.argv)
        if task is not None:
            text = (
                f"`{' '.join(command.argv[:4])}` runs `{task}`, which says by its name that it acts"
            )
            return Class_(StepClass.DEPLOY, _where(command, text), command.line)
    if _CALLED_DEPLOY.match(name) and not _CALLED_OTHERWISE.search(name):
        for command in commands:
            if command.words and _opaque(command):
                text = f"the step is called {name!r} and runs `{command.name}`, which is not read"
                return Class_(StepClass.DEPLOY, _where(command, text), command.line)
    return None


def _opaque(command: Command) -> bool:
    """Whether what the command does stands in another file or in a variable."""
    return not command.words[0].literal or task_name(command.argv) is not None


def _provision(commands: list[Command]) -> Class_ | None:
    changes = [(c, reason) for c in commands if (reason := changes_machine(c)) is not None]
    piped = pipes_download(commands)
    if piped is not None:
        changes += [(command, piped[1]) for command in piped[0]]
    if not changes:
        return None
    provides = [Provided(c.argv, c.line, reason) for c, reason in changes]
    counted = {id(command) for command, _ in changes}
    first = min(provides, key=lambda provided: provided.line)
    rest = tuple(
        f"{' '.join(c.argv[:2])} (line {c.line + 1})"
        for c in commands
        if c.words and id(c) not in counted and not _is_talk(c)
    )
    reason = f"{first.reason} (line {first.line + 1})"
    return Class_(StepClass.PROVISION, reason, first.line, tuple(provides), rest)


def _is_talk(command: Command) -> bool:
    return command.name in _TALK and not _writes_more_than_summary(command)


def _writes_more_than_summary(command: Command) -> bool:
    return any(
        redirect.writes
        and "GITHUB_STEP_SUMMARY" not in redirect.target.text
        and not redirect.target.text.startswith("/dev/")
        for redirect in command.redirects
    )


def _notify(commands: list[Command]) -> Class_ | None:
    said = [(c, reason) for c in commands if c.words and (reason := speaks(c.argv)) is not None]
    rest = tuple(
        f"{' '.join(c.argv[:2])} (line {c.line + 1})"
        for c in commands
        if c.words and not _is_talk(c) and speaks(c.argv) is None
    )
    if said:
        command, reason = said[0]
        return Class_(StepClass.NOTIFY, _where(command, reason), command.line, (), rest)
    summary = [
        c for c in commands if any("GITHUB_STEP_SUMMARY" in r.target.text for r in c.redirects)
    ]
    if summary and not rest and not any(_writes_more_than_summary(c) for c in commands):
        text = "only writes the job's summary"
        return Class_(StepClass.NOTIFY, _where(summary[0], text), summary[0].line)
    return None


def _inward(commands: list[Command]) -> Class_:
    found: dict[str, Command] = {}
    for command in commands:
        if command.words:
            kind = purpose(command.argv)
            if kind is not None:
                found.setdefault(kind, command)
    for kind, klass in (
        ("e2e", StepClass.E2E),
        ("test", StepClass.CHECK),
        ("build", StepClass.BUILD),
    ):
        if kind in found:
            command = found[kind]
            text = f"`{' '.join(command.argv[:3])}`"
            return Class_(klass, _where(command, text), command.line)
    return Class_(StepClass.CHECK, "nothing in it says otherwise")


def _guess(text: str) -> Iterator[Command]:
    """Take every word of every line for the start of a command: conservative, never silent."""
    masked, _ = mask_holes(text.encode("utf-8", "surrogatepass"))
    left = _LONGEST
    for line, content in enumerate(masked.decode("utf-8", "replace").split("\n")):
        words = [word for word in _SPLIT.split(content) if word]
        yield from _windows(words[:left], line)
        left -= len(words)
        if left <= 0:
            return


def _windows(words: list[str], line: int) -> Iterable[Command]:
    for index in range(len(words)):
        window = words[index : index + _WINDOW]
        yield Command(tuple(Word(word) for word in window), line)
