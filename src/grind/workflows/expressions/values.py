"""The six kinds of value, as plain Python values that keep GitHub's types apart.

| kind | Python |
| --- | --- |
| Null | `None` |
| Boolean | `bool` |
| Number | `float` (a double; never `int`) |
| String | `str` |
| Array | `Array` |
| Object | `Object`: keys without regard to case, insertion order, original case kept |

Arrays and objects are equal only to themselves, as on GitHub.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from grind.workflows.expressions import folding
from grind.workflows.expressions.errors import (
    DisputedValueError,
    EvaluationError,
    UnknownValueError,
)
from grind.workflows.expressions.numbers import number_text


class Unknown:
    """The type of `UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""Stands where a value is not known (yet). An answer that depends on it is an UnknownValueError."""


class Array(list["Value | Unknown"]):
    """An array. Compares by identity: two arrays with the same items are not equal on GitHub."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


class FilteredArray(Array):
    """What `.*` gives: an index on it applies to each of its items."""

    __slots__ = ()


class Object:
    """A mapping whose keys ignore case and keep their order and spelling.

    `case_sensitive` is for the `env` context, which on Linux distinguishes case in the runner.
    `complete=False` says that there may be further keys that are not known yet: a key that is
    absent then is unknown instead of null, and so are `.*` and `toJSON` of the object.
    """

    __slots__ = ("_clashes", "_index", "_items", "_upper", "case_sensitive", "complete")

    def __init__(
        self,
        items: Iterable[tuple[str, Value | Unknown]] = (),
        *,
        case_sensitive: bool = False,
        complete: bool = True,
    ) -> None:
        self.case_sensitive = case_sensitive
        self.complete = complete
        self._items: dict[str, Value | Unknown] = {}
        self._index: dict[str, str] = {}
        # The runner's form of each key; None while every key is ASCII and one form is enough.
        self._upper: dict[str, str] | None = None
        self._clashes: frozenset[str] = frozenset()
        for key, value in items:
            self.put(key, value)

    def put(self, key: str, value: Value | Unknown) -> None:
        """Give a key its value, or another one; for whoever has made the object, and lets it grow.

        It costs the same however many keys there are.
        """
        self._items[key] = value
        if self.case_sensitive:
            return
        lower = key.lower()
        if self._index.setdefault(lower, key) != key:
            # The language service keeps the first of them, the runner the last.
            self._clashes |= {lower}
        if self._upper is None and not key.isascii():
            self._upper = {folding.key_forms(known)[1]: known for known in self._items}
        if self._upper is not None:
            upper = folding.key_forms(key)[1]
            if self._upper.setdefault(upper, key) != key:
                self._clashes |= {lower}

    def drop(self, key: str) -> None:
        """Take a key away again, if it is there."""
        if self._items.pop(key, self) is self or self.case_sensitive:
            return
        if self._upper is None and not self._clashes:
            del self._index[key.lower()]
            return
        left = Object(
            self._items.items(), case_sensitive=self.case_sensitive, complete=self.complete
        )
        self._index, self._upper, self._clashes = left._index, left._upper, left._clashes

    def get(self, key: str) -> Value | Unknown:
        """Look a key up; None (Null) when it is absent, UNKNOWN when it may yet appear.

        Raises DisputedValueError when the key is spelled in two cases, or when GitHub's
        implementations do not agree on whether a letter outside ASCII is the same.
        """
        found = self.find(key)
        if found is not None:
            return self._items[found]
        return None if self.complete else UNKNOWN

    def find(self, key: str) -> str | None:
        """Give the key as it is spelled in the object, or None."""
        if self.case_sensitive:
            return key if key in self._items else None
        lower = key.lower()
        if lower in self._clashes:
            raise DisputedValueError(f"the key '{key}', which is there in two spellings")
        found = self._index.get(lower)
        if self._upper is None and key.isascii():
            return found
        upper = folding.key_forms(key)[1]
        other = (
            self._upper.get(upper)
            if self._upper is not None
            else next((k for k in self._items if k.upper() == upper), None)
        )
        if found != other:
            raise DisputedValueError(f"the letter case of the key '{key}'")
        return found

    def ordered(self) -> Iterable[tuple[str, Value | Unknown]]:
        """Give the pairs in order, where order matters (`.*`, `toJSON`).

        Raises UnknownValueError when keys may be missing, DisputedValueError when keys clash or
        when keys like '2' stand out of order (JavaScript moves them to the front).
        """
        if not self.complete:
            raise UnknownValueError(())
        self.check_spellings()
        numeric = [int(key) for key in self._items if _is_array_index(key)]
        if numeric:
            first = list(self._items)[: len(numeric)]
            if not all(map(_is_array_index, first)) or numeric != sorted(numeric):
                raise DisputedValueError("the order of an object's numeric keys")
        return self._items.items()

    def check_spellings(self) -> None:
        """Raise DisputedValueError when a key is there in two spellings."""
        if self._clashes:
            raise DisputedValueError("an object with a key in two spellings")

    def items(self) -> Iterable[tuple[str, Value | Unknown]]:
        """Give the pairs as they are, in insertion order."""
        return self._items.items()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.find(key) is not None

    def __getitem__(self, key: str) -> Value | Unknown:
        found = self.find(key)
        if found is None:
            raise KeyError(key)
        return self._items[found]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Object({list(self._items.items())!r})"


Value: TypeAlias = bool | float | str | Array | Object | None


def _is_array_index(key: str) -> bool:
    return (
        key.isascii()
        and key.isdigit()
        and len(key) <= 10
        and (key == "0" or key[0] != "0")
        and int(key) < 2**32 - 1
    )


def kind(value: object) -> str:
    """Name a value's kind as GitHub does: Null, Boolean, Number, String, Array or Object."""
    name = _KINDS.get(type(value))
    if name is None:
        raise EvaluationError(f"not a value of an expression: {type(value).__name__}")
    return name


_KINDS: Final[dict[type, str]] = {
    type(None): "Null",
    bool: "Boolean",
    float: "Number",
    str: "String",
    Array: "Array",
    FilteredArray: "Array",
    Object: "Object",
}


def is_primitive(value: object) -> bool:
    """Whether a value is neither an array nor an object."""
    return value is None or isinstance(value, str | float | bool)


def truthy(value: Value | Unknown) -> bool:
    """Whether `if:` would go on: all but null, false, 0, NaN and the empty string."""
    if isinstance(value, float):
        return value == value and value != 0
    if value is None or isinstance(value, bool | str):
        return bool(value)
    if isinstance(value, Unknown):
        raise UnknownValueError(())
    return True


def to_text(value: Value | Unknown) -> str:
    """Coerce a value to a string: '' for null, 'Array' and 'Object' for those.

    Raises DisputedValueError for numbers whose text is disputed, UnknownValueError for UNKNOWN.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Unknown):
        raise UnknownValueError(())
    return "Array" if isinstance(value, Array) else "Object"
