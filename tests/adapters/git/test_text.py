"""Foreign text is harmless when it is shown, and starting is cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.adapters.git.text import shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:secret@example.org/x", "https://***@example.org/x"),
        ("to https://ghp_abc@example.org", "to https://***@example.org"),
        ("https://a@b:c@example.org/x", "https://***@example.org/x"),
        ("ssh://git:secret@example.org/x", "ssh://git:***@example.org/x"),
        ("ssh://git@example.org/x", "ssh://git@example.org/x"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("Authorization: Basic c2VjcmV0", "Authorization: ***"),
        ("a\r\nb\n", "a\nb"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("right\u202eleft", "right\\u202eleft"),
        (b"\xff", "\\udcff"),
        ("x" * 9_000, "…" + "x" * 8_000),
    ],
)
def test_shown(text: str | bytes, expected: str) -> None:
    assert shown(text) == expected


@given(st.binary())
def test_nothing_controls_the_terminal(data: bytes) -> None:
    text = shown(data)
    assert all(char in "\n\t" or char.isprintable() for char in text)
    text.encode()


def test_a_snapshot_loads_nothing_heavy() -> None:
    """The pre-push hook starts here."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "import grind.adapters.git.repository\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    heavy = {"asyncio", "pathlib", "dataclasses", "msgspec", "yaml", "rich", "tempfile", "shutil"}
    heavy |= {"grind.ports", "inspect", "hashlib", "logging", "json"}
    assert not heavy & set(done.stdout.split())
