"""Gathers what `grind init` writes from: the plan, and what the files of the snapshot show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from grind.core import nixread
from grind.core.drift import SiteKind
from grind.core.evidence import Evidence, JobSeen, Provided, Recipe, Refusal, Seen
from grind.core.plan import JobPlan, Plan, StepPlan, Verdict
from grind.flows.drift import TasksOf, find_drift
from grind.flows.prepare import Prepared
from grind.ports import Repository
from grind.workflows.classify import classify_run
from grind.workflows.driftsides import entry_files
from grind.workflows.drifttasks import Task

_CODE = re.compile(r"\.(?:rs|py|go|js|mjs|ts|rb|java|kt|ex|exs|cs|php|scala|clj)$")
_SHELLS = re.compile(
    r"(?:^|/)(?:[Jj]ustfile|\.justfile|[Mm]akefile|GNUmakefile)$|\.(?:sh|just|mk)$"
)
_ROUTE = re.compile(
    r"""["'`](/(?:[\w-]+/){0,3}(?:health|healthz|healthcheck|livez|readyz|_health))["'`]"""
)
_SSH = re.compile(r"\bssh\s+(?:-[A-Za-z]\s*\S*\s+)*([A-Za-z0-9_][\w.-]*(?:@[\w.-]+)?)")
_CHECKING = re.compile(
    r"^(?:check|checks|lint|fmt|format|typecheck|types|clippy|vet|test|tests|unit|audit)(?:[-_:.].*)?$"
)
_CHANGING = re.compile(r"(?:^|[-_:.])(?:fix|write|update|watch|dev)(?:$|[-_:.])")
"""Names of tasks that are no checks, whatever they begin with: they change files, or never end."""
_CHANGES = re.compile(r"\s--(?:fix|write|watch|update|update-snapshots?)(?![\w-])")
_FORMATS = re.compile(r"^(?:fmt|format)(?:$|[-_:.])")
_LOOKS = re.compile(r"\s(?:-c|--check|--diff|--dry-run|-d|-l|--list-different)(?![\w-])")
_READ_AT_MOST = 2000
"""Source files that are looked through for health routes."""
_NPM = re.compile(r"(?:npm|yarn|pnpm|bun)\s+(?:-\S+\s+)*(?:run\s+)?([\w:.-]+)")
_CALLED = {"grind", "staging", "prod"}

Aliases = Sequence[tuple[str, str]]
"""Hosts of the user's ssh configuration, and where each stands."""


def gather(
    repository: Repository,
    prepared: Prepared,
    tasks_of: TasksOf,
    aliases: Callable[[], Aliases],
    main_from: str,
) -> Evidence:
    """Return what there is to see, all of it in the snapshot but the ssh aliases."""
    basis = prepared.basis
    files = {
        blob.path: blob.oid
        for blob in repository.blobs(basis.snapshot.tree)
        if blob.mode in (0o100644, 0o100755)
    }
    texts = _Texts(repository, files)
    plan = prepared.plan
    active = [job for job in plan.jobs if job.active]
    flakes = [path for path in files if path == "flake.nix" or path.endswith("/flake.nix")]
    modules = sorted(path for path in files if path.endswith(".nix"))
    return Evidence(
        tree=basis.snapshot.tree,
        remote=basis.target.remote,
        main=basis.target.main,
        main_from=main_from,
        workflows=len({job.workflow for job in plan.jobs}),
        jobs=tuple(JobSeen(job.key, _told(job)) for job in active),
        inactive=len(plan.jobs) - len(active),
        provided=tuple(_provided(plan)),
        refused=tuple(_refused(plan)),
        recipes=tuple(_recipes(repository, prepared, tasks_of, texts)),
        flakes=tuple(Seen(path, path) for path in flakes if nixread.has_shell(texts[path])),
        systems=tuple(_systems(flakes, texts)),
        units=tuple(_seen(modules, texts, nixread.units)),
        ports=tuple(_seen(modules, texts, nixread.ports)),
        routes=tuple(_routes(files, texts)),
        aliases=tuple(_aliases(files, texts, aliases())),
    )


class _Texts:
    """Files of the snapshot as text, read when they are asked for."""

    def __init__(self, repository: Repository, files: Mapping[str, str]) -> None:
        self._repository = repository
        self._files = files
        self._known: dict[str, str] = {}

    def read(self, paths: Sequence[str]) -> None:
        """Read several at once: one git process."""
        wanted = {path: self._files[path] for path in paths if path not in self._known}
        found = self._repository.read(list(set(wanted.values()))) if wanted else {}
        for path, oid in wanted.items():
            self._known[path] = found[oid].decode("utf-8", "replace")

    def __getitem__(self, path: str) -> str:
        self.read([path])
        return self._known[path]


def _told(job: JobPlan) -> str:
    if job.refused_whole or not job.steps:
        return f"{job.verdict}: {job.reason}" if job.reason else str(job.verdict)
    if job.verdict is Verdict.SKIPPED:
        return job.reason
    counts = {verdict: sum(s.verdict is verdict for s in job.steps) for verdict in Verdict}
    words = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    return ", ".join(words) + ("" if job.gating else "; does not gate")


def _steps(plan: Plan, verdict: Verdict) -> Iterator[tuple[JobPlan, StepPlan]]:
    for job in plan.jobs:
        if job.active:
            yield from ((job, step) for step in job.steps if step.verdict is verdict)


def _where(job: JobPlan, step: StepPlan) -> str:
    return f"{step.file or job.file or job.workflow}:{step.line}"


def _provided(plan: Plan) -> Iterator[Provided]:
    seen: dict[str, Provided] = {}
    for job, step in _steps(plan, Verdict.SATISFIED):
        seen.setdefault(_where(job, step), Provided(_where(job, step), step.name, step.reason))
    yield from seen.values()


def _refused(plan: Plan) -> Iterator[Refusal]:
    """One for each place: the combinations of a matrix say the same of a step."""
    seen: dict[tuple[str, str], Refusal] = {}
    for job in plan.jobs:
        if job.active and job.refused_whole:
            where = f"{job.file or job.workflow}:{job.line}"
            told = Refusal(where, job.name, job.reason, job.remedy)
            seen.setdefault((where, job.reason), told)
    for job, step in _steps(plan, Verdict.REFUSED):
        if not job.refused_whole:
            where = _where(job, step)
            seen.setdefault(
                (where, step.reason), Refusal(where, step.name, step.reason, step.remedy)
            )
    yield from seen.values()


def _recipes(
    repository: Repository, prepared: Prepared, tasks_of: TasksOf, texts: _Texts
) -> Iterator[Recipe]:
    """Yield the tasks that are called as checks and run something that no workflow runs."""
    drift = find_drift(repository, prepared, tasks_of)
    extra = {(site.file, site.name) for side in drift.extra for site in side.sites}
    paths = entry_files(repository.tracked_paths(prepared.basis.snapshot.tree))
    for path in paths:
        tasks = tasks_of(path, texts[path].encode())
        within = _called_by_others(tasks)
        for task in tasks:
            if task.name in within:
                continue  # whoever runs the other one runs it as well
            if not _CHECKING.match(task.name.rpartition("/")[2].removesuffix(".sh")):
                continue
            if (task.file, task.call) in extra or (task.file, task.name) in extra:
                why = _against(task)
                yield Recipe(task.name, task.call, f"{task.file}:{task.line}", not why, why)


def _called_by_others(tasks: Sequence[Task]) -> set[str]:
    """Return the package scripts that another one of the file runs by the package manager."""
    found = set()
    for task in tasks:
        if task.kind is SiteKind.NPM:
            for text, _ in task.texts:
                found |= {name for name in _NPM.findall(text) if name != task.name}
    return found


def _against(task: Task) -> str:
    """Return what speaks against running a task unasked; empty for nothing."""
    if task.opaque or not task.texts:
        return "what it does could not be read"
    if any(default is None for _, default, _ in task.parameters):
        return "it takes arguments"
    if task.needs or task.after:
        return "it runs other tasks as well"
    if _CHANGING.search(task.name):
        return "by its name it changes files, or does not end"
    if _FORMATS.match(task.name) and not any(_LOOKS.search(text) for text, _ in task.texts):
        return "it may change files"
    for text, _ in task.texts:
        if _CHANGES.search(text):
            return "it changes files, or does not end"
        klass = classify_run("", text.lstrip("@-"))
        if _SSH.search(text):
            return "it reaches another machine"
        if klass.klass not in ("check", "build"):
            return f"it looks like a {klass.klass} step"
    return ""


def _systems(flakes: Sequence[str], texts: _Texts) -> Iterator[Seen]:
    for path in flakes:
        folder = path.rpartition("/")[0]
        for name, line in nixread.systems(texts[path]):
            flake = f"./{folder}" if folder else "."
            quoted = f'"{name}"' if "." in name else name
            yield Seen(f"{flake}#nixosConfigurations.{quoted}", f"{path}:{line}")


def _seen(
    paths: Sequence[str], texts: _Texts, read: Callable[[str], list[tuple[str, int]]]
) -> Iterator[Seen]:
    texts.read(paths)
    known = set()
    for path in paths:
        for what, line in read(texts[path]):
            if what not in known:
                known.add(what)
                yield Seen(what, f"{path}:{line}")


def _routes(files: Mapping[str, str], texts: _Texts) -> Iterator[Seen]:
    """Yield health routes; what stands in tests only is none."""
    paths = sorted(path for path in files if _CODE.search(path) and "test" not in path.lower())
    paths = paths[:_READ_AT_MOST]
    texts.read(paths)
    known = set()
    for path in paths:
        for match in _ROUTE.finditer(texts[path]):
            if match[1] not in known:
                known.add(match[1])
                line = texts[path].count("\n", 0, match.start()) + 1
                yield Seen(match[1], f"{path}:{line}")


def _aliases(files: Mapping[str, str], texts: _Texts, aliases: Aliases) -> Iterator[Seen]:
    """Yield the user's hosts that the repository's own scripts reach, or that are called as such."""
    paths = sorted(path for path in files if _SHELLS.search(path))
    texts.read(paths)
    used: dict[str, str] = {}
    for path in paths:
        for match in _SSH.finditer(texts[path]):
            line = texts[path].count("\n", 0, match.start()) + 1
            used.setdefault(match[1], f"{path}:{line}")
    for alias, where in aliases:
        if alias in used:
            yield Seen(alias, f"{where}; used in {used[alias]}")
        elif _CALLED & set(re.split(r"[^a-z]+", alias.lower())):
            yield Seen(alias, where)
