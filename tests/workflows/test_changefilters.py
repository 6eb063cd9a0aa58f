"""Change filters: the outputs that the actions themselves gave for the same files, and refusals.

`golden/changefilters.json` holds what dorny/paths-filter 4.0 and tj-actions/changed-files 47 wrote to
GITHUB_OUTPUT when they were run, by hand, on a repository with these changes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grind.core.plan import Verdict
from grind.core.repository import ChangedFile
from grind.workflows.actions import judge
from grind.workflows.changes import Changes
from grind.workflows.facts import Facts, Judgement
from tests.workflows.plans import SITUATION, changes_of, plan_of, read, request_of, settled

GOLDEN = json.loads((Path(__file__).parent / "golden" / "changefilters.json").read_text())
FILES = tuple(ChangedFile(*row) for row in GOLDEN["files"])
DORNY = "dorny/paths-filter@v3"
TJ = "tj-actions/changed-files@v47"


def judged(
    uses: str, given: dict[str, str], files: object = FILES, event: str = "push"
) -> Judgement:
    changes = Changes(
        files=files,  # type: ignore[arg-type]
        event=event,
        heads=frozenset({"c" * 40, "refs/heads/main", "main"}),
        bases=frozenset({"main", "b" * 40}),
    )
    return judge(uses, given, Facts(changes=lambda: changes, read={"f.yml": "a: src/**\n"}.get))


def outputs(uses: str, given: dict[str, str], files: object = FILES) -> dict[str, str]:
    found = judged(uses, given, files)
    assert found.recipe is not None, found.reason
    return found.recipe.outputs


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: f"{c['uses'][:5]} {c['with']}")
def test_as_the_action_itself(case: dict[str, Any]) -> None:
    told = outputs(case["uses"], case["with"])
    assert told
    assert told == {name: case["outputs"][name] for name in told}
    left_out = case["outputs"].keys() - told.keys()
    assert all(name.endswith("_files") for name in left_out)  # names that a format would quote


@pytest.mark.parametrize(
    ("uses", "given", "told"),
    [
        (DORNY, {"filters": "a: app/(auth)/**"}, "pattern 'app/(auth)/**' of the filter `a`"),
        (DORNY, {"filters": "a: 3"}, "holds what is no pattern"),
        (DORNY, {"filters": "- a: b"}, "not understood"),
        (DORNY, {"filters": "a: [b"}, "not understood"),
        (DORNY, {"filters": "missing.yml"}, "missing.yml, which the snapshot lacks"),
        (DORNY, {"filters": ""}, "names nothing"),
        (DORNY, {"filters": "a: b", "base": "develop"}, "compares with develop"),
        (DORNY, {"filters": "a: b", "base": "HEAD"}, "compares with HEAD"),
        (DORNY, {"filters": "a: b", "ref": "other"}, "looks at other"),
        (DORNY, {"filters": "a: b", "list-files": "xml"}, "not known to grind"),
        (DORNY, {"filters": "a: b", "predicate-quantifier": "none"}, "not known to grind"),
        (DORNY, {"filters": "a: b", "working-directory": "sub"}, "working-directory"),
        (DORNY, {"filters": "a: b", "new-input": "x"}, "`new-input`"),
        (TJ, {"dir_names": "true"}, "`dir_names`"),
        (TJ, {"since": "2024-01-01"}, "`since`"),
        (TJ, {"files_from_source_file": "x"}, "`files_from_source_file`"),
        (TJ, {"base_sha": "d" * 40}, "compares with"),
        (TJ, {"files": "+(a|b)"}, "not understood"),
        (TJ, {"files_yaml": "a: ''"}, "no pattern"),
        ("tj-actions/branch-names@v8", {}, "not evaluated"),
    ],
)
def test_what_is_not_understood_is_refused(uses: str, given: dict[str, str], told: str) -> None:
    found = judged(uses, given)
    assert found.verdict is Verdict.REFUSED
    assert told in found.reason
    assert found.remedy


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "release"])
def test_only_events_that_bring_changes_are_answered(event: str) -> None:
    found = judged(DORNY, {"filters": "a: b"}, event=event)
    assert (found.verdict, event in found.reason) == (Verdict.REFUSED, True)


def test_the_base_may_be_named() -> None:
    for base in ("main", "b" * 40):
        assert outputs(DORNY, {"filters": "a: src/**", "base": base, "ref": "main"})["a"] == "true"


def test_filters_may_stand_in_a_file() -> None:
    assert outputs(DORNY, {"filters": "f.yml"})["a"] == "true"


def test_where_nothing_differs_every_filter_matches() -> None:
    told = outputs(DORNY, {"filters": "a: x\nb: y", "list-files": "json"}, None)
    assert told == {"a": "true", "b": "true", "changes": '["a","b"]'}
    assert outputs(TJ, {"files": "x"}, None) == {"any_changed": "true", "any_modified": "true"}


def test_a_submodule_or_a_name_that_git_quotes_is_not_guessed_at() -> None:
    for file in (
        ChangedFile("M", "sub", submodule=True),
        ChangedFile("M", "ä"),
        ChangedFile("A", 'a"'),
    ):
        assert judged(TJ, {}, (file,)).verdict is Verdict.REFUSED
        assert judged(DORNY, {"filters": "a: '**'"}, (file,)).verdict is Verdict.EXECUTED


WORKFLOW = """
on: push
jobs:
  changes:
    runs-on: ubuntu-latest
    outputs: {src: "${{ steps.f.outputs.src }}"}
    steps:
      - uses: actions/checkout@v4
      - {id: f, uses: dorny/paths-filter@v3, with: {filters: "src: ['src/**']"}}
"""


def test_it_stands_in_the_plan_with_what_it_says() -> None:
    step = plan_of(WORKFLOW, paths=("src/a", "b")).jobs[0].steps[1]
    assert (step.verdict, step.reason) == (
        Verdict.EXECUTED,
        "evaluated here, 2 changed files: src matched",
    )
    assert not step.executes  # no command has run: it proves nothing by itself


def test_the_digest_hangs_on_what_has_changed() -> None:
    one, same, other = (plan_of(WORKFLOW, paths=(p,)).digest for p in ("src/a", "src/a", "docs/a"))
    assert one == same != other


def test_without_a_checkout_it_would_fail_on_github() -> None:
    text = WORKFLOW.replace("      - uses: actions/checkout@v4\n", "")
    step = plan_of(text, paths=("src/a",)).jobs[0].steps[0]
    assert step.verdict is Verdict.REFUSED
    assert "not checked out before it" in step.reason
    asked = request_of(
        read(text.replace("on: push", "on: pull_request")), paths=("src/a",), event="pull_request"
    )
    assert settled(asked).jobs[0].steps[0].verdict is Verdict.EXECUTED  # the forge is asked there


def test_the_sample_situation_agrees_with_itself() -> None:
    assert SITUATION.before in changes_of(("a",)).bases
