"""Red in CI: the failing step's log, and beside it what was known here."""

from __future__ import annotations

import tomllib

import pytest

from grind.core import events as e
from grind.core.cilog import step_part
from grind.core.config import load
from grind.core.parity import Failure, local_word
from grind.core.plan import Plan
from grind.core.receipt import Receipt, StepRecord
from grind.core.texts import LogText
from grind.flows.watchplan import harmless_command
from tests.github.clock import START, iso
from tests.github.standin import TOKEN, GitHub, Job, Step, error
from tests.github.watching import CI, SHA, Watcher
from tests.workflows.plans import plan_of

STEPS = (
    Step("Set up job", 2),
    Step("Run actions/checkout@v4", 3),
    Step("Unit tests", 4, "failure"),
    Step("Post Run actions/checkout@v4", 1),
)


def stamped(*lines: tuple[float, bytes]) -> bytes:
    """A log as GitHub keeps it: each line with its time, from the job's begin."""
    text = [b"%s.1234567Z %s" % (iso(START + 5 + at)[:-1].encode(), line) for at, line in lines]
    return b"\xef\xbb\xbf" + b"\n".join(text) + b"\n"


LOG = stamped(
    (0, b"Current runner version: '2.330.0'"),
    (2, b"##[group]Run actions/checkout@v4"),
    (4, b"Syncing repository"),
    (5, b"##[group]Run make test"),
    (5, b"\x1b[36;1mmake test\x1b[0m"),
    (5, b"##[endgroup]"),
    (6, b"test_a ... FAILED"),
    (9, b"##[error]Process completed with exit code 2."),
    (9, b"Post job cleanup."),
    (9, b"Cleaning up"),
)
RED = Job("test", STEPS, "failure", log=LOG)


def receipt(*steps: StepRecord) -> Receipt:
    return Receipt(
        tree="t", commit=SHA, digest="d", key="k", state="green", host="h", created=0.0,
        grind="0", steps=steps,
    )  # fmt: skip


def record(verdict: str, reason: str = "", **more: object) -> StepRecord:
    given = {"job": "ci.yml/test", "step": 1, "name": "Unit tests", "conclusion": "success"}
    return StepRecord(verdict=verdict, reason=reason, gating=True, **(given | more))  # type: ignore[arg-type]


def planned(step: str = "run: make test", head: str = "") -> Plan:
    """The plan of a workflow whose second step is called `Unit tests`."""
    text = f"""
    on: push
    jobs:
      test:
        runs-on: ubuntu-latest
        {head}
        steps:
          - uses: actions/checkout@v4
          - name: Unit tests
            {step}
    """
    return plan_of(text)


def red(github: GitHub, watcher: Watcher, *jobs: Job) -> list[e.CiStepFailed]:
    github.push(SHA)
    github.run(CI, SHA, *(jobs or (RED,)), conclusion="failure")
    assert watcher.watch(CI).verdict == "failed"
    return watcher.told(e.CiStepFailed)


def test_the_failing_steps_part_of_the_log(github: GitHub, watcher: Watcher) -> None:
    (failed,) = red(github, watcher)
    assert (failed.workflow, failed.job, failed.step) == (CI, "test", "Unit tests")
    kept = watcher.log(failed).decode().splitlines()
    assert kept[0] == "##[group]Run make test"
    assert kept[-1] == "##[error]Process completed with exit code 2."
    assert "Syncing repository" not in kept


def test_the_token_does_not_follow_to_the_logs(github: GitHub, watcher: Watcher) -> None:
    red(github, watcher)
    (headers,) = watcher.server.log_headers
    assert "authorization" not in headers
    assert TOKEN not in repr(headers)


def test_a_log_that_is_there_a_moment_later(github: GitHub, watcher: Watcher) -> None:
    (failed,) = red(github, watcher, RED._replace(log_after=35))
    assert failed.log
    assert b"FAILED" in watcher.log(failed)


def test_without_a_log_there_is_still_the_step(github: GitHub, watcher: Watcher) -> None:
    github.fail("/logs", error(410, "Gone"))
    (failed,) = red(github, watcher)
    assert (failed.step, failed.log) == ("Unit tests", "")
    tries = [request for request in github.requests if request.path.endswith("/logs")]
    assert len(tries) == 5


def test_the_store_of_logs_is_away(github: GitHub, watcher: Watcher) -> None:
    watcher.server.github.blob_url = "http://127.0.0.1:1"
    (failed,) = red(github, watcher)
    assert (failed.step, failed.log) == ("Unit tests", "")


def test_logs_of_a_few_jobs_only(github: GitHub, watcher: Watcher) -> None:
    failed = red(github, watcher, *(RED._replace(name=f"test ({n})") for n in range(12)))
    assert len(failed) == 12
    assert [bool(one.log) for one in failed] == [True] * 8 + [False] * 4


def test_a_step_that_ci_forgives_is_not_why(github: GitHub, watcher: Watcher) -> None:
    """`continue-on-error` of a job: the run is a success, whatever the job says."""
    github.push(SHA)
    github.run(CI, SHA, RED, Job("build"), conclusion="success")
    assert watcher.watch(CI).verdict == "clean"
    assert watcher.told(e.CiStepFailed) == []


EVIL = stamped(
    (5, b"##[group]Run make test"),
    (6, b"\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x1b[8mhidden\x1b[0m"),
    (6, b"\x1bPq#0;2;0;0;0\x1b\\ sixel \xc2\x9b31m c1 \xe2\x80\xae rtl"),
    (7, b"2026-99-99T99:99:99.0Z not a time"),
    (7, b"9999-02-31T00:00:00Z nor this"),
    (8, b"clean \xc2\xb7 everything is fine\r\x1b[A\x1b[K"),
    (9, b"##[error]Process completed with exit code 2."),
)


def test_a_malicious_log_can_only_be_read(github: GitHub, watcher: Watcher) -> None:
    (failed,) = red(github, watcher, RED._replace(log=EVIL))
    text = LogText()
    lines = text.feed_bytes(watcher.log(failed)) + text.finish()
    assert lines[-1].startswith("error: Process completed")
    assert all(line.isprintable() for line in lines), lines
    assert "hidden" in "".join(lines)


@pytest.mark.parametrize("log", [b"", b"\n", b"no time at all\n" * 500, b"\xff\xfe\x00" * 99])
def test_any_log_gives_some_part(log: bytes) -> None:
    from grind.core.ci import CiStep

    step = CiStep(number=1, name="x", status="completed", started=START, completed=START + 9)
    assert len(step_part(log, step)) <= len(log) + 1
    assert len(step_part(log, None).splitlines()) <= 200


# --- what was known here -------------------------------------------------------------------------

FAILURE = Failure(workflow=CI, job="test", step="Unit tests")


@pytest.mark.parametrize(
    ("verdict", "reason", "told"),
    [
        ("satisfied-by-host", "cargo 1.80 is there", "the host was believed to have it: cargo"),
        ("skipped", "needs a secret", "skipped here: needs a secret"),
        ("refused", "needs root", "refused here: needs root"),
        ("overridden", "faster", "another command ran here in its place: faster"),
    ],
)
def test_what_did_not_run_here_gets_a_line_that_would_run_it(
    verdict: str, reason: str, told: str
) -> None:
    local = local_word(FAILURE, receipt(record(verdict, reason)), planned())
    assert local.verdict == verdict
    assert told in local.told
    config = load("grind.toml", local.suggestion.encode())
    rule = config.verdict[0]
    assert (rule.workflow, rule.job, rule.step, rule.verdict) == (
        "ci.yml",
        "test",
        "Unit tests",
        "executed",
    )


@pytest.mark.parametrize(
    ("step", "head"),
    [
        ("run: kubectl apply -f k8s", ""),
        ("run: terraform apply -auto-approve", ""),
        ("run: npm publish", ""),
        ("run: curl -X POST https://hooks.slack.com/services/x -d done", ""),
        ("run: sudo apt-get install -y jq", ""),
        ("run: make test TOKEN=${{ secrets.TOKEN }}", ""),
        ("{run: make test, env: {TOKEN: '${{ secrets.TOKEN }}'}}", ""),
        ("{run: make test, env: {TOKEN: '${{ github.token }}'}}", ""),
        ("run: make test", "env: {TOKEN: '${{ secrets.TOKEN }}'}"),
        ("run: make test", "environment: production"),
        ("uses: acme/deploy@v1", ""),
    ],
)
@pytest.mark.parametrize("verdict", ["skipped", "refused", "satisfied-by-host", "overridden"])
def test_what_must_not_run_here_is_never_suggested_to(step: str, head: str, verdict: str) -> None:
    """A deployment, a message, a change of the machine, whatever sees a secret."""
    step = step.removeprefix("{").removesuffix("}").replace(", env: {", "\n            env: {")
    plan = planned(step, head)
    local = local_word(FAILURE, receipt(record(verdict, "why")), plan)
    assert local.verdict == verdict
    rules = load("grind.toml", local.suggestion.encode()).verdict if local.suggestion else ()
    assert "executed" not in {rule.verdict for rule in rules}
    for rule in rules:
        assert "secrets" not in (rule.run or "")
    assert "[[check]]" not in local.suggestion


def test_what_nobody_knows_is_not_suggested_to_run() -> None:
    """Without the plan it is not known what the step does."""
    assert local_word(FAILURE, receipt(record("skipped"))).suggestion == ""


@pytest.mark.parametrize(
    ("command", "suggested"),
    [
        ("cargo deny check", True),
        ("npm publish", False),
        ("kubectl apply -f k8s", False),
        ("sudo apt-get install jq", False),
        ("make test TOKEN=***", False),
        ("make ${{ secrets.X }}", False),
    ],
)
def test_a_command_that_no_plan_has(command: str, suggested: bool) -> None:
    failure = Failure(workflow=CI, job="test", step=f"Run {command}")
    local = local_word(failure, receipt(record("executed")), None, harmless_command)
    assert local.verdict == "not-planned"
    assert (local.suggestion != "") is suggested
    # … nor anything, without a reader of commands, or of a job that deploys.
    assert local_word(failure, receipt(record("executed"))).suggestion == ""
    plan = planned(head="environment: production")
    assert local_word(failure, receipt(record("executed")), plan, harmless_command).suggestion == ""


def test_green_here_and_red_there_has_no_line_that_would_help() -> None:
    local = local_word(FAILURE, receipt(record("executed")))
    assert local.told.startswith("executed here, and green")
    assert local.suggestion == ""


def test_a_step_that_cannot_fail_here_is_told() -> None:
    from msgspec.structs import replace

    proof = receipt(replace(record("executed"), gating=False))
    assert "cannot fail" in local_word(FAILURE, proof).told


def test_without_a_proof() -> None:
    assert local_word(FAILURE, None).verdict == "no-proof"


def test_a_step_that_no_plan_has() -> None:
    failure = Failure(workflow=CI, job="test", step="Run cargo deny check")
    local = local_word(failure, receipt(record("executed")), None, harmless_command)
    assert local.verdict == "not-planned"
    assert load("grind.toml", local.suggestion.encode()).check[0].run == "cargo deny check"


def test_steps_of_the_same_name_are_told_apart() -> None:
    first = record("executed", step=1)
    second = record("skipped", "later", step=2)
    proof = receipt(first, second)
    from msgspec.structs import replace

    assert local_word(FAILURE, proof).verdict == "executed"
    assert local_word(replace(FAILURE, nth=1), proof).verdict == "skipped"


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "\x1b[2J", "a'''b", "]]", "Run \x7f x"])
def test_a_hostile_name_stays_one_string_in_toml(name: str) -> None:
    proof = receipt(record("refused", "no", name=name))
    failure = Failure(workflow=CI, job="test", step=name)
    suggestion = local_word(failure, proof, planned()).suggestion
    document = tomllib.loads(suggestion)
    assert set(document) == {"verdict"}
    assert len(document["verdict"]) == 1


def test_the_receipt_is_asked_in_the_watch(github: GitHub, watcher: Watcher) -> None:
    watcher.receipt = receipt(record("satisfied-by-host", "it has make"))
    watcher.plan = planned()
    (failed,) = red(github, watcher)
    assert failed.local == "satisfied-by-host"
    assert "[[verdict]]" in failed.suggestion
