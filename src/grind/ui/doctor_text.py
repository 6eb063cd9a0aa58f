"""`grind doctor` for people: a finding a line, and its remedy below."""

from __future__ import annotations

from grind.core.doctor import Diagnosis, HostFinding
from grind.core.texts import one_line
from grind.ui.layout import pad, wrap
from grind.ui.words import Paint, Signs

_NAME = 10
"""Cells for a finding's name."""


def render_doctor(
    diagnosis: Diagnosis, width: int, colour: bool, signs: Signs | None = None
) -> str:
    """Return all findings, what is missing last and where the eye stops, newline at the end."""
    signs = signs or Signs()
    paint = Paint(colour)
    order = {"ok": 0, "note": 1, "warning": 2, "missing": 3}
    lines = []
    for finding in sorted(diagnosis.findings, key=lambda finding: order[finding.level]):
        lines += _finding(finding, max(width, 40), paint, signs)
    lines.append(_end(diagnosis, paint))
    return "\n".join(lines) + "\n"


def _finding(finding: HostFinding, width: int, paint: Paint, signs: Signs) -> list[str]:
    sign = {
        "ok": paint.good(signs.ok),
        "note": paint.faint(signs.waiting),
        "warning": paint.odd(signs.refused),
        "missing": paint.bad(signs.failed),
    }[finding.level]
    head = pad(one_line(finding.name), _NAME)
    rest = " " * (_NAME + 3)
    told = wrap(one_line(finding.told), width, first=rest, rest=rest)
    lines = [f"{sign} {head} {told[0][len(rest) :]}", *told[1:]]
    if finding.remedy:
        first = f"{rest}{signs.remedy} "
        lines += wrap(one_line(finding.remedy), width, first=first, rest=rest + "  ")
    return lines


def _end(diagnosis: Diagnosis, paint: Paint) -> str:
    host = one_line(diagnosis.host)
    if not diagnosis.reachable:
        return paint.bad(f"{host} cannot be reached")
    missing = sum(finding.level == "missing" for finding in diagnosis.findings)
    if missing:
        return paint.bad(f"{host} is not fit for grind: {missing} missing")
    warnings = sum(finding.level == "warning" for finding in diagnosis.findings)
    return f"{host} is fit for grind" + (f", with {warnings} to look at" if warnings else "")
