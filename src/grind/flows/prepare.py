"""From the working copy to a plan: snapshot, configuration, workflows, the host's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from grind.core.config import Config, require_selected
from grind.core.errors import GrindError
from grind.core.plan import Plan
from grind.core.receipt import Tool
from grind.flows.basis import Basis, Options, find_basis, repository_name
from grind.flows.expand import Ask, Expander, tool_of
from grind.flows.workflowfiles import read_workflows
from grind.ports import Host, HostIdentity, Repository
from grind.workflows.changes import Changes
from grind.workflows.checks import check_jobs
from grind.workflows.contexts import Situation
from grind.workflows.facts import Answer, Facts
from grind.workflows.legs import unmatched
from grind.workflows.lower import Request, lower
from grind.workflows.memo import Memo
from grind.workflows.triggers import Event

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
    host = host_of(basis.config)
    request = _request(repository, basis, options, labels_of(basis.config))

    async def ask(wanted: tuple[tuple[str, ...], ...]) -> Mapping[tuple[str, ...], Answer]:
        return await _ask(host, wanted)

    settled = await _settled(request, ask)
    if basis.config_blob is not None and not options.workflows:
        require_selected(basis.config_blob, unmatched(basis.config, settled.plan.jobs))
    return Prepared(
        basis=basis,
        situation=request.situation,
        plan=settled.plan,
        checks=settled.checks,
        identity=await host.identity(),
        tools=tuple(tool_of(*asked) for asked in sorted(settled.answers.items())),
        expander=Expander(settled.request, ask, settled.answers),
    )


def _request(
    repository: Repository, basis: Basis, options: Options, labels: frozenset[str]
) -> Request:
    """Return everything that the plan depends on, but for what the host will answer."""
    workflows = read_workflows(repository, basis, options)
    situation = _situation(repository, basis, options)
    tree = {blob.path: blob.oid for blob in repository.blobs(basis.snapshot.tree)}
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

    return Request(
        workflows=workflows,
        situation=situation,
        event=Event(
            name=options.event,
            ref=basis.ref,
            # A pull request, and a merge group, are planned as ones to the main branch.
            base_ref=basis.target.main,
            paths=repository.changed_paths(basis.snapshot, basis.base),
            message=situation.message,
            head=basis.snapshot.commit,
        ),
        config=basis.config,
        facts=Facts(
            read=lambda path: memo(text, path),
            repository=situation.repository,
            artifacts=True,
            refs=(basis.snapshot.commit, basis.ref, situation.ref_name),
            memo=memo,
            sample=True,
            changes=lambda: memo(changes),
        ),
        labels=labels,
        tree=basis.snapshot.tree,
        commit=basis.snapshot.commit,
        base=basis.base,
    )


class _Settled(NamedTuple):
    """A plan that raises no further question."""

    request: Request
    plan: Plan
    checks: Plan
    answers: dict[tuple[str, ...], Answer]


async def _settled(request: Request, ask: Ask) -> _Settled:
    """Plan, ask the host what the plan hangs on, and plan again. Raises GrindError when there is no
    end of it."""
    answers: dict[tuple[str, ...], Answer] = {}
    for _ in range(_ROUNDS):
        plan = lower(request)
        checks = check_jobs(request, request.event.paths)
        if not (request.facts.wanted or request.facts.cut):
            return _Settled(request, plan, checks, answers)
        if request.facts.wanted:
            answers |= await ask(request.facts.wanted)
        request = request._replace(facts=request.facts.again(answers))
    raise GrindError("the plan does not settle: the host's answers keep raising questions")


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
