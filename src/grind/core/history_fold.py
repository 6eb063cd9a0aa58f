"""The fold that counts follow-up fixes: one pass over the commits, one over those that touch CI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from statistics import median

from grind.core.history import (
    WINDOW_SECONDS,
    Chain,
    History,
    MendedFile,
    Minutes,
    Month,
    Relation,
    Touch,
    as_text,
    is_bot,
    relation,
)
from grind.core.history_log import Commit
from grind.core.history_paths import Kinds

SHOWN_AT_MOST = 5
"""Chains and files in the answer: the worst, not all."""
_EARLIEST = 315_532_800  # 1980: no version control is older, but wrong clocks are


def measure(
    commits: Iterable[Commit],
    *,
    until: int,
    since: int | None = None,
    window: int = WINDOW_SECONDS,
) -> History:
    """Count in one pass over `commits`, in any order; then one over those that touch CI, by time.

    Commits before `since` are not counted, but may be what a counted one follows. A time before
    1980 or after `until` is not believed. All times are Unix time, `window` is in seconds.
    """
    kinds = Kinds()
    total, undated = 0, 0
    by_day: Counter[int] = Counter()
    touches: list[Touch] = []
    for commit in commits:
        dated = _EARLIEST <= commit.time <= until
        if dated and since is not None and commit.time < since - window:
            continue
        if not dated or since is None or commit.time >= since:
            total += 1
            undated += not dated
        if not dated:
            continue
        if since is None or commit.time >= since:
            by_day[commit.time // 86400] += 1
        touched = tuple(path for path in commit.paths if kinds[path])
        if touched:
            found = frozenset(str(kinds[path]) for path in touched)
            touches.append(Touch(commit, touched, found))
    touches.reverse()  # git prints the newest first; where two have one time, its order decides
    touches.sort(key=lambda touch: touch.commit.time)
    fold = Fold(window, _EARLIEST if since is None else since)
    for touch in touches:
        fold.add(touch)
    return fold.result(total, undated, by_day)


class Fold:
    """The follow-up fixes of touches that come in the order of time."""

    def __init__(self, window: int, since: int) -> None:
        self._window = window
        self._since = since
        self._latest: dict[bytes, tuple[int, Touch]] = {}
        self._place = 0
        self._chain_of: dict[int, _Chain] = {}
        self._chains: list[_Chain] = []
        self._counted: list[Touch] = []
        self._gaps: list[int] = []
        self._fixes_by_day: Counter[int] = Counter()
        self._fixes_by_file: Counter[bytes] = Counter()

    def add(self, touch: Touch) -> None:
        """Take the next touch."""
        before = max(
            (self._latest[path] for path in touch.touched if path in self._latest),
            key=lambda known: known[0],
            default=None,
        )
        self._place += 1
        for path in touch.touched:
            self._latest[path] = (self._place, touch)
        counted = touch.commit.time >= self._since
        if counted:
            self._counted.append(touch)
        kind = relation(before[1], touch, self._window) if before else Relation.APART
        if before is None or kind is Relation.APART:
            chain = _Chain(touch)
            self._chains.append(chain)
        else:
            chain = self._chain_of[before[0]]
            chain.grow(touch, counted and kind is Relation.FOLLOW_UP)
            if counted and kind is Relation.FOLLOW_UP:
                self._fix(before[1], touch)
        self._chain_of[self._place] = chain

    def _fix(self, before: Touch, touch: Touch) -> None:
        self._gaps.append(touch.commit.time - before.commit.time)
        self._fixes_by_day[touch.commit.time // 86400] += 1
        shared = set(before.touched)
        self._fixes_by_file.update(path for path in touch.touched if path in shared)

    def result(self, commits: int, undated: int, by_day: Counter[int]) -> History:
        """Return the counts; `commits` of which `undated`, and all dated ones by day, are given."""
        touching_by_day = Counter(touch.commit.time // 86400 for touch in self._counted)
        chains = sorted(
            (chain for chain in self._chains if chain.follow_ups),
            key=lambda chain: (-chain.follow_ups, chain.started - chain.ended, chain.started),
        )
        files = sorted(self._fixes_by_file.items(), key=lambda item: (-item[1], item[0]))
        gaps = [gap / 60 for gap in self._gaps]
        return History(
            window_minutes=self._window / 60,
            commits=commits,
            undated=undated,
            touching=len(self._counted),
            ci=sum("ci" in touch.kinds for touch in self._counted),
            deploy=sum("deploy" in touch.kinds for touch in self._counted),
            bots=sum(is_bot(touch.commit) for touch in self._counted),
            follow_ups=len(gaps),
            minutes=Minutes(round(median(gaps), 1), round(sum(gaps), 1)) if gaps else None,
            chains=tuple(chain.shown() for chain in chains[:SHOWN_AT_MOST]),
            files=tuple(MendedFile(as_text(p), n) for p, n in files[:SHOWN_AT_MOST]),
            months=_months(by_day, touching_by_day, self._fixes_by_day),
        )


class _Chain:
    """A chain while it grows."""

    __slots__ = ("commits", "ended", "first", "follow_ups", "started")

    def __init__(self, first: Touch) -> None:
        self.first = first.commit
        self.started = self.ended = first.commit.time
        self.commits = 1
        self.follow_ups = 0

    def grow(self, touch: Touch, is_fix: bool) -> None:
        self.commits += 1
        self.follow_ups += is_fix
        if is_fix:
            self.ended = touch.commit.time

    def shown(self) -> Chain:
        return Chain(
            first=self.first.oid,
            subject=as_text(self.first.subject),
            started=self.started,
            ended=self.ended,
            commits=self.commits,
            follow_ups=self.follow_ups,
            minutes=round((self.ended - self.started) / 60, 1),
        )


def _months(
    commits: Counter[int], touching: Counter[int], follow_ups: Counter[int]
) -> tuple[Month, ...]:
    """Add days up to months. Days are counted since 1970-01-01, UTC."""
    sums: dict[str, list[int]] = {}
    for place, counter in enumerate((commits, touching, follow_ups)):
        for day, number in counter.items():
            month = date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()[:7]
            sums.setdefault(month, [0, 0, 0])[place] += number
    return tuple(Month(month, *numbers) for month, numbers in sorted(sums.items()))
