"""Skipped in CI because a trusted receipt proved it, and what only looks like that."""

from __future__ import annotations

from typing import Any

import pytest

from grind.core.ci import CiJob, CiStep, Expected, ExpectedJob
from grind.core.hollow import hollow_reason

VERIFY = "Run acme/grind@v1"
CI = ".github/workflows/ci.yml"


def job(name: str = "test", conclusion: str = "success", **steps: str) -> CiJob:
    told = tuple(
        CiStep(number=n, name=step.replace("_", " "), status="completed", conclusion=result)
        for n, (step, result) in enumerate(steps.items(), 1)
    )
    return CiJob(id=1, name=name, status="completed", conclusion=conclusion, steps=told)


def known(name: str = "test", **more: Any) -> ExpectedJob:
    told: dict[str, Any] = {
        "commands": ("Unit",),
        "proven": True,
        "verifier": "Verify",
        "skips": ("Unit",),
    }
    return ExpectedJob(name=name, **(told | more))


def reason(*jobs: CiJob, knows: tuple[ExpectedJob, ...]) -> str:
    return hollow_reason(jobs, Expected(CI, knows))


def test_steps_that_a_receipt_proved_are_not_hollow() -> None:
    assert reason(job(Verify="success", Unit="skipped"), knows=(known(),)) == ""


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        ({"Verify": "failure", "Unit": "skipped"}, {}),
        ({"Verify": "skipped", "Unit": "skipped"}, {}),
        ({"Verify": "success", "Unit": "skipped", "Lint": "skipped"}, {}),
        ({"Verify": "success", "Unit": "skipped"}, {"proven": False}),
        ({"Verify": "success", "Unit": "skipped"}, {"verifier": ""}),
        ({"Verify": "success"}, {}),
    ],
)
def test_what_only_looks_like_it_is_hollow(steps: dict[str, str], more: dict[str, Any]) -> None:
    assert reason(job(**steps), knows=(known(**more),)) != ""


def test_a_whole_job_that_a_receipt_proved() -> None:
    deciding = known("gate", commands=("Verify",), proven=False, skips=(), decides=True)
    tests = known("test", verifier="", skips=(), skipped_by="gate")
    skipped = job("test", "skipped")
    assert reason(job("gate", Verify="success"), skipped, knows=(deciding, tests)) == ""
    assert reason(job("gate", Other="success"), skipped, knows=(deciding, tests)) != ""
    unproven = known("test", verifier="", skips=(), skipped_by="gate", proven=False)
    assert reason(job("gate", Verify="success"), skipped, knows=(deciding, unproven)) != ""
