"""`container:`, `services:` and `concurrency:`: what the plan says of them."""

from __future__ import annotations

import pytest

from grind.core.plan import JobPlan, Verdict
from grind.workflows.facts import Answer
from tests.workflows.plans import HOST, plan_of

TEXT = """
on: push
{top}
jobs:
  j:
    runs-on: ubuntu-latest
    strategy: {{matrix: {{image: ["", "debian:13"]}}}}
    {head}
    steps: [{{run: ls}}]
"""


IMAGE = ("image", "inspect", "--format", "{{.Id}}", "postgres")


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("container: debian:13", "runs in a container"),
        ("container: {image: 'debian:13'}", "runs in a container"),
        ("services: {db: {image: postgres}}", "needs the service container db"),
        ("services: {db: {image: '${{ vars.IMAGE }}'}}", "container: "),
    ],
)
@pytest.mark.parametrize("engine", ["", "podman", "docker"])
def test_a_job_with_containers_is_refused_with_the_reason(
    head: str, what: str, engine: str
) -> None:
    answers = {
        **HOST,
        (engine, "info"): Answer(0, "host: …"),
        (engine, *IMAGE): Answer(1, "", "no such image"),
    }
    for job in plan_of(TEXT.format(top="", head=head), answers=answers).jobs:
        assert job.verdict is Verdict.REFUSED
        assert job.reason.startswith(what)
        if "vars" in head:
            continue
        if not engine:
            assert "neither podman nor docker" in job.reason
            assert job.remedy
        elif "services" in head:
            assert job.reason.endswith("the image postgres is not on this host")
            assert job.remedy == f"{engine} pull postgres"
        else:
            assert f"though {engine} is on this host" in job.reason


def services_of(head: str) -> JobPlan:
    answers = {**HOST, ("docker", "info"): Answer(0), ("docker", *IMAGE): Answer(0, "sha256:1")}
    return plan_of(TEXT.format(top="", head=f"services: {{db: {head}}}"), answers=answers).jobs[0]


def test_services_become_arguments_of_the_engine() -> None:
    job = services_of(
        "{image: postgres, env: {A: 'x y', B: 1}, ports: ['5433:5432', '53:53/udp'], "
        "options: '--health-cmd \"pg_isready -U me\" --health-retries=5'}"
    )
    assert (job.verdict, job.engine) == (Verdict.EXECUTED, "docker")
    [service] = job.services
    assert service.args == (
        *("--health-cmd", "pg_isready -U me", "--health-retries", "5"),
        *("--env", "A=x y", "--env", "B=1"),
        *("-p", "127.0.0.1:5433:5432", "-p", "127.0.0.1:53:53/udp", "--pull=never", "postgres"),
    )
    assert service.ports == {"5432": "5433", "53": "53"}
    assert services_of("postgres").services[0].args == ("--pull=never", "postgres")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("{image: postgres, ports: ['5432']}", "only HOST:CONTAINER"),
        ("{image: postgres, ports: ['1.2.3.4:5432:5432']}", "only HOST:CONTAINER"),
        ("{image: postgres, volumes: ['/etc:/etc']}", "`volumes` of the service db"),
        ("{image: postgres, credentials: {username: a, password: b}}", "`credentials`"),
        ("{image: postgres, options: --privileged}", "the option --privileged"),
        ("{image: postgres, options: '-v /:/host'}", "the option -v"),
        ("{image: postgres, options: --network=host}", "the option --network"),
        ("{image: postgres, options: '--user'}", "has no value"),
        ("{image: postgres, options: '--user \"a'}", "No closing quotation"),
        ("{image: postgres, env: {A: '${{ secrets.A }}'}}", "services: "),
        ('{image: postgres, env: {A: "\\x1f"}}', "a control character"),
    ],
)
def test_a_service_that_is_not_honoured_whole_is_refused(head: str, reason: str) -> None:
    job = services_of(head)
    assert job.verdict is Verdict.REFUSED
    assert reason in job.reason
    assert not job.services


@pytest.mark.parametrize(
    "head", ["container: ${{ matrix.image }}", "services: {db: {image: '${{ matrix.image }}'}}"]
)
def test_an_empty_image_is_no_container(head: str) -> None:
    without, with_ = plan_of(TEXT.format(top="", head=head)).jobs
    assert without.verdict is Verdict.EXECUTED
    assert with_.verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("concurrency", "said"),
    [
        ("concurrency: deploy", "group 'deploy' makes it wait for an earlier run; here"),
        ("concurrency: {group: 'ci-${{ github.ref_name }}', cancel-in-progress: true}",
         "group 'ci-main' ends an earlier run that is still going; here"),
        ("concurrency: {group: g, cancel-in-progress: \"${{ vars.X == '1' }}\"}",
         "group 'g' makes it wait for an earlier run, or ends that one; here"),
    ],
)  # fmt: skip
def test_concurrency_is_said(concurrency: str, said: str) -> None:
    path = ".github/workflows/ci.yml"
    (note,) = plan_of(TEXT.format(top=concurrency, head="")).notes
    assert note.startswith(f"{path}: ")
    assert said in note
    (note,) = plan_of(TEXT.format(top="", head=concurrency)).notes
    assert note.startswith(f"{path}, job `j`: ")


def test_concurrency_of_what_is_not_started_is_not_said() -> None:
    text = TEXT.format(top="concurrency: g", head="").replace("on: push", "on: release")
    assert plan_of(text).notes == ()


@pytest.mark.parametrize(
    "head", ["container: debian:13", "services: {db: {image: postgres, ports: [5432]}}"]
)
def test_what_nothing_on_the_host_would_settle_names_the_rule_that_does(head: str) -> None:
    answers = {**HOST, ("podman", "info"): Answer(0), ("podman", *IMAGE): Answer(0, "x")}
    text = (
        f"on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    {head}\n    steps: [{{run: ls}}]\n"
    )
    refused = plan_of(text, answers=answers).jobs[0]
    assert refused.verdict is Verdict.REFUSED
    rule = refused.remedy[refused.remedy.index("[[verdict]]") :]
    settled = plan_of(text, answers=answers, config=rule).jobs[0]
    assert settled.steps[0].verdict is Verdict.OVERRIDDEN
    assert settled.verdict is Verdict.EXECUTED
