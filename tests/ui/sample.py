"""One plan and one run that have everything in them: long names, wide characters, hostile text."""

from __future__ import annotations

from typing import Any

from grind.core.events import (
    EVENTS_SCHEMA,
    Annotation,
    Entry,
    Event,
    JobEnded,
    JobHead,
    JobStarted,
    LandCommitted,
    LandFailed,
    LandIntent,
    LandPushed,
    Note,
    RunEnded,
    RunStarted,
    StepEnded,
    StepHead,
    StepOutput,
    StepStarted,
)
from grind.core.plan import JobPlan, Plan, StepClass, StepPlan, Verdict

AT = 1_700_000_000.0
EVIL = "evil\x1b[2J\x1b]0;title\x07\x1b[8m \u202e[bold]\r\nname"

LOG = (
    b"::group::collecting\ncollected 3 items\n::endgroup::\n"
    b"10%\r50%\r100%\n\x1b[31mE  assert 1 == 2\x1b[0m\n"
    b"\x1b[2J\x1b[1;1Hgreen \xc2\xb7 everything proven\n"
    b"::add-mask::s3cret\n::error file=test_a.py,line=3::assert 1 == 2\nbinary \xff\xfe\x00 end"
)


def entries(*events: Event) -> list[Entry]:
    return [Entry(EVENTS_SCHEMA, i + 1, AT + i, event) for i, event in enumerate(events)]


def ended(job: str, step: int, name: str, **more: Any) -> StepEnded:
    told = {"verdict": "executed", "outcome": "success", "conclusion": "success", "exit_code": 0}
    return StepEnded(job=job, step=step, name=name, **(told | {"duration": 1.5} | more))


TEST, LINT, ODD = "ci.yml/test (3.11, ubuntu-latest)", "ci.yml/lint", "evil.yml/odd"

JOBS = (
    JobHead(
        TEST,
        "test (3.11, ubuntu-latest)",
        ".github/workflows/ci.yml",
        "executed",
        "",
        (),
        (StepHead(0, "Checkout", "executed", line=10), StepHead(1, "pytest", "executed", line=12)),
    ),
    JobHead(
        LINT, "lint", "ci.yml", "executed", "", (), (StepHead(0, "ruff", "executed", line=30),)
    ),
    JobHead(ODD, EVIL, "evil.yml", "executed", "", (), (StepHead(0, EVIL, "executed"),)),
)

STARTED = RunStarted(
    run="20231114-1",
    command="check",
    tree="1a2b3c4d5e6f" + "0" * 28,
    commit="b" * 40,
    digest="c" * 64,
    host="local",
    jobs=JOBS,
)

RED = entries(
    STARTED,
    JobStarted(TEST),
    JobStarted(LINT),
    JobStarted(ODD),
    StepStarted(TEST, 0, "Checkout"),
    ended(TEST, 0, "Checkout", duration=0.2),
    StepStarted(TEST, 1, "pytest"),
    StepStarted(LINT, 0, "ruff"),
    StepStarted(ODD, 0, EVIL),
    StepOutput(TEST, 1, "collected 3 items\n10%\r50"),
    StepOutput(ODD, 0, EVIL + "\n日本語の出力 " * 20),
    ended(LINT, 0, "ruff", outcome="failure", exit_code=1, gating=False, duration=75.0),
    ended(LINT, 1, "apt", verdict="refused", outcome="skipped", reason="needs root: apt-get"),
    JobEnded(job=LINT, conclusion="refused", reason="1 step refused", duration=80.0),
    Annotation(
        job=TEST,
        step=1,
        level="error",
        message="assert 1 == 2",
        file="test_a.py",
        line=3,
        title="E",
    ),
    ended(
        TEST,
        1,
        "pytest",
        outcome="failure",
        conclusion="failure",
        exit_code=1,
        duration=12.3,
        tests=3,
        log="logs/1",
    ),
    JobEnded(job=TEST, conclusion="failure", duration=14.0),
    JobEnded(job=ODD, conclusion="failure", reason="the runner is gone " + EVIL, duration=3.0),
    Note("warning", "the host is low on memory"),
    RunEnded(
        run="20231114-1",
        state="red",
        exit_code=1,
        executed=4,
        failed=2,
        refused=1,
        unproven=("deploy.yml/deploy: deploys are never executed",),
        remedies=("allow it in grind.toml: [[verdict]] job = 'lint'",),
        duration=95.0,
    ),
)

LANDED = entries(
    LandIntent(tree="1" * 40, remote="origin", branch="main", expected="2" * 40),
    LandCommitted("1" * 40, "3" * 40),
    LandPushed("1" * 40, "3" * 40, "origin", "main"),
    LandFailed("1" * 40, "the remote's main branch moved"),
)


def run_ended(state: str, **more: Any) -> RunEnded:
    told = {"run": "r", "exit_code": 0, "executed": 3, "failed": 0, "refused": 0, "duration": 4.0}
    return RunEnded(state=state, **(told | more))


def step(index: int, name: str, **more: Any) -> StepPlan:
    told: dict[str, Any] = {
        "id": "",
        "run": "true",
        "uses": None,
        "shell": "",
        "working_directory": "",
        "env": {},
        "klass": StepClass.CHECK,
        "gating": True,
        "verdict": Verdict.EXECUTED,
        "line": 10 + index,
    }
    return StepPlan(index=index, name=name, **(told | more))


def job(name: str, *steps: StepPlan, **more: Any) -> JobPlan:
    told: dict[str, Any] = {
        "key": f"ci.yml/{name}",
        "id": name.split(" ")[0],
        "workflow": ".github/workflows/ci.yml",
        "line": 5,
        "active": True,
        "klass": StepClass.CHECK,
        "verdict": Verdict.EXECUTED,
    }
    return JobPlan(name=name, steps=steps, **(told | more))


TESTS = (
    step(0, "Run actions/checkout@v4", uses="actions/checkout@v4", run=None, reason="built in"),
    step(
        1,
        "Run actions/setup-python@v5",
        uses="actions/setup-python@v5",
        run=None,
        verdict=Verdict.SATISFIED,
        reason="python 3.11 is on the host",
    ),
    step(
        2,
        "Install the packages that the integration tests of the 日本語 part need",
        klass=StepClass.PROVISION,
        verdict=Verdict.REFUSED,
        reason="`sudo apt-get install -y jq libxml2-dev` changes the host, and no check command "
        "says that it is there",
        remedy='[[verdict]]\njob = "test"\nstep = 2\nverdict = "satisfied-by-host"\n'
        'check = "jq --version"\nreason = "…"',
    ),
    step(3, "pytest"),
    step(4, "mypy | tee log", gating=False, gating_reason="the pipe hides the exit code"),
)

PLAN = Plan(
    tree="1a2b3c4d5e6f" + "0" * 28,
    commit="b" * 40,
    event="push",
    ref="refs/heads/main",
    base=None,
    notes=("nothing differs from the base, so path filters count as matched",),
    jobs=(
        job("test (3.11)", *TESTS, matrix={"python": "3.11"}),
        job("test (3.12)", *TESTS, matrix={"python": "3.12"}),
        job(
            "test (3.13)",
            verdict=Verdict.REFUSED,
            reason="python 3.13 is not on the host",
            remedy="install python 3.13",
        ),
        job(
            "deploy",
            step(0, EVIL, klass=StepClass.DEPLOY, verdict=Verdict.SKIPPED, reason="a deploy step"),
            klass=StepClass.DEPLOY,
            verdict=Verdict.SKIPPED,
            reason="has an environment: production",
            needs=("test (3.11)", "test (3.12)"),
        ),
        job("docs", workflow="docs.yml", active=False, reason="its branch filter has only `docs`"),
        job("site", workflow="docs.yml", active=False, reason="its branch filter has only `docs`"),
    ),
)
