"""Probes in words: a line for what changes, and the table of what was asked, got, and how long."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from grind.core.events import ProbeLooked
from grind.core.health import ProbeReport, ProbeRow
from grind.core.texts import one_line
from grind.ui.layout import cells, fit, pad
from grind.ui.words import Paint, Signs, count, duration, short

PROBE_SCHEMA = "grind.probe/1"
_NARROWEST = 24


class ProbeDocument(Struct, frozen=True, kw_only=True):
    """What `grind probe --json` prints."""

    host: str
    role: str = ""
    """The role whose probes were asked; empty when they were named, or for a host without one."""
    commit: str = ""
    """The commit that had to answer where a probe asks for one; empty when none did."""
    tree: str = ""
    healthy: bool
    exit_code: int
    seconds: float
    probes: tuple[ProbeRow, ...]


def look_line(looked: ProbeLooked, paint: Paint, signs: Signs) -> str:
    """Return what has changed, on a line."""
    sign = paint.good(signs.ok) if looked.green else paint.odd(signs.waiting)
    told = one_line(looked.problem or looked.got)
    return f"{sign} {one_line(looked.probe)} ({looked.greens}/{looked.wanted}): {told}"


def table(report: ProbeReport, paint: Paint, signs: Signs, width: int) -> Iterator[str]:
    """Yield the table, what is wrong under each red row, and the verdict last."""
    heads = ("probe", "from", "asked", "got", "greens", "took")
    rows = [
        (
            one_line(row.name),
            one_line(row.place),
            row.asked,
            row.got,
            f"{row.greens}/{row.wanted}",
            duration(row.seconds),
        )
        for row in report.rows
    ]
    widths = _widths([heads, *rows], width - cells(signs.failed) - 1)
    indent = " " * (cells(signs.failed) + 1)
    yield paint.faint(indent + _line(heads, widths, signs))
    for row, texts in zip(report.rows, rows, strict=True):
        sign = signs.ok if row.green else signs.failed
        sign = pad(sign, cells(signs.failed))
        line = _line(texts, widths, signs)
        yield (paint.good(sign) if row.green else paint.bad(sign)) + f" {line}"
        if row.green:
            continue
        for problem in row.problems:
            yield f"{indent}{paint.odd(signs.remedy)} {one_line(problem)}"
        told = f"{count(row.looks, 'look')} in {duration(row.seconds)}"
        yield paint.faint(indent + "  " + f" {signs.dot} ".join(filter(None, (row.where, told))))
    yield verdict(report, paint, signs)


def about(commit: str, tree: str) -> str:
    """Say what must answer."""
    return f"the revision that must answer: commit {short(commit)}, tree {short(tree)}"


def verdict(report: ProbeReport, paint: Paint, signs: Signs) -> str:
    """Return what became of all probes, on a line."""
    red = len(report.red)
    if report.healthy:
        word = paint.by("success", "healthy")
    elif report.unreachable:
        word = paint.by("partial", "not known: a host does not answer")
    else:
        word = paint.by("failure", "not healthy")
    parts = [word, one_line(report.host), count(len(report.rows), "probe")]
    parts += [f"{red} red"] if red else []
    return f" {signs.dot} ".join((*parts, duration(report.seconds)))


def _widths(rows: list[tuple[str, ...]], width: int) -> list[int]:
    """Give every column what it needs, and take what is too much from the two long ones."""
    widths = [max(cells(row[i]) for row in rows) for i in range(len(rows[0]))]
    over = sum(widths) + 2 * (len(widths) - 1) - width
    for column in (3, 2):
        taken = min(max(0, over), max(0, widths[column] - _NARROWEST))
        widths[column] -= taken
        over -= taken
    return widths


def _line(texts: tuple[str, ...], widths: list[int], signs: Signs) -> str:
    shown = (fit(text, wide, signs.more) for text, wide in zip(texts, widths, strict=True))
    return "  ".join(pad(text, wide) for text, wide in zip(shown, widths, strict=True)).rstrip()
