"""The labelled corpus: every snippet by itself, the figures per rule, the way back to the bytes."""

from __future__ import annotations

from collections import Counter

import pytest

from grind.adapters.shfmt import Shfmt
from grind.core.tree import Entry
from grind.rules import extract
from grind.rules.checks import BY_ID
from grind.rules.engine import lint
from grind.rules.findings import Hit
from grind.rules.shell.model import HOLE
from grind.rules.source import Source
from grind.rules.units import Policy, Unit, View
from tests.rules.corpus import Case, corpus, labels_of, lint_case

_ALL = corpus()


@pytest.mark.parametrize("case", _ALL, ids=lambda case: case.place)
def test_a_snippet_has_exactly_its_labels(case: Case) -> None:
    assert labels_of(case, lint_case(case).report.findings) == case.expected, case.text


def test_precision_and_recall_of_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    negatives = 0
    for case in _ALL:
        found = labels_of(case, lint_case(case).report.findings)
        negatives += not case.expected
        right.update(rule for rule, _ in found & case.expected)
        wrong.update(rule for rule, _ in found - case.expected)
        missed.update(rule for rule, _ in case.expected - found)
    with capsys.disabled():
        print(f"\n{len(_ALL)} snippets, {negatives} of them clean")
        for rule in sorted(BY_ID):
            precision = right[rule] / max(right[rule] + wrong[rule], 1)
            recall = right[rule] / max(right[rule] + missed[rule], 1)
            print(f"  {rule:26} precision {precision:.3f}  recall {recall:.3f}  n={right[rule]}")
    assert len(_ALL) >= 400
    for rule in BY_ID:
        assert right[rule] >= 5, f"{rule} has too few positive snippets to say anything"
        assert right[rule] / (right[rule] + wrong[rule]) >= 0.98, rule
        assert right[rule] / (right[rule] + missed[rule]) >= 0.95, rule


def _units(case: Case) -> tuple[Source, list[Unit]]:
    executable = case.path in case.tree.executable
    kind = extract.kind_of(Entry(case.path, executable))
    source = Source(case.path, case.text.encode())
    seen: list[View] = []

    def spy(view: View) -> list[Hit]:
        seen.append(view)
        return []

    rule = BY_ID["bare-python"]._replace(check=spy)
    lint(kind, source, [rule], Policy(), Shfmt())
    return source, seen[0].units if seen else []


@pytest.mark.parametrize("case", _ALL, ids=lambda case: case.place)
def test_every_byte_of_extracted_shell_knows_where_it_stands(case: Case) -> None:
    source, units = _units(case)
    for unit in units:
        for piece in unit.fragment.pieces:
            for at in range(piece.at, piece.at + piece.length):
                byte = unit.text[at]
                if byte != HOLE:
                    assert source.text[unit.offset(at)] == byte, (unit.context.host, piece, at)


@pytest.mark.parametrize("case", [c for c in _ALL if c.expected], ids=lambda case: case.place)
def test_findings_stay_inside_the_file(case: Case) -> None:
    lines = case.text.split("\n")
    for finding in lint_case(case).report.findings:
        assert 1 <= finding.line <= finding.end_line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1


def test_every_rule_is_documented() -> None:
    for rule in BY_ID.values():
        for text in (rule.what, rule.why, rule.seen, rule.bad, rule.good):
            assert len(text) > 10, rule.id
