"""What a job's environment is made of, and what it is not."""

from __future__ import annotations

import pytest

from grind.core.lend import lend
from grind.core.plan import JobPlan
from grind.workflows.expressions import UNKNOWN
from grind.workflows.jobenv import RUNNER_NAMES, job_environment, layered
from tests.workflows.plans import SITUATION, steps_job

PATHS = {
    "workspace": "/w",
    "home": "/h",
    "temp": "/t",
    "tool_cache": "/c",
    "events": "/e",
    "cache": "/cache",
    "artifacts": "/artifacts",
}


def env(own: dict[str, object]) -> dict[str, str]:
    return job_environment(steps_job("- {run: x}"), SITUATION, PATHS, {"PATH": "/bin"}, own)


def test_a_workflow_cannot_overwrite_what_the_runner_sets() -> None:
    made = env(dict.fromkeys(RUNNER_NAMES, "mine") | {"CI": "mine", "HOME": "mine"})
    kept = {n for n in RUNNER_NAMES if made[n] == "mine"}
    # These the host sets for each step.
    assert kept == {
        "GITHUB_ACTION",
        "GITHUB_ENV",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
    }
    assert made["CI"] == made["HOME"] == "mine"


def test_the_names_that_the_runner_sets_are_all_known() -> None:
    assert {n for n in env({}) if n.startswith(("GITHUB_", "RUNNER_"))} <= RUNNER_NAMES


def test_a_secret_is_empty() -> None:
    assert env({"TOKEN": UNKNOWN})["TOKEN"] == ""


def test_nothing_leaks_in() -> None:
    lent = lend(
        {
            "PATH": "/venv/bin:/bin",
            "VIRTUAL_ENV": "/venv",
            "SSH_AUTH_SOCK": "/agent",
            "GITHUB_TOKEN": "t",
            "GIT_DIR": "/x",
            "https_proxy": "http://user:pass@proxy",
            "http_proxy": "http://proxy",
            "LC_ALL": "C",
            "EXTRA": "e",
        },
        home="/home/u",
        extra=("EXTRA",),
        folders=("/opt/bin",),
    )
    assert lent == {
        "PATH": "/opt/bin:/bin",
        "http_proxy": "http://proxy",
        "LC_ALL": "C",
        "EXTRA": "e",
        "RUSTUP_HOME": "/home/u/.rustup",
        "PYENV_ROOT": "/home/u/.pyenv",
    }


def job(workflow: dict[str, str], own: dict[str, str]) -> JobPlan:
    import msgspec

    return msgspec.structs.replace(steps_job("- {run: x}"), workflow_env=workflow, env=own)


@pytest.mark.parametrize(
    ("workflow", "own", "expected"),
    [
        ({"A": "w"}, {"A": "j"}, {"A": "j"}),
        ({"A": "w"}, {"B": "${{ env.A }}"}, {"A": "w", "B": "w"}),
        ({}, {"A": "1", "B": "${{ env.A }}"}, {"A": "1", "B": ""}),  # no siblings
        ({}, {"A": "${{ github.run_id }}"}, {"A": "1"}),
        ({}, {"A": "${{ secrets.X }}"}, {"A": UNKNOWN}),
        ({}, {"A": "x-${{ secrets.X }}"}, {"A": UNKNOWN}),
    ],
)
def test_layers(workflow: dict[str, str], own: dict[str, str], expected: dict[str, object]) -> None:
    assert layered(job(workflow, own), {"github": {"run_id": UNKNOWN}}) == (expected, "")


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"A": "${{ needs.a.outputs.x }}"}, "A: needs"),
        ({"A": "${{ fromJSON('{') }}"}, "A: Error parsing"),
        ({"A=B": "x"}, "nothing that a program can be given"),
        ({"": "x"}, "nothing that a program can be given"),
        ({"A": "x\0"}, "nothing that a program can be given"),
    ],
)
def test_what_is_not_known_is_a_problem_and_not_empty(own: dict[str, str], problem: str) -> None:
    assert problem in layered(job({}, own), {"needs": UNKNOWN})[1]


def test_what_needed_jobs_will_say_is_open_while_planning() -> None:
    plan = job({}, {"A": "${{ needs.a.outputs.x }}"})
    assert layered(plan, {"needs": UNKNOWN}, planning=True) == ({"A": UNKNOWN}, "")
