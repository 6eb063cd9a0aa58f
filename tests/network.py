"""A network between a client and a server on this machine that can be slow, cut, or silent."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque


class Network:
    """A TCP proxy. Its settings hold at once, also for the connections that stand.

    `delay` is seconds one way, `rate` bytes a second in each direction (None: as fast as it goes).
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.delay = 0.0
        self.rate: float | None = None
        self.carried = 0
        """Bytes so far, in both directions."""
        self.asked = self.answered = 0
        """Round trips so far, one after the other: what leaves after an answer has arrived is one more."""
        self._silent = threading.Event()
        self._refusing = False
        self._cut_after: int | None = None
        self._lines: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._over = False

    def start(self) -> None:
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._over = True
        self._silent.clear()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            lines, self._lines = self._lines, set()
        for line in lines:
            for end in line:
                with contextlib.suppress(OSError):
                    # Seconds to linger 0: a reset, as of a router that forgot the connection.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def cut_after(self, amount: int) -> None:
        """Reset every connection once, when so many more bytes have been carried."""
        self._cut_after = self.carried + amount

    def refuse(self, refusing: bool = True) -> None:
        """Close new connections at once (or no longer)."""
        self._refusing = refusing

    def swallow(self) -> None:
        """Become a black hole: nothing arrives anywhere, and nobody is told."""
        self._silent.set()

    def resume(self) -> None:
        """Carry again; what was on its way arrives."""
        self._silent.clear()

    def _accept(self) -> None:
        while not self._over:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                near.close()
                continue
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = (near, far)
            with self._lock:
                self._lines.add(line)
            for source, drain in (line, line[::-1]):
                _Carrier(self, source, drain, line, asks=source is near).start()

    def count(self, amount: int) -> None:
        with self._lock:
            self.carried += amount
            due = self._cut_after is not None and self.carried >= self._cut_after
            if due:
                self._cut_after = None
        if due:
            self.cut()

    def wait_while_silent(self) -> None:
        while self._silent.is_set() and not self._over:
            time.sleep(0.005)

    def hang_up(self, line: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._lines.discard(line)
        for end in line:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class _Carrier:
    """One direction of a connection: one thread reads, one writes what is due."""

    def __init__(
        self,
        network: Network,
        source: socket.socket,
        drain: socket.socket,
        line: tuple[socket.socket, socket.socket],
        *,
        asks: bool,
    ) -> None:
        self._network, self._source, self._drain, self._line = network, source, drain, line
        self._asks = asks
        self._queue: deque[tuple[float, bytes, int]] = deque()
        self._filled = threading.Condition()

    def start(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = self._source.recv(1 << 18)
            except OSError:
                data = b""
            with self._filled:
                trips = self._network.answered + 1 if self._asks else self._network.asked
                self._queue.append((time.monotonic() + self._network.delay, data, trips))
                self._filled.notify()
                while sum(len(d) for _, d, _ in self._queue) > 1 << 23:
                    self._filled.wait()
            if not data:
                return

    def _write(self) -> None:
        free = 0.0
        while True:
            with self._filled:
                while not self._queue:
                    self._filled.wait()
                due, data, trips = self._queue[0]
            time.sleep(max(0.0, due - time.monotonic()))
            rate = self._network.rate
            if rate:
                free = max(free, time.monotonic()) + len(data) / rate
                time.sleep(max(0.0, free - time.monotonic()))
            self._network.wait_while_silent()
            if self._asks:
                self._network.asked = max(self._network.asked, trips)
            else:
                self._network.answered = max(self._network.answered, trips)
            try:
                if data:
                    self._drain.sendall(data)
            except OSError:
                data = b""
            if not data:
                self._network.hang_up(self._line)
                return
            self._network.count(len(data))
            with self._filled:
                self._queue.popleft()
                self._filled.notify()
