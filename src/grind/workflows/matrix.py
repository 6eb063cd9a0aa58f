"""A job's matrix as the list of its combinations, exactly as GitHub's `MatrixBuilder` makes it.

- The axes' product, the first axis varying slowest.
- `exclude` first: a combination goes when it agrees with every leaf of an entry.
- `include`: an entry whose axis values agree with a combination's own (never with what another
  entry added) adds its other keys to it, the later entry winning; an entry that agrees with none
  becomes a combination of its own. Without axes every entry does.

Agreeing is `==` of the expression language: `12` and `'12'` agree, and so do `Linux` and `linux`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias

from grind.core.errors import GrindError
from grind.workflows.expressions.compare import equals, to_number
from grind.workflows.expressions.convert import from_python
from grind.workflows.expressions.values import UNKNOWN, Array, Object, Unknown, Value
from grind.workflows.literals import fold, text_of

MAX_JOBS: Final = 256
"""GitHub's limit for the jobs of one matrix."""

MAX_NAME: Final = 100
"""GitHub cuts a job's display name here."""

_MAX_WORK: Final = 1_000_000
"""Comparisons that may be made; GitHub's own limits of memory and time lie well below."""

_Leaf: TypeAlias = tuple[tuple[str | int, ...], Value]


class MatrixError(GrindError):
    """A matrix that GitHub refuses, or that cannot be expanded within limits."""


class EmptyMatrixError(MatrixError):
    """Every combination is excluded. What GitHub does with such a job is documented nowhere."""


class Combination(NamedTuple):
    """One job of a matrix."""

    values: dict[str, object]
    """The `matrix` context, in order, with the values that were given."""
    label: str
    """What GitHub shows in parentheses behind the job's name; empty when there is nothing."""

    def name(self, job: str) -> str:
        """Return the display name of a job whose own name is `job` and has no expression in it."""
        name = f"{job} ({self.label})" if self.label else job
        return name if len(name) <= MAX_NAME else name[: MAX_NAME - 3] + "..."


class _Entry(NamedTuple):
    """One entry of `include`: the keys that are axes, what must agree, and the other keys."""

    filter: dict[str, object]
    leaves: tuple[_Leaf, ...]
    extra: dict[str, object]


def expand(matrix: object) -> tuple[Combination, ...]:
    """Expand an evaluated `strategy.matrix`: plain data, or values of the expression language.

    Raises MatrixError for what GitHub refuses: no axis and no `include`, an empty axis, an
    `exclude` of a key that is no axis, more than 256 jobs; and, where GitHub's answer is not
    known, when every combination is excluded. Raises EvaluationError when two values cannot be
    compared, and for a value that is not known.
    """
    pairs = _pairs(matrix, "the matrix")
    axes = {
        name: _items(values, f"matrix axis '{name}'")
        for name, values in pairs.items()
        if name not in ("include", "exclude")
    }
    names = {fold(name): name for name in axes}
    if len(names) < len(axes):
        raise MatrixError("a matrix names an axis twice, in different case")
    for name, values in axes.items():
        if not values:
            raise MatrixError(f"matrix axis '{name}' has no values")
    entries = [_entry(item, names) for item in _items(pairs.get("include", ()), "matrix include")]
    excludes = [
        _exclude(item, names) for item in _items(pairs.get("exclude", ()), "matrix exclude")
    ]
    if not axes and not entries:
        raise MatrixError("a matrix must define at least one axis or one include entry")
    leaves = sum(map(len, excludes)) + sum(len(entry.leaves) + 1 for entry in entries)
    if axes and prod(map(len, axes.values())) * (leaves + 1) > _MAX_WORK:
        raise MatrixError(f"the matrix is far larger than the {MAX_JOBS} jobs that GitHub allows")
    found: list[Combination] = []
    for combination in _combinations(axes, entries, excludes):
        if len(found) == MAX_JOBS:
            raise MatrixError(f"the matrix has more than {MAX_JOBS} jobs")
        found.append(combination)
    if not found:
        raise EmptyMatrixError("every combination of the matrix is excluded")
    return tuple(found)


def _combinations(
    axes: dict[str, list[object]], entries: list[_Entry], excludes: list[tuple[_Leaf, ...]]
) -> Iterator[Combination]:
    used = [False] * len(entries)
    for choice in product(*axes.values()) if axes else ():
        values = dict(zip(axes, choice, strict=True))
        original = {fold(name): from_python(value) for name, value in values.items()}
        if any(_agree(leaves, original) for leaves in excludes):
            continue
        label = _label(values)
        spelled: dict[str, str] = {}
        for index, entry in enumerate(entries):
            if _agree(entry.leaves, original):
                used[index] = True
                for name, value in entry.extra.items():
                    values[spelled.setdefault(fold(name), name)] = value
        yield Combination(values, label)
    for entry, matched in zip(entries, used, strict=True):
        if not matched:
            values = entry.filter | entry.extra
            yield Combination(values, _label(values))


def _agree(leaves: Iterable[_Leaf], original: dict[str, Value | Unknown]) -> bool:
    for path, wanted in leaves:
        value = original.get(fold(str(path[0])))
        for step in path[1:]:
            value = _inside(value, step)
        if isinstance(value, Unknown):
            raise MatrixError("a matrix value is not known yet")
        if not equals(value, wanted):
            return False
    return True


def _inside(value: Value | Unknown, step: str | int) -> Value | Unknown:
    """Index as an expression does: null where there is nothing to index."""
    if isinstance(value, Unknown):
        return UNKNOWN
    if isinstance(value, Object):
        return value.get(str(step))
    if isinstance(value, Array):
        index = to_number(step if isinstance(step, str) else float(step))
        if index == index and 0 <= index < len(value):
            return value[int(index)]
    return None


def _entry(item: object, names: dict[str, str]) -> _Entry:
    pairs = _pairs(item, "a matrix include entry")
    if not pairs:
        raise MatrixError("a matrix include entry is empty")
    chosen = {name: value for name, value in pairs.items() if fold(name) in names}
    extra = {name: value for name, value in pairs.items() if name not in chosen}
    return _Entry(chosen, tuple(_leaves((), from_python(chosen))), extra)


def _exclude(item: object, names: dict[str, str]) -> tuple[_Leaf, ...]:
    pairs = _pairs(item, "a matrix exclude entry")
    if not pairs:
        raise MatrixError("a matrix exclude entry is empty")
    for name in pairs:
        if fold(name) not in names:
            raise MatrixError(f"the matrix excludes by '{name}', which is no axis of it")
    return tuple(_leaves((), from_python(pairs)))


def _leaves(path: tuple[str | int, ...], value: Value | Unknown) -> Iterator[_Leaf]:
    if isinstance(value, Object):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, Array):
        for index, inner in enumerate(value):
            yield from _leaves((*path, index), inner)
    elif isinstance(value, Unknown):
        raise MatrixError("a matrix value is not known yet")
    else:
        yield path, value


def _label(values: dict[str, object]) -> str:
    texts = (_texts(from_python(value)) for value in values.values())
    return ", ".join(text for some in texts for text in some if text)


def _texts(value: Value | Unknown) -> Iterator[str]:
    if isinstance(value, Object):
        for _, inner in value.items():
            yield from _texts(inner)
    elif isinstance(value, Array):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, Unknown):
        raise MatrixError("a matrix value is not known yet")
    else:
        yield text_of(value)


def _pairs(value: object, what: str) -> dict[str, object]:
    if isinstance(value, dict):
        return {str(key): inner for key, inner in value.items()}
    if isinstance(value, Object):
        return dict(value.items())
    raise MatrixError(f"{what} is not a mapping")


def _items(value: object, what: str) -> list[object]:
    if isinstance(value, list | tuple):
        return list(value)
    raise MatrixError(f"{what} is not a list")
