"""Open jobs while a plan runs: lowered again with what the jobs before them said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from grind.core.errors import GrindError
from grind.core.plan import JobPlan
from grind.core.receipt import Tool
from grind.workflows.expanding import expand_job
from grind.workflows.facts import Answer
from grind.workflows.job_inputs import Given
from grind.workflows.lower import Request

Question = tuple[str, ...]
Ask = Callable[[tuple[Question, ...]], Awaitable[Mapping[Question, Answer]]]

_ROUNDS = 6
"""Rounds of questions to the host, as for a whole plan."""


class Expander:
    """Turns an open job into the jobs that it comes to, asking the host what they raise."""

    def __init__(self, request: Request, ask: Ask, answers: Mapping[Question, Answer]) -> None:
        """`answers` are those that the plan was made with; what is asked from now on is kept."""
        self._request = request
        self._ask = ask
        self._answers = dict(answers)
        self._before = frozenset(answers)

    async def expand(self, job: JobPlan, given: Mapping[str, Given]) -> tuple[JobPlan, ...]:
        """Return the jobs. Raises MatrixError and ExpressionError for what fails a job on GitHub."""
        for _ in range(_ROUNDS):
            facts = self._request.facts.again(self._answers)
            jobs = expand_job(self._request._replace(facts=facts), job, given)
            if not facts.wanted:
                return jobs
            self._answers |= await self._ask(facts.wanted)
        raise GrindError(f"{job.key}: the host's answers keep raising questions")

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What the host was asked beyond what the plan had asked."""
        return tuple(
            tool_of(question, self._answers[question])
            for question in sorted(self._answers.keys() - self._before)
        )


def tool_of(question: Question, answer: Answer) -> Tool:
    """Return an answer of the host as a receipt keeps it."""
    return Tool(question, (answer.out or answer.err).strip())
