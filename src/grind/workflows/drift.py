"""Compare what CI runs with what is run here, both ways. Pure.

A command of CI is *missing* when nothing here runs it, or, where the repository has a rehearsal
(`just pre-push`, a pre-push hook, …), when neither that nor a `[[check]]` does. A check of this side
is *extra* when no workflow runs it. Two commands are *different* when they are the same program
and subcommand on the same operands, called in another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec.structs import replace

from grind.core.config import Config, DriftException
from grind.core.drift import Different, Drift, Excepted, Missing, NonGating, Side, Site, Unread
from grind.core.plan import Plan, StepClass
from grind.workflows.driftsides import CiStep, LocalText, ci_steps, is_check, local_texts
from grind.workflows.drifttasks import Task
from grind.workflows.drifttext import Found, Reader
from grind.workflows.driftwords import Unit

_PROVING = (StepClass.CHECK, StepClass.BUILD, StepClass.E2E)


class _Sides(NamedTuple):
    """Where each command stands."""

    ci: Mapping[Unit, list[CiStep]]
    here: Mapping[Unit, list[tuple[LocalText, Found]]]
    rehearsed: bool
    """Whether anything here claims to be what CI does before a push."""


def compare(plan: Plan, config: Config, tasks: Iterable[Task], reader: Reader) -> Drift:
    """Return the drift between the steps of `plan` and this side.

    `plan` is CI's plan without the `[[check]]`s; `tasks` are those of the entry points; `reader`
    sees through calls of other tasks.
    """
    steps = ci_steps(plan, reader)
    texts = local_texts(config, tasks, reader)
    sides = _sides(steps, texts)
    missing = _missing(sides)
    extra = _extra(sides)
    different = _different(sides, missing, extra)
    drift = Drift(
        tree=plan.tree,
        event=plan.event,
        ref=plan.ref,
        compared=(len(sides.ci), len(sides.here)),
        rehearsals=tuple(text.site for text in texts if text.rehearsal),
        missing=tuple(missing.values()),
        extra=tuple(extra.values()),
        different=different,
        non_gating=_non_gating(steps),
        inactive=_inactive(sides),
        unread=_unread(steps, texts),
    )
    return _without_declared(drift, config.drift)


def _sides(steps: Iterable[CiStep], texts: Iterable[LocalText]) -> _Sides:
    ci: dict[Unit, list[CiStep]] = {}
    for step in steps:
        for found in step.reading.found:
            ci.setdefault(found.unit, []).append(step)
    here: dict[Unit, list[tuple[LocalText, Found]]] = {}
    rehearsed = False
    for text in texts:
        rehearsed = rehearsed or text.rehearsal
        for found in text.reading.found:
            here.setdefault(found.unit, []).append((text, found))
    return _Sides(ci, here, rehearsed)


# --- CI → here -----------------------------------------------------------------------------------


def _missing(sides: _Sides) -> dict[Unit, Missing]:
    found: dict[Unit, Missing] = {}
    for unit, steps in sides.ci.items():
        active = [step for step in steps if step.site.active]
        if not active:
            continue
        planned = any(step.planned for step in active)
        here = sides.here.get(unit, ())
        outward = all(step.leaves(unit) for step in active)
        # What only prepares the machine is no part of a rehearsal.
        proving = any(step.klass in _PROVING for step in active) and not outward
        wanted = sides.rehearsed and proving
        covered = any(text.whole for text, _ in here) if wanted else bool(here) or planned
        if covered or (outward and here):
            continue
        reason = next((step.reason for step in active if not step.planned), "")
        if planned:
            reason = "`grind check` runs it; what you run before a push does not"
        found[unit] = Missing(
            command=unit.text,
            folder=unit.folder,
            sites=_places(steps),
            reason=reason or "nothing here runs it",
            planned=planned,
            by_design=outward,
        )
    return found


def _inactive(sides: _Sides) -> tuple[Side, ...]:
    return tuple(
        Side(command=unit.text, folder=unit.folder, sites=_places(steps))
        for unit, steps in sides.ci.items()
        if not any(step.site.active for step in steps) and unit not in sides.here
    )


def _non_gating(steps: Iterable[CiStep]) -> tuple[NonGating, ...]:
    rows = [
        NonGating(site=step.site, reason=step.gating_reason or "its failure is not looked at")
        for step in steps
        if step.site.active and not step.gating and not step.klass.outward
    ]
    return tuple(dict.fromkeys(rows))


def _unread(steps: Iterable[CiStep], texts: Iterable[LocalText]) -> tuple[Unread, ...]:
    sites = [(s.site, s.reading.unread) for s in steps if s.site.active and not s.planned]
    sites += [(t.site, t.reading.unread) for t in texts]
    rows = [Unread(site=site, reason=reason) for site, reason in sites if reason]
    return tuple(dict.fromkeys(rows))


# --- here → CI -----------------------------------------------------------------------------------


def _extra(sides: _Sides) -> dict[Unit, Side]:
    return {
        unit: Side(command=unit.text, folder=unit.folder, sites=_local_places(places))
        for unit, places in sides.here.items()
        if unit not in sides.ci and any(is_check(found, text) for text, found in places)
    }


def _different(
    sides: _Sides, missing: dict[Unit, Missing], extra: dict[Unit, Side]
) -> tuple[Different, ...]:
    """Pair what is extra with what CI calls in another way; what is paired is neither any more."""
    pairs: list[Different] = []
    paired: set[Unit] = set()
    for unit in list(extra):
        like = [other for other in sides.ci if _alike(unit, other) and other not in sides.here]
        if not like:
            continue
        best = max(like, key=lambda other: len({*other.flags} & {*unit.flags}))
        ci = Side(command=best.text, folder=best.folder, sites=_places(sides.ci[best]))
        pairs.append(Different(ci=ci, here=extra.pop(unit)))
        paired.add(best)
    for unit in paired:
        missing.pop(unit, None)
    return tuple(pairs)


def _alike(one: Unit, other: Unit) -> bool:
    """The same program and subcommand in the same folder, on operands that do not contradict."""
    if (one.folder, one.head) != (other.folder, other.head):
        return False
    ours, theirs = {*one.operands}, {*other.operands}
    return ours <= theirs or theirs <= ours


# --- what is declared ----------------------------------------------------------------------------


def _without_declared(drift: Drift, declared: tuple[DriftException, ...]) -> Drift:
    excepted: list[Excepted] = []
    used: set[str] = set()

    def is_declared(kind: str, *commands: str) -> bool:
        for rule in declared:
            hit = next((c for c in commands if _matches(c, rule.command)), None)
            if hit is not None:
                used.add(rule.command)
                excepted.append(Excepted(kind=kind, command=hit, reason=rule.reason))
                return True
        return False

    missing = tuple(m for m in drift.missing if not is_declared("missing", m.command))
    extra = tuple(e for e in drift.extra if not is_declared("extra", e.command))
    different = tuple(
        d for d in drift.different if not is_declared("different", d.here.command, d.ci.command)
    )
    return replace(
        drift,
        missing=missing,
        extra=extra,
        different=different,
        excepted=tuple(excepted),
        unused=tuple(rule.command for rule in declared if rule.command not in used),
    )


def _matches(command: str, pattern: str) -> bool:
    return command == pattern or fnmatchcase(command, pattern)


def _places(steps: Iterable[CiStep]) -> tuple[Site, ...]:
    return tuple(dict.fromkeys(step.site for step in steps))


def _local_places(places: Iterable[tuple[LocalText, Found]]) -> tuple[Site, ...]:
    return tuple(
        dict.fromkeys(
            replace(text.site, line=found.line + 1 if text.site.line else 0, note=found.note)
            for text, found in places
        )
    )
