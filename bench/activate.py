"""`grind activate` beside nixos-rebuild's own steps by hand: build, set the profile, switch.

The host is that of the tests (tests/activation): real Nix on a store of its own, real profiles, a played
switch-to-configuration, a real service. Its evaluation takes about as long as that of a small NixOS. The
window in which probes must stay green is slept through by the other side, because somebody has to look.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.activation.world import HostWorld

from bench import samples
from bench.table import Row, Skipped
from bench.timing import Stopwatch, environment, median, medians

ROUNDS = 5
THINK = 6_000_000
GREENS, INTERVAL = 3, 0.3
DEADLINE = 3.0
DEPLOY_RS_WAITS = 30.0
"""Seconds for which deploy-rs waits for a confirmation before it goes back."""


PARTS = ("good", "unchanged", "back")


def rows(parts: Sequence[str] = PARTS) -> Iterator[Row | Skipped]:
    """Measure a good change, an unchanged host, and the way back, or some of them."""
    if shutil.which("nix") is None:
        yield Skipped("activate", "a good change, an unchanged host, the way back", "no nix here")
        return
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        host = Timed(Path(scratch) / "w")
        try:
            host.first()
            if "good" in parts:
                yield host.good()
            if "unchanged" in parts:
                yield host.unchanged()
            if "back" in parts:
                yield from host.back()
        finally:
            host.world.lab.shut_down()


class Timed:
    """One host, and the two ways to bring it about."""

    def __init__(self, root: Path) -> None:
        self.world = HostWorld(root)
        self.world.greens, self.world.deadline = GREENS, f"{DEADLINE:g}s"
        self.version = 0
        self.env = environment(**self.world.world.env)

    def first(self) -> None:
        self.world.begin("0", think=THINK)

    def next(self, mode: str = "ok", *, baked: bool = True) -> None:
        """Commit the next change, so that both sides build the same clean tree. Where the revision is
        not `baked` into the system, it is a change that does not concern the host."""
        self.version += 1
        version = str(self.version) if baked else "same"
        self.world.change(version, mode, think=THINK, baked=baked)
        (self.world.world.repo / "README.md").write_text(f"version {self.version}\n")
        text = (self.world.world.repo / "grind.toml").read_text()
        text = text if baked else text.replace('revision = "commit"\n', "")
        text = text.replace('interval = "50ms"', f'interval = "{int(INTERVAL * 1000)}ms"')
        (self.world.world.repo / "grind.toml").write_text(text)
        self.world.trust()
        self.world.world.commit(f"version {self.version}")

    def activate(self, code: int = 0) -> list[dict[str, Any]]:
        done = subprocess.run(
            samples.grind("activate", "--json"),
            cwd=self.world.world.repo,
            env=self.env,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, (done.stdout[-3000:], done.stderr[-2000:])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def by_hand(self) -> float:
        self.next()
        watch = Stopwatch()
        self.world.lab.deploy()
        return watch.seconds()

    def by_grind(self) -> float:
        self.next()
        watch = Stopwatch()
        self.activate()
        return watch.seconds()

    def good(self) -> Row:
        window = (GREENS - 1) * INTERVAL
        found = medians({"grind": self.by_grind, "hand": self.by_hand}, ROUNDS)
        return Row(
            "activate",
            f"a good change, less the {window:g} s probe window",
            found["grind"] - window,
            "nix build, nix-env --set, switch",
            found["hand"],
            1.3,
        )

    def unchanged(self) -> Row:
        def built() -> float:
            self.next(baked=False)
            watch = Stopwatch()
            self.world.lab.build()
            return watch.seconds()

        def looked() -> float:
            self.next(baked=False)
            watch = Stopwatch()
            events = self.activate()
            assert events[-1]["event"]["state"] == "unchanged", events[-1]
            return watch.seconds()

        self.next(baked=False)
        self.activate()
        found = medians({"grind": looked, "nix": built}, ROUNDS)
        return Row(
            "activate",
            "a commit that leaves the host unchanged",
            found["grind"],
            "nix build alone",
            found["nix"],
            1.2,
        )

    def back(self) -> Iterator[Row]:
        ways, switches = [], []
        self.next()
        self.activate()
        for _ in range(ROUNDS):
            self.next("sick")
            events = self.activate(5)
            at = {_name(entry): entry["at"] for entry in reversed(events)}
            switches.append(at["waiting"] - at["activate.intent"])
            ways.append(at["probed back"] - at["red"])
        allowed = 2 * median(switches) + DEADLINE
        yield Row(
            "activate",
            "from the first red look to healthy again",
            median(ways),
            f"two switches and the probe's {DEADLINE:g} s",
            allowed,
            1.0,
        )
        yield Row(
            "activate",
            "from the first red look to healthy again",
            median(ways),
            "the 30 s that deploy-rs waits",
            DEPLOY_RS_WAITS,
            0.3,
        )


def _name(entry: dict[str, Any]) -> str:
    event = entry["event"]
    kind = str(event["type"])
    if kind == "activate.phase":
        return str(event["phase"])
    if kind == "activate.probed":
        return f"probed {event['after']}"
    if kind == "probe.looked" and not event["green"]:
        return "red"
    return kind
