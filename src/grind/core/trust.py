"""What of grind.toml needs the user's yes before it leaves this machine or changes it. Pure.

A cloned repository brings its own grind.toml. Its hosts, and every command that acts outside of a
job's clean checkout, are somebody else's words until this user has said yes to exactly them. The
yes is kept by digest over a canonical text, one line a value, so that a later change can be shown.

Every section counts, but those named here: what a later version adds is not trusted by oversight.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from grind.core.config import Config
from grind.core.configrules import LOCAL

FREE = frozenset(
    {
        "main",
        "remote",
        "jobs",
        "check",
        "verdict",
        "ignore",
        "drift",
        "lint",
        "python",
        "receipt",
        "land",
        "watch",
    }
)
"""Sections that act in a job's checkout, as any program that the user runs there could, or that
decide nothing outside of it."""
FREE_LOCAL = frozenset({"labels", "env", "path", "jobs", "memory", "disk", "set"})
"""What `[hosts.local]` may say of this machine's own jobs."""


class Relevant(NamedTuple):
    """The part of a configuration that needs a yes."""

    text: str
    """One line a value, `section.key = JSON`, sorted; empty when there is nothing of the kind."""
    digest: str
    """SHA-256 of the text, hexadecimal."""


class Standing(NamedTuple):
    """How a configuration stands with this user."""

    relevant: Relevant
    trusted: bool
    """Whether nothing stands in the way: a yes for exactly this, or nothing that needs one."""
    before: str | None
    """The text of the last yes; None when there was none."""

    @property
    def changes(self) -> tuple[str, ...]:
        """Lines that came (`+ …`) and went (`- …`) since the last yes; all of them without one."""
        old = (self.before or "").splitlines()
        compared = difflib.ndiff(old, self.relevant.text.splitlines())
        return tuple(line for line in compared if line[:1] in "+-")


def relevant(config: Config) -> Relevant:
    """Return what needs a yes. Equal texts mean equal configurations, and the reverse."""
    lines: list[str] = []
    for name, value in _given(config):
        if name == "hosts":
            for host, said in value.items():
                own = {
                    key: one for key, one in said.items() if host != LOCAL or key not in FREE_LOCAL
                }
                if own or host != LOCAL:
                    lines += _lines(("hosts", host), own)
        elif name not in FREE:
            lines += _lines((name,), value)
    text = "".join(f"{line}\n" for line in sorted(lines))
    return Relevant(text, hashlib.sha256(text.encode()).hexdigest())


def standing(config: Config, digest: str | None, before: str | None) -> Standing:
    """Compare a configuration with the last yes: its digest and its text, or None."""
    now = relevant(config)
    return Standing(now, not now.text or now.digest == digest, before)


def _given(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields that differ from their defaults: a new field of grind needs no new yes."""
    for field in msgspec.structs.fields(value):
        own = getattr(value, field.name)
        default = (
            field.default_factory()
            if field.default_factory is not msgspec.NODEFAULT
            else field.default
        )
        if default is msgspec.NODEFAULT or own != default:
            yield field.encode_name, _plain(own)


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return dict(_given(value))
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _lines(path: tuple[str | int, ...], value: Any) -> Iterator[str]:
    """Yield `path = value` for every leaf. Whatever is empty is a leaf as well."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _lines((*path, key), one)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for number, one in enumerate(value):
            yield from _lines((*path, number), one)
    else:
        yield f"{_place(path)} = {json.dumps(value, sort_keys=True)}"


def _place(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = (
                part
                if part.replace("_", "").replace("-", "").isalnum() and part.isascii()
                else json.dumps(part)
            )
            text += f".{bare}" if text else bare
    return text
