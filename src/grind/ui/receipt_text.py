"""Receipts for people: a list, one in full, and what the gate said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grind.core.texts import one_line
from grind.ui.words import count, duration, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grind.core.gate import Decision
    from grind.core.receipt import Receipt, StepRecord
    from grind.core.weakening import Weakening

_COLUMN = 58


def row(receipt: Receipt, *, signed: str, now: float, here: bool) -> str:
    """Return a receipt on one line."""
    place = "" if here else "  (from the remote)"
    return (
        f"{short(receipt.tree)}  {_state(receipt):<8} {_ago(now - receipt.created):>8}  "
        f"{count(receipt.executed, 'step')}  {one_line(receipt.host_name)}  {signed}{place}"
    )


def _state(receipt: Receipt) -> str:
    return "void" if receipt.void else receipt.state


def _ago(seconds: float) -> str:
    return f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    """Return a length of time, in days when it is some."""
    days = seconds / 86400
    return f"{days:.0f} days" if days >= 2 else duration(max(seconds, 0.0))


def whole(receipt: Receipt, *, signed: str, now: float) -> str:
    """Return everything that a receipt says, except for what only grind reads."""
    lines = [
        f"receipt of tree {receipt.tree}",
        f"  checked as commit {receipt.commit}",
        f"  {_state(receipt)}, {_ago(now - receipt.created)}, in {duration(receipt.duration)}, "
        f"run {receipt.run or '-'}, grind {receipt.grind}",
        f"  host {one_line(receipt.host_name)} ({receipt.host})",
        f"  plan {receipt.digest}",
        f"  {signed}",
    ]
    if receipt.system:
        lines.append(f"  system {one_line(receipt.system)}")
    if receipt.expires is not None:
        left = receipt.expires - now
        lines.append(f"  expires in {_span(left)}" if left > 0 else "  expired")
    lines += [f"  {_step(step)}" for step in receipt.steps]
    lines += [f"  not proven, by design: {one_line(one)}" for one in receipt.unproven]
    lines += [f"  open: {one_line(one)}" for one in receipt.open]
    for act in receipt.activations:
        lines.append(
            f"  activation on {act.host[:12]}: {act.outcome} {one_line(act.told)}".rstrip()
        )
    for probe in receipt.probes:
        lines.append(f"  probe {one_line(probe.name)} ({probe.place}): {probe.conclusion}")
    for accepted in receipt.accepted:
        lines.append(
            f"  weaker rules accepted by {one_line(accepted.by)}: {one_line(accepted.reason)}"
        )
        lines += [f"    {one_line(line)}" for line in accepted.lines]
    return "\n".join(lines) + "\n"


def _step(step: StepRecord) -> str:
    mark = {"success": "✓", "failure": "✗"}.get(step.conclusion, "·")
    tests = f", {count(step.tests, 'test')}" if step.tests is not None else ""
    code = f", exit {step.exit_code}" if step.exit_code else ""
    gates = "" if step.gating else ", cannot fail"
    told = f"{mark} {one_line(step.job)}: {one_line(step.name)}"
    return f"{told} ({step.verdict}, {duration(step.duration)}{tests}{code}{gates})"


def answer(decision: Decision) -> str:
    """Return what the gate says, with what is weakened side by side."""
    lines = [f"gate: {decision.answer}" + (f": {decision.reason}" if decision.reason else "")]
    if decision.signer:
        lines.append(f"  signed by {decision.signer}")
    lines += [f"  {line}" for line in side_by_side(decision.weakened)]
    if decision.remedy:
        lines.append(f"  → {decision.remedy}")
    return "\n".join(lines) + "\n"


def side_by_side(weakened: Iterable[Weakening]) -> list[str]:
    """Return the rules of the main branch and of the change, beside each other."""
    found = list(weakened)
    if not found:
        return []
    lines = [f"{'on the main branch':<{_COLUMN}}  in this change"]
    for one in found:
        lines.append(one_line(one.where))
        left, right = _wrapped(one.base), _wrapped(one.now)
        for number in range(max(len(left), len(right))):
            before = left[number] if number < len(left) else ""
            after = right[number] if number < len(right) else ""
            lines.append(f"  {before:<{_COLUMN - 2}}  {after}".rstrip())
    return lines


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(one_line(text), _COLUMN - 4) or ["-"]
