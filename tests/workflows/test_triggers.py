"""What an event starts, and why."""

from __future__ import annotations

import pytest

from grind.workflows.reader import read_workflow
from grind.workflows.schema import idle_filters
from grind.workflows.syntax import Workflow
from grind.workflows.triggers import Event, decide, idle_notes, skip_instruction, unmatched_filters

MAIN, TAG, TOPIC = "refs/heads/main", "refs/tags/v1.2", "refs/heads/feature/x"


def workflow(on: str) -> Workflow:
    body = on.rstrip() + "\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"
    reading = read_workflow("w.yml", body.encode())
    assert reading.problems == ()
    assert reading.workflow is not None
    return reading.workflow


def push(ref: str = MAIN, paths: tuple[str, ...] | None = None, message: str = "") -> Event:
    return Event("push", ref, paths=paths, message=message)


def pull(base: str, kind: str = "", paths: tuple[str, ...] | None = None) -> Event:
    return Event("pull_request", TOPIC, base, paths, type=kind)


TABLE = [
    ("on: push", push(), True, "every push", 1),
    ("on: push", push(TAG), True, "every push", 1),
    ("on: [pull_request]", push(), False, "does not run on push", 1),
    ("on:\n  push:\n    branches: [main]", push(), True, "matches 'main'", 2),
    ("on:\n  push:\n    branches: main", push(), True, "matches 'main'", 2),
    ("on:\n  push:\n    branches: [main]", push(TOPIC), False, "no filter matches", 3),
    ("on:\n  push:\n    branches: [main]", push(TAG), False, "only branches", 3),
    ("on:\n  push:\n    branches-ignore: [main]", push(TAG), False, "only branches", 3),
    ("on:\n  push:\n    tags: [v*]", push(), False, "only tags", 3),
    ("on:\n  push:\n    tags-ignore: [v*]", push(), False, "only tags", 3),
    ("on:\n  push:\n    tags: [v*]", push(TAG), True, "matches 'v*'", 2),
    ("on:\n  push:\n    tags-ignore: [v*]", push(TAG), False, "ignored by 'v*'", 3),
    ("on:\n  push:\n    tags: [v*]\n    branches: ['**']", push(TOPIC), True, "matches '**'", 2),
    (
        "on:\n  push:\n    branches:\n      - feature/**\n      - '!feature/x'",
        push(TOPIC),
        False,
        "excluded by '!feature/x'",
        5,
    ),
    ("on:\n  push:\n    branches-ignore: [feature/*]", push(TOPIC), False, "ignored by", 3),
    ("on:\n  push:\n    branches-ignore: [feature/*]", push(), True, "not ignored", 2),
    # a filter without a value is no filter
    ("on:\n  push:\n    branches:", push(TOPIC), True, "every push", 2),
    # paths
    ("on:\n  push:\n    paths: [src/**]", push(paths=("src/a",)), True, "'src/a' has changed", 2),
    ("on:\n  push:\n    paths: [src/**]", push(paths=("docs/a",)), False, "no changed path", 3),
    ("on:\n  push:\n    paths: [src/**]", push(), True, "not known", 2),
    ("on:\n  push:\n    paths: [src/**]", push(paths=()), True, "nothing differs", 2),
    (
        "on:\n  push:\n    paths: [src/**]",
        push(TAG, ("docs/a",)),
        True,
        "do not matter for tags",
        2,
    ),
    (
        "on:\n  push:\n    paths: [src/**, '!src/docs/**']",
        push(paths=("src/docs/a",)),
        False,
        "no changed path",
        3,
    ),
    (
        "on:\n  push:\n    paths-ignore: [docs/**]",
        push(paths=("docs/a",)),
        False,
        "every changed",
        3,
    ),
    (
        "on:\n  push:\n    paths-ignore: [docs/**]",
        push(paths=("docs/a", "src/b")),
        True,
        "'src/b' has changed and is not ignored",
        2,
    ),
    # both must match
    (
        "on:\n  push:\n    branches: [main]\n    paths: [src/**]",
        push(paths=("docs/a",)),
        False,
        "no changed path",
        4,
    ),
    (
        "on:\n  push:\n    branches: [dev]\n    paths: [src/**]",
        push(paths=("src/a",)),
        False,
        "no filter matches",
        3,
    ),
    # pull requests look at their base
    ("on:\n  pull_request:\n    branches: [main]", pull("main"), True, "base branch 'main'", 2),
    ("on:\n  pull_request:\n    branches: [main]", pull("refs/heads/dev"), False, "'dev'", 3),
    ("on: pull_request", pull("main", "closed"), False, "without types", 1),
    ("on: pull_request", pull("main", "synchronize"), True, "every pull_request", 1),
    ("on:\n  pull_request:\n    types: [closed]", pull("main", "closed"), True, "types", 2),
    ("on:\n  pull_request:\n    types: [closed]", pull("main"), False, "none of its types", 3),
    ("on:\n  pull_request:\n    types: [closed, opened]", pull("main"), True, "opened", 2),
    ("on:\n  pull_request:\n    paths: [a]", pull("main", paths=("b",)), False, "no changed", 3),
    (
        "on:\n  release:\n    types: [published]",
        Event("release", TAG, type="created"),
        False,
        "none of its types",
        3,
    ),
    ("on:\n  release:\n    types: [published]", Event("release", TAG), True, "not known", 2),
    ("on: workflow_dispatch", Event("workflow_dispatch", MAIN), True, "every", 1),
    ("on:\n  schedule:\n    - cron: '0 0 * * *'", Event("schedule", MAIN), True, "every", 2),
    (
        "on:\n  workflow_run:\n    workflows: [CI]\n    branches: [main]",
        Event("workflow_run", MAIN, workflow="CI"),
        True,
        "follows",
        2,
    ),
    (
        "on:\n  workflow_run:\n    workflows: [CI]",
        Event("workflow_run", MAIN, workflow="Other"),
        False,
        "does not follow",
        3,
    ),
    (
        "on:\n  merge_group:\n    branches: [main]",
        Event("merge_group", "", "main"),
        True,
        "main",
        2,
    ),
    # skipping
    ("on: push", push(message="x [skip ci]"), False, "[skip ci]", 1),
    ("on: pull_request", pull("main")._replace(message="[ci skip]"), False, "[ci skip]", 1),
    (
        "on: pull_request_target",
        Event("pull_request_target", TOPIC, "main", message="[skip ci]"),
        True,
        "every",
        1,
    ),
    ("on: create", Event("create", message="[no ci]"), True, "", 1),
    # filters of events that have none are taken, and never looked at
    ("on:\n  create:\n    tags: ['v*']", Event("create", MAIN), True, "every create", 2),
    ("on:\n  delete:\n    branches: [x]", Event("delete", MAIN), True, "every delete", 2),
    ("on:\n  issues:\n    paths: [x]", Event("issues", MAIN, paths=("y",)), True, "issues", 2),
    ("on:\n  create:\n    types: [tag]", Event("create", MAIN, type="x"), True, "create", 2),
]


@pytest.mark.parametrize(("on", "event", "active", "reason", "line"), TABLE)
def test_decides_as_documented(on: str, event: Event, active: bool, reason: str, line: int) -> None:
    decision = decide(workflow(on), event)
    assert decision.active is active
    assert reason in decision.reason
    assert decision.line == line


@pytest.mark.parametrize(
    ("message", "instruction"),
    [
        ("fix", ""),
        ("[skip ci] fix", "[skip ci]"),
        ("fix\n\nlong [actions skip] text", "[actions skip]"),
        ("[no ci]", "[no ci]"),
        ("[skip actions]", "[skip actions]"),
        ("[skip-ci]", ""),
        ("skip ci", ""),
        ("fix\n\n\nskip-checks: true", "skip-checks: true"),
        ("fix\n\n\nskip-checks:true\n", "skip-checks:true"),
        ("fix\n\n\nSigned-off-by: A\nskip-checks: true\n", "skip-checks: true"),
        ("fix\n\nskip-checks: true", ""),  # one empty line only, as git leaves it
        ("fix\n\n\nskip-checks: true\nSigned-off-by: A\n", ""),
        ("fix\n\n\nskip-checks: false", ""),
        ("skip-checks: true", ""),
        ("", ""),
    ],
)
def test_skip_instructions(message: str, instruction: str) -> None:
    assert skip_instruction(message) == instruction


def test_beyond_githubs_limit_the_reason_says_so() -> None:
    paths = tuple(f"docs/{n}" for n in range(400))
    decision = decide(workflow("on:\n  push:\n    paths: [src/**]"), push(paths=paths))
    assert not decision.active
    assert "first 300 of 400" in decision.reason


def test_filters_that_match_nothing_are_found_with_their_place() -> None:
    """F12: a path filter named a folder that does not exist."""
    read = workflow(
        "on:\n  push:\n    paths:\n      - src/**\n      - 'sources/**'\n      - '!gone/*'\n"
        "  pull_request:\n    paths-ignore: ['docs/**', '*.rst']\n"
    )
    found = unmatched_filters(read, ["src/a.py", "docs/index.md"])
    assert [(one.line, one.column) for one in found] == [(5, 9), (6, 9), (8, 31)]
    assert "'sources/**' matches no tracked file" in str(found[0])
    assert unmatched_filters(read, ["src/a", "sources/b", "gone/c", "docs/d", "e.rst"]) == ()


def test_idle_filters_are_said_and_those_of_other_events_are_not() -> None:
    text = "on:\n  create:\n    tags: ['v*']\n    branches: ['[']\n  push:\n    tags: ['v*']"
    assert idle_notes(workflow(text)) == [
        "w.yml:3: 'tags' filters nothing: in CI, every create starts the workflow",
        "w.yml:4: 'branches' filters nothing: in CI, every create starts the workflow",
    ]
    assert idle_notes(workflow("on:\n  push:\n    branches: [main]")) == []


@pytest.mark.parametrize("event", ["push", "pull_request", "workflow_call", "workflow_run", "new"])
def test_a_key_that_would_filter_elsewhere_is_no_idle_one(event: str) -> None:
    assert idle_filters(event) == ()
