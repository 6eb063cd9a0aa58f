"""What a linter says: findings with a place, and the documentation of rules, as plain data."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (NOTE, WARNING, ERROR)
HIGH, MEDIUM, LOW = "high", "medium", "low"


class Finding(msgspec.Struct, frozen=True):
    """One finding. Lines and columns are 1-based, columns count characters."""

    rule: str
    path: str
    line: int
    column: int
    end_line: int
    severity: str
    confidence: str
    message: str
    fixable: bool


class RuleDoc(NamedTuple):
    """What a person reads about a rule."""

    id: str
    severity: str
    what: str
    why: str
    seen: str
    bad: str
    good: str


class LintReport(NamedTuple):
    """A whole run: findings in order of place, the source line of each, and what was left out."""

    findings: tuple[Finding, ...]
    lines: tuple[str, ...]
    """The source line of each finding, decoded for people."""
    files: int
    known: int = 0
    """Findings that the baseline holds."""

    def count(self, severity: str) -> int:
        """How many findings have this severity."""
        return sum(1 for finding in self.findings if finding.severity == severity)


def shown_path(path: str) -> str:
    """A path as text that can be printed and encoded: bytes that are no UTF-8 become escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
