"""Lines of grind.toml that settle a refusal: text that can be pasted, and that `load` accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping

WHY = "why this stands for what CI does"


def quoted(text: str) -> str:
    """Return a TOML basic string (JSON's escapes are a subset of TOML's, toml.io/en/v1.0.0)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def verdict_rule(
    verdict: str, selectors: Mapping[str, str | int], reason: str = WHY, **more: str
) -> str:
    """Return a `[[verdict]]` table; `more` is `run` or `check`."""
    lines = ["[[verdict]]"]
    fields = (*selectors.items(), ("verdict", verdict), *more.items(), ("reason", reason))
    for name, value in fields:
        lines.append(f"{name} = {value if isinstance(value, int) else quoted(value)}")
    return "\n".join(lines)


def more_labels(label: str) -> str:
    """Return the lines that let this host stand for a `runs-on` label."""
    return f"[hosts.local]\nlabels = [{quoted(label)}]  # if this host may stand for it"
