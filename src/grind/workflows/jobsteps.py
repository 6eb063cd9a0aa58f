"""The `steps` context of a running job, or of an action that it is in: it grows with each step.

One object for all its steps: to learn of one costs the same however many there are. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from grind.workflows.expressions import UNKNOWN, Object
from grind.workflows.expressions.values import Unknown


class Steps:
    """What is known of the steps that have an id."""

    def __init__(self) -> None:
        self.context = Object()
        """What expressions see. It changes with what follows, so it is not kept by who reads it."""
        self._known: dict[str, Object | Unknown] = {}
        self._awaited: Counter[str] = Counter()

    def await_(self, ids: Iterable[str]) -> None:
        """What these say is unknown until `heard`; an empty id is a step without one."""
        for name in filter(None, ids):
            self._awaited[name] += 1
            self.context.put(name, UNKNOWN)

    def heard(self, ids: Iterable[str]) -> None:
        """These are not awaited any longer: what is known of them is seen again."""
        for name in filter(None, ids):
            self._awaited[name] -= 1
            if self._awaited[name] <= 0:
                del self._awaited[name]
                self._show(name)

    def keep(self, name: str, said: Object | Unknown) -> None:
        """Remember what a step has said."""
        if name:
            self._known[name] = said
            if name not in self._awaited:
                self._show(name)

    def _show(self, name: str) -> None:
        if name in self._known:
            self.context.put(name, self._known[name])
        else:
            self.context.drop(name)
