"""Ask the probes until each is green often enough, or its deadline is over.

All effects go through ports: `Prober` for http and tcp from where grind runs, and from a host or a
container with bash alone; `Host.run` for commands and units. A look that fails is not a verdict until
the deadline: services need time to start. A host that does not answer is no verdict on the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from grind.core import events as e
from grind.core.errors import GrindError, UnreachableError
from grind.core.health import Look, ProbeContext, ProbeReport, ProbeRow, Seen, UnitSeen, judge
from grind.core.probe import Probe
from grind.core.texts import one_line
from grind.flows.probelook import LEAST, Looker
from grind.flows.probelook import ProbeInputs as ProbeInputs

SIDE_BY_SIDE = 8
"""Looks at a time: an sshd takes ten sessions of one connection."""


async def run_probes(
    inputs: ProbeInputs, probes: Sequence[Probe], context: ProbeContext, *, purpose: str = "probe"
) -> ProbeReport:
    """Ask all probes side by side; return what became of each.

    Ends at the latest with the last deadline. Without a single probe the report is not healthy.
    Raises GrindError for a host that a probe names and that cannot be had; everything else that goes
    wrong is in the report.
    """
    inputs.record(
        e.ProbesStarted(
            host=inputs.host.name, probes=tuple(probe.name for probe in probes), purpose=purpose
        )
    )
    begun = inputs.clock.now()
    turn = asyncio.Semaphore(SIDE_BY_SIDE)
    askers = [_Asker(inputs, probe, context, turn) for probe in probes]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asker.run()) for asker in askers]
    report = ProbeReport(
        host=inputs.host.name,
        rows=tuple(task.result() for task in tasks),
        seconds=inputs.clock.now() - begun,
    )
    inputs.record(
        e.ProbesEnded(
            host=report.host,
            healthy=report.healthy,
            rows=report.rows,
            seconds=report.seconds,
            purpose=purpose,
        )
    )
    return report


class _Asker:
    """One probe: its looks, one after the other."""

    def __init__(
        self, inputs: ProbeInputs, probe: Probe, context: ProbeContext, turn: asyncio.Semaphore
    ) -> None:
        self._in = inputs
        self._probe = probe
        self._context = context
        self._turn = turn
        own = probe.host is not None and probe.place != "client"
        self._host = inputs.host_named(probe.host) if own and probe.host else inputs.host
        self._see = Looker(inputs, probe, self._host)
        self._place = probe.at(inputs.host.name)
        self._looks = self._greens = 0
        self._first: Seen | None = None
        self._reached = True
        self._shown: tuple[object, ...] = ()

    async def run(self) -> ProbeRow:
        probe, clock = self._probe, self._in.clock
        begun = clock.now()
        until = begun + max(probe.deadline, self._context.deadline or 0.0)
        while True:
            async with self._turn:
                asked = clock.now()
                look = await self._look(max(LEAST, min(probe.timeout, until - asked)))
            now = clock.now()
            self._looks += 1
            self._greens = self._greens + 1 if look.green else 0
            done = self._greens >= probe.greens
            # A next look that could not come to its end would only hide what this one saw.
            over = done or look.final or now + probe.interval + (now - asked) >= until
            self._tell(look, over)
            if over:
                return self._row(look, done, now - begun, now - asked)
            await clock.sleep(probe.interval)

    async def _look(self, seconds: float) -> Look:
        try:
            seen = await self._see.look(seconds)
            self._reached = True
        except UnreachableError as error:
            self._reached = False
            return Look(False, "the host does not answer", (one_line(error.message),))
        look = judge(self._probe, seen, self._context, self._first)
        if not look.final and isinstance(seen, UnitSeen):
            self._watch_restarts(seen)
        return look

    def _watch_restarts(self, seen: UnitSeen) -> None:
        """Growth is compared with the first look at what runs now; a start by hand, or by a switch,
        is a new beginning, with the greens counted anew."""
        first = self._first if isinstance(self._first, UnitSeen) else None
        if first is None or seen.invocation != first.invocation:
            self._first = seen if seen.active == "active" else first

    def _tell(self, look: Look, over: bool) -> None:
        shown = (look.green, look.got, look.problems)
        if shown == self._shown and not over:
            return
        self._shown = shown
        self._in.record(
            e.ProbeLooked(
                probe=self._probe.name,
                place=self._place,
                green=look.green,
                got=one_line(look.got),
                problem="; ".join(map(one_line, look.problems)),
                looks=self._looks,
                greens=self._greens,
                wanted=self._probe.greens,
            )
        )

    def _row(self, look: Look, green: bool, seconds: float, latency: float) -> ProbeRow:
        problems = look.problems
        if not green and look.green:
            problems = (
                f"green only {self._greens} times in a row at its deadline of "
                f"{self._probe.deadline:g} s, not {self._probe.greens}",
            )
        return ProbeRow(
            name=self._probe.name,
            place=self._place,
            asked=one_line(self._probe.asked),
            green=green,
            got=one_line(look.got),
            problems=tuple(map(one_line, problems)),
            looks=self._looks,
            greens=self._greens,
            wanted=self._probe.greens,
            seconds=seconds,
            latency=latency,
            where=self._context.places.get(self._probe.name, ""),
            reached=self._reached,
        )


def places_of(source: bytes | None, probes: Sequence[Probe], file: str) -> dict[str, str]:
    """Return where each probe stands in its file, `grind.toml:12:1`, for what is told of it."""
    from grind.core.tomlplace import find

    if source is None:
        return {}
    places = find(source.decode())
    found = {}
    for index, probe in enumerate(probes):
        place = places.nearest(("probe", index, "name"), value=False)
        found[probe.name] = f"{file}:{place.line}:{place.column}"
    return found


def choose(
    probes: Sequence[Probe], *, role: str | None, names: Sequence[str] = ()
) -> tuple[Probe, ...]:
    """Return the probes for a role, or those with the given names.

    Raises GrindError when there is none, or none of that name: to probe nothing is not healthy.
    """
    from grind.core.suggest import suggestion

    if not probes:
        raise GrindError(
            "there is no [[probe]] in grind.toml, so nothing can be said of any host",
            remedy="docs/probes.md shows how to write one",
        )
    known = {probe.name: probe for probe in probes}
    for name in names:
        if name not in known:
            meant = suggestion(name, list(known))
            told = f"did you mean {meant!r}?" if meant else f"there are {', '.join(known)}"
            raise GrindError(f"there is no probe {name!r}", remedy=told)
    if names:
        return tuple(known[name] for name in dict.fromkeys(names))
    chosen = tuple(probe for probe in probes if probe.is_for(role))
    if not chosen:
        roles = sorted({one for probe in probes for one in probe.roles})
        of = f"of the role {role!r}" if role else "without a role"
        raise GrindError(
            f"no probe is for a host {of}", remedy=f"--role {'|'.join(roles)}, or name the probes"
        )
    return chosen
