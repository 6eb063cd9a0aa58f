"""Does a change weaken the rules that it is judged by? Base and candidate side by side. Pure.

Both are plans of the same snapshot: one by the rules of the remote's main branch, one by the
change's own. What is added is fine. What is gone, runs no longer, cannot fail any more or runs
something else is named: only a person can say whether that is meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from msgspec import Struct

from grind.core.config import Config
from grind.core.plan import JobPlan, Plan, StepClass, StepPlan, Verdict
from grind.core.texts import one_line

_RULE_FOLDER = ".github/"
_ACTIONS = ("action.yml", "action.yaml")
_STRENGTH = {Verdict.EXECUTED: 3, Verdict.OVERRIDDEN: 2, Verdict.SATISFIED: 2}


class Weakening(Struct, frozen=True):
    """One rule of the base that the change no longer holds itself to."""

    where: str
    base: str
    """What the main branch says."""
    now: str
    """What the change makes of it."""

    @property
    def line(self) -> str:
        """Return it on one line."""
        return f"{self.where}: {self.base} → {self.now}"


def digest_of(weakenings: Iterable[Weakening]) -> str:
    """Return SHA-256 over exactly these weakenings: what an acceptance is for."""
    digest = hashlib.sha256()
    for one in weakenings:
        for part in (one.where, one.base, one.now):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(f"{len(data)}:".encode())
            digest.update(data)
    return digest.hexdigest()


def is_rule(path: str, config_file: str, signers: Iterable[str] = ()) -> bool:
    """Whether a file of the repository says what must be proven: workflows, actions, grind.toml,
    and the list of signers."""
    return (
        path == config_file
        or path.startswith(_RULE_FOLDER)
        or path.rpartition("/")[2] in _ACTIONS
        or path in signers
    )


def weakened_plan(base: Plan, now: Plan) -> tuple[Weakening, ...]:
    """Compare what must run by the rules of the base with what will run."""
    jobs = {job.key: job for job in now.jobs}
    return tuple(one for job in base.jobs for one in _job(job, jobs.get(job.key)))


def _job(old: JobPlan, new: JobPlan | None) -> Iterator[Weakening]:
    steps = [step for step in old.steps if _counts(step)]
    if not steps or old.klass.outward or not old.gating:
        return
    where = old.key
    if new is None:
        yield Weakening(where, f"a job with {len(steps)} gating steps", "gone")
    elif old.active and not new.active:
        yield Weakening(where, "runs for this push", f"does not: {_words(new.reason)}")
    elif not new.gating:
        yield Weakening(where, "can fail", f"cannot: {_words(new.gating_reason)}")
    elif not old.active:
        return
    elif new.left and not old.left:
        yield Weakening(where, "must be proven", _words(new.reason))
    else:
        if old.if_ != new.if_:
            yield Weakening(
                f"{where}, if", _words(old.if_ or "always"), _words(new.if_ or "always")
            )
        if old.continue_on_error != new.continue_on_error:
            said = (str(old.continue_on_error), str(new.continue_on_error))
            yield Weakening(f"{where}, continue-on-error", *map(_words, said))
        if (old.env, old.workflow_env) != (new.env, new.workflow_env):
            yield Weakening(f"{where}, env", _environment(old), _environment(new))
        for step in steps:
            yield from _step(where, step, new)


def _counts(step: StepPlan) -> bool:
    klass = step.klass in (StepClass.CHECK, StepClass.BUILD, StepClass.E2E)
    return step.gating and (klass or step.executes) and not step.held


def _step(job: str, old: StepPlan, new: JobPlan) -> Iterator[Weakening]:
    where = f"{job}: {one_line(old.name) or old.index}"
    same = [step for step in new.steps if _acts(step) == _acts(old)]
    if same:
        best = max(same, key=lambda step: (step.gating, _STRENGTH.get(step.verdict, 0)))
        if not best.gating or best.held:
            yield Weakening(where, "can fail", f"cannot: {_words(best.gating_reason)}")
        elif _STRENGTH.get(best.verdict, 0) < _STRENGTH.get(old.verdict, 0):
            yield Weakening(where, str(old.verdict), f"{best.verdict}: {_words(best.reason)}")
        return
    named = [step for step in new.steps if _is_same_step(old, step)]
    if named:
        yield Weakening(where, _does(old), _does(named[0]))
    else:
        yield Weakening(where, _does(old), "gone")


def _is_same_step(old: StepPlan, new: StepPlan) -> bool:
    if old.id or new.id:
        return old.id == new.id
    return bool(old.source.name) and old.source.name == new.source.name


def _acts(step: StepPlan) -> tuple[object, ...]:
    """What a step does, whatever it is called and wherever it stands. An action counts without its
    version, which only says how it does it."""
    recipe = (step.recipe.script, step.recipe.env) if step.recipe and step.executes else ()
    return (
        step.run,
        (step.uses or "").partition("@")[0],
        step.source.with_ if step.uses and not step.executes else {},
        step.shell,
        step.working_directory,
        step.env,
        step.source.if_,
        recipe,
    )


def _does(step: StepPlan) -> str:
    what = one_line(step.run or step.uses or step.name)[:200]
    more = [f"if {one_line(step.source.if_)[:80]}"] if step.source.if_ else []
    if not step.gating:
        more.append("cannot fail")
    if step.verdict is not Verdict.EXECUTED:
        more.append(str(step.verdict))
    return f"{what} ({', '.join(more)})" if more else what


def _environment(job: JobPlan) -> str:
    env = job.workflow_env | job.env
    return one_line(", ".join(f"{k}={v}" for k, v in sorted(env.items())))[:200] or "none"


def _words(text: str) -> str:
    return one_line(text)[:200] or "nothing said"


def weakened_config(base: Config, now: Config) -> tuple[Weakening, ...]:
    """Compare the policies of two grind.toml."""
    return (*_settings(base, now), *_minimum(base, now), *_live(base, now))


def _settings(base: Config, now: Config) -> Iterator[Weakening]:
    old, new = base.gate, now.gate
    if old.signers is not None and old.signers != new.signers:
        yield Weakening("gate.signers", old.signers, new.signers or "no signature is asked for")
    if new.foreign_hosts and not old.foreign_hosts:
        yield Weakening("gate.foreign_hosts", "false", "true")
    gone = sorted(set(old.branches) - set(new.branches))
    if gone:
        yield Weakening("gate.branches", ", ".join(gone), "not guarded")
    if now.receipt.max_age > base.receipt.max_age:
        days = [f"{config.receipt.max_age / 86400:g} days" for config in (base, now)]
        yield Weakening("receipt.max_age", *days)
    if base.land.conventional and not now.land.conventional:
        yield Weakening("land.conventional", "true", "false")
    order = ("off", "warn", "error")
    if order.index(now.land.atomic) < order.index(base.land.atomic):
        yield Weakening("land.atomic", base.land.atomic, now.land.atomic)
    if base.land.status == "required" != now.land.status:
        yield Weakening("land.status", base.land.status, now.land.status)
    if now.watch.allow_none and not base.watch.allow_none:
        yield Weakening("watch.allow_none", "false", "true")


def _minimum(base: Config, now: Config) -> Iterator[Weakening]:
    """`min_tests` is no part of a plan."""
    checks = {check.name: check for check in now.check}
    for check in base.check:
        new = checks.get(check.name)
        if new is None or check.min_tests is None:  # one that is gone is missing in the plan
            continue
        if (new.min_tests or 0) < check.min_tests:
            yield Weakening(
                f"check {check.name}, min_tests", str(check.min_tests), str(new.min_tests or 0)
            )


def _live(base: Config, now: Config) -> Iterator[Weakening]:
    """What is looked at on hosts, and what they lend to the steps."""
    probes = {probe.name: probe for probe in now.probe}
    for probe in base.probe:
        new = probes.get(probe.name)
        if new != probe:
            yield Weakening(f"probe {probe.name}", "as it was", "another one" if new else "gone")
    if base.activate is not None and now.activate is None:
        yield Weakening("activate", "the system is activated and probed", "nothing is")
    if base.host != now.host:
        yield Weakening("host", str(base.host), str(now.host))
    for name, host in now.hosts.items():
        old = base.hosts.get(name)
        before = old.set if old is not None else {}
        if before != host.set:
            told = (", ".join(f"{k}={v}" for k, v in sorted(s.items())) for s in (before, host.set))
            yield Weakening(f"hosts.{name}.set", *(_words(one) for one in told))
