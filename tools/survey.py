"""Lower many real workflows and print what became of them. Nothing is kept of them.

    python tools/survey.py FOLDER|GITDIR …

A folder is searched for workflow files (`*.yml`, `*.yaml` with `on` and `jobs`); a bare git folder
is read at HEAD, its `.github/workflows` and, where it has any, GitHub's starter workflows. The host
is one that answers every question with "no such program" (`--rich`: with success), so that the
figures do not hang on the machine. Exit code 1 when something crashed, or when a step has neither
a verdict that speaks for itself nor a reason.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from grind.core.config import Config
from grind.core.plan import JobPlan, Plan, StepPlan, Verdict
from grind.core.plandoc import document
from grind.workflows.availability import check_expressions
from grind.workflows.contexts import Situation
from grind.workflows.drift import compare
from grind.workflows.drifttext import Reader
from grind.workflows.facts import Answer, Facts
from grind.workflows.lower import Request, lower
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Workflow
from grind.workflows.triggers import Event

ROUNDS = 12
COMMIT = "c" * 40
PLACES = (".github/workflows/", "ci/", "automation/", "code-scanning/", "deployments/", "pages/")
"""Where workflows lie in a repository, and starter workflows in theirs."""


STARTERS = (
    (b"$default-branch", b"main"),
    (b"$protected-branches", b"main"),
    (b"$cron-daily", b"17 3 * * *"),
    (b"$cron-weekly", b"17 3 * * 1"),
)
"""What GitHub fills in when somebody takes a starter workflow."""


class File(NamedTuple):
    """A workflow file, wherever it came from."""

    source: str
    path: str
    text: bytes


class Survey:
    """Counts."""

    def __init__(self) -> None:
        self.files = 0
        self.refused_files: list[str] = []
        self.crashes: list[str] = []
        self.silent: list[str] = []
        self.verdicts: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.both: Counter[tuple[str, str]] = Counter()
        self.jobs: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.job_reasons: Counter[str] = Counter()

    def take(self, file: File, rich: bool) -> None:
        """Read and lower one file."""
        self.files += 1
        place = f"{file.source}:{file.path}"
        try:
            name = file.path.rpartition("/")[2]
            text = file.text
            for mark, value in STARTERS:
                text = text.replace(mark, value)
            reading = read_workflow(f".github/workflows/{name}", text)
            problems = reading.problems
            if reading.workflow is not None:
                problems += check_expressions(reading.workflow)
            if reading.workflow is None or problems:
                self.refused_files.append(
                    f"{place}: {problems[0] if problems else 'nothing in it'}"
                )
                return
            for event in events_of(reading.workflow):
                plan = settled(reading.workflow, event, rich)
                document(plan)
                compare(plan, Config(), (), Reader(lambda _: ()))
                self.count(place, plan)
        except Exception:  # every crash is a finding, whatever it is
            self.crashes.append(f"{place}\n{traceback.format_exc(limit=-3)}")

    def count(self, place: str, plan: Plan) -> None:
        """Count the steps of active jobs, and look for what is silent."""
        for job in plan.jobs:
            self.jobs["not active" if not job.active else job.verdict] += 1
            if not job.active:
                continue
            if speechless(job.verdict, job.reason):
                self.silent.append(f"{place}:{job.line} {job.key}")
            if job.verdict is Verdict.REFUSED:
                self.job_reasons[general(re.sub(r"^step at line \d+: ", "", job.reason))] += 1
            for step in job.steps:
                self.step(place, job, step)

    def step(self, place: str, job: JobPlan, step: StepPlan) -> None:
        """Count one step."""
        self.verdicts[step.verdict] += 1
        self.classes[step.klass] += 1
        self.both[step.klass, step.verdict] += 1
        if speechless(step.verdict, step.reason) or (not step.gating and not why_soft(job, step)):
            self.silent.append(f"{place}:{step.line} {step.name}")
        if step.verdict is Verdict.REFUSED:
            self.reasons[general(step.reason)] += 1


def speechless(verdict: Verdict, reason: str) -> bool:
    """Whether a verdict that needs a reason has none."""
    return verdict is not Verdict.EXECUTED and not reason.strip()


def why_soft(job: JobPlan, step: StepPlan) -> str:
    """Why a step does not gate."""
    return step.gating_reason or job.gating_reason or step.reason or job.reason


def general(reason: str) -> str:
    """A reason without the names in it, so that like ones are counted together."""
    reason = re.sub(r"^[\w.-]+(?:/[\w.-]+)+(?= is not known to grind)", "ACTION", reason)
    reason = re.sub(r"(?<=runs-on ).*(?=: this host)", "LABEL", reason)
    reason = re.sub(r"(?<=changes the machine: ).*", "…", reason, flags=re.DOTALL)
    reason = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\(line \d+\)", "…", reason)
    return " ".join(reason.split())[:110]


def events_of(workflow: Workflow) -> tuple[str, ...]:
    """Plan for a push, or for the first event that starts it, so that its jobs are looked at."""
    events = [trigger.event for trigger in workflow.on]
    return ("push",) if "push" in events or not events else (events[0],)


def settled(workflow: Workflow, event: str, rich: bool) -> Plan:
    """Lower until all questions are answered."""
    answers: dict[tuple[str, ...], Answer] = {}
    situation = Situation(
        event=event,
        ref="refs/heads/main",
        sha=COMMIT,
        before="b" * 40,
        message="Change it",
        repository="owner/project",
        default_branch="main",
        actor="somebody",
    )
    for _ in range(ROUNDS):
        facts = Facts(answers, repository="owner/project", artifacts=True)
        plan = lower(
            Request(
                workflows=(workflow,),
                situation=situation,
                event=Event(event, situation.ref, "main", message=situation.message, head=COMMIT),
                config=Config(),
                facts=facts,
                labels=frozenset({"linux", "x64", "self-hosted"}),
                tree="7" * 40,
                commit=COMMIT,
                base=None,
            )
        )
        if not facts.wanted:
            return plan
        answer = Answer(0, "1.0.0\n") if rich else Answer(127)
        answers |= dict.fromkeys(facts.wanted, answer)
    raise AssertionError("the plan does not settle")


# --- where files come from -----------------------------------------------------------------------


def files_in(folder: Path) -> Iterator[File]:
    """Yield the workflow files of a folder or of a git folder."""
    if (folder / "HEAD").exists() and (folder / "objects").exists():
        yield from _of_git(folder)
        return
    for path in sorted(folder.rglob("*.y*ml")):
        if path.is_file():
            text = path.read_bytes()
            if is_workflow(text):
                yield File(folder.name, path.relative_to(folder).as_posix(), text)


def _of_git(folder: Path) -> Iterator[File]:
    git = ["git", f"--git-dir={folder}"]
    name = folder.parent.name if folder.name == "repo" else folder.name
    listed = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "--name-only", "HEAD"], capture_output=True, check=False
    )
    for path in listed.stdout.decode("utf-8", "surrogateescape").split("\0"):
        if not path.startswith(PLACES) or not path.endswith((".yml", ".yaml")):
            continue
        shown = subprocess.run([*git, "show", f"HEAD:{path}"], capture_output=True, check=False)
        if shown.returncode == 0 and is_workflow(shown.stdout):
            yield File(name, path, shown.stdout)


def is_workflow(text: bytes) -> bool:
    """Whether a YAML file looks like a workflow."""
    found = re.findall(rb"^['\"]?(on|jobs)['\"]?\s*:", text, re.MULTILINE)
    return {*found} == {b"on", b"jobs"}


# --- the report ----------------------------------------------------------------------------------


def report(survey: Survey, most: int) -> Iterator[str]:
    """Yield the lines of the report."""
    steps = sum(survey.verdicts.values())
    jobs = sum(survey.jobs.values())
    yield f"{survey.files} workflow files, {jobs} jobs, {steps} steps of active jobs"
    yield f"crashes: {len(survey.crashes)}"
    yield from survey.crashes
    yield f"steps and jobs without a verdict or a reason: {len(survey.silent)}"
    yield from survey.silent[:most]
    yield f"files that GitHub would refuse: {len(survey.refused_files)}"
    yield from (f"  {line}" for line in survey.refused_files[:most])
    yield ""
    yield from _table("jobs", survey.jobs, jobs)
    yield from _table("steps by verdict", survey.verdicts, steps)
    yield from _table("steps by class", survey.classes, steps)
    yield "steps by class and verdict"
    for (klass, verdict), number in sorted(survey.both.items()):
        yield f"  {number:6}  {klass} {verdict}"
    yield from _table("reasons for refusing a step", survey.reasons, steps, most)
    yield from _table("reasons for refusing a job", survey.job_reasons, jobs, most)


def _table(title: str, counts: Counter[str], whole: int, most: int | None = None) -> Iterator[str]:
    yield title
    for word, number in counts.most_common(most):
        yield f"  {number:6}  {number / max(whole, 1):6.1%}  {word}"


def main() -> int:
    """Run the survey."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="+", type=Path)
    parser.add_argument("--rich", action="store_true", help="a host that has every program")
    parser.add_argument("--most", type=int, default=10, help="rows of the long tables")
    options = parser.parse_args()
    survey = Survey()
    for folder in options.folder:
        for file in files_in(folder):
            survey.take(file, options.rich)
    print("\n".join(report(survey, options.most)))
    return 1 if survey.crashes or survey.silent else 0


if __name__ == "__main__":
    sys.exit(main())
