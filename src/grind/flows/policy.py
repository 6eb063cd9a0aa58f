"""What the gate goes by: the rules as the remote's main branch has them, and whether the change that
is being judged weakens them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from grind.core.config import FILE as CONFIG_FILE
from grind.core.config import Config, load
from grind.core.errors import GrindError, UnreachableError
from grind.core.policy import Policy
from grind.core.weakening import Weakening, is_rule, weakened_config, weakened_plan
from grind.flows.basis import WORKFLOWS, Basis, Options
from grind.ports import Repository

if TYPE_CHECKING:
    from grind.flows.prepare import Prepared


class Preparing(Protocol):
    """Makes the plan for a basis, on the host that a configuration chooses: the same one for the
    change and for the rules that it is held to, and none but the user's own."""

    async def __call__(self, options: Options, basis: Basis, hosts: Config, /) -> Prepared:
        """Raises ProblemsError, UnreachableError."""


class Rules(NamedTuple):
    """The policy, and the configuration it is part of."""

    policy: Policy
    config: Config


def find_rules(repository: Repository, basis: Basis, upstream: str | None) -> Rules:
    """Read the rules on the remote's main branch, which is at `upstream`.

    For the first push of all (None) there are no other rules than the change's own. Raises nothing
    for a main branch that cannot be read: `Policy.problem` says so, and the gate does not open.
    """
    if upstream is None:
        tree, config, problem = basis.snapshot.tree, basis.config, ""
    else:
        tree = upstream
        config, problem = _config(repository, upstream, basis)
    path = config.gate.signers
    signers = _file(repository, tree, path) if path is not None else None
    if path is not None and signers is None:
        signers = b""  # nobody is trusted, rather than everybody
    policy = Policy(
        base=upstream,
        max_age=config.receipt.max_age,
        signers_path=path or "",
        signers=signers,
        foreign_hosts=config.gate.foreign_hosts,
        branches=config.gate.branches,
        problem=problem,
    )
    return Rules(policy, config)


def guarded_branches(repository: Repository) -> tuple[str, ...]:
    """Return the globs of the branches that are guarded, whatever the pushed commit says: by
    default the main branch."""
    remote = repository.remote()
    main = repository.main_branch(None, remote)
    tip = repository.tip(remote, main) if remote is not None else None
    source = _file(repository, tip, CONFIG_FILE) if tip is not None else None
    try:
        config = load(CONFIG_FILE, source) if source is not None else Config()
    except GrindError:
        return ("*",)  # which ones cannot be told: all
    return config.gate.branches or (config.main or main,)


def _config(repository: Repository, commit: str, basis: Basis) -> tuple[Config, str]:
    source = _file(repository, commit, CONFIG_FILE)
    if source is None:
        return Config(), ""
    if source == basis.config_blob:
        return basis.config, ""
    try:
        return load(CONFIG_FILE, source), ""
    except GrindError as error:
        return Config(), error.message


def _file(repository: Repository, tree: str, path: str) -> bytes | None:
    found = [blob for blob in repository.blobs(tree, (path,)) if blob.path == path]
    return repository.read([found[0].oid])[found[0].oid] if found else None


async def find_weakenings(
    repository: Repository,
    prepare: Preparing,
    options: Options,
    basis: Basis,
    rules: Rules,
    prepared: Prepared | None = None,
) -> tuple[Weakening, ...]:
    """Compare the plan by the main branch's rules with the change's own, for the same files.

    Cheap when the change touches no rule. `prepared` is the change's own plan, if it is known.
    """
    upstream = rules.policy.base
    if upstream is None:
        return ()
    signers = {rules.policy.signers_path, basis.config.gate.signers or ""} - {""}
    touched = touched_rules(repository, basis, upstream, signers)
    if not touched:
        return ()
    found = list(_unreadable(rules) or weakened_config(rules.config, basis.config))
    found += [
        Weakening(path, "the signers that are trusted", "other ones")
        for path in sorted(signers & set(touched))
        if path == rules.policy.signers_path
    ]
    try:
        found += await _plans(repository, prepare, options, basis, rules, touched, prepared)
    except UnreachableError:
        raise  # a host that is away says nothing of the rules
    except GrindError as error:
        # what runs by the old rules cannot be told, so a person must say that the new ones are good
        found.append(Weakening("the main branch's rules", "not understood", error.message))
    return tuple(found)


def touched_rules(
    repository: Repository, basis: Basis, upstream: str, signers: set[str]
) -> tuple[str, ...]:
    """Return the files with rules in them that the change adds, changes or removes."""
    against = basis.snapshot._replace(parent=upstream, of_rev=True)
    changed = repository.changed_paths(against, None) or ()
    return tuple(path for path in changed if is_rule(path, CONFIG_FILE, signers))


def _unreadable(rules: Rules) -> list[Weakening]:
    if not rules.policy.problem:
        return []
    return [Weakening(CONFIG_FILE, f"cannot be read: {rules.policy.problem}", "another one")]


async def _plans(
    repository: Repository,
    prepare: Preparing,
    options: Options,
    basis: Basis,
    rules: Rules,
    touched: tuple[str, ...],
    prepared: Prepared | None,
) -> tuple[Weakening, ...]:
    upstream = rules.policy.base or ""
    own = prepared or await prepare(options, basis, basis.config)
    tree = repository.overlay(basis.snapshot.tree, upstream, touched)
    before = basis._replace(
        snapshot=basis.snapshot._replace(tree=tree), config=rules.config, config_blob=None
    )
    if not rules.config.check and not repository.blobs(upstream, (WORKFLOWS,)):
        return ()  # nothing had to be proven before
    theirs = await prepare(options, before, basis.config)
    return weakened_plan(theirs.whole, own.whole)
