"""Asks probes with the real adapters, on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from grind.adapters.localhost import LocalHost
from grind.adapters.probing.client import ClientProber
from grind.adapters.probing.onhost import HostProber
from grind.core import events as e
from grind.core.config import load
from grind.core.errors import GrindError
from grind.core.health import ProbeContext, ProbeReport, ProbeRow
from grind.core.probe import Probe
from grind.flows.probe import ProbeInputs, run_probes
from grind.ports import Clock, Host
from tests.contracts.rig import PATH, RealClock

NEVER_SERVED = "127.0.0.1:9"
"""Nothing listens on the discard port here."""


def probe(**keys: Any) -> Probe:
    """A probe as grind.toml would give it: two greens within five looks."""
    quick = {"name": "it", "deadline": 5, "interval": 1, "greens": 2, "timeout": 30}
    lines = [f"{key} = {_toml(value)}" for key, value in (quick | keys).items()]
    return load("grind.toml", "\n".join(["[[probe]]", *lines]).encode()).probe[0]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{msgspec.json.encode(k).decode()} = {_toml(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    return msgspec.json.encode(value).decode()


class SteppingClock:
    """A clock that only moves when somebody sleeps: a deadline is then a number of looks, however
    loaded the machine is."""

    def __init__(self) -> None:
        self.at = time.time()

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


class Asker:
    """A host to probe, and what the probing told."""

    def __init__(self, folder: Path, path: str = PATH, ca: str | None = None) -> None:
        self.host = LocalHost(folder / "state", {"PATH": path}, RealClock(), name="grind-1")
        self.events: list[e.Event] = []
        self.hosts: dict[str, Host] = {"local": self.host}
        self.ca = ca
        self.clock: Clock = SteppingClock()

    def ask(self, *probes: Probe, **context: Any) -> ProbeReport:
        inputs = ProbeInputs(
            host=self.host,
            client=ClientProber(self.ca),
            prober_on=HostProber,
            host_named=self._named,
            clock=self.clock,
            record=self.events.append,
        )
        return asyncio.run(run_probes(inputs, probes, ProbeContext(**context)))

    def one(self, context: Mapping[str, Any] | None = None, **keys: Any) -> ProbeRow:
        """Ask a single probe."""
        return self.ask(probe(**keys), **(context or {})).rows[0]

    def _named(self, name: str) -> Host:
        if name not in self.hosts:
            raise GrindError(f"there is no host {name!r}")
        return self.hosts[name]
