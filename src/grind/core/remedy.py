"""Lines of grind.toml that settle a refusal: text that can be pasted, and that `load` accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

WHY = "why this stands for what CI does"


def quoted(text: str) -> str:
    """Return a TOML basic string (JSON's escapes are a subset of TOML's, toml.io/en/v1.0.0)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def verdict_rule(verdict: str, selectors: Mapping[str, Any], reason: str = WHY, **more: str) -> str:
    """Return a `[[verdict]]` table; `more` is `run` or `check`."""
    lines = ["[[verdict]]"]
    fields = (*selectors.items(), ("verdict", verdict), *more.items(), ("reason", reason))
    for name, value in fields:
        lines.append(f"{name} = {value_text(value)}")
    return "\n".join(lines)


def value_text(value: Any) -> str:
    """Return a plain value as TOML writes it; what TOML has no value for, as a person would."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return quoted(value)
        case None:
            return "null"
        case Mapping():
            return inline(value)
        case _:
            return f"[{', '.join(map(value_text, value))}]"


def inline(values: Mapping[str, Any]) -> str:
    """Return an inline table: `{ os = "windows-latest", python = 3.11 }`."""
    pairs = (
        f"{name if re.fullmatch('[A-Za-z0-9_-]+', name) else quoted(name)} = {value_text(value)}"
        for name, value in values.items()
    )
    return f"{{ {', '.join(pairs)} }}"


def more_labels(label: str) -> str:
    """Return the lines that let this host stand for a `runs-on` label."""
    return f"[hosts.local]\nlabels = [{quoted(label)}]  # if this host may stand for it"
