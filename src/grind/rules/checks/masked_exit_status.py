"""masked-exit-status: a check whose failure nobody can see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from grind.rules.checks.pipelines import (
    calls_of,
    handles_status,
    in_condition,
    is_check,
    is_work,
    last_call,
    options_unknown,
    pipes,
)
from grind.rules.findings import ERROR, HIGH, LOW, MEDIUM, NOTE, WARNING, Hit, Rule
from grind.rules.shell.model import Chain, Node, Pipe, Simple
from grind.rules.units import Unit, View, walk

_SWALLOWS = frozenset(
    (
        "tee cat tail head ts sed awk tr cut sort uniq fold column nl less more xcpretty"
        " xcbeautify pv logger sponge while gzip prettier pino-pretty gotestfmt ccze lolcat"
        " indent stdbuf unbuffer"
    ).split()
)
_ALWAYS = frozenset(("true", ":"))


def check(view: View) -> Iterator[Hit]:
    """Pipelines without pipefail, `|| true`, and `check; something else`."""
    for unit in view.running():
        yield from _piped(unit)
        yield from _excused(unit)
        yield from _followed(unit)


def _piped(unit: Unit) -> Iterator[Hit]:
    for pipe, _ in pipes(unit):
        if unit.option("pipefail", pipe.start) or handles_status(unit, pipe):
            continue
        last = pipe.stages[-1]
        swallows = last_call(unit, last)
        if swallows is None or swallows.name not in _SWALLOWS:
            continue
        for stage in pipe.stages[:-1]:
            work = next((c for c in calls_of(unit, stage) if is_work(c)), None)
            if work is None:
                continue
            tees = swallows.name in ("tee", "ts", "tail", "pv")
            if not is_check(work) and (not tees or _captured(unit, pipe)):
                continue
            gating = unit.context.gating or unit.option("errexit", pipe.start)
            asked = in_condition(unit, pipe)
            why = _why(unit)
            message = (
                f"`{work.name} … | {swallows.name}` has the exit code of `{swallows.name}`: {why}, "
                f"so a failing `{work.name}` passes"
            )
            severity = ERROR if gating or asked else WARNING
            if not is_check(work) and severity == ERROR and swallows.name != "tee":
                severity = WARNING
            confidence = HIGH if gating else MEDIUM
            if options_unknown(unit, pipe.start):
                severity, confidence = NOTE, LOW
            span = (stage.start, last.end)
            yield unit.hit("masked-exit-status", span, message, severity, confidence)
            break


def _captured(unit: Unit, pipe: Pipe) -> bool:
    """Whether the output becomes a value."""
    return any(s < pipe.start < e for s, (e, _) in unit.script.substitutions.items())


def _why(unit: Unit) -> str:
    if unit.context.host == "workflow" and unit.sender is None:
        return "without `shell: bash` a step runs without pipefail"
    if unit.context.host in ("recipe", "make") and unit.sender is None:
        return f"this {'recipe' if unit.context.host == 'recipe' else 'rule'} runs without pipefail"
    return "pipefail is off here"


def _excused(unit: Unit) -> Iterator[Hit]:
    """`check || true`."""
    if not unit.context.gating and not unit.context.errexit and unit.sender is None:
        matters = unit.context.host == "script"
    else:
        matters = True
    if not matters:
        return
    for node in walk(unit.script.statements):
        if not isinstance(node, Chain) or "||" not in node.ops:
            continue
        last = node.items[-1]
        if node.ops[-1] != "||" or not _always(last):
            continue
        left = node.items[-2]
        call = last_call(unit, left.stages[-1] if isinstance(left, Pipe) else left)
        if (
            call is None
            or not is_check(call)
            or call.name in ("make", "just", "nix", "npm", "terraform")
        ):
            continue
        if _discarded(left):
            continue
        message = f"`{call.name} … || {_shown(unit, last)}` cannot fail: its verdict is thrown away"
        yield unit.hit("masked-exit-status", (left.start, last.end), message, WARNING, MEDIUM)


def _always(node: Node) -> bool:
    if not isinstance(node, Simple) or len(node.words) == 0:
        return False
    first = node.words[0].literal
    return first in _ALWAYS or (first == "exit" and [w.raw for w in node.words[1:]] == ["0"])


def _discarded(node: Node) -> bool:
    """Output to /dev/null too: run for its effect (warming a cache), not for its verdict."""
    simple = node.stages[-1] if isinstance(node, Pipe) else node
    return any(r.target and r.target.raw == "/dev/null" for r in simple.redirects)


def _shown(unit: Unit, node: Node) -> str:
    return unit.text[node.start : min(node.end, node.start + 12)].strip()


def _followed(unit: Unit) -> Iterator[Hit]:
    """`check; echo done` where only the last command's status counts."""
    one_line = unit.context.host in ("recipe", "make", "npm") or unit.sender is not None
    statements = unit.script.statements
    if not one_line or unit.context.errexit or not unit.context.gating or len(statements) < 2:
        return
    if "set -e" in unit.text:
        return
    for node, following in pairwise(statements):
        call = last_call(unit, node.stages[-1] if isinstance(node, Pipe) else node)
        if call is None or not is_check(call) or node.background:
            continue
        rest = unit.text[node.end : following.end]
        if "$?" in rest or re.search(r"PIPESTATUS|\bwait\b", rest):
            continue
        message = f"the exit code of `{call.name}` is lost: after `;` only the last command counts"
        severity = ERROR if unit.sender is None else WARNING
        yield unit.hit("masked-exit-status", (node.start, node.end), message, severity, MEDIUM)


RULE = Rule(
    id="masked-exit-status",
    severity=ERROR,
    what="A test, a linter or a build runs where its failure changes nothing.",
    why="A step that cannot fail is green for ever, and is worse than no step.",
    seen="`clippy … | tee log` in a step without `shell: bash` (F13).",
    bad="run: cargo clippy | tee clippy.log",
    good="shell: bash\nrun: cargo clippy | tee clippy.log",
    check=check,
)
