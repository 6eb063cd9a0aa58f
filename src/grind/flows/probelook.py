"""One look of a probe: ask whatever it asks, from where it asks, and return what was seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from grind.core import events as e
from grind.core.health import CommandSeen, HttpSeen, NotSeen, Seen, TcpSeen, UnitSeen
from grind.core.http1 import RAW_LIMIT, BadAnswerError, HttpAnswer, read_answer, request
from grind.core.probe import Probe
from grind.core.texts import one_line
from grind.core.weburl import CONTAINER, Address, Url, parse_tcp, parse_url, redirected
from grind.ports import Clock, Completed, Host, Prober

LEAST = 1.0
"""Seconds that a look may always take: the last one may end so much after the deadline."""
_UNIT_FACTS = ("LoadState", "ActiveState", "SubState", "NRestarts", "InvocationID", "Result")
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


class Looker:
    """Looks with one probe, again and again."""

    def __init__(self, inputs: ProbeInputs, probe: Probe, host: Host) -> None:
        self._in = inputs
        self._probe = probe
        self._host = host

    async def look(self, seconds: float) -> Seen:
        """Look once. Raises UnreachableError when the host that is to ask does not answer."""
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
