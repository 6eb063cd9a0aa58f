"""`grind stats` as one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

from grind.core.history import Chain, History, Month, SinceGrind

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = ".:-=+*#@"
MONTHS_AT_MOST = 36


def render_stats(
    history: History,
    *,
    width: int,
    notes: Sequence[str] = (),
    since_grind: SinceGrind | None = None,
    ascii_only: bool = False,
) -> str:
    """Draw the screen, no line wider than `width` columns. Foreign text is made visible.

    `notes` are what the reader must know of the history, such as where it is cut off.
    """
    bars = ASCII_BARS if ascii_only else BARS
    lines = [*_head(history), *_months(history.months, width, bars), *_worst(history)]
    if since_grind is not None:
        lines += ["", *_since_grind(since_grind)]
    lines += ["", *(f"note: {visible(note)}" for note in notes)]
    lines.append("What counts as a fix, and what does not: docs/stats.md")
    text = "\n".join(_fit(line, width) for line in lines) + "\n"
    return text.encode("ascii", "replace").decode() if ascii_only else text


def visible(text: str) -> str:
    """Show what is not printable as an escape: a commit may not move the cursor or turn text."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _head(history: History) -> Iterator[str]:
    yield f"{_number(history.touching, 'commit')} of {history.commits:,} touch CI or deploy files"
    if not history.touching:
        return
    yield f"{history.follow_ups:,} of them fix the one before: {_share(history)}"
    if history.minutes is None:
        return
    middle, total = _span(history.minutes.median), _span(history.minutes.total)
    yield f"{middle} from a commit to its fix (median), {total} in all"
    longest = history.chains[0]
    fixes = _number(longest.follow_ups, "fix", "fixes")
    yield f"longest chain: {fixes} in {_span(longest.minutes)}"


def _months(months: Sequence[Month], width: int, bars: str) -> Iterator[str]:
    shown = _filled(months)[-min(MONTHS_AT_MOST, max(1, width - 32)) :]
    if not any(month.touching for month in shown):
        return
    most = max(month.touching for month in shown)
    yield ""
    for label, values in (
        ("touching CI", [month.touching for month in shown]),
        ("follow-up fixes", [month.follow_ups for month in shown]),
    ):
        peak = max(range(len(values)), key=lambda place: values[place])
        line = "".join(_bar(value, most, bars) for value in values)
        about = f"{values[peak]:,} in {shown[peak].month}" if values[peak] else "none"
        yield f"{label:<16} {line}  {about}"
    yield f"{'':<16} {shown[0].month} to {shown[-1].month}, by month"


def _filled(months: Sequence[Month]) -> list[Month]:
    """Put in the months without a commit: a line of time has no holes."""
    filled: list[Month] = []
    for month in months:
        while filled and (after := _next(filled[-1].month)) != month.month:
            filled.append(Month(after, 0, 0, 0))
        filled.append(month)
    return filled


def _next(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def _bar(value: int, most: int, bars: str) -> str:
    """Nothing is a space; anything at all is a bar; the most is the full one."""
    return bars[-(-value * len(bars) // most) - 1] if value else " "


def _worst(history: History) -> Iterator[str]:
    if history.chains:
        yield ""
        yield "chains of fixes"
        yield from (_chain(chain) for chain in history.chains)
    if history.files:
        yield ""
        yield "files mended most"
        yield from (f"{file.follow_ups:>5,}  {visible(file.path)}" for file in history.files)


def _chain(chain: Chain) -> str:
    day = datetime.fromtimestamp(chain.started, UTC).date().isoformat()
    span = _span(chain.minutes)
    return f"{chain.follow_ups:>5,}  {span:>8}  {day}  {chain.first[:9]}  {visible(chain.subject)}"


def _since_grind(since: SinceGrind) -> Iterator[str]:
    yield f"since grind: {_number(since.releases, 'release')}"
    if since.watched:
        share = 100 * since.first_push_green / since.watched
        of = (
            "" if since.watched == since.releases else f" of {since.watched:,} whose CI was watched"
        )
        yield f"{since.first_push_green:>5,}  green at the first push: {share:.0f} %{of}"
    yield f"{since.gate_refusals:>5,}  refused by the gate before they were pushed"
    yield f"{since.bypasses:>5,}  landed without a receipt, past the gate"
    yield from (f"       {visible(oid[:12])}" for oid in since.bypassed[:3])
    if since.first_green_minutes is not None:
        yield f"       {_span(since.first_green_minutes)} to the first recorded green"


def _share(history: History) -> str:
    return f"{100 * history.follow_ups / history.touching:.0f} %"


def _number(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _span(minutes: float) -> str:
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} d"


def _fit(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    return set_cell_size(line, width - 1).rstrip() + "…"
