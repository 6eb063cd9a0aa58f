"""Findings as text, JSON, SARIF and workflow commands."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from grind.core.findings import Finding, LintReport
from grind.rules.checks import RULES
from grind.ui import lint_json, lint_text

_REPORT = LintReport(
    (
        Finding("bare-python", "a.sh", 2, 3, 2, "error", "high", "bare `python3`", True),
        Finding("sleep-as-wait", "dir/b,c:d.sh", 1, 1, 4, "warning", "medium", "a\nb 100%", False),
        Finding("made-up", "n\udcffx.sh", 7, 1, 7, "note", "low", "hi", False),
    ),
    ("\tpython3 -c x", "sleep 5", "x" * 300),
    12,
    3,
)
_EMPTY = LintReport((), (), 0)

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_POSITIVE = {"type": "integer", "minimum": 1}
SARIF_SUBSET: dict[str, Any] = {
    # Written by hand from the SARIF 2.1.0 specification (sections 3.13 to 3.30), as far as grind
    # writes it; closed, so that a property the specification does not have is an error.
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": _TEXT,
                                                "fullDescription": _TEXT,
                                                "help": _TEXT,
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "additionalProperties": False,
                                                    "properties": {
                                                        "level": {
                                                            "enum": [
                                                                "none",
                                                                "note",
                                                                "warning",
                                                                "error",
                                                            ]
                                                        }
                                                    },
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "rank": {"type": "number", "minimum": -1, "maximum": 100},
                                "message": _TEXT,
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "additionalProperties": False,
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "uri": {
                                                                "type": "string",
                                                                "pattern": "^[!-~]+$",
                                                            },
                                                            "uriBaseId": {"type": "string"},
                                                        },
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "startLine": _POSITIVE,
                                                            "startColumn": _POSITIVE,
                                                            "endLine": _POSITIVE,
                                                        },
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_text_for_people() -> None:
    assert lint_text.render(_REPORT, colour=False, notes=False) == (
        "a.sh:2:3: error bare-python [--fix]: bare `python3`\n"
        "    2 | \tpython3 -c x\n"
        "      | \t ^\n"
        "dir/b,c:d.sh:1:1: warning sleep-as-wait (medium confidence): a�b 100%\n"
        "    1 | sleep 5\n"
        "      | ^\n"
        "12 files: 1 error, 1 warning, 1 note (--notes shows them); 3 known from the baseline\n"
    )


def test_notes_are_shown_when_asked_for_and_long_lines_are_cut() -> None:
    text = lint_text.render(_REPORT, colour=False, notes=True, gone=2)
    assert "n\\xffx.sh:7:1: note made-up (low confidence): hi\n" in text
    assert max(len(line) for line in text.splitlines()) < 140
    assert "2 entries of the baseline are gone" in text


def test_colour_only_when_asked_for() -> None:
    assert "\x1b[31merror\x1b[0m" in lint_text.render(_REPORT, colour=True, notes=False)
    assert "\x1b" not in lint_text.render(_REPORT, colour=False, notes=True)


def test_control_signs_of_a_file_never_reach_the_terminal() -> None:
    finding = Finding("r", "a.sh", 1, 1, 1, "error", "high", "\x1b]0;evil\x07", False)
    text = lint_text.render(LintReport((finding,), ("\x1b[2J",), 1), colour=False, notes=True)
    assert "\x1b" not in text
    assert "\x07" not in text


def test_workflow_commands_escape_what_would_break_them() -> None:
    assert lint_text.workflow_commands(_REPORT) == (
        "::error file=a.sh,line=2,endLine=2,col=3,title=bare-python::bare `python3`\n"
        "::warning file=dir/b%2Cc%3Ad.sh,line=1,endLine=4,col=1,title=sleep-as-wait::a%0Ab 100%25\n"
        "::notice file=n\\xffx.sh,line=7,endLine=7,col=1,title=made-up::hi\n"
    )
    assert lint_text.workflow_commands(_EMPTY) == ""


def test_the_json_document() -> None:
    document = json.loads(lint_json.document(_REPORT))
    assert document["schema"] == "grind.lint/1"
    assert document["findings"][0] == {
        "rule": "bare-python",
        "path": "a.sh",
        "line": 2,
        "column": 3,
        "end_line": 2,
        "severity": "error",
        "confidence": "high",
        "message": "bare `python3`",
        "fixable": True,
    }
    assert json.loads(lint_json.document(_EMPTY)) == {"schema": "grind.lint/1", "findings": []}


@pytest.mark.parametrize("report", [_REPORT, _EMPTY])
def test_sarif_fits_its_schema(report: LintReport) -> None:
    log = json.loads(lint_json.sarif(report, tuple(rule.doc for rule in RULES), "1.2.3"))
    jsonschema.Draft7Validator(SARIF_SUBSET).validate(log)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_sarif_schema_can_say_no() -> None:
    log = json.loads(lint_json.sarif(_REPORT, (), "1"))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SARIF_SUBSET).validate(log)


def test_explaining_a_rule() -> None:
    text = lint_text.explain(RULES[0].doc)
    assert text.startswith("bare-python (error)\n")
    assert "\nBad:\n    python3" in text
