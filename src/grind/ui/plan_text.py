"""The plan for people: every step with its class, verdict, reason and line; nothing left out.

Jobs of one matrix whose steps read the same are shown once, with all their names. The steps of a job
that is refused whole, each for the job's own reason, are one sentence. Jobs that CI would not run for
this event are one line each reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from grind.core.plan import JobPlan, Plan, StepPlan, Verdict
from grind.core.texts import clean, one_line
from grind.ui.layout import cells, fit, pad, wrap
from grind.ui.words import Paint, Signs, count, short

NARROW = 70
"""Columns below which a step takes two lines."""

_WORD_WIDTH = {"class": 9, "verdict": 17, "line": 6}


def render_plan(plan: Plan, width: int, colour: bool, signs: Signs | None = None) -> str:
    """Return the plan as text of at most `width` columns (20 at least), newline at the end."""
    view = _View(plan, max(width, 20), Paint(colour), signs or Signs())
    return "\n".join(view.lines()) + "\n"


class _View:
    def __init__(self, plan: Plan, width: int, paint: Paint, signs: Signs) -> None:
        self.plan = plan
        self.width = width
        self.paint = paint
        self.signs = signs
        steps = [step for job in plan.jobs if job.active for step in job.steps]
        self._drawn: dict[tuple[int, int, bool], tuple[str, ...]] = {}
        """Lines of the steps drawn so far, by the step, its depth, and whether its reason is known."""
        self.name_width = max((cells(one_line(step.name)) for step in steps), default=0)

    def lines(self) -> Iterator[str]:
        yield from self._head()
        workflows: dict[str, list[JobPlan]] = {}
        for job in self.plan.jobs:
            workflows.setdefault(job.workflow, []).append(job)
        for workflow, jobs in workflows.items():
            yield ""
            yield self.paint.strong(fit(one_line(workflow), self.width, self.signs.more))
            yield from self._jobs([job for job in jobs if job.active])
            yield from self._inactive([job for job in jobs if not job.active])
        yield ""
        yield from self._summary()

    def _head(self) -> Iterator[str]:
        plan, dot = self.plan, f" {self.signs.dot} "
        words = (
            f"tree {short(one_line(plan.tree))}",
            f"{one_line(plan.event)} to {one_line(plan.ref)}",
            f"plan {plan.digest[:12]}",
        )
        yield from map(self.paint.strong, self._joined(words, dot))
        for note in plan.notes:
            yield from self._wrapped(note, "note: ", "      ")

    def _joined(self, words: Iterable[str], between: str) -> Iterator[str]:
        """Put as many words on a line as fit."""
        line = ""
        for word in words:
            longer = f"{line}{between}{word}" if line else word
            if line and cells(longer) > self.width:
                yield fit(line, self.width, self.signs.more)
                longer = word
            line = longer
        yield fit(line, self.width, self.signs.more)

    def _wrapped(self, text: str, first: str, rest: str) -> Iterator[str]:
        for line in wrap(one_line(text), self.width, first=first, rest=rest):
            yield self.paint.faint(line)

    def _sign(self, verdict: Verdict) -> str:
        return {
            Verdict.EXECUTED: self.signs.running,
            Verdict.SATISFIED: self.signs.ok,
            Verdict.OVERRIDDEN: self.signs.remedy,
            Verdict.SKIPPED: self.signs.skipped,
            Verdict.REFUSED: self.signs.refused,
        }[verdict]

    # --- active jobs -----------------------------------------------------------------------------

    def _jobs(self, jobs: list[JobPlan]) -> Iterator[str]:
        blocks: dict[tuple[str, ...], list[JobPlan]] = {}
        for job in jobs:
            steps = self._nothing_here(job) if _refused_as_one(job) else self._steps(job)
            same = (job.id, job.verdict, *self._about_job(job), *steps)
            blocks.setdefault(same, []).append(job)
        for (_, _, *body), alike in blocks.items():
            names = ", ".join(one_line(job.name) for job in alike)
            first = alike[0]
            verdict = "" if first.verdict is Verdict.EXECUTED else f"  {first.verdict}"
            many = f" ({len(alike)} jobs)" if len(alike) > 1 else ""
            lines = wrap(names + many + verdict, self.width, first="  ", rest="    ")
            yield from (self.paint.by(first.verdict, line) for line in lines)
            yield from body

    def _about_job(self, job: JobPlan) -> Iterator[str]:
        if job.reason:
            yield from self._wrapped(job.reason, "    ", "    ")
        if job.needs:
            yield from self._wrapped(f"needs {', '.join(job.needs)}", "    ", "    ")
        if not job.gating:
            yield from self._wrapped(f"cannot fail CI: {job.gating_reason}", "    ", "    ")

    def _nothing_here(self, job: JobPlan) -> Iterator[str]:
        """All steps of a job that is refused whole, in one sentence: each has the job's reason."""
        names = ", ".join(one_line(step.name) for step in job.steps)
        told = f"{self.signs.refused} {count(len(job.steps), 'step')}: "
        yield from self._wrapped(names, f"    {told}", "      ")

    def _steps(self, job: JobPlan) -> Iterator[str]:
        depths: dict[int, int] = {}
        for step in job.steps:
            depths[step.index] = 0 if step.parent is None else depths.get(step.parent, 0) + 1
            known = bool(job.reason) and step.reason == job.reason
            key = (id(step), depths[step.index], known)
            if key not in self._drawn:  # combinations of a matrix share what is the same in them
                self._drawn[key] = tuple(self._step(step, depths[step.index], known=known))
            yield from self._drawn[key]

    def _step(self, step: StepPlan, depth: int, *, known: bool) -> Iterator[str]:
        """`depth` says how many actions the step is within, `known` whether the job has its reason."""
        sign = " " * (2 * min(depth, 4)) + pad(self._sign(step.verdict), 2)
        words = {
            "class": str(step.klass),
            "verdict": str(step.verdict),
            "line": f":{step.line}",
        }
        if self.width < NARROW:
            room = self.width - 4 - len(sign)
            yield self.paint.by(
                step.verdict, f"    {sign}{fit(one_line(step.name), room, self.signs.more)}"
            )
            told = f" {self.signs.dot} ".join(words.values())
            yield self.paint.faint(fit(f"      {told}", self.width, self.signs.more))
        else:
            columns = "".join(
                f" {word.rjust(_WORD_WIDTH[key]) if key == 'line' else pad(word, size)}"
                for (key, word), size in zip(words.items(), _WORD_WIDTH.values(), strict=True)
            )
            room = min(self.name_width, self.width - 4 - len(sign) - len(columns))
            name = pad(fit(one_line(step.name), room, self.signs.more), room)
            yield self.paint.by(step.verdict, f"    {sign}{name}") + self.paint.faint(columns)
        if step.reason and not known:
            yield from self._wrapped(step.reason, "        ", "        ")
        if not step.gating:
            why = (
                f"cannot fail CI: {step.gating_reason}" if step.gating_reason else "cannot fail CI"
            )
            yield from self._wrapped(why, "        ", "        ")

    # --- the rest --------------------------------------------------------------------------------

    def _inactive(self, jobs: list[JobPlan]) -> Iterator[str]:
        by_reason: dict[str, dict[str, list[str]]] = {}
        for job in jobs:
            alike = by_reason.setdefault(one_line(job.reason), {})
            alike.setdefault(job.id, []).append(one_line(job.name))
        for reason, by_id in by_reason.items():
            names = [
                all_[0] if len(all_) == 1 else f"{one_line(id_)} ({len(all_)} jobs)"
                for id_, all_ in by_id.items()
            ]
            why = f", {reason}" if reason else ""
            told = f"{', '.join(names)}: not run for this event{why}"
            first = f"  {self.signs.skipped} "
            yield from self._wrapped(told, first, " " * len(first))

    def _summary(self) -> Iterator[str]:
        active = [job for job in self.plan.jobs if job.active]
        steps = [step for job in active for step in job.steps]
        counted = Counter(step.verdict for step in steps)
        dot = f" {self.signs.dot} "
        words = [f"{count(len(steps), 'step')} in {count(len(active), 'job')}"]
        words += [f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict]]
        inactive = len(self.plan.jobs) - len(active)
        if inactive:
            words.append(f"{count(inactive, 'job')} not run for this event")
        yield from map(self.paint.strong, self._joined(words, dot))
        remedies = dict.fromkeys(
            remedy
            for job in active
            for remedy in (job.remedy, *(step.remedy for step in job.steps))
            if remedy
        )
        if inactive and not active:
            remedies["grind plan --event pull_request   # or another event that starts jobs"] = None
        if remedies:
            yield ""
            yield from self._joined(
                ("What would settle it", "([[verdict]] is for grind.toml):"), " "
            )
        for remedy in remedies:
            for i, line in enumerate(clean(remedy).rstrip("\n").split("\n")):
                first = f"  {self.signs.remedy} " if i == 0 else " " * (len(self.signs.remedy) + 3)
                yield from self._remedy(first, line)

    def _remedy(self, first: str, line: str) -> Iterator[str]:
        """A remedy is there to be copied, so its lines are never wrapped or cut."""
        yield self.paint.odd(first) + one_line(line)


def _refused_as_one(job: JobPlan) -> bool:
    return bool(job.reason and job.refused_whole and job.steps) and all(
        step.reason == job.reason for step in job.steps
    )
