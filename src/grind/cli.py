"""The command table and the one door through which errors leave."""

from __future__ import annotations


def run(argv: list[str]) -> int:
    """Run one command line; return its exit code (docs/exit-codes.md)."""
    raise SystemExit(f"no commands yet: {argv}")
