"""Look at a host: facts in one round trip, then what the plan asks of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from grind.core.doctor import Diagnosis, HostFinding, judge_host
from grind.core.errors import GrindError, UnreachableError
from grind.core.hostfacts import parse_facts, recorded
from grind.core.receipt import Tool
from grind.ports import Clock, Host

GATHER_SECONDS = 60.0
_NO_PROGRAM = 127


class Visit(NamedTuple):
    """What an examination needs."""

    host: Host
    ssh: str
    """What ssh is told; empty for this machine."""
    clock: Clock
    script: bytes
    """The text of doctor.sh."""
    state: str
    """The host's state folder; empty for where it is by default."""
    tools: Callable[[], Awaitable[Sequence[Tool]]] | None = None
    """Plans, and returns what the plan asked the host; None where there is nothing to plan."""


async def record_facts(host: Host, script: bytes) -> dict[str, str]:
    """Return what a receipt keeps of its host; nothing where the host does not say it."""
    argv = ("bash", "--noprofile", "--norc", "-s", "--", "", "brief")
    done = await host.run(argv, data=script, seconds=GATHER_SECONDS)
    return recorded(parse_facts(done.out))


async def examine(visit: Visit) -> Diagnosis:
    """Return what the host has and lacks. One that cannot be reached is a finding, no error."""
    argv = ("bash", "--noprofile", "--norc", "-s", "--", visit.state)
    asked = visit.clock.now()
    try:
        done = await visit.host.run(argv, data=visit.script, seconds=GATHER_SECONDS)
        answered = visit.clock.now()
        tools, trouble = await _tools(visit)
    except UnreachableError as error:
        return _told(visit, (_finding("reachable", error.message, error.remedy),), reachable=False)
    if done.exit_code == _NO_PROGRAM:
        what = "there is no bash on the PATH of a command"
        remedy = "install bash for this account; a login shell of another kind does no harm"
        return _told(visit, (_finding("bash", what, remedy),))
    facts = parse_facts(done.out)
    findings = judge_host(
        facts,
        skew=_skew(facts.get("clock", ""), asked, answered),
        tools={_asked(tool.question): tool.answer.partition("\n")[0] for tool in tools},
        here=not visit.ssh,
    )
    reached = HostFinding(name="reachable", level="ok", told=_reached(visit, answered - asked))
    return _told(visit, (reached, *findings, *trouble))


def _told(visit: Visit, findings: tuple[HostFinding, ...], *, reachable: bool = True) -> Diagnosis:
    return Diagnosis(host=visit.host.name, ssh=visit.ssh, reachable=reachable, findings=findings)


def _reached(visit: Visit, seconds: float) -> str:
    where = f"through ssh {visit.ssh}" if visit.ssh else "this machine"
    return f"{where}, answered in {seconds:.1f} s"


def _asked(question: Sequence[str]) -> str:
    """Return a question as people read it: of a script, what its first line says it is for."""
    scripts = [word for word in question if "\n" in word]
    if not scripts:
        return " ".join(question)
    return scripts[0].strip().partition("\n")[0].lstrip("# ").rstrip(":")


def _finding(name: str, told: str, remedy: str) -> HostFinding:
    return HostFinding(name=name, level="missing", told=told, remedy=remedy)


async def _tools(visit: Visit) -> tuple[Sequence[Tool], tuple[HostFinding, ...]]:
    if visit.tools is None:
        return (), ()
    try:
        return await visit.tools(), ()
    except UnreachableError:
        raise
    except GrindError as error:  # a workflow that is wrong is no fault of the host's
        told = f"no plan, so its tools were not asked for: {error.message}"
        return (), (HostFinding(name="plan", level="note", told=told, remedy=error.remedy),)


def _skew(clock: str, asked: float, answered: float) -> float:
    """Return by how many seconds the host's clock is ahead for certain: it was read somewhere
    between asking and the answer."""
    try:
        there = float(clock)
    except ValueError:
        return 0.0
    return there - answered if there > answered else min(0.0, there - asked)
