"""The two sides of a comparison: what CI runs, and what is run here. Pure.

CI's side is every `run:` step of the plan, active or not. This side is what the plan carries out,
the `[[check]]`s, and the repository's own entry points: recipes, targets, package scripts, scripts
and hooks that say by their name that they check something.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2s
from typing import NamedTuple

from grind.core.config import FILE, Check, Config
from grind.core.drift import Site, SiteKind
from grind.core.plan import JobPlan, Plan, StepClass, StepPlan
from grind.workflows.commandline import name_words, row
from grind.workflows.drifttasks import Task
from grind.workflows.drifttext import Found, Reader, Reading
from grind.workflows.driftwords import Unit
from grind.workflows.purpose import purpose


class CiStep(NamedTuple):
    """A `run:` step of CI, or a job that has no steps to be seen."""

    site: Site
    klass: StepClass
    outward_job: bool
    """Whether its job deploys, and is therefore never executed here."""
    reading: Reading
    planned: bool
    """Whether `grind check` carries it out, or has its effect proven."""
    reason: str
    gating: bool
    gating_reason: str

    def leaves(self, unit: Unit) -> bool:
        """Whether it is by design that one of its commands is not executed here: it deploys or
        notifies, or is part of a deployment and says by nothing that it tests or builds."""
        return self.klass.outward or (self.outward_job and purpose(unit.argv) is None)


class LocalText(NamedTuple):
    """A task or a `[[check]]` of this side."""

    site: Site
    reading: Reading
    whole: bool
    """Whether it claims to be what CI does: a `[[check]]`, or a rehearsal by its name."""
    rehearsal: bool


_SHELLS = frozenset({"", "bash", "sh", "dash"})
_REHEARSALS = re.compile(
    r"(?:pre[-_]?push|pre[-_]?flight|(?:local[-_]?|run[-_]?)?ci(?:[-_](?:local|all))?)(?:\.\w+)?",
    re.IGNORECASE,
)
"""Names of what people run in place of CI before they push."""
_CHECKING = frozenset(
    row("test tests check checks lint verify validate ci prepush precommit preflight coverage e2e")
)
_ENTRY_FOLDERS = frozenset(row("script scripts bin tools tool ci hack dev .ci build"))
_HOOKS = re.compile(r"(?:\.githooks|\.husky|git-hooks|hooks)/(?:pre-push|pre-commit)")
_TOP_FILES = re.compile(r"\.?justfile|(?:gnu)?makefile|package\.json", re.IGNORECASE)
_PLUMBING = frozenset(row("git rsync scp sftp curl wget tar zip unzip gzip ssh gh cd sudo direnv"))
"""What a rehearsal needs to get going, and what no CI has to do too."""


# --- CI's side -----------------------------------------------------------------------------------


def ci_steps(plan: Plan, reader: Reader) -> tuple[CiStep, ...]:
    """Return CI's steps, one for each combination of a matrix, in the order of the plan."""
    return tuple(step for job in plan.jobs for step in _job(job, reader))


def _job(job: JobPlan, reader: Reader) -> Iterator[CiStep]:
    # A call whose jobs are in the plan runs nothing itself: its jobs count.
    if not job.steps and not job.inner:
        unit = Unit("", (f"job {job.id}",))
        site = _site(job, None)
        reading = Reading((Found(unit, 0),))
        yield CiStep(
            site,
            job.klass,
            job.klass.outward,
            reading,
            False,
            job.reason,
            job.gating,
            job.gating_reason,
        )
    for step in job.steps:
        if step.run is None:
            continue
        gating = step.gating and job.gating
        yield CiStep(
            _site(job, step),
            step.klass,
            job.klass.outward,
            _of_step(step, reader),
            job.active and step.verdict.proves,
            step.reason or job.reason,
            gating,
            step.gating_reason or job.gating_reason,
        )


def _site(job: JobPlan, step: StepPlan | None) -> Site:
    active = job.active and not (step is not None and step.held)
    note = "" if active else (step.reason if step is not None and job.active else job.reason)
    return Site(
        kind=SiteKind.WORKFLOW,
        file=(step.file if step is not None else "") or job.file or job.workflow,
        line=job.line if step is None else step.line,
        name=job.name if step is None else f"{job.name} › {step.name}",
        active=active,
        note=note,
    )


def _of_step(step: StepPlan, reader: Reader) -> Reading:
    folder = posixpath.normpath(step.working_directory or ".")
    return of_text(step.run or "", step.shell, "" if folder == "." else folder, reader)


def of_text(text: str, shell: str, folder: str, reader: Reader) -> Reading:
    """Read a step's or a check's text; one in another language is a single command."""
    words = shell.split()
    program = words[0].rpartition("/")[2] if words else ""
    if program in _SHELLS:
        reading = reader.text(text, folder)
        if reading.found or not reading.unread:
            return reading
    digest = blake2s(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()[:8]
    unit = Unit(folder, (program or "bash",), tail=(f"<<#{digest}",))
    return Reading((Found(unit, 0),))


# --- this side -----------------------------------------------------------------------------------


def entry_files(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files whose tasks people start by hand or by a hook, in order of their names."""
    return tuple(sorted(path for path in paths if _is_entry(path)))


def _is_entry(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if _HOOKS.fullmatch(path):
        return True
    if not folder and _TOP_FILES.fullmatch(name):
        return True
    stem, dot, extension = name.partition(".")
    if folder and folder not in _ENTRY_FOLDERS:
        return False
    if dot and extension not in ("sh", "bash"):
        return False
    return bool(_CHECKING & {*name_words(stem)}) or _REHEARSALS.fullmatch(name) is not None


def local_texts(config: Config, tasks: Iterable[Task], reader: Reader) -> tuple[LocalText, ...]:
    """Return the `[[check]]`s, then the tasks, read."""
    checks = [_of_check(check, reader) for check in config.check]
    return (*checks, *(_of_task(task, reader) for task in tasks))


def _of_check(check: Check, reader: Reader) -> LocalText:
    folder = posixpath.normpath(check.working_directory or ".")
    reading = of_text(check.script, check.shell or "", "" if folder == "." else folder, reader)
    site = Site(kind=SiteKind.CHECK, file=FILE, line=0, name=f"[[check]] {check.name}")
    return LocalText(site, reading, True, False)


def _of_task(task: Task, reader: Reader) -> LocalText:
    rehearsal = is_rehearsal(task)
    site = Site(kind=task.kind, file=task.file, line=task.line, name=task.call)
    return LocalText(site, reader.task(task), rehearsal, rehearsal)


def is_rehearsal(task: Task) -> bool:
    """Whether a task says by its name that it is what CI does, before a push."""
    return _REHEARSALS.fullmatch(task.name) is not None


def is_check(found: Found, text: LocalText) -> bool:
    """Whether a command of this side is one that CI should have too."""
    argv = found.unit.argv
    kind = purpose(argv)
    if text.site.kind is SiteKind.CHECK:
        return True
    if text.rehearsal:
        program = found.unit.head[0]
        return kind is not None or program not in _PLUMBING or "--exit-code" in argv
    return kind in ("test", "e2e")
