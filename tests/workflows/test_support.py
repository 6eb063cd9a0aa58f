"""The table of what is supported says what is true: nothing is missing, and refusals refuse."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from grind.core.plan import StepClass, Verdict
from grind.workflows.actions import load_table
from grind.workflows.logcommands import _COMMANDS
from grind.workflows.support import (
    COMMANDS,
    CONTEXTS,
    JOB_REFUSALS,
    KEYS,
    KINDS,
    Support,
    key_of,
)
from tests.workflows.plans import plan_of, steps_job

ROOT = Path(__file__).parents[2]
LANGUAGES = {"python", "node", "go", "java", "ruby", "dotnet", "rust"}


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "compatibility.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_of_the_schema_has_a_row() -> None:
    keys = tool().schema_keys()
    assert len(keys) > 100
    for path in keys:
        assert key_of(path).support in Support


def test_every_row_has_a_key() -> None:
    assert set(KEYS) <= set(tool().schema_keys())


def test_an_unknown_key_has_no_row() -> None:
    with pytest.raises(KeyError):
        key_of("surprise")


def test_every_context_and_command_is_told() -> None:
    assert set(tool().all_contexts()) == set(CONTEXTS)
    assert set(COMMANDS) >= _COMMANDS


def test_every_kind_of_action_is_told() -> None:
    table = load_table()
    kinds = {rule.kind for rule in (*table.exact.values(), *(r for _, r in table.patterns))}
    assert kinds == set(KINDS) | LANGUAGES


@pytest.mark.parametrize("key", JOB_REFUSALS)
def test_refused_keys_of_a_job_refuse_it(key: str) -> None:
    value = {"container": "container: debian:12"}[key]
    job = steps_job("- run: make", value)
    assert job.verdict is Verdict.REFUSED
    assert KEYS[f"jobs.ID.{key}"].told == JOB_REFUSALS[key]
    assert "container" in job.reason
    assert all(step.verdict is Verdict.REFUSED for step in job.steps)


def test_what_is_told_of_environments_labels_and_inputs_is_so() -> None:
    assert KEYS["jobs.ID.environment"].support is Support.VERDICT
    job = steps_job("- run: make", "environment: prod")
    assert (job.verdict, job.klass) == (Verdict.SKIPPED, StepClass.DEPLOY)
    assert KEYS["jobs.ID.runs-on"].support is Support.VERDICT
    plan = plan_of("on: push\njobs: {j: {runs-on: {group: x}, steps: [{run: make}]}}")
    assert plan.jobs[0].verdict is Verdict.REFUSED
    assert KEYS["on.workflow_dispatch"].support is Support.VERDICT
    text = (
        "on: {workflow_dispatch: {inputs: {x: {}}}}\n"
        "jobs: {j: {runs-on: '${{ inputs.x }}', steps: [{run: make}]}}"
    )
    assert plan_of(text, event="workflow_dispatch").jobs[0].verdict is Verdict.REFUSED
