"""Ask the probes until each is green often enough, or its deadline is over.

All effects go through ports: `Prober` for http and tcp from where grind runs, and from a host or a
container with bash alone; `Host.run` for commands and units. A look that fails is not a verdict until
the deadline: services need time to start. A host that does not answer is no verdict on the service.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from grind.core import events as e
from grind.core.errors import GrindError, UnreachableError
from grind.core.health import (
    CommandSeen,
    HttpSeen,
    Look,
    NotSeen,
    ProbeContext,
    ProbeReport,
    ProbeRow,
    Seen,
    TcpSeen,
    UnitSeen,
    judge,
)
from grind.core.http1 import RAW_LIMIT, BadAnswerError, HttpAnswer, read_answer, request
from grind.core.probe import Probe
from grind.core.texts import one_line
from grind.core.weburl import CONTAINER, Address, Url, parse_tcp, parse_url, redirected
from grind.ports import Clock, Completed, Host, Prober

SIDE_BY_SIDE = 8
"""Looks at a time: an sshd takes ten sessions of one connection."""
_UNIT_FACTS = ("LoadState", "ActiveState", "SubState", "NRestarts", "InvocationID", "Result")
LEAST = 1.0
"""Seconds that a look may always take: the last one may end so much after the deadline."""
_WITHOUT_RESTARTS = frozenset(
    {"socket", "target", "mount", "automount", "swap", "timer", "path", "slice", "scope", "device"}
)
"""Kinds of unit that systemd keeps no NRestarts of (org.freedesktop.systemd1(5))."""
_RUN_IN_CONTAINER = ("nixos-container", "run")
_REDIRECTS = (301, 302, 303, 307, 308)


class ProbeInputs(NamedTuple):
    """What probing depends on."""

    host: Host
    """The host that is probed."""
    client: Prober
    """Asks from where grind runs."""
    prober_on: Callable[[Host, Sequence[str]], Prober]
    """Asks from a host; the words are put before a command to run it in a container there."""
    host_named: Callable[[str], Host]
    """Another host by its name; `local` is this machine. Raises GrindError."""
    clock: Clock
    record: Callable[[e.Event], None]
    """Journal first, then the face."""


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
            seen = await self._see(seconds)
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

    # --- one look ------------------------------------------------------------------------------

    async def _see(self, seconds: float) -> Seen:
        probe = self._probe
        if probe.http is not None:
            return await self._http(probe.http, seconds)
        if probe.tcp is not None:
            return await self._tcp(probe.tcp, seconds)
        if probe.command:
            return await self._command(seconds)
        return await self._unit(seconds)

    @property
    def _inside(self) -> tuple[str, ...]:
        """What runs a command where the probe is asked from."""
        if self._probe.place == "container" and self._probe.container is not None:
            return (*_RUN_IN_CONTAINER, self._probe.container, "--")
        return ()

    @property
    def _prober(self) -> Prober:
        if self._probe.place == "client":
            return self._in.client
        return self._in.prober_on(self._host, self._inside)

    async def _http(self, text: str, seconds: float) -> Seen:
        url = parse_url(text)
        resolved = await self._resolved(url.address, seconds)
        if isinstance(resolved, NotSeen):
            return resolved
        url = first = url._replace(address=resolved)
        until = self._in.clock.now() + seconds
        for hop in range(self._probe.redirects + 1):
            left = max(LEAST, until - self._in.clock.now())
            got = await self._get(url, first, left)
            if isinstance(got, NotSeen):
                return got
            answer, at = got
            location = answer.header("location")
            ours = answer.status in _REDIRECTS and answer.status != self._probe.status
            if not ours or location is None or hop == self._probe.redirects:
                return HttpSeen(answer, at, "" if url == first else str(url))
            try:
                url = redirected(url, location)
            except ValueError as error:
                return NotSeen(f"redirected to {one_line(location)[:80]!r}, which {error}")
        raise AssertionError("the last hop returns")

    async def _get(
        self, url: Url, first: Url, seconds: float
    ) -> tuple[HttpAnswer, float] | NotSeen:
        prober = self._prober
        if url.scheme == "https" and not prober.speaks_tls:
            return NotSeen(f"redirected to {url}, and a bare host has nothing that speaks TLS")
        same = (url.scheme, url.address) == (first.scheme, first.address)
        back = await prober.exchange(
            url.address,
            request(url, self._probe.send if same else {}),
            tls=url.scheme == "https",
            limit=RAW_LIMIT,
            seconds=seconds,
        )
        try:
            answer = read_answer(back.raw, ended=back.ended)
        except BadAnswerError as error:
            return NotSeen(back.problem if back.problem and not back.raw else f"the answer {error}")
        if answer is None:
            return NotSeen(back.problem or "the answer is bigger than anything that is read")
        return answer, back.at

    async def _tcp(self, text: str, seconds: float) -> Seen:
        address = await self._resolved(parse_tcp(text), seconds)
        if isinstance(address, NotSeen):
            return address
        problem = await self._prober.connect(address, seconds=seconds)
        return NotSeen(problem) if problem else TcpSeen()

    async def _resolved(self, address: Address, seconds: float) -> Address | NotSeen:
        """Put the container's address in its place."""
        if address.host != CONTAINER:
            return address
        name = str(self._probe.container)
        done = await self._host.run(("nixos-container", "show-ip", name), seconds=seconds)
        if done.exit_code:
            return _not_run(done, "nixos-container show-ip")
        found = done.out.decode("ascii", "replace").strip().partition("/")[0]
        if not re.fullmatch(r"[0-9.]{7,15}|[0-9a-fA-F:.]{2,45}", found):
            return NotSeen(f"the container {name} has no address: {one_line(found)[:60]!r}")
        return address._replace(host=found)

    async def _command(self, seconds: float) -> Seen:
        client = self._probe.place == "client"
        host = self._in.host_named("local") if client else self._host
        done = await host.run((*self._inside, *self._probe.command), seconds=seconds)
        if done.exit_code == 124 and not done.out:
            return NotSeen(f"no end in {seconds:g} s")
        return CommandSeen(done.exit_code, done.out, done.err, self._in.clock.now())

    async def _unit(self, seconds: float) -> Seen:
        facts = f"--property={','.join(_UNIT_FACTS)}"
        argv = ("systemctl", "show", facts, "--", str(self._probe.unit))
        done = await self._host.run((*self._inside, *argv), seconds=seconds)
        if done.exit_code:
            return _not_run(done, "systemctl show")
        kind = str(self._probe.unit).rpartition(".")[2]
        return _read_unit(done.out, counts=kind not in _WITHOUT_RESTARTS)


def _not_run(done: Completed, what: str) -> NotSeen:
    said = one_line((done.err or done.out).decode("utf-8", "replace").strip()[:200])
    return NotSeen(f"{what} failed (exit code {done.exit_code}): {said}", done.exit_code == 127)


def _read_unit(out: bytes, *, counts: bool) -> Seen:
    lines = out.decode("utf-8", "replace").splitlines()
    facts = dict(line.partition("=")[::2] for line in lines)
    missing = [fact for fact in _UNIT_FACTS[:3] if not facts.get(fact)]
    restarts = facts.get("NRestarts", "")
    if not counts or facts.get("LoadState") == "not-found":
        restarts = restarts or "0"
    if missing or not restarts.isdecimal():
        names = ", ".join([*missing, *(() if restarts.isdecimal() else ("NRestarts",))])
        return NotSeen(f"systemctl show does not tell {names}")
    return UnitSeen(
        load=facts["LoadState"],
        active=facts["ActiveState"],
        sub=facts["SubState"],
        restarts=int(restarts),
        invocation=facts.get("InvocationID", ""),
        result=facts.get("Result", ""),
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
