"""Asks services from this machine, over plain TCP or TLS (implements `grind.ports.Prober`).

Sockets and the standard library's TLS instead of an HTTP client: a probe wants one exact answer,
bounded in bytes and time, without proxies, cookies, pools and unpacking, and read by the same strict
reader wherever it came from (docs/adr/0035-one-reader-for-probes.md).
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from grind.core.http1 import BadAnswerError, read_answer
from grind.ports import Address, Exchanged

if TYPE_CHECKING:
    import ssl

_PIECE = 1 << 16


class ClientProber:
    """This machine. `authorities` is a file with the certificates to trust in place of the
    system's (`SSL_CERT_FILE`)."""

    speaks_tls = True

    def __init__(self, authorities: str | None = None) -> None:
        self._authorities = authorities

    async def connect(self, address: Address, *, seconds: float) -> str:
        """Connect and close again."""
        try:
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(address.host, address.port)
        except TimeoutError:
            return f"no connection in {seconds:g} s"
        except OSError as error:
            return told(error)
        writer.transport.abort()
        return ""

    async def exchange(
        self, address: Address, request: bytes, *, tls: bool, limit: int, seconds: float
    ) -> Exchanged:
        """Connect, send, and return what comes."""
        talk = _Talk(limit)
        problem = ""
        try:
            async with asyncio.timeout(seconds):
                context = self._context() if tls else None
                await talk.run(address, request, context)
        except TimeoutError:
            so_far = f" ({len(talk.raw)} bytes so far)" if talk.raw else ""
            what = "connection" if not talk.connected else f"whole answer{so_far}"
            problem = f"no {what} in {seconds:g} s"
        except OSError as error:
            problem = told(error)
        finally:
            talk.close()
        return Exchanged(bytes(talk.raw), talk.ended, time.time(), problem)

    def _context(self) -> ssl.SSLContext:
        import ssl

        return ssl.create_default_context(cafile=self._authorities)


class _Talk:
    """One connection."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.raw = bytearray()
        self.connected = False
        self.ended = False
        self._writer: asyncio.StreamWriter | None = None

    async def run(self, address: Address, request: bytes, context: ssl.SSLContext | None) -> None:
        reader, self._writer = await asyncio.open_connection(
            address.host,
            address.port,
            ssl=context,
            server_hostname=address.host if context is not None else None,
        )
        self.connected = True
        self._writer.write(request)
        await self._writer.drain()
        while len(self.raw) < self.limit:
            piece = await reader.read(min(_PIECE, self.limit - len(self.raw)))
            if not piece:
                self.ended = True
                return
            self.raw += piece
            if _is_whole(bytes(self.raw)):
                return

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


def _is_whole(raw: bytes) -> bool:
    """Whether nothing more is of interest: the answer is whole, or is none."""
    try:
        return read_answer(raw, ended=False) is not None
    except BadAnswerError:
        return True


def told(error: OSError) -> str:
    """Return what went wrong with a connection, in words."""
    import socket
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {(error.reason or 'unknown').lower().replace('_', ' ')}"
    if isinstance(error, socket.gaierror):
        return f"no such host: {error.strerror}"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error)  # asyncio's sentence about several addresses
