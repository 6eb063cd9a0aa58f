"""What a verdict is judged from, and what it is: questions to the host, answers, a judgement.

Nothing here runs anything. `Facts.ask` answers from what is known, or notes the question; the
caller has the host answer all noted questions side by side and judges again. Judging twice with
the same answers gives the same judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

from grind.core.plan import Recipe, StepClass, Verdict
from grind.core.remedy import WHY, verdict_rule
from grind.workflows.changes import Changes
from grind.workflows.memo import Memo

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Answer(NamedTuple):
    """What a command on the host answered. `exit_code` is 127 when the program does not exist."""

    exit_code: int
    out: str = ""
    err: str = ""


def _no_file(_path: str) -> str | None:
    return None


def _no_changes() -> Changes | None:
    return None


class Facts:
    """Known answers, and the questions that are still open."""

    def __init__(
        self,
        answers: Mapping[tuple[str, ...], Answer] | None = None,
        *,
        read: Callable[[str], str | None] = _no_file,
        repository: str = "",
        refs: Collection[str] = (),
        artifacts: bool = False,
        memo: Memo | None = None,
        sample: bool = False,
        changes: Callable[[], Changes | None] = _no_changes,
    ) -> None:
        """Take the answers known so far.

        `read` gives the text of a file of the snapshot by its path, None when it has none.
        `repository` is `owner/name` of the repository itself; `refs` are the names for what is
        checked out anyway: the commit's id, the ref, its short name.
        `artifacts` says that the engine gives the jobs of a run a common `GRIND_ARTIFACTS` folder.
        `memo` remembers what is judged from a text alone, from one round of questions to the next.
        `sample` says that the first round looks for questions only: one combination of a matrix
        asks what most of the others do, and no plan is final that left some out (`cut`).
        """
        self._answers = dict(answers or {})
        self._wanted: dict[tuple[str, ...], None] = {}
        self.read = read
        self.repository = repository
        self.refs = frozenset(refs)
        self.artifacts = artifacts
        self.memo = memo or Memo()
        self.changes = changes
        """What the push changes; None where nobody knows."""
        self.cut = False
        self._sample = sample
        self.asked = 0
        """Grows with each question, asked again or remembered: what leaves it alone asks nothing."""
        self._judged = Memo()

    def again(self, answers: Mapping[tuple[str, ...], Answer]) -> Facts:
        """Return the same with other answers, and no question open."""
        return Facts(
            answers,
            read=self.read,
            repository=self.repository,
            refs=self.refs,
            artifacts=self.artifacts,
            memo=self.memo,
            changes=self.changes,
        )

    def ask(self, argv: Sequence[str]) -> Answer | None:
        """Return what `argv` answers, or note that somebody wants to know and return None."""
        self.asked += 1
        key = tuple(argv)
        answer = self._answers.get(key)
        if answer is None:
            self._wanted[key] = None
        return answer

    def round(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what a function judges from these answers, remembering it."""
        before = self.asked
        found: _T
        found, asks = self._judged(self._counted, function, *args, **kwargs)
        if asks and self.asked == before:
            self.asked += 1
        return found

    def _counted(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        """Return what a function answers, and whether it has asked anything."""
        before = self.asked
        return function(*args, **kwargs), self.asked != before

    def sample_of(self, all_: Sequence[_T]) -> Sequence[_T]:
        """Return what shall be looked at in this round: all, or the first."""
        if not self._sample or len(all_) <= 1:
            return all_
        self.cut = True
        return all_[:1]

    @property
    def wanted(self) -> tuple[tuple[str, ...], ...]:
        """The questions without an answer, each once, in the order they came up."""
        return tuple(self._wanted)


class Judgement(NamedTuple):
    """What becomes of a step, and why."""

    verdict: Verdict
    klass: StepClass
    reason: str
    remedy: str = ""
    recipe: Recipe | None = None
    gating: bool = True
    gating_reason: str = ""
    pending: bool = False
    """True while a question to the host is open: `verdict` says nothing yet."""
    after_checkout: bool = False
    """Whether the action fails on GitHub where the repository is not checked out before it."""
    hole: str = ""
    """The input, in lower case, whose value is not known and would decide."""


def pending(klass: StepClass = StepClass.PROVISION) -> Judgement:
    """The judgement while the host has not answered."""
    return Judgement(Verdict.REFUSED, klass, "the host has not been asked yet", pending=True)


def refused(reason: str, remedy: str = "", klass: StepClass = StepClass.PROVISION) -> Judgement:
    """A refusal."""
    return Judgement(Verdict.REFUSED, klass, reason, remedy)


def settle(uses: str, reason: str = WHY) -> str:
    """The `grind.toml` lines that settle the verdict on an action."""
    name, at, _ = uses.partition("@")
    return verdict_rule(
        "overridden",
        {"uses": f"{name}@*" if at else name},
        reason,
        run="a command that does the same",
    )
