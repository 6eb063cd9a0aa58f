"""What pure functions answered before, for as long as one plan is made.

A matrix asks the same of the same texts a thousand times. The memory belongs to whoever makes it;
the module keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_PLAIN = (str, int, float, type(None))


class Memo:
    """Call `memo(function, arguments…)` in place of `function(arguments…)`.

    For functions whose answer depends on their arguments alone and is never changed by who gets
    it. Arguments are hashable, and of one type where values of two types are equal (1 and True).
    What raises is asked again.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}
        self._objects: dict[tuple[Hashable, int], tuple[object, Any]] = {}

    def __call__(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what the function answers."""
        key = (function, args, tuple(kwargs.items()))
        try:
            found: _T = self._kept[key]
        except KeyError:
            found = self._kept[key] = function(*args, **kwargs)
        return found

    def of_object(self, function: Callable[[Any], _T], thing: object) -> _T:
        """Return what the function answers for this very object, which nobody changes from now on.

        Objects are told apart by identity; what was asked about is kept alive, for the identity of
        a dead object is used again.
        """
        if isinstance(thing, _PLAIN):
            return function(thing)
        key = (function, id(thing))
        found = self._objects.get(key)
        if found is None:
            found = self._objects[key] = (thing, function(thing))
        answer: _T = found[1]
        return answer
