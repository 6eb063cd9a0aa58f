"""Version requests as setup actions write them."""

from __future__ import annotations

import pytest

from grind.workflows.versions import Version, answers, parse_version


def v(text: str) -> Version:
    version = parse_version(text)
    assert version is not None
    return version


@pytest.mark.parametrize(
    ("version", "request_", "expected"),
    [
        ("3.12.1", "3.12", True),
        ("3.12.1", "3.1", False),
        ("3.12.1", "3", True),
        ("3.12.1", "3.x", True),
        ("3.12.1", "3.12.1", True),
        ("3.12.1", "3.12.2", False),
        ("1.22.5", "1.22.x", True),
        ("1.22.5", "1.22.*", True),
        ("3.12.1", ">=3.10", True),
        ("3.9.9", ">=3.10", False),
        ("3.12.1", ">=3.10 <3.12", False),
        ("3.12.1", ">=3.10,<3.13", True),
        ("3.12.1", ">= 3.10", True),
        ("20.1.0", "^18 || 20", True),
        ("19.1.0", "^18 || 20", False),
        ("18.19.0", "^18.2", True),
        ("0.3.4", "^0.2", False),
        ("1.21.7", "~1.21.0", True),
        ("1.22.0", "~1.21.0", False),
        ("3.12.4", "~=3.12.1", True),
        ("19.0.0", "18 - 20", True),
        ("20.5.0", "18 - 20", True),
        ("21.0.0", "18 - 20", False),
        ("20.1.0", "v20", True),
        ("20.1.0", "latest", True),
        ("20.1.0", "*", True),
        ("3.14.0-rc.1", "3.14", False),
        ("3.14.0-rc.1", "latest", False),
        ("1.2.3", "!=1.2.3", False),
        ("1.2.3", ">1.2", False),
        ("1.3.0", ">1.2", True),
        ("1.2.3", "<=1.2", True),
        ("3.12.1", "three", None),
        ("3.12.1", "3.12; rm -rf", None),
        ("3.12.1", "lts/iron", None),
    ],
)
def test_answers(version: str, request_: str, expected: bool | None) -> None:
    assert answers(v(version), request_) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("golangci-lint has version 1.59.1 built", (1, 59, 1)),
        ("nix (Nix) 2.18.1", (2, 18, 1)),
        ("v20.11.0\n", (20, 11, 0)),
        ("none", None),
    ],
)
def test_parse(text: str, expected: tuple[int, ...] | None) -> None:
    version = parse_version(text)
    assert (version.parts if version else None) == expected
