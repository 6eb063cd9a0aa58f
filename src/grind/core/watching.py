"""Following one commit through CI: a fold over what the forge answered, and the judgement on it.

Filtered lists lag and flicker, so the fold only learns: a run that was seen once stays, and an
older answer never replaces a newer one. What is not understood is `unknown`, never clean.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from grind.core.ci import CiJob, CiRun, CiVerdict, Expected, Target, covers, worst
from grind.core.errors import ExitCode
from grind.core.hollow import hollow_reason

FIRST_DELAY = 3.0
LONGEST_DELAY = 30.0
_GROWTH = 1.5


class Seen(Struct, frozen=True, kw_only=True):
    """All that the forge has told so far."""

    target: Target
    runs: dict[int, CiRun] = {}
    """Runs of the target, by id."""
    rivals: dict[str, CiRun] = {}
    """The newest run of each workflow on the target's branch, whatever its commit."""
    jobs: dict[int, tuple[CiJob, ...]] = {}
    """Jobs of a run's newest attempt that was asked for, by the run's id."""
    gone: frozenset[int] = frozenset()
    """Runs that the forge no longer has."""
    disabled: dict[str, str] = {}
    """Workflows that are switched off at the forge: path → state."""
    required: frozenset[str] = frozenset()
    """Names of the jobs that the branch's rules require."""
    earlier: dict[int, tuple[CiJob, ...]] = {}
    """Jobs of the attempt before the newest, by the run's id."""
    absent: bool = False
    """Whether the forge said that it does not have the commit."""


def with_runs(seen: Seen, runs: Iterable[CiRun]) -> Seen:
    """Learn from a list or a single answer, whatever commits its runs are of."""
    known, rivals = dict(seen.runs), dict(seen.rivals)
    for run in runs:
        if run.branch == seen.target.branch and run.event == seen.target.event:
            rival = rivals.get(run.path)
            if rival is None or rival.number <= run.number:
                rivals[run.path] = run
        if seen.target.fits(run):
            known[run.id] = _newer(known.get(run.id), run)
    return replace(seen, runs=known, rivals=rivals)


def with_jobs(seen: Seen, run: int, jobs: Iterable[CiJob]) -> Seen:
    """Learn the jobs of a run; jobs of an earlier attempt never replace those of a later one."""
    fresh = tuple(jobs)
    old = seen.jobs.get(run, ())
    if _attempt(fresh) < _attempt(old):
        return seen
    return replace(seen, jobs=seen.jobs | {run: fresh})


def _attempt(jobs: tuple[CiJob, ...]) -> int:
    return max((job.attempt for job in jobs), default=0)


def _newer(old: CiRun | None, new: CiRun) -> CiRun:
    """Within one attempt a run that is over stays over; otherwise the later update counts."""
    if old is None:
        return new
    return max(old, new, key=lambda run: (run.attempt, run.over, run.updated))


# --- judging -------------------------------------------------------------------------------------


class Row(Struct, frozen=True, kw_only=True):
    """What became of one workflow."""

    path: str
    verdict: CiVerdict
    reason: str
    settled: bool
    """Whether waiting cannot change it."""
    expected: bool = True
    """False for a workflow that ran although its triggers, as read here, say that it would not."""
    run: int | None = None
    attempt: int = 0
    url: str = ""


class Judgement(Struct, frozen=True, kw_only=True):
    """What became of the commit."""

    rows: tuple[Row, ...]
    verdict: CiVerdict
    settled: bool
    exit_code: ExitCode

    @property
    def good(self) -> bool:
        """Whether the exit code says so."""
        return self.exit_code is ExitCode.DONE


class Rules(NamedTuple):
    """How to judge."""

    expected: tuple[Expected, ...]
    ignored: tuple[str, ...] = ()
    """Path or file name globs of workflows that count for nothing, from `[[ignore]]`."""
    allow_none: bool = False
    """Whether a commit that starts no workflow is fine."""

    def ignores(self, path: str) -> bool:
        """Whether a workflow counts for nothing."""
        return any(covers(glob, path) for glob in self.ignored)


def judge(seen: Seen, rules: Rules, *, late: bool, checked: bool = True) -> Judgement:
    """Say what became of the target.

    `late` says that the time in which runs are created is over. Runs that nobody expected count as
    well, unless ignored: the forge knows its triggers best. `checked` says that enough was looked
    at to believe that there is no run.
    """
    by_path: dict[str, list[CiRun]] = {}
    for run in seen.runs.values():
        if not rules.ignores(run.path):
            by_path.setdefault(run.path, []).append(run)
    known = {one.path for one in rules.expected}
    rows = [_row(seen, one, by_path.get(one.path, []), late) for one in rules.expected]
    for path in sorted(by_path.keys() - known):
        rows.append(replace(_row(seen, Expected(path), by_path[path], late), expected=False))
    settled = all(row.settled for row in rows) and (bool(rows) or checked)
    verdict = worst(row.verdict for row in rows) if rows or checked else CiVerdict.UNKNOWN
    code = verdict.exit_code
    if verdict is CiVerdict.NONE_EXPECTED and rules.allow_none:
        code = ExitCode.DONE
    return Judgement(rows=tuple(rows), verdict=verdict, settled=settled, exit_code=code)


def _row(seen: Seen, expected: Expected, runs: list[CiRun], late: bool) -> Row:
    if not runs:
        return _missing(seen, expected, late)
    newest = max(runs, key=lambda run: (run.number, run.created))
    verdict, reason, settled = _judge_run(seen, newest, expected)
    earlier = [run for run in runs if run.id != newest.id and _was_red(run)]
    if verdict is CiVerdict.CLEAN and earlier:
        verdict = CiVerdict.FLAKY
        reason = f"run {earlier[0].number} of the same commit ended in {earlier[0].conclusion}"
    return Row(
        path=expected.path,
        verdict=verdict,
        reason=reason,
        settled=settled,
        run=newest.id,
        attempt=newest.attempt,
        url=newest.url,
    )


def _was_red(run: CiRun) -> bool:
    """A cancelled run was replaced by the newer one, and says nothing."""
    return run.over and run.conclusion not in ("success", "cancelled", "skipped")


def _missing(seen: Seen, expected: Expected, late: bool) -> Row:
    if seen.absent:
        reason, settled = "the forge does not have this commit: it was not pushed there", True
    elif expected.path in seen.disabled:
        reason, settled = f"the workflow is {seen.disabled[expected.path]} at the forge", True
    elif late:
        reason, settled = "the forge has created no run for it", True
    else:
        reason, settled = "not created yet", False
    verdict = CiVerdict.NOT_CREATED if settled else CiVerdict.UNKNOWN
    return Row(path=expected.path, verdict=verdict, reason=reason, settled=settled)


def _judge_run(seen: Seen, run: CiRun, expected: Expected) -> tuple[CiVerdict, str, bool]:
    if run.id in seen.gone:
        return CiVerdict.UNKNOWN, "the run was deleted at the forge", True
    if not run.over:
        if run.status == "waiting":
            return CiVerdict.ACTION_REQUIRED, "waits for an approval", False
        return CiVerdict.UNKNOWN, run.status.replace("_", " "), False
    jobs = seen.jobs.get(run.id)
    match run.conclusion:
        case "startup_failure":
            return CiVerdict.STARTUP_FAILURE, "the workflow could not be started", True
        case "action_required":
            return CiVerdict.ACTION_REQUIRED, "waits for somebody to approve the run", True
        case "timed_out":
            return CiVerdict.TIMED_OUT, "ran into its time limit", True
        case "skipped":
            return CiVerdict.HOLLOW, "every job was skipped", True
        case "cancelled":
            return _cancelled(seen, run)
        case "success" | "failure" if not _told(run, jobs):
            return CiVerdict.UNKNOWN, f"ended in {run.conclusion}; its jobs are not told yet", False
        case "failure":
            return _failure(jobs or ())
        case "success":
            return _success(seen, run, jobs or (), expected)
        case None:
            return CiVerdict.UNKNOWN, "completed, without a conclusion yet", False
        case other:
            return CiVerdict.UNKNOWN, f"the forge says {other!r}", True


def _told(run: CiRun, jobs: tuple[CiJob, ...] | None) -> bool:
    """Whether the jobs belong to the run as it is now, and are over as well."""
    if jobs is None or not all(job.over for job in jobs):
        return False
    if not jobs:  # a file that GitHub cannot read makes a failed run without jobs
        return run.conclusion == "failure"
    return _attempt(jobs) >= run.attempt


def _cancelled(seen: Seen, run: CiRun) -> tuple[CiVerdict, str, bool]:
    rival = seen.rivals.get(run.path)
    if rival is not None and rival.number > run.number:
        reason = f"cancelled for the newer run {rival.number}, of commit {rival.sha[:12]}"
        return CiVerdict.SUPERSEDED, reason, True
    return CiVerdict.FAILED, "cancelled: by a person, or by a job's time limit", True


def _failure(jobs: tuple[CiJob, ...]) -> tuple[CiVerdict, str, bool]:
    if not jobs:
        return CiVerdict.STARTUP_FAILURE, "failed without a single job", True
    red = red_jobs(jobs)
    if red and all(job.conclusion == "timed_out" for job in red):
        return CiVerdict.TIMED_OUT, f"{_names(red)} ran into the time limit", True
    return CiVerdict.FAILED, f"{_names(red)} failed" if red else "failed", True


def red_jobs(jobs: Iterable[CiJob]) -> list[CiJob]:
    """Return the jobs that ended badly by themselves."""
    return [job for job in jobs if job.conclusion in ("failure", "timed_out")]


def _names(jobs: list[CiJob]) -> str:
    named = ", ".join(job.name for job in jobs[:3])
    return f"{named} and {len(jobs) - 3} more" if len(jobs) > 3 else named


def _success(
    seen: Seen, run: CiRun, jobs: tuple[CiJob, ...], expected: Expected
) -> tuple[CiVerdict, str, bool]:
    hollow = hollow_reason(jobs, expected, seen.required)
    if hollow:
        return CiVerdict.HOLLOW, hollow, True
    if run.attempt > 1:
        red = red_jobs(seen.earlier.get(run.id, ()))
        before = f": in attempt {run.attempt - 1}, {_names(red)} failed" if red else ""
        return CiVerdict.FLAKY, f"green at attempt {run.attempt} only{before}", True
    return CiVerdict.CLEAN, "", True


# --- what to ask next ----------------------------------------------------------------------------


def open_runs(seen: Seen, judgement: Judgement) -> list[CiRun]:
    """Return the runs whose end, or whose jobs, are still to be learned, in a stable order."""
    wanted = {row.run for row in judgement.rows if not row.settled}
    return [run for id_, run in sorted(seen.runs.items()) if id_ in wanted and id_ not in seen.gone]


def skipped_jobs(seen: Seen) -> bool:
    """Whether a run that succeeded has skipped jobs, so that the branch's rules matter."""
    return any(
        job.conclusion == "skipped"
        for id_, run in seen.runs.items()
        if run.conclusion == "success"
        for job in seen.jobs.get(id_, ())
    )


def next_delay(delay: float) -> float:
    """Return the seconds to wait after having waited `delay` seconds: from 3 up to 30."""
    return min(delay * _GROWTH, LONGEST_DELAY)


def paced(delay: float, *, calls: int, remaining: int | None, reset_in: float | None) -> float:
    """Return a delay at which `calls` uncached requests a round last until the limit is reset."""
    if remaining is None or reset_in is None or reset_in <= 0 or remaining >= 500:
        return delay
    rounds = max(remaining // max(calls, 1), 1)
    return max(delay, min(reset_in, reset_in / rounds))
