"""ssh-multiline: a program that lives inside an ssh command."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.ssh_rules import sent
from grind.rules.findings import HIGH, MEDIUM, NOTE, WARNING, Edit, Hit, NewFile, Rule
from grind.rules.shell.programs import Call, Handed
from grind.rules.units import Unit, View

_FRAME = frozenset(
    (
        "set",
        "cd",
        "export",
        ":",
        "true",
        "exit",
        "echo",
        "printf",
        "umask",
        "source",
        ".",
        "shopt",
        "trap",
        "unset",
        "return",
        "read",
        "local",
        "pushd",
        "popd",
    )
)
_SHELLS = frozenset(("bash", "sh", "nix", "env", "sudo", "exec", "just", "make"))
_CONTINUED = re.compile(r"\\\n")


def check(view: View) -> Iterator[Hit]:
    """Texts with several commands of their own; one call of a checked-in script is what is wanted."""
    for unit, how, child in sent(view):
        work = [call for call in _outermost(child) if call.name not in _FRAME]
        own = [call for call in work if not _is_script(call)]
        lines = _CONTINUED.sub(" ", child.text.strip()).count("\n") + 1
        if len(work) < 2 or not own:
            continue
        if lines > 1:
            yield _hit(unit, how, f"{len(work)} commands over {lines} lines", WARNING, HIGH)
        elif len(work) >= 3:
            recipe = child.context.host in ("recipe", "make")
            fix = _fix(view, unit, how, child) if child.context.host == "recipe" else ((), ())
            yield _hit(
                unit,
                how,
                f"{len(work)} commands in one line",
                WARNING if recipe else NOTE,
                MEDIUM,
                *fix,
            )


def _hit(
    unit: Unit,
    how: Handed,
    what: str,
    severity: str,
    confidence: str,
    edits: tuple[Edit, ...] = (),
    files: tuple[NewFile, ...] = (),
) -> Hit:
    message = (
        f"{what} live inside an ssh command, where nothing checks, tests or reviews them: "
        "put them in a checked-in script and call that"
    )
    head = how.call.head
    end = unit.text.find("\n", head.start)
    span = (head.start, end if end > 0 else len(unit.text))
    return unit.hit("ssh-multiline", span, message, severity, confidence, edits, files)


def _outermost(child: Unit) -> list[Call]:
    """One call per command; wrappers count as what they wrap."""
    return [call for call in child.calls if not call.via]


def _is_script(call: Call) -> bool:
    """A call of something that is in the repository."""
    words = list(call.words)
    while words:
        text = words[0].text
        if re.search(r"/[^/]+\.(sh|bash|py|nu|pl|rb|js)$|^\./|^[\w.-]+/[\w./-]+$|\x01/", text):
            return True
        name = text.rsplit("/", 1)[-1]
        if name in ("just", "make"):
            return True
        if name not in _SHELLS and not text.startswith("-") and "=" not in text:
            return False
        words.pop(0)
    return False


def _fix(
    view: View, unit: Unit, how: Handed, child: Unit
) -> tuple[tuple[Edit, ...], tuple[NewFile, ...]]:
    """A recipe's one-liner moves to a script; the same text reaches the same remote shell."""
    words = how.call.words
    last = words[-1]
    raw = unit.text[last.start : last.end]
    plain = len(raw) > 2 and raw[0] == raw[-1] and raw[0] in "'\""
    if (
        how.how != "argument"
        or child.fragment.holes
        or not plain
        or how.call.site.command.redirects
    ):
        return (), ()
    if unit.sender is not None or raw.count(raw[0]) != 2:
        return (), ()
    start = unit.offset(last.start)
    if view.source.text[start : start + len(raw)] != raw:
        return (), ()
    label = re.sub(r"[^\w-]", "-", unit.context.label) or "recipe"
    folder = view.source.path.rpartition("/")[0]
    name = f"scripts/{label}-remote-{_digest(child.text)}.sh"
    path = f"{folder}/{name}" if folder else name
    head = f"#!/usr/bin/env bash\n# Runs on the remote host; called by the recipe `{unit.context.label}`.\n"
    edit = Edit(start, start + len(raw), f'"$(cat {name})"')
    return (edit,), (NewFile(path, head + child.text.strip() + "\n"),)


def _digest(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode("latin-1")).hexdigest()[:6]


RULE = Rule(
    id="ssh-multiline",
    severity=WARNING,
    what="Several commands are sent through ssh as text, instead of one call of a checked-in script.",
    why="Such text has no `set -e` of its own, is quoted twice, and no reviewer, linter or test sees it.",
    seen="A deployment's remote half lived in heredocs and one-liners; each repair was another push.",
    bad="ssh web1 'systemctl stop app; cp -r new/* /srv/app; systemctl start app'",
    good="ssh web1 /srv/app/scripts/deploy.sh",
    check=check,
)
