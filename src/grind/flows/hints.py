"""What a red log may mean: a file that it misses is on this machine, but git ignores it; or history
is not whole in the clone that the run was made from.

Checks run on the snapshot, which has only what would be pushed. So a lock file or a generated source
that is ignored is green on the laptop and red in CI, and the log says no more than "not found".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from grind.core import events as e

_TAIL = 256 * 1024
"""Bytes of a log's end that are looked at: what failed a step is said last."""
_MOST = 5
"""Hints for one run; more would hide what they point at."""
_ABSENT = re.compile(
    rb"no such file|not found|does not exist|cannot (?:open|find|access|create|stat)|can't open"
    rb"|could not (?:open|find|read)|unable to (?:open|find|read)|missing|enoent|no module named"
    rb"|failed to (?:open|read|load)|--locked|frozen",
    re.IGNORECASE,
)

_HISTORY = re.compile(
    rb"(?:error|fatal): (?:unable to read|bad (?:tree )?object|bad revision|missing|ambiguous argument"
    rb"|could not (?:read|parse|get)|invalid (?:object|revision)|no merge base)",
    re.IGNORECASE,
)
"""What git says of commits and files of commits that it does not have."""


class Hints:
    """Stands before a recorder; adds notes before the end of a red run."""

    def __init__(
        self,
        record: Callable[[e.Event], None],
        read_log: Callable[[str], Iterator[bytes]],
        ignored: Callable[[], Iterable[str]],
        lacking: Callable[[], str] = str,
    ) -> None:
        """`ignored` lists the paths of the working copy that git ignores; folders end in `/`.
        `lacking` says what the repository does not have of its history, or nothing."""
        self._record = record
        self._read_log = read_log
        self._ignored = ignored
        self._lacking = lacking
        self._logs: list[str] = []

    def __call__(self, event: e.Event) -> None:
        """Record the event, after what there is to say about it."""
        if isinstance(event, e.StepEnded) and event.conclusion == "failure" and event.log:
            self._logs.append(event.log)
        if isinstance(event, e.RunEnded) and event.state == "red" and self._logs:
            if any(self._lines(log, _HISTORY) for log in self._logs) and (why := self._lacking()):
                self._record(e.Note("warning", why))
            for path in self._missed():
                self._record(
                    e.Note(
                        "warning",
                        f"the log names {path}, which git ignores here: it is not in the snapshot, "
                        "and CI will not have it",
                    )
                )
        self._record(event)

    def _missed(self) -> list[str]:
        lines = [line for log in self._logs for line in self._lines(log, _ABSENT)]
        if not lines:
            return []
        return [path for path in self._ignored() if _is_named(path, lines)][:_MOST]

    def _lines(self, log: str, wanted: re.Pattern[bytes]) -> list[bytes]:
        end = b""
        try:
            for piece in self._read_log(log):
                end = (end + piece)[-_TAIL:]
        except OSError:
            return []
        return [line for line in end.split(b"\n") if wanted.search(line)]


def _is_named(path: str, lines: list[bytes]) -> bool:
    name = path.rstrip("/").encode("utf-8", "surrogateescape")
    word = re.compile(rb"(?<![\w.-])" + re.escape(name) + rb"(?![\w-])")
    return any(name in line and word.search(line) for line in lines)
