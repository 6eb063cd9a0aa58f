"""The standard output of a process, handed on as it is read: a stream reader would copy it twice."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import Callable
from typing import cast


class Taken(asyncio.Protocol):
    """Hands every piece that a transport reads to `take`, and an empty one when there is no more.

    `pipe` is how many bytes the writer may be ahead (pipe(7); any user may ask for 1 MiB on Linux): each
    wake-up takes more then, and a long output costs fewer of them. `come` is what was read before.
    """

    def __init__(
        self,
        transport: asyncio.ReadTransport,
        take: Callable[[Taken, bytes], None],
        pipe: int,
        come: bytes,
    ) -> None:
        self.ended = False
        self.paused = False
        self._transport = transport
        self._take = take
        self._before = cast("asyncio.BaseProtocol | None", transport.get_protocol())
        if come:
            take(self, come)
        # A transport that has said farewell to its protocol has none any more.
        if self._before is None:
            self.ended = True
            take(self, b"")
            return
        transport.set_protocol(self)
        # Refused on other systems, and where the user has too many such pipes already.
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(transport.get_extra_info("pipe"), fcntl.F_SETPIPE_SZ, pipe)
        # The reader that had it may have asked for a rest.
        if not self.paused:
            transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Hand on what was read."""
        self._take(self, data)

    def eof_received(self) -> None:
        """Nothing more follows; the transport closes itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that it has ended, also to whoever waits for the process."""
        self.ended = True
        if self._before is not None:
            self._before.connection_lost(exc)
        self._take(self, b"")

    def pause(self) -> None:
        """Read no further for now."""
        if not self.paused:
            self.paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self.paused and not self.ended:
            self.paused = False
            self._transport.resume_reading()
