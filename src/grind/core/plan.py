"""The plan: what CI would run, lowered from the repository's own workflows, with a verdict on each
step. One value that `grind plan` prints, the engine carries out, and a receipt names by its digest.

Fields that may still hold `${{ }}` are templates: they are shown resolved as far as they are known
when planning (`run`, `env`, `name`), and kept as written in `source` for the engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct


class Verdict(StrEnum):
    """What becomes of one step. Never silent: all but `executed` carry a reason."""

    EXECUTED = "executed"
    SATISFIED = "satisfied-by-host"
    OVERRIDDEN = "overridden"
    SKIPPED = "skipped"
    REFUSED = "refused"

    @property
    def proves(self) -> bool:
        """Whether a gating step with this verdict counts towards a full receipt."""
        return self in (Verdict.EXECUTED, Verdict.SATISFIED, Verdict.OVERRIDDEN)


class StepClass(StrEnum):
    """What a step is for."""

    CHECK = "check"
    BUILD = "build"
    PROVISION = "provision"
    E2E = "e2e"
    DEPLOY = "deploy"
    NOTIFY = "notify"

    @property
    def outward(self) -> bool:
        """Whether it acts on the world outside: shown, never executed, and unproven by design."""
        return self in (StepClass.DEPLOY, StepClass.NOTIFY)


class StepSource(Struct, frozen=True, kw_only=True):
    """A step as written: templates, not yet evaluated. Empty string means absent."""

    if_: str = ""
    name: str = ""
    run: str | None = None
    uses: str = ""
    with_: dict[str, str] = {}
    shell: str = ""
    working_directory: str = ""
    env: dict[str, str] = {}
    continue_on_error: bool | str = False
    timeout_minutes: float | str | None = None


class Recipe(Struct, frozen=True, kw_only=True):
    """How a `uses:` step is carried out here, once its verdict allows it.

    `kind` is `checkout` (built in), `provide` (a bundled script that gives the job its private
    environment), `nothing` (the host has it; only `outputs` remain), or `run` (an override's own
    command). Values reach the script through `env`, never as shell text.
    """

    kind: str
    script: str = ""
    env: dict[str, str] = {}
    outputs: dict[str, str] = {}


class ActionCall(Struct, frozen=True, kw_only=True):
    """What a step that calls a composite action of the repository needs when it runs.

    The steps of the action follow the calling step, with its index as their `parent`.
    """

    path: str
    """The action's folder, relative to the workspace; empty for its root."""
    inputs: dict[str, str] = {}
    """Templates, given or by default; evaluated where the calling step stands."""
    outputs: dict[str, str] = {}
    """Templates, evaluated among the action's own steps."""


class Service(Struct, frozen=True, kw_only=True):
    """A service container of a job, with nothing left to evaluate."""

    name: str
    image: str
    args: tuple[str, ...]
    """Of the engine's `run`, the image last."""
    ports: dict[str, str] = {}
    """Port of the container → port of the host."""


class StepPlan(Struct, frozen=True, kw_only=True):
    """One step of one job of the plan."""

    index: int
    id: str
    name: str
    run: str | None
    uses: str | None
    shell: str
    working_directory: str
    env: dict[str, str]
    klass: StepClass = msgspec.field(name="class")
    gating: bool
    gating_reason: str = ""
    verdict: Verdict
    reason: str = ""
    line: int
    remedy: str = ""
    """The grind.toml line, or the command, that would settle a refusal."""
    source: StepSource = StepSource()
    recipe: Recipe | None = None
    held: bool = False
    """Whether its condition is false whatever happens, so that CI skips it too."""
    parent: int | None = None
    """Index of the step that calls the action this step belongs to."""
    file: str = ""
    """Path of the action's file, where `line` counts; empty for the workflow's own."""
    call: ActionCall | None = None
    open: bool = False
    """Whether its verdict hangs on what a job before says: the job is lowered again by then."""
    background: bool = False
    """Whether the steps behind it do not wait for it (`background`, or a member of `parallel`)."""
    control: str = ""
    """`wait` or `cancel`: nothing is run, but steps in the background are waited for, or ended."""
    targets: tuple[int, ...] = ()
    """Indices of the steps that `control` is about."""

    @property
    def executes(self) -> bool:
        """Whether a command of the step's own, or one that stands in for it, runs here."""
        if self.verdict not in (Verdict.EXECUTED, Verdict.OVERRIDDEN):
            return False
        if self.recipe is not None:
            return self.recipe.kind == "run"
        return self.run is not None


class CallInput(Struct, frozen=True):
    """One input of a called workflow, given or by default."""

    name: str
    type: str
    """`string`, `boolean` or `number`."""
    value: Any
    """What is given: a literal, or a template when `open`."""
    open: bool = False
    """Whether `value` is a template, evaluated where the calling job stands."""


class Caller(Struct, frozen=True, kw_only=True):
    """A job that calls a workflow of the repository: when it does so, and with what."""

    id: str
    """The calling job in the plan."""
    job: str
    """Its id in its own file."""
    needs: tuple[str, ...] = ()
    if_: str = ""
    inputs: tuple[CallInput, ...] = ()
    matrix: dict[str, Any] | None = None
    fail_fast: bool = True
    max_parallel: int | None = None
    strategy_index: int = 0
    strategy_total: int = 1


class JobPlan(Struct, frozen=True, kw_only=True):
    """One job, or one combination of a job's matrix."""

    key: str
    """Unique in the plan and stable between runs: `ci.yml/test (3.11, linux)`."""
    id: str
    name: str
    workflow: str
    """Path of the file in the repository."""
    line: int
    matrix: dict[str, Any] | None = None
    needs: tuple[str, ...] = ()
    active: bool
    """Whether CI would run it for this event."""
    held: bool = False
    """Whether it is its own condition, or a job that it needs, that keeps it from being active."""
    klass: StepClass = msgspec.field(name="class")
    verdict: Verdict
    reason: str = ""
    remedy: str = ""
    steps: tuple[StepPlan, ...] = ()
    gating: bool = True
    gating_reason: str = ""
    if_: str = ""
    runs_on: tuple[str, ...] = ()
    env: dict[str, str] = {}
    workflow_env: dict[str, str] = {}
    outputs: dict[str, str] = {}
    continue_on_error: bool | str = False
    timeout_minutes: float | str | None = None
    fail_fast: bool = True
    max_parallel: int | None = None
    setup: Recipe | None = None
    """What the job gets before its first step."""
    engine: str = ""
    """What starts its service containers: `podman` or `docker`."""
    services: tuple[Service, ...] = ()
    strategy_index: int = 0
    strategy_total: int = 1
    workflow_name: str = ""
    job: str = ""
    """Its id in its own file, where that is a called workflow's; empty when `id` is."""
    file: str = ""
    """Path of the called workflow that has the job, where `line` counts; else empty."""
    callers: tuple[Caller, ...] = ()
    """The jobs that call the workflow it belongs to, outermost first; all of them must start."""
    call: Caller | None = None
    """Set for a job that calls a workflow: it runs nothing itself, and ends with …"""
    inner: dict[str, str] = {}
    """… the jobs of that workflow: id in the file → id in the plan."""
    left: bool = False
    """Whether grind.toml leaves this combination of the matrix to CI: it is not run, not proven, and
    what needs the job goes on as if it had succeeded there."""
    open: str = ""
    """Set for a job that hangs on what the jobs it needs say: what is open of it, as written. Once
    they are over it is lowered again, into the jobs that it really comes to."""

    @property
    def own_id(self) -> str:
        """Its id in the file that has it."""
        return self.job or self.id

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Ids of all jobs that must be over before it: needed, needed by a caller, called."""
        needs = (*self.needs, *(n for c in self.callers for n in c.needs), *self.inner.values())
        return tuple(dict.fromkeys(needs))

    @property
    def refused_whole(self) -> bool:
        """Whether nothing of it can run here, however its conditions turn out."""
        return self.verdict is Verdict.REFUSED and all(
            step.verdict is Verdict.REFUSED for step in self.steps
        )


class Plan(Struct, frozen=True, kw_only=True):
    """The whole plan for one snapshot and one event."""

    tree: str
    commit: str
    event: str
    ref: str
    base: str | None
    """Commit that changed paths are counted from, or None when nothing is known to differ."""
    jobs: tuple[JobPlan, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know: path filters that count as matched, ignored workflows, …"""
    repository: str = ""
    """`owner/name`, as the steps see it."""
    bound: bool = False
    """Whether what is active hangs on the commit itself, by its message."""

    @property
    def digest(self) -> str:
        """SHA-256 over what would run: it changes if and only if that changes."""
        return hashlib.sha256(_canonical(self)).hexdigest()

    def job(self, key: str) -> JobPlan:
        """Return the job with that key; KeyError if there is none."""
        for job in self.jobs:
            if job.key == key:
                return job
        raise KeyError(key)


_WORDS = frozenset({"line", "name", "reason", "remedy", "gating_reason", "file"})
"""What is said of a step, and where it stands, does not change what runs."""


def _canonical(plan: Plan) -> bytes:
    active = [_acts(job) for job in plan.jobs if job.active]
    document = {
        "event": plan.event,
        "ref": plan.ref,
        "repository": plan.repository,
        "jobs": active,
    }
    return msgspec.json.encode(document, order="deterministic")


def digest_of(jobs: Iterable[JobPlan]) -> str:
    """Return a digest of what these jobs would run."""
    acts = msgspec.json.encode([_acts(job) for job in jobs], order="deterministic")
    return hashlib.sha256(acts).hexdigest()


def digest_of_text(text: str) -> str:
    """Return a digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _acts(job: JobPlan) -> dict[str, Any]:
    row = {k: v for k, v in msgspec.to_builtins(job).items() if k not in _WORDS}
    if not job.left:
        del row["left"]
    row["steps"] = [{k: v for k, v in step.items() if k not in _WORDS} for step in row["steps"]]
    for step in row["steps"]:
        step["source"] = {k: v for k, v in step["source"].items() if k not in _WORDS}
    return row
