"""Letting out at once what is written at once: a line of its own for each of a hundred quick steps
would wake whoever reads a hundred times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Text = TypeVar("Text", str, bytes)
_Written = TypeVar("_Written", str, bytes, contravariant=True)

Soon = Callable[[Callable[[], None]], object]
"""Calls something when what runs now is done with, as `asyncio.loop.call_soon` does."""


class _Stream(Protocol[_Written]):
    def write(self, text: _Written, /) -> int: ...

    def flush(self) -> None: ...


class Gathering(Generic[Text]):
    """A stream that is flushed once for all that was asked while one thing ran.

    What the flush raises is raised by the next call, so that a reader who has left is noticed as
    soon as there is more to say.
    """

    def __init__(self, stream: _Stream[Text], soon: Soon) -> None:
        self._stream: _Stream[Text] = stream
        self._soon = soon
        self._waits = False
        self._error: BaseException | None = None

    def write(self, text: Text, /) -> int:
        """Write text."""
        self._raise()
        return self._stream.write(text)

    def flush(self) -> None:
        """Let it out, in a moment."""
        self._raise()
        if not self._waits:
            self._waits = True
            self._soon(self._flush)

    def _flush(self) -> None:
        self._waits = False
        try:
            self._stream.flush()
        except BaseException as error:  # raised where somebody can deal with it
            self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
