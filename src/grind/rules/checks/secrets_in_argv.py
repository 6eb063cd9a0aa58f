"""secrets-in-argv: a secret where `ps` shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.pipelines import options_unknown
from grind.rules.findings import HIGH, MEDIUM, NOTE, WARNING, Hit, Rule
from grind.rules.fragments import Hole
from grind.rules.shell.model import HOLED, VAR, Part, Word
from grind.rules.shell.programs import Call
from grind.rules.shell.wrappers import SSH_COMMANDS
from grind.rules.units import Unit, View

_SECRET = re.compile(
    r"(^|_)(TOKEN|SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|PRIVATE_?KEY|SECRET_?KEY|SECRET_ACCESS_KEY"
    r"|CREDENTIALS|GH_PAT|PAT|AUTH_KEY|WEBHOOK_URL|SIGNING_KEY)$"
)
_LOWER = re.compile(r"(^|_)(token|secret|password|passwd|api_?key|passphrase)$")
_CONTEXT = re.compile(
    r"(?i)authorization|bearer|--?pass(word|phrase)?\b|--?token\b|--?secret|api[-_]?key|:$|-u$"
)
_FILE_OPTION = re.compile(r"^--?(credentials?|key|cert|config)(-file)?$")
_BUILTINS = frozenset(
    (
        "echo printf test [ [[ export local declare readonly typeset set unset read return exit"
        " eval true false : let shift trap source . case if cd alias hash type command builtin"
        " exec time nohup env sudo timeout nice xargs setsid stdbuf mapfile readarray wait"
        " getopts"
    ).split()
)
_HOLE = re.compile(
    r"\bsecrets\.(?!GITHUB_TOKEN\b)[\w-]+|\bsecrets\.GITHUB_TOKEN\b|\bgithub\.token\b",
    re.IGNORECASE,
)
_PLAIN_RESULT = re.compile(r"secrets\.[\w-]+\s*(!=|==|&&)")


def check(view: View) -> Iterator[Hit]:
    """Secret variables and `${{ secrets.x }}` among the words of programs."""
    told: set[str] = set()
    for unit in view.running():
        for call in unit.calls:
            if call.name in _BUILTINS or call.name in unit.functions or not call.arguments:
                continue
            if "_" in call.name and options_unknown(unit, call.head.start):
                continue  # a function of a file that was read in
            found = next(_secrets(unit, call), None)
            if found is not None and found[1] not in told:
                told.add(found[1])  # once per secret and file is enough to act on
                yield _hit(unit, call, *found)


def _secrets(unit: Unit, call: Call) -> Iterator[tuple[Part, str]]:
    if not call.name and "/" not in call.head.text:
        return
    for at, word in enumerate(call.words[1:], 1):
        before = call.words[at - 1].text
        for part in word.parts:
            name = _secret_name(unit, word, part, before)
            if name:
                yield part, name


def _names_a_file(part: Part, before: str) -> bool:
    """`--credentials "$X_CREDENTIALS"`: credentials that an option of that name takes are a file."""
    return part.text.endswith("CREDENTIALS") and bool(_FILE_OPTION.search(before))


def _secret_name(unit: Unit, word: Word, part: Part, before: str) -> str:
    if part.kind == VAR:
        if _names_a_file(part, before):
            return ""
        raw = unit.text[part.start : part.end]
        if raw.startswith(("${#", "${!")) or re.match(r"\$\{\w+:?[+]", raw):
            return ""
        if _SECRET.search(part.text) or part.text in unit.context.secrets:
            return part.text
        lead = before + " " + unit.text[word.start : part.start]
        return part.text if _LOWER.search(part.text) and _CONTEXT.search(lead) else ""
    if part.kind == HOLED:
        for hole in unit.fragment.hole_at(part.start, part.end):
            name = _in_hole(hole)
            if name:
                return name
    return ""


def _in_hole(hole: Hole) -> str:
    if hole.kind == "github" and not _PLAIN_RESULT.search(hole.raw):
        match = _HOLE.search(hole.raw)
        return match.group() if match else ""
    return ""


def _hit(unit: Unit, call: Call, part: Part, name: str) -> Hit:
    far = call.name in SSH_COMMANDS or call.context.machine == "remote"
    severity = NOTE if call.context.machine == "ci" and not far else WARNING
    message = (
        f"`{name}` is an argument of `{call.name or 'a program'}`: every user of the machine can read it in "
        "`ps`, and logs of commands keep it; pass it by stdin, a file or the environment"
    )
    span = (part.start, part.end)
    return unit.hit("secrets-in-argv", span, message, severity, HIGH if far else MEDIUM)


RULE = Rule(
    id="secrets-in-argv",
    severity=WARNING,
    what="A token or password is given to a program as an argument.",
    why="Arguments are public on a machine (`ps`, `/proc`), and traces and logs of commands keep them.",
    seen="A deployment passed a registry password to a remote `docker login -p`.",
    bad='docker login -u ci -p "$REGISTRY_PASSWORD"',
    good='printf %s "$REGISTRY_PASSWORD" | docker login -u ci --password-stdin',
    check=check,
)
