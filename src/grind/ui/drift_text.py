"""Drift for people: what is missing here, what CI lacks, and what is called in another way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grind.core.drift import Drift, Missing, Side, Site, SiteKind
from grind.core.remedy import quoted
from grind.core.texts import clean, one_line
from grind.ui.layout import fit, wrap
from grind.ui.words import Paint, Signs, count

_MOST_SITES = 4


def render_drift(drift: Drift, width: int, colour: bool, signs: Signs | None = None) -> str:
    """Return the drift as text of at most `width` columns (20 at least), newline at the end.

    Commands and lines that are there to be copied are never cut.
    """
    view = _View(drift, max(width, 20), Paint(colour), signs or Signs())
    return "\n".join(view.lines()) + "\n"


class _View:
    def __init__(self, drift: Drift, width: int, paint: Paint, signs: Signs) -> None:
        self.drift = drift
        self.width = width
        self.paint = paint
        self.signs = signs

    def lines(self) -> Iterator[str]:
        yield from self._head()
        drift = self.drift
        missing = [one for one in drift.missing if not one.by_design]
        outward = [one for one in drift.missing if one.by_design]
        yield from self._missing("missing", "CI runs it, and what is run here does not", missing)
        yield from self._sides("extra", "checked here, and in no workflow", drift.extra)
        yield from self._different()
        yield from self._non_gating()
        yield from self._missing("never executed here", "by design, so no drift", outward)
        yield from self._sides(
            "for other events", "CI runs it, but not for this event", drift.inactive
        )
        yield from self._unread()
        yield from self._declared()
        yield ""
        yield from self._summary(missing)

    def _head(self) -> Iterator[str]:
        ci, here = self.drift.compared
        told = (
            f"{count(ci, 'command')} of CI, {count(here, 'command')} here, for "
            f"{one_line(self.drift.event)} to {one_line(self.drift.ref)}"
        )
        yield from map(self.paint.strong, wrap(told, self.width))
        if self.drift.rehearsals:
            names = ", ".join(one_line(site.name) for site in self.drift.rehearsals)
            told = f"compared as a whole with CI, because of the name: {names}"
            yield from map(self.paint.faint, wrap(told, self.width))

    def _title(self, word: str, number: int, told: str) -> Iterator[str]:
        yield ""
        yield from map(self.paint.strong, wrap(f"{word} ({number}): {told}", self.width))

    def _command(self, sign: str, command: str, folder: str, *, odd: bool) -> str:
        where = f"  (in {one_line(folder)})" if folder else ""
        text = f"  {sign} {one_line(command)}{where}"
        return self.paint.odd(text) if odd else text

    def _missing(self, word: str, told: str, rows: list[Missing]) -> Iterator[str]:
        if not rows:
            return
        yield from self._title(word, len(rows), told)
        for row in rows:
            sign = self.signs.skipped if row.by_design else self.signs.failed
            yield self._command(sign, row.command, row.folder, odd=not row.by_design)
            yield from self._sites(row.sites)
            yield from self._faint(row.reason)

    def _sides(self, word: str, told: str, rows: tuple[Side, ...]) -> Iterator[str]:
        if not rows:
            return
        yield from self._title(word, len(rows), told)
        drift = word == "extra"
        for row in rows:
            sign = self.signs.failed if drift else self.signs.skipped
            yield self._command(sign, row.command, row.folder, odd=drift)
            yield from self._sites(row.sites)

    def _different(self) -> Iterator[str]:
        rows = self.drift.different
        if not rows:
            return
        yield from self._title("different", len(rows), "the same program, called in another way")
        for row in rows:
            yield self._command(
                f"{self.signs.failed} CI  ", row.ci.command, row.ci.folder, odd=True
            )
            yield from self._sites(row.ci.sites)
            yield self._command("  here", row.here.command, row.here.folder, odd=True)
            yield from self._sites(row.here.sites)

    def _non_gating(self) -> Iterator[str]:
        rows = self.drift.non_gating
        if not rows:
            return
        yield from self._title("non-gating", len(rows), "a failure does not turn CI red")
        for row in rows:
            yield from self._line(f"  {self.signs.dot} ", _place(row.site))
            yield from self._faint(row.reason)

    def _unread(self) -> Iterator[str]:
        rows = self.drift.unread
        if not rows:
            return
        yield from self._title("not read whole", len(rows), "compare these by eye")
        for row in rows:
            yield from self._line(f"  {self.signs.refused} ", _place(row.site))
            yield from self._faint(row.reason)

    def _declared(self) -> Iterator[str]:
        rows = self.drift.excepted
        if rows:
            yield from self._title("declared", len(rows), "differences with a reason in grind.toml")
        for row in rows:
            yield self._command(f"{self.signs.ok} {row.kind}:", row.command, "", odd=False)
            yield from self._faint(row.reason)
        for command in self.drift.unused:
            yield ""
            told = f"[[drift]] matches nothing any more: {one_line(command)}"
            yield from map(self.paint.odd, wrap(told, self.width))

    def _sites(self, sites: Iterable[Site]) -> Iterator[str]:
        shown = list(dict.fromkeys(map(_place, sites)))
        for place in shown[:_MOST_SITES]:
            yield from self._faint(place)
        if len(shown) > _MOST_SITES:
            yield from self._faint(f"and {count(len(shown) - _MOST_SITES, 'more place')}")

    def _faint(self, text: str) -> Iterator[str]:
        yield from map(self.paint.faint, self._line("      ", text))

    def _line(self, first: str, text: str) -> list[str]:
        return wrap(one_line(text), self.width, first=first, rest="      ")

    def _summary(self, missing: list[Missing]) -> Iterator[str]:
        drift = self.drift
        if not drift.drifted:
            yield self.paint.good(fit("no drift", self.width, self.signs.more))
            return
        words = (
            f"{len(missing)} missing",
            f"{len(drift.extra)} extra",
            f"{len(drift.different)} different",
        )
        dot = f" {self.signs.dot} "
        yield from map(self.paint.strong, wrap(f"drift: {dot.join(words)}", self.width))
        commands = [
            *(row.command for row in missing),
            *(row.command for row in drift.extra),
            *(row.here.command for row in drift.different),
        ]
        yield ""
        yield from wrap("What is meant can be declared in grind.toml, one table each:", self.width)
        yield self.paint.odd(f"  {self.signs.remedy} ") + "[[drift]]"
        room = " " * (len(self.signs.remedy) + 3)
        yield f"{room}command = {quoted(clean(commands[0]))}"
        yield f'{room}reason = "why the two sides may differ in it"'


def _place(site: Site) -> str:
    line = f":{site.line}" if site.line else ""
    note = f" ({site.note})" if site.note and site.kind is not SiteKind.WORKFLOW else ""
    idle = ""
    if not site.active:
        idle = f" (not active: {site.note})" if site.note else " (not active)"
    name = "" if site.name == site.file else f"  {site.name}"
    return f"{site.file}{line}{name}{note}{idle}"
