"""GITHUB_ENV and GITHUB_OUTPUT, as the runner reads them."""

from __future__ import annotations

import pytest

from grind.workflows.filecommands import may_set, read_pairs


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        (b"", {}),
        (b"A=1\n", {"A": "1"}),
        (b"A=1", {"A": "1"}),
        (b"\xef\xbb\xbfA=1\n", {"A": "1"}),
        (b"A=1\n\nB=2=3\n", {"A": "1", "B": "2=3"}),
        (b"A=1\nA=2\n", {"A": "2"}),
        (b"A=\n", {"A": ""}),
        (b"A=1\r\n", {"A": "1\r"}),  # as on a Linux runner
        (b"A<<E\none\ntwo\nE\nB=1\n", {"A": "one\ntwo", "B": "1"}),
        (b"A<<E\nE\n", {"A": ""}),
        (b"A<<E\nB<<E\nE\n", {"A": "B<<E"}),
        (b"A=x<<E\n", {"A": "x<<E"}),
        # reading ends where it is malformed; what was before counts
        (b"A=1\nA<<E\none\nB=2\n", {"A": "1"}),
        (b"A=1\nnonsense\nB=2\n", {"A": "1"}),
        (b"=1\nB=2\n", {}),
        (b"<<E\nx\nE\n", {}),
        (b"A<<\nx\n\nB=1\n", {}),
        ("A=é\n".encode(), {"A": "é"}),
    ],
)
def test_pairs(data: bytes, pairs: dict[str, str]) -> None:
    assert read_pairs(data) == pairs


@pytest.mark.parametrize(
    ("name", "may"), [("A", True), ("NODE_OPTIONS", False), ("node_options", False)]
)
def test_names_that_may_be_set(name: str, may: bool) -> None:
    assert may_set(name) is may
