"""Makes the commands of one loop write into one release.

Each phase is the command of its name and builds what it builds alone. Inside of a loop its journal is
the loop's: a release that it would begin is the loop's own, and what it writes into a journal of its
own (a watch, an activation) goes into the loop's, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grind.adapters.journal import DiskJournal
from grind.adapters.store import ReleaseFolder, Store
from grind.wiring import Session

if TYPE_CHECKING:
    from types import TracebackType

    from grind.adapters.lock import Lock
    from grind.core import events as e


class LoopSession(Session):
    """A session in which everything that is begun is a part of the loop in `folder`."""

    def __init__(self, plain: Session, folder: ReleaseFolder) -> None:
        self.__dict__.update(plain.__dict__)
        self.plain = plain
        self.folder = folder
        self.loop = LoopJournal(folder.path, plain.clock.now)
        self.store = LoopStore(plain.repository.common_dir, folder)

    def on(self, host: str) -> LoopSession:
        """Return the same loop as it is seen from another host."""
        other = LoopSession(Session(os.getcwd(), self.environ, host), self.folder)
        other.loop = self.loop
        return other

    @staticmethod
    def lock_of(plain: Session) -> Lock:
        """Return the lock of loops: one at a time in a repository."""
        from grind.adapters.lock import Lock

        return Lock(os.path.join(plain.store.root, "loop.lock"), "grind run", wait=0.0)

    def journal(self, release: ReleaseFolder) -> DiskJournal:
        """Return the loop's journal; for another folder, one that writes into both."""
        if release.path == self.folder.path:
            return self.loop
        return TeeJournal(super().journal(release), self.loop)


class LoopStore(Store):
    """A store in which every new release is the loop's."""

    def __init__(self, common_dir: str, folder: ReleaseFolder) -> None:
        super().__init__(common_dir)
        self._folder = folder

    def new_release(self, now: float) -> ReleaseFolder:  # noqa: ARG002 - the port's
        """Return the loop's own."""
        return self._folder


class LoopJournal(DiskJournal):
    """The journal of a loop, open as long as the loop runs."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """A phase is over; the loop is not."""


class TeeJournal(DiskJournal):
    """A phase's own journal, whose events go into the loop's as well. The entries are the loop's: a
    reader of the stream sees one sequence."""

    def __init__(self, own: DiskJournal, loop: DiskJournal) -> None:
        super().__init__(own.folder, own._now)
        self._own = own
        self._loop = loop

    def append(self, *events: e.Event) -> tuple[e.Entry, ...]:
        """Record in both, the phase's own first: it is what the phase goes on from."""
        self._own.append(*events)
        return self._loop.append(*events)

    def read(self) -> Iterator[e.Entry]:
        """Yield what the phase's own has."""
        return self._own.read()

    def sync(self) -> None:
        """Make everything durable."""
        self._own.sync()
        self._loop.sync()

    def close(self) -> None:
        """Let go of the phase's own."""
        self._own.close()
