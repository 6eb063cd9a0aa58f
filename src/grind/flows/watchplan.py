"""Before a watch: which branch, since when, which workflows, and what is known of their steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from grind.core import events as e
from grind.core.ci import CiVerdict, Target
from grind.core.config import Config
from grind.core.errors import GrindError, UnreachableError
from grind.core.parity import Failure, Local, local_word
from grind.core.plan import Plan, StepClass
from grind.core.receipt import read_receipt
from grind.core.watching import Rules
from grind.flows.basis import Basis, Options
from grind.flows.expect import expect, pushed_paths
from grind.flows.prepare import prepare
from grind.ports import Forge, Host, PushSeen, Repository
from grind.workflows.classify import classify_run
from grind.workflows.triggers import Event


class Asked(NamedTuple):
    """What the user, or a landing, wants to be watched."""

    commit: str
    """The whole id."""
    event: str = "push"
    ref: str | None = None
    """The ref it was pushed to; None to find out."""
    changed: str | None = None
    """Where the branch was before; None to find out."""


class WatchPlan(NamedTuple):
    """All that a watch needs besides its adapters."""

    target: Target
    rules: Rules
    since: float
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    explain: Callable[[Failure], Awaitable[Local]]


class Knowledge(NamedTuple):
    """What was known before the forge is asked."""

    receipt: bytes | None
    """The stored receipt for the commit's tree."""
    before: Iterable[e.Entry]
    """The journal of an earlier watch of the same commit."""
    landed: PushSeen | None
    """The push, when grind itself made it."""
    now: float


async def plan_watch(
    repository: Repository,
    forge: Forge,
    basis: Basis,
    asked: Asked,
    known: Knowledge,
    host_of: Callable[[Config], Host],
    labels_of: Callable[[Config], frozenset[str]],
) -> WatchPlan:
    """Find it out. Raises GrindError; a forge that does not answer only leaves more to wait for."""
    notes: list[str] = []
    ref = pushed_ref(repository, basis, asked)
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    push = known.landed
    if push is None and ref.startswith("refs/heads/") and asked.event == "push":
        push = await _push(forge, branch, asked.commit, notes)
    before = asked.changed or (push.before if push is not None else None)
    paths = pushed_paths(repository, basis.snapshot, before)
    if paths is None:
        notes.append("what the push changed is not known, so path filters count as matched")
    expectation = expect(
        repository,
        basis.snapshot,
        basis.config,
        Event(
            name=asked.event,
            ref=ref,
            base_ref=basis.target.main,
            paths=paths,
            message=repository.message(asked.commit),
            head=asked.commit,
        ),
    )
    notes += expectation.doubts
    receipt = read_receipt(known.receipt) if known.receipt is not None else None
    plan = await _plan(repository, basis, asked, ref, host_of, labels_of, notes)

    async def explain(failure: Failure) -> Local:
        return local_word(failure, receipt, plan, harmless_command)

    since = push.at if push is not None else _cut_off(known.before)
    return WatchPlan(
        target=Target(asked.commit, asked.event, branch),
        rules=Rules(
            expected=expectation.with_jobs(plan, receipt),
            ignored=tuple(rule.workflow for rule in basis.config.ignore),
            allow_none=basis.config.watch.allow_none,
        ),
        since=known.now if since is None else min(since, known.now),
        left_out=expectation.left_out,
        notes=tuple(notes),
        explain=explain,
    )


def pushed_ref(repository: Repository, basis: Basis, asked: Asked) -> str:
    """Return the full ref: the one that was asked for, else the branch HEAD is on when the remote
    has it at this commit, else the main branch."""
    if asked.ref is not None:
        return basis.ref
    branch, remote = repository.head_branch(), basis.target.remote
    if branch and remote and repository.tip(remote, branch) == asked.commit:
        return f"refs/heads/{branch}"
    return basis.ref


def landed_in(entries: Iterable[e.Entry], commit: str) -> PushSeen | None:
    """Return grind's own push of a commit from a release's journal."""
    before: str | None = None
    found: PushSeen | None = None
    for entry in entries:
        match entry.event:
            case e.LandIntent() as intent:
                before = intent.expected
            case e.LandPushed() as pushed if pushed.oid == commit:
                found = PushSeen(before, entry.at)
            case _:
                pass
    return found


def _cut_off(entries: Iterable[e.Entry]) -> float | None:
    """Return since when an earlier watch has been waiting, unless it came to its end: after that
    the commit may have been pushed once more."""
    since: float | None = None
    for entry in entries:
        match entry.event:
            case e.WatchStarted() as started:
                since = started.since
            case e.WatchEnded() as ended if ended.verdict != CiVerdict.UNKNOWN:
                since = None
            case _:
                pass
    return since


async def _push(forge: Forge, branch: str, commit: str, notes: list[str]) -> PushSeen | None:
    try:
        return await forge.push_of(branch, commit)
    except UnreachableError as error:
        notes.append(f"{error.message}; trying again")
        return None


async def _plan(
    repository: Repository,
    basis: Basis,
    asked: Asked,
    ref: str,
    host_of: Callable[[Config], Host],
    labels_of: Callable[[Config], frozenset[str]],
    notes: list[str],
) -> Plan | None:
    """Return the plan of the commit, which knows its jobs by name; None where there is none."""
    options = Options(rev=asked.commit, event=asked.event, ref=ref)
    try:
        prepared = await prepare(repository, host_of, options, labels_of, basis._replace(ref=ref))
    except GrindError as error:
        notes.append(f"there is no plan of this commit to compare with: {error.message}")
        return None
    return prepared.plan


def harmless_command(command: str) -> bool:
    """Whether a command may be suggested to be run here: it neither deploys, nor tells anybody, nor
    changes the machine, as far as its text shows."""
    return classify_run("", command).klass in (StepClass.CHECK, StepClass.BUILD, StepClass.E2E)
