"""Read plain data (from TOML) against msgspec types, and report every problem, not the first one.

`msgspec.convert` stops at its first error. This walks the same type information, so that the types
stay the only description of a document: they give the problems, the values and the JSON Schema.
"""

from __future__ import annotations

import datetime
import re
from typing import Any, NamedTuple

import msgspec.inspect as mi

from grind.core.suggest import suggestion
from grind.core.tomlplace import Path

DURATION = "duration"
"""Marks a float (seconds) that may be written `"90s"`, `"5m"`, `"1h30m"`, `"30d"`."""

DURATION_PATTERN = r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$"
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Finding(NamedTuple):
    """One problem at a path. `at_value` says whether the value is to blame, or the key."""

    path: Path
    message: str
    expected: str = ""
    at_value: bool = True


def seconds(text: str) -> float:
    """Return the seconds in `90s`, `5m`, `1h30m`; ValueError when it is nothing of the kind."""
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(text)
    return float(sum(float(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(text)))


def key_path(path: Path) -> str:
    """Return a path as a person would write it: `check[0].env.PATH`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else repr(part)
            text += f".{bare}" if text else bare
    return text


def read(kind: mi.Type, value: Any, path: Path, findings: list[Finding]) -> Any:
    """Return `value` ready for `msgspec.convert`; append what is wrong with it to `findings`."""
    expected = ""
    duration = False
    while isinstance(kind, mi.Metadata):
        extra = kind.extra or {}
        expected = expected or extra.get("expected", "")
        duration = duration or bool(extra.get(DURATION))
        kind = kind.type
    if isinstance(kind, mi.UnionType):
        return _union(kind, value, path, findings)
    if duration:
        return _duration(value, path, findings)
    if isinstance(kind, mi.StructType):
        return _struct(kind, value, path, findings)
    if isinstance(kind, mi.DictType):
        return _dict(kind, value, path, findings)
    if isinstance(kind, mi.VarTupleType):
        return _list(kind, value, path, findings)
    problem = _scalar_problem(kind, value)
    if problem:
        findings.append(Finding(path, problem, expected or _name(kind)))
    return value


def _wrong_type(kind: mi.Type, value: Any, path: Path, findings: list[Finding]) -> None:
    findings.append(Finding(path, f"is {_kind_of(value)}", _name(kind)))


def _union(kind: mi.UnionType, value: Any, path: Path, findings: list[Finding]) -> Any:
    """Take the first member that could hold the value: TOML has no null, so None is never it."""
    members = [member for member in kind.types if not isinstance(member, mi.NoneType)]
    if len(members) == 1:
        return read(members[0], value, path, findings)
    for member in members:
        tried: list[Finding] = []
        result = read(member, value, path, tried)
        if not tried:
            return result
    findings.append(
        Finding(path, f"is {_kind_of(value)}", " or ".join(_name(member) for member in members))
    )
    return value


def _duration(value: Any, path: Path, findings: list[Finding]) -> Any:
    expected = 'a time above zero such as "90s", "5m", "1h30m", "30d", or a number of seconds'
    result = value
    if isinstance(value, str):
        try:
            result = seconds(value)
        except ValueError:
            findings.append(Finding(path, f"{value!r} is not a length of time", expected))
            return value
    if isinstance(result, bool) or not isinstance(result, int | float):
        findings.append(Finding(path, f"is {_kind_of(value)}", expected))
    elif not 0 < result < 1e10:
        findings.append(Finding(path, f"{value!r} is out of range", expected))
    return result


def _struct(kind: mi.StructType, value: Any, path: Path, findings: list[Finding]) -> Any:
    if not isinstance(value, dict):
        _wrong_type(kind, value, path, findings)
        return value
    fields = {field.encode_name: field for field in kind.fields}
    result = {}
    for key, item in value.items():
        if key in fields:
            result[key] = read(fields[key].type, item, (*path, key), findings)
            continue
        meant = suggestion(key, list(fields))
        message = "unknown key" + (f"; did you mean `{meant}`?" if meant else "")
        findings.append(Finding((*path, key), message, f"one of {', '.join(fields)}", False))
    for name, field in fields.items():
        if field.required and name not in value:
            findings.append(Finding(path, f"`{name}` is missing", _name(field.type), False))
    return result


def _dict(kind: mi.DictType, value: Any, path: Path, findings: list[Finding]) -> Any:
    if not isinstance(value, dict):
        _wrong_type(kind, value, path, findings)
        return value
    for key in value:
        wrong: list[Finding] = []
        read(kind.key_type, key, (*path, key), wrong)
        findings += [Finding(f.path, f"bad name: {f.message}", f.expected, False) for f in wrong]
    return {key: read(kind.value_type, item, (*path, key), findings) for key, item in value.items()}


def _list(kind: mi.VarTupleType, value: Any, path: Path, findings: list[Finding]) -> Any:
    if not isinstance(value, list):
        _wrong_type(kind, value, path, findings)
        return value
    return [read(kind.item_type, item, (*path, i), findings) for i, item in enumerate(value)]


def _scalar_problem(kind: mi.Type, value: Any) -> str:
    """Return what is wrong with one plain value, or an empty string."""
    match kind:
        case mi.StrType():
            if not isinstance(value, str):
                return f"is {_kind_of(value)}"
            if "\0" in value:
                return "holds a NUL character, which no program can be given"
            if kind.min_length and not value.strip():
                return "is empty"
            if kind.pattern and not re.fullmatch(kind.pattern, value):
                return f"{value!r} is not allowed"
        case mi.BoolType():
            if not isinstance(value, bool):
                return f"is {_kind_of(value)}"
        case mi.IntType():
            if isinstance(value, bool) or not isinstance(value, int):
                return f"is {_kind_of(value)}"
            if (kind.ge is not None and value < kind.ge) or value >= 2**31:
                return f"{value} is out of range"
        case mi.FloatType():
            if isinstance(value, bool) or not isinstance(value, int | float):
                return f"is {_kind_of(value)}"
        case mi.LiteralType():
            if value not in kind.values:
                meant = suggestion(value, [str(v) for v in kind.values]) if _is_str(value) else ""
                shown = repr(value) if _is_str(value) else _kind_of(value)
                return f"{shown} is not known" + (f"; did you mean {meant!r}?" if meant else "")
        case _:
            raise TypeError(f"no reader for {kind}")
    return ""


def _is_str(value: object) -> bool:
    return isinstance(value, str)


def _kind_of(value: object) -> str:
    """Return what a TOML value is, in words."""
    words: tuple[tuple[type, str], ...] = (
        (bool, f"the boolean {str(value).lower()}"),
        (str, "a string"),
        (int, "a number"),
        (float, "a number"),
        (dict, "a table"),
        (list, "a list"),
        (datetime.date, "a date"),
        (datetime.time, "a time of day"),
    )
    return next((word for kind, word in words if isinstance(value, kind)), "something else")


def _name(kind: mi.Type) -> str:
    """Return what is wanted, in words."""
    match kind:
        case mi.Metadata(extra={"duration": True}):
            return 'a time such as "90s" or "5m"'
        case mi.Metadata():
            return str((kind.extra or {}).get("expected", "")) or _name(kind.type)
        case mi.UnionType():
            return " or ".join(_name(t) for t in kind.types if not isinstance(t, mi.NoneType))
        case mi.StrType():
            return "a string"
        case mi.BoolType():
            return "true or false"
        case mi.IntType():
            return "a whole number" + (f" of at least {kind.ge}" if kind.ge is not None else "")
        case mi.LiteralType():
            return "one of " + ", ".join(repr(value) for value in kind.values)
        case mi.VarTupleType():
            if isinstance(kind.item_type, mi.UnionType):
                return "a list of such"
            many = isinstance(kind.item_type, mi.StructType)
            return "tables, each under its own [[…]] header" if many else "a list of strings"
        case mi.FloatType():
            return "a number"
        case _:
            return "a table"
