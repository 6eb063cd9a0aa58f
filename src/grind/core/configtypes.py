"""The plain types that `grind.toml` is made of, with what problems say of them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

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
