"""How much an evaluation may hold, counted as the runner counts it.

`EvaluationMemory` and `MemoryCounter` in actions/runner: a string costs 26 bytes and two for each
character, anything else 24; what lies deeper is forgotten when a primitive comes out of it.
An expression may hold 1 MiB by itself, 10 MiB inside a workflow's template.
"""

from __future__ import annotations

from typing import Final

from grind.workflows.expressions.errors import EvaluationError

EXPRESSION_MEMORY: Final = 1024 * 1024
TEMPLATE_MEMORY: Final = 10 * 1024 * 1024
_STRING_OVERHEAD = 26
_POINTER = 8


class Meter:
    """Counts bytes per level of the expression tree; raises EvaluationError past the limit."""

    __slots__ = ("_levels", "_limit", "_node", "_total")

    def __init__(self, limit: int = EXPRESSION_MEMORY) -> None:
        self._limit = limit
        self._total = 0
        self._node = 0
        self._levels: list[int] = []

    def start(self) -> None:
        """Begin counting one function's pieces."""
        self._node = 0

    def count(self, piece: str) -> None:
        """Count one piece of the text a function is building."""
        self._node += _STRING_OVERHEAD + 2 * len(piece)
        if self._node > self._limit:
            raise exceeded()

    def count_items(self, number: int) -> None:
        """Count the places that a filter (`.*`) fills, a pointer each."""
        self._node += _POINTER * number
        if self._node > self._limit:
            raise exceeded()

    def add(self, level: int, text: str) -> None:
        """Count a string that a node at `level` answered."""
        levels = self._levels
        while len(levels) <= level:
            levels.append(0)
        size = _STRING_OVERHEAD + 2 * len(text)
        levels[level] += size
        self._total += size
        if self._total > self._limit:
            raise exceeded()

    def trim(self, level: int) -> None:
        """Forget what is deeper than `level`: a primitive came out of it."""
        levels = self._levels
        while len(levels) > level + 1:
            self._total -= levels.pop()


def exceeded() -> EvaluationError:
    """Word the error as GitHub does."""
    # The language service has no such limit.
    return EvaluationError("The maximum allowed memory size was exceeded", disputed=True)
