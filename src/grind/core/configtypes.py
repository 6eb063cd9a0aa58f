"""The plain types that `grind.toml` is made of, with what problems say of them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from grind.core.typed import DURATION

Text: TypeAlias = Annotated[str, Meta(min_length=1, extra={"expected": "a string with text in it"})]
Name: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.-]+$",
        extra={"expected": "a name of letters, digits, `_`, `.` and `-`"},
    ),
]
Variable: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        extra={"expected": "the name of an environment variable"},
    ),
]
GitName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[^-\s~^:?*\[\\][^\s~^:?*\[\\]*$",
        extra={"expected": "a name that git allows and that does not begin with `-`"},
    ),
]
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Duration: TypeAlias = Annotated[
    float, Meta(extra={DURATION: True}, extra_json_schema={"x-grind": DURATION})
]
"""Seconds. Written as a number of seconds, or as text: "90s", "5m", "1h30m", "30d"."""
Unit: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_:.@\\-]{0,255}$",
        extra={"expected": "the name of a systemd unit"},
    ),
]
FlakeName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(\.|\./[A-Za-z0-9_./-]+)(#[A-Za-z0-9_.-]+)?$",
        extra={"expected": "a folder of the repository, `.` or `./…`, and perhaps `#shell`"},
    ),
]
Interpreter: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(uv run|/[^\x00-\x1f]*[^/\x00-\x1f])$",
        extra={"expected": "`uv run`, or an interpreter's absolute path"},
    ),
]
Alias: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[^-\s\x00-\x20\x7f][^\s\x00-\x20\x7f]*$",
        extra={
            "expected": "a name as one types it after `ssh`, without blanks and not begun by `-`"
        },
    ),
]
"""What ssh is told: an alias of the user's configuration, or `[user@]host`."""
Memory: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^([1-9][0-9]*[KMGT]?|[1-9][0-9]?%|100%)$",
        extra={"expected": 'an amount of memory: "8G", "512M", "50%"'},
    ),
]
"""Bytes, with K, M, G or T for powers of 1024, or a part of all: what systemd's MemoryMax takes."""
Size: TypeAlias = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]*[KMGT]?$", extra={"expected": 'a size: "20G", "512M"'}),
]
"""Bytes, with K, M, G or T for powers of 1024."""
AbsolutePath: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^/[^\x00-\x1f\x7f]*$",
        extra={"expected": "an absolute path on the host"},
    ),
]
Role: TypeAlias = Literal["grind", "staging", "prod"]
