"""`container:`, `services:` and `concurrency:`: what the plan says of them."""

from __future__ import annotations

import pytest

from grind.core.plan import Verdict
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
    answers = {**HOST, (engine, "info"): Answer(0, "host: …")}
    for job in plan_of(TEXT.format(top="", head=head), answers=answers).jobs:
        assert job.verdict is Verdict.REFUSED
        assert job.reason.startswith(what)
        if "vars" not in head:
            has = f"though {engine} is on this host" if engine else "neither podman nor docker"
            assert has in job.reason
            assert bool(job.remedy) is not bool(engine)


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
