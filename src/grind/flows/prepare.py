"""From the working copy to a plan: snapshot, configuration, workflows, the host's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from grind.core.config import Config, require_selected
from grind.core.errors import GrindError, Problem, ProblemsError
from grind.core.plan import Plan
from grind.core.receipt import Tool
from grind.flows.basis import Basis, Options, find_basis, repository_name
from grind.flows.expand import Expander, tool_of
from grind.ports import Host, HostIdentity, Repository
from grind.workflows.availability import check_expressions
from grind.workflows.changes import Changes
from grind.workflows.checks import check_jobs
from grind.workflows.contexts import Situation
from grind.workflows.facts import Answer, Facts
from grind.workflows.legs import unmatched
from grind.workflows.lower import Request, lower, why_ignored
from grind.workflows.memo import Memo
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Workflow
from grind.workflows.triggers import Event

WORKFLOWS = ".github/workflows"
_ROUNDS = 6
"""Rounds of questions to the host; more would mean that a judgement never settles."""
_ZERO = "0" * 40


class Prepared(NamedTuple):
    """A plan with what it was made from."""

    basis: Basis
    situation: Situation
    plan: Plan
    checks: Plan
    """The `[[check]]`s of grind.toml as jobs of their own, run before CI's."""
    identity: HostIdentity
    tools: tuple[Tool, ...]
    expander: Expander

    def __repr__(self) -> str:
        """Short: asyncio writes the result of a task, of which nobody sees anything."""
        return f"Prepared({self.plan.tree})"

    @property
    def whole(self) -> Plan:
        """Checks and CI as one plan; its digest is the receipt's."""
        import msgspec

        return msgspec.structs.replace(self.plan, jobs=(*self.checks.jobs, *self.plan.jobs))

    @property
    def ground(self) -> str:
        """A digest over the host's identity and what its tools answered; see `RunStarted.ground`."""
        import hashlib
        import json

        tools = [[tool.question, tool.answer] for tool in self.tools]
        facts = [self.identity.id, self.identity.architecture, sorted(tools)]
        return hashlib.sha256(json.dumps(facts).encode("utf-8", "surrogatepass")).hexdigest()


async def prepare(
    repository: Repository,
    host_of: Callable[[Config], Host],
    options: Options,
    labels_of: Callable[[Config], frozenset[str]],
    basis: Basis | None = None,
) -> Prepared:
    """Return the plan for the working copy or a revision.

    Raises ProblemsError with everything that is wrong with workflows and grind.toml.
    """
    basis = basis or find_basis(repository, options, labels_of)
    host, labels = host_of(basis.config), labels_of(basis.config)
    workflows = read_workflows(repository, basis, options)
    situation = _situation(repository, basis, options)
    changed = repository.changed_paths(basis.snapshot, basis.base)
    tree = {blob.path: blob.oid for blob in repository.blobs(basis.snapshot.tree)}
    event = Event(
        name=options.event,
        ref=basis.ref,
        # A pull request, and a merge group, are planned as ones to the main branch.
        base_ref=basis.target.main,
        paths=changed,
        message=situation.message,
        head=basis.snapshot.commit,
    )
    answers: dict[tuple[str, ...], Answer] = {}
    memo = Memo()

    def text(path: str) -> str | None:
        return _text(repository, tree, path)

    def changes() -> Changes:
        return Changes(
            files=repository.changed_files(basis.snapshot, basis.base),
            event=options.event,
            heads=frozenset({basis.snapshot.commit, basis.ref, situation.ref_name}),
            # `origin/main` is none of them: after a push it is what was pushed.
            bases=frozenset(
                {basis.target.main, f"refs/heads/{basis.target.main}", situation.before}
            ),
        )

    for number in range(_ROUNDS):
        facts = Facts(
            answers,
            read=lambda path: memo(text, path),
            repository=situation.repository,
            artifacts=True,
            refs=(basis.snapshot.commit, basis.ref, situation.ref_name),
            memo=memo,
            sample=number == 0,
            changes=lambda: memo(changes),
        )
        request = Request(
            workflows=workflows,
            situation=situation,
            event=event,
            config=basis.config,
            facts=facts,
            labels=labels,
            tree=basis.snapshot.tree,
            commit=basis.snapshot.commit,
            base=basis.base,
        )
        plan = lower(request)
        checks = check_jobs(request, changed)
        if not (facts.wanted or facts.cut):
            break
        if facts.wanted:
            answers |= await _ask(host, facts.wanted)
    else:
        raise GrindError("the plan does not settle: the host's answers keep raising questions")
    if basis.config_blob is not None and not options.workflows:
        require_selected(basis.config_blob, unmatched(basis.config, plan.jobs))
    tools = tuple(tool_of(*asked) for asked in sorted(answers.items()))

    async def ask(wanted: tuple[tuple[str, ...], ...]) -> Mapping[tuple[str, ...], Answer]:
        return await _ask(host, wanted)

    expander = Expander(request, ask, answers)
    return Prepared(basis, situation, plan, checks, await host.identity(), tools, expander)


async def _ask(host: Host, wanted: tuple[tuple[str, ...], ...]) -> Mapping[tuple[str, ...], Answer]:
    names = {str(number): argv for number, argv in enumerate(wanted)}
    completed = await host.ask(names)
    return {
        argv: Answer(
            completed[name].exit_code,
            completed[name].out.decode("utf-8", "replace"),
            completed[name].err.decode("utf-8", "replace"),
        )
        for name, argv in names.items()
    }


def read_workflows(repository: Repository, basis: Basis, options: Options) -> tuple[Workflow, ...]:
    """Read every workflow of the snapshot. Raises ProblemsError with all that is wrong."""
    files = [
        blob
        for blob in repository.blobs(basis.snapshot.tree, (WORKFLOWS,))
        if blob.path.endswith((".yml", ".yaml"))
        and blob.path.count("/") == WORKFLOWS.count("/") + 1
    ]
    if not files and not basis.config.check:
        raise GrindError(
            f"there is no workflow in {WORKFLOWS}/, so there is nothing that CI would run",
            remedy="add a workflow, or a [[check]] to grind.toml",
        )
    ignored = {blob.path for blob in files if why_ignored(basis.config, blob.path) is not None}
    contents = repository.read([blob.oid for blob in files if blob.path not in ignored])
    workflows: list[Workflow] = []
    problems: list[Problem] = []
    for blob in files:
        if blob.path in ignored:  # named in the plan, and never read
            workflows.append(Workflow(path=blob.path))
            continue
        reading = read_workflow(blob.path, contents[blob.oid])
        problems += reading.problems
        if reading.workflow is not None:
            workflows.append(reading.workflow)
            problems += check_expressions(reading.workflow)
    if problems:
        raise ProblemsError("workflows that GitHub would refuse:", tuple(problems))
    if options.workflows:
        workflows = _chosen(workflows, options.workflows)
    return tuple(workflows)


def _chosen(workflows: list[Workflow], names: tuple[str, ...]) -> list[Workflow]:
    chosen = []
    for name in names:
        found = [w for w in workflows if _is_named(w, name)]
        if not found:
            known = ", ".join(w.path.rpartition("/")[2] for w in workflows)
            raise GrindError(f"no workflow is called {name!r}", remedy=f"there are: {known}")
        chosen += [w for w in found if w not in chosen]
    return chosen


def _is_named(workflow: Workflow, name: str) -> bool:
    file = workflow.path.rpartition("/")[2]
    given = workflow.name.text if workflow.name is not None else ""
    return name in (workflow.path, file, file.rpartition(".")[0], given)


def _situation(repository: Repository, basis: Basis, options: Options) -> Situation:
    top = repository.top or repository.common_dir
    return Situation(
        event=options.event,
        ref=basis.ref,
        sha=basis.snapshot.commit,
        before=basis.target.upstream or _ZERO,
        message=repository.message(basis.snapshot.commit) if basis.snapshot.committed else "",
        repository=repository_name(basis.target.url, top),
        default_branch=basis.target.main,
        actor="",
    )


def _text(repository: Repository, tree: Mapping[str, str], path: str) -> str | None:
    oid = tree.get(path.removeprefix("./"))
    if oid is None:
        return None
    try:
        return repository.read([oid])[oid].decode("utf-8")
    except UnicodeDecodeError:
        return None
