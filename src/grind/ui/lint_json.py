"""Findings for programs: `grind.lint/1`, and SARIF 2.1.0."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from grind.core.findings import ERROR, NOTE, WARNING, Finding, LintReport, RuleDoc, shown_path

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {ERROR: "error", WARNING: "warning", NOTE: "note"}
_RANKS = {"high": 90.0, "medium": 60.0, "low": 30.0}


def document(report: LintReport) -> str:
    """The report as one JSON document."""
    findings = [msgspec.structs.replace(f, path=shown_path(f.path)) for f in report.findings]
    return msgspec.json.encode({"schema": "grind.lint/1", "findings": findings}).decode() + "\n"


def sarif(report: LintReport, rules: tuple[RuleDoc, ...], version: str) -> str:
    """The report as SARIF 2.1.0, one run."""
    named = {rule.id for rule in rules}
    extra = sorted({f.rule for f in report.findings} - named)
    descriptors = [_descriptor(rule) for rule in rules] + [{"id": name} for name in extra]
    index = {d["id"]: i for i, d in enumerate(descriptors)}
    log = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "grind lint", "version": version, "rules": descriptors}
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, index) for finding in report.findings],
            }
        ],
    }
    return msgspec.json.encode(log).decode() + "\n"


def _descriptor(rule: RuleDoc) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": f"{rule.why} Seen: {rule.seen}"},
        "help": {"text": f"Bad:\n{rule.bad}\n\nGood:\n{rule.good}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
    }
    uri = quote(finding.path.encode("utf-8", "surrogateescape"))
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.severity],
        "rank": _RANKS[finding.confidence],
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
                    "region": region,
                }
            }
        ],
    }
