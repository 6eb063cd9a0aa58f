"""What asks a service whether it is well."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from grind.core.weburl import Address


class Exchanged(NamedTuple):
    """What came back on a connection."""

    raw: bytes
    """Everything that came, at most the limit."""
    ended: bool
    """Whether the other side has closed the connection after it."""
    at: float
    """When, by the clock of the place that asked: seconds since the epoch."""
    problem: str = ""
    """Why there is no more: refused, reset, out of time, a certificate that does not fit."""


class Prober(Protocol):
    """A place that services can be asked from."""

    @property
    def speaks_tls(self) -> bool:
        """Whether `exchange` can verify a certificate and encrypt from here."""

    async def exchange(
        self, address: Address, request: bytes, *, tls: bool, limit: int, seconds: float
    ) -> Exchanged:
        """Connect, send, and return what comes until the other side closes, the answer is whole,
        `limit` bytes are there, or the time is over. Raises UnreachableError when the place itself
        does not answer; a service that does not is a `problem`."""

    async def connect(self, address: Address, *, seconds: float) -> str:
        """Connect and close again; return why it did not work, or an empty string. Raises
        UnreachableError."""
