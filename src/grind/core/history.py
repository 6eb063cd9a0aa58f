"""Push-and-pray in a history: what a follow-up fix is, and what is told of them.

The definition is the one of docs/stats.md. It needs no message and no name of a person, and where
it cannot know, it counts less rather than more.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from grind.core.history_log import Commit

SAME_PUSH_SECONDS = 60
"""Commits this close together were not made one after the verdict on the other."""
WINDOW_SECONDS = 4 * 3600
"""A commit that comes later than this is another day's work."""
_BOTS = frozenset(
    (
        b"dependabot",
        b"renovate",
        b"renovate bot",
        b"renovate-bot",
        b"github-actions",
        b"github actions",
    )
)


class Relation(Enum):
    """What a commit is to the latest one before it that touched a CI or deploy file of its own."""

    FOLLOW_UP = "follow-up"
    SAME_PUSH = "same push"
    APART = "apart"


class Month(msgspec.Struct, frozen=True):
    """One month (UTC) in which there were commits."""

    month: str
    commits: int
    touching: int
    follow_ups: int


class Chain(msgspec.Struct, frozen=True):
    """A commit and the fixes that followed it, fix upon fix. Times are Unix time."""

    first: str
    subject: str
    started: int
    ended: int
    commits: int
    follow_ups: int
    minutes: float


class MendedFile(msgspec.Struct, frozen=True):
    """A CI or deploy file, and how many follow-up fixes came for it."""

    path: str
    follow_ups: int


class Minutes(msgspec.Struct, frozen=True):
    """From a commit to its fix: the median, and all of them added up."""

    median: float
    total: float


class SinceGrind(msgspec.Struct, frozen=True, kw_only=True):
    """What only grind's own records tell. Absent where there are none; never estimated."""

    releases: int
    """What `grind land` pushed."""
    watched: int
    """Those of them whose verdict from CI was recorded; of the others nothing is known."""
    first_push_green: int
    """Those that were clean: complete at the first attempt."""
    gate_refusals: int
    bypasses: int
    bypassed: tuple[str, ...] = ()
    """The newest commits on the remote's main branch that landed without a receipt."""
    first_green_minutes: float | None = None
    """From the first push to the first recorded green."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What a history shows.

    `undated` commits have a time that cannot be true; they count in `commits` and nowhere else.
    """

    window_minutes: float
    commits: int
    undated: int
    touching: int
    ci: int
    deploy: int
    bots: int
    follow_ups: int
    minutes: Minutes | None
    chains: tuple[Chain, ...]
    files: tuple[MendedFile, ...]
    months: tuple[Month, ...]


class Touch:
    """A commit that touches CI or deploy files, on its way through the fold."""

    __slots__ = ("_all", "commit", "kinds", "touched")

    def __init__(self, commit: Commit, touched: tuple[bytes, ...], kinds: frozenset[str]) -> None:
        self.commit = commit
        self.touched = touched
        self.kinds = kinds
        self._all: frozenset[bytes] | None = None

    def has_all(self, paths: Iterable[bytes]) -> bool:
        """Tell whether this commit touched each of `paths`."""
        if self._all is None:
            self._all = frozenset(self.commit.paths)
        return self._all.issuperset(paths)


def is_bot(commit: Commit) -> bool:
    """Tell whether a program made the commit on its own account: it does not wait for a verdict."""
    name = commit.author.lower()
    return name.endswith(b"[bot]") or b"[bot]@" in commit.address or name in _BOTS


def relation(before: Touch, after: Touch, window: int = WINDOW_SECONDS) -> Relation:
    """Say what `after` is to `before`, the latest earlier one that shares a CI or deploy file.

    A follow-up fix comes within the window (seconds), is no bot's, and has no other purpose: each
    of its files is about CI or deployment, or was touched by `before` as well.
    """
    gap = after.commit.time - before.commit.time
    if gap <= SAME_PUSH_SECONDS:
        return Relation.SAME_PUSH
    if gap > window or is_bot(after.commit):
        return Relation.APART
    own = set(after.touched)
    others = [path for path in after.commit.paths if path not in own]
    return Relation.FOLLOW_UP if before.has_all(others) else Relation.APART


def as_text(raw: bytes) -> str:
    """Decode what somebody wrote; bytes that are not UTF-8 become visible escapes."""
    return raw.decode("utf-8", "backslashreplace")
