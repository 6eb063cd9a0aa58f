"""What lowering a step asks of the steps before it costs the same however many there are."""

from __future__ import annotations

import pytest

from grind.workflows.lower import lower
from tests.workflows.plans import read, request_of
from tests.workflows.work import lines_run

CHECKOUT = "- {uses: actions/checkout@v4, with: {path: a}}\n"
SCRIPT = "- {run: make}\n"
TOGETHER = "- {id: x#, run: make, background: true}\n- {wait: x#}\n"
CALL = "- {uses: ./act}\n"
ACTION = {"act/action.yml": "name: x\nruns: {using: composite, steps: [{run: make, shell: bash}]}"}


@pytest.mark.parametrize("lines", [CHECKOUT, SCRIPT, TOGETHER, CALL])
def test_twice_the_steps_are_twice_the_work(lines: str) -> None:
    def work(number: int) -> int:
        steps = "- uses: actions/checkout@v4\n" + "".join(
            lines.replace("#", str(i)) for i in range(number)
        )
        body = "".join(f"      {line}\n" for line in steps.splitlines())
        legs = "strategy: {matrix: {leg: [1, 2, 3]}}"
        workflow = read(
            f"on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    {legs}\n    steps:\n{body}"
        )
        request = request_of(workflow, files=ACTION)
        plans = []
        count = lines_run(lambda: plans.append(lower(request)))
        assert all(len(job.steps) > number for job in plans[0].jobs)
        return count

    assert work(120) < 2.1 * work(60)
