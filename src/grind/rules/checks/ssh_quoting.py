"""ssh-quoting: ssh joins its words with spaces and a second shell splits them again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from grind.rules.checks.heredoc_local_expansion import wrong_side
from grind.rules.checks.ssh_rules import sent
from grind.rules.findings import ERROR, HIGH, LOW, MEDIUM, NOTE, WARNING, Hit, Rule
from grind.rules.fragments import Hole
from grind.rules.shell.model import HOLE, HOLED, Word
from grind.rules.shell.programs import Handed, is_dynamic, ssh_target
from grind.rules.shell.wrappers import SHELL_NAMES
from grind.rules.units import Unit, View

_HARMLESS = re.compile(r"^\$(\{?[#?$!]|\{#)|@Q\}|printf\s+(-v\s+\w+\s+)?['\"]?%q|\bbase64\b")
_SAFE = re.compile(r"[\w./:@%+=,-]*$")
_DANGEROUS = frozenset(
    ("rm", "mv", "cp", "dd", "chown", "chmod", "mkfs", "ln", "rsync", "tee", "eval")
)
_OPERATOR = re.compile(r"&&|\|\||[;|<>]")


def check(view: View) -> Iterator[Hit]:
    """Words that lose their quotes on the way, and local values that the remote shell reads as code."""
    for unit, how, child in sent(view):
        lost = _lost_quotes(how) if how.how == "joined" else None
        if lost is not None:
            yield _lost(unit, how, lost)
        elif how.how in ("argument", "joined"):
            yield from _values(unit, how, child)


def _lost_quotes(how: Handed) -> Word | None:
    """The word whose quotes the remote shell never sees."""
    words = how.call.words[ssh_target(how.call) + 1 :]
    for before, word in pairwise(words):
        text = word.text
        if not re.search(r"\s", text.strip()) or word.raw[:1] not in "'\"":
            continue
        if before.text.startswith("-") and "c" in before.text and _names_shell(words, before):
            return word if text[:1] not in "'\"" else None
        if (
            words[0].text in ("echo", "printf")
            or _OPERATOR.search(text)
            or re.search(r"['\"\\]", text)
        ):
            continue
        return word
    return None


def _names_shell(words: tuple[Word, ...], option: Word) -> bool:
    before = [w.text.rsplit("/", 1)[-1] for w in words if w.start < option.start]
    return any(name in SHELL_NAMES for name in before)


def _lost(unit: Unit, how: Handed, word: Word) -> Hit:
    words = how.call.words
    before = words[[w.start for w in words].index(word.start) - 1].text
    shell = before.startswith("-") and "c" in before
    first = word.text.split()[0].replace(HOLE, "…")
    message = (
        f"ssh joins its words with spaces: the remote shell gets `-c {first}` and the rest as arguments; "
        "quote the whole remote command once more"
        if shell
        else "the quotes around this word are gone when the remote shell splits the command again"
    )
    span = (word.start, word.end)
    return unit.hit("ssh-quoting", span, message, ERROR, HIGH if shell else MEDIUM)


def _values(unit: Unit, how: Handed, child: Unit) -> Iterator[Hit]:
    words = how.call.words[ssh_target(how.call) + 1 :]
    if words and is_dynamic(words[0]):
        return  # `ssh host "$@"`: a wrapper that passes a program on
    for hole in child.fragment.holes:
        if hole.kind != "local" or _HARMLESS.search(hole.raw) or _constant(unit, hole):
            continue
        if _quoted_there(child, hole) or wrong_side(unit, how, child, hole, True):
            continue
        command = next(
            (
                c.name
                for c in reversed(child.calls)
                if c.site.command.start <= hole.start < c.site.command.end
            ),
            "",
        )
        risky = command in _DANGEROUS or hole.raw in ("$@", "$*", "${@}", "${*}")
        here = child.fragment.source_offset(hole.start)
        message = (
            f"`{hole.raw}` is expanded here and read as code by the remote shell: "
            "a space or a `;` in it changes the command; pass it as `${…@Q}` or through stdin"
        )
        span = (here, here + len(hole.raw))
        yield unit.hit(
            "ssh-quoting", span, message, WARNING if risky else NOTE, MEDIUM if risky else LOW
        )


def _constant(unit: Unit, hole: Hole) -> bool:
    name = re.match(r"\$\{?(\w+)", hole.raw)
    value = unit.constant(name.group(1)) if name else None
    return value is not None and bool(_SAFE.match(value))


def _quoted_there(child: Unit, hole: Hole) -> bool:
    """Whether the remote text has quotes around the value (not proof, but thought was given)."""
    for site in child.sites:
        for word in site.command.words:
            if word.start <= hole.start < word.end:
                return any(
                    p.kind == HOLED and p.start <= hole.start < p.end and p.quote
                    for p in word.parts
                )
    return False


RULE = Rule(
    id="ssh-quoting",
    severity=ERROR,
    what="A remote command is quoted for one shell, but two read it.",
    why="ssh sends its arguments joined by spaces; the remote login shell splits that text again. Quotes "
    "that only the local shell saw are gone, and local values become remote code.",
    seen="`ssh host bash -c 'cd /srv && ./restart'` ran `cd`, and then `./restart` in the home folder.",
    bad="ssh web1 bash -c 'cd /srv/app && ./restart'",
    good="ssh web1 'cd /srv/app && ./restart'",
    check=check,
)
