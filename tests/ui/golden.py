"""Texts kept in files. `GRIND_UPDATE_GOLDEN=1` writes them anew: then look at the diff."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    file = HERE / f"{name}.txt"
    if os.environ.get("GRIND_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def visible(text: str) -> str:
    """Make escape sequences readable in a golden file."""
    return text.replace("\x1b", "␛")
