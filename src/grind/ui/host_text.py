"""`grind status --host`: a host's generations and its drift."""

from __future__ import annotations

from collections.abc import Iterator

from grind.core.hosthistory import HOST_SCHEMA, HostStatus
from grind.core.texts import one_line
from grind.ui.words import Paint, duration, short, signs_for

_SHOWN = 12


def document(status: HostStatus) -> str:
    """Return the status as one JSON document (schema grind.host/1)."""
    import msgspec

    whole = {"schema": HOST_SCHEMA} | msgspec.to_builtins(status)
    return msgspec.json.encode(whole).decode()


def render_host(status: HostStatus, now: float, colour: bool, encoding: str | None) -> str:
    """Return the status as text."""
    return "\n".join(_lines(status, now, Paint(colour), encoding)) + "\n"


def _lines(status: HostStatus, now: float, paint: Paint, encoding: str | None) -> Iterator[str]:
    signs = signs_for(encoding)
    number = f" (generation {status.number})" if status.number else ""
    yield f"{paint.strong(one_line(status.host))} runs {one_line(status.running)}{number}"
    if status.working:
        yield f"{paint.odd(signs.running)} the activation {status.working} is under way"
    if status.cut_off:
        yield (
            f"{paint.bad(signs.refused)} the activation {status.cut_off} was cut off: "
            "`grind activate` or `grind rollback host` brings it to its end"
        )
    for row in status.generations[-_SHOWN:]:
        sign = {"good": paint.good(signs.ok), "bad": paint.bad(signs.failed)}.get(
            row.verdict, paint.faint(signs.waiting)
        )
        here = paint.strong(" ← now") if row.current else ""
        ago = f"{duration(now - row.at)} ago" if row.at else "?"
        made = short(row.revision) if row.revision else "-"
        reason = f" ({one_line(row.reason)})" if row.reason else ""
        name = one_line(row.name)
        yield f"  {sign} {name:>4}  {row.verdict:<7}  {made:<12}  {ago:>12}  {one_line(row.who) or '-'}{reason}{here}"
    for one in status.drift:
        yield f"{paint.odd(signs.refused)} {one_line(one.text)}"
        yield f"  {signs.remedy} {one_line(one.remedy)}"
    if not status.drift:
        behind = (
            ""
            if status.built
            else "; what the working copy builds is not known (grind activate --dry-run)"
        )
        yield paint.faint(f"no drift{behind}")
