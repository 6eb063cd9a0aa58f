"""Lines that come together are let out together, and nothing of them is lost."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from grind.ui.gather import Gathering


class Counting(io.StringIO):
    """Counts how often it is flushed; a reader who has left makes it fail."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.flushed = 0
        self.broken = broken

    def flush(self) -> None:
        self.flushed += 1
        if self.broken:
            raise BrokenPipeError


def test_what_is_written_at_once_is_let_out_at_once() -> None:
    later: list[Callable[[], None]] = []
    stream = Counting()
    gathering = Gathering[str](stream, later.append)
    for word in ("one ", "two ", "three"):
        gathering.write(word)
        gathering.flush()
    assert (stream.getvalue(), stream.flushed, len(later)) == ("one two three", 0, 1)
    later.pop()()
    assert stream.flushed == 1
    gathering.flush()
    later.pop()()
    assert stream.flushed == 2


def test_a_reader_who_left_is_noticed_by_the_next_line() -> None:
    later: list[Callable[[], None]] = []
    gathering = Gathering[str](Counting(broken=True), later.append)
    gathering.write("one")
    gathering.flush()
    later.pop()()
    with pytest.raises(BrokenPipeError):
        gathering.write("two")
