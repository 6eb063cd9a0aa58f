"""The pre-push hook: is what goes to a guarded branch proven?"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple

from grind.core.errors import GrindError
from grind.core.prepush import Update
from grind.flows.basis import Basis, Options, find_basis
from grind.flows.gate import Asked
from grind.flows.policy import guarded_branches
from grind.ports import Repository


class Judged(NamedTuple):
    """What became of one ref."""

    update: Update
    ok: bool
    told: str = ""
    remedy: str = ""
    asked: Asked | None = None
    """The gate's answer, where it was asked."""
    basis: Basis | None = None


def judge_update(
    repository: Repository,
    update: Update,
    basis_of: Callable[[str], Basis],
    ask: Callable[[Options, Basis, str | None], Asked],
) -> Judged:
    """Say whether one ref may be pushed. Only guarded branches are looked at: CI's other runs are
    not what a receipt is about.

    `basis_of` finds out what the plan of a commit hangs on. Raises GrindError.
    """
    branch = update.branch
    if branch is None:
        return Judged(update, True)
    if not any(fnmatchcase(branch, glob) for glob in guarded_branches(repository)):
        return Judged(update, True)
    if update.deletes:
        return Judged(
            update,
            False,
            f"{branch} is guarded, and would be deleted: nothing can prove that",
            "git push --no-verify, if you are sure",
        )
    if not update.creates and not _stands_on(repository, update):
        return Judged(
            update,
            False,
            f"{branch} is at {update.remote[:12]}, and would be rewritten by {update.local[:12]}",
            "git fetch, then grind land --rebase; git push --no-verify, if you are sure",
        )
    basis = basis_of(update.local)
    asked = ask(Options(), basis, _upstream(repository, basis, update))
    decision = asked.decision
    return Judged(update, decision.ok, decision.reason, decision.remedy, asked, basis)


def commit_basis(
    repository: Repository, labels_of: Callable[..., frozenset[str]], commit: str
) -> Basis:
    """Find what the plan of a commit hangs on, when it lands as a whole on the main branch."""
    snapshot = repository.snapshot(commit)._replace(of_rev=False)
    return find_basis(repository, Options(), labels_of, snapshot)


def _upstream(repository: Repository, basis: Basis, update: Update) -> str | None:
    """Return where the main branch is: as the remote has just said, when it is that one."""
    if update.branch == basis.target.main and not update.creates:
        try:
            return repository.resolve(update.remote)
        except GrindError:
            return basis.target.upstream
    return basis.target.upstream


def _stands_on(repository: Repository, update: Update) -> bool:
    try:
        return repository.merge_base(update.remote, update.local) == update.remote
    except GrindError:
        return False
