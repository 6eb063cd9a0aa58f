"""A host to measure on: one sshd, a way to it, grind's connection over that and a user's own, both warm."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.sshd import Sshd

from bench.timing import BenchError, Stopwatch
from grind.adapters.ssh.host import SshHost
from grind.ports import Ended, LaneDone, LaneSpec, StepTask
from grind.wiring.sshhost import host_of

T = TypeVar("T")
BASH = ("bash", "-e", "{0}")
RUNS = itertools.count()


async def at_once() -> None:
    """Nothing has to arrive."""


class Bed:
    """One host that is reached at a port of this machine, grind's connection to it, and a user's own."""

    def __init__(self, folder: Path, sshd: Sshd, port: int) -> None:
        self.folder, self.sshd = folder, sshd
        self.folder.mkdir(exist_ok=True)
        self.config = os.fspath(folder / "ssh_config")
        theirs = Path(sshd.config).read_text()
        Path(self.config).write_text(
            theirs.replace(f"Port {sshd.network.port}\n", f"Port {port}\n")
        )
        self.loop = asyncio.Runner()
        self.environ = dict(os.environ)
        self.host = self.reached()
        # Beside grind's own: the master connection that a user would have configured.
        self.socket = f"/tmp/grind-bench-{os.getpid()}-{port}"
        self.ssh = ["ssh", "-F", self.config, "-o", f"ControlPath={self.socket}"]
        subprocess.run(
            [*self.ssh, "-o", "ControlMaster=yes", "-o", "ControlPersist=600", sshd.alias, "true"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.shell = subprocess.Popen(
            [*self.ssh, sshd.alias, "bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.go(self.host.open())

    def reached(self, *, fresh: bool = False) -> SshHost:
        """Return the host as grind reaches it; `fresh` over a connection of its own."""
        alias, config = self.sshd.alias, self.config
        return host_of(alias, self.environ, name="bench", slug="bench", config=config, fresh=fresh)

    def go(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def close(self) -> None:
        self.go(self.host.close())
        self.loop.close()
        self.shell.kill()
        self.shell.communicate()
        subprocess.run([*self.ssh, "-O", "exit", self.sshd.alias], capture_output=True)

    def user(self, *argv: str, into: Path | None = None, anew: bool = False) -> float:
        """Run a program through the user's own connection, or through one that is made for it."""
        ssh = ["ssh", "-F", self.config, "-o", "ControlPath=none"] if anew else self.ssh
        watch = Stopwatch()
        with open(into or os.devnull, "wb") as out:
            done = subprocess.run([*ssh, self.sshd.alias, *argv], stdout=out)
        if done.returncode:
            raise BenchError(f"ssh {argv} ended with {done.returncode}")
        return watch.seconds()

    def feed(self, line: bytes, answer: bytes) -> float:
        """Feed a line to the user's shell there, and wait for its one line of output."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        watch = Stopwatch()
        self.shell.stdin.write(line)
        self.shell.stdin.flush()
        if self.shell.stdout.readline() != answer:
            raise BenchError("the shell did not answer")
        return watch.seconds()

    def echo(self) -> float:
        """Make a round trip, and nothing else."""
        return self.feed(b"echo\n", b"\n")

    async def anew(self, *tasks: StepTask) -> float:
        """Do that over a connection that is made for it, and let go of it."""
        watch = Stopwatch()
        host = self.reached(fresh=True)
        try:
            await self.lane(*tasks, host=host)
        finally:
            await host.close()
        return watch.seconds()

    async def lane(
        self,
        *tasks: StepTask,
        repository: str = "",
        arrived: Callable[[], Awaitable[None]] = at_once,
        host: SshHost | None = None,
    ) -> float:
        """Open a lane, queue steps when what they need has arrived, follow them to the end."""
        watch = Stopwatch()
        host = host or self.host
        spec = LaneSpec(run=f"run-{next(RUNS)}", key="bench", repository=repository, name="bench")
        lane = await host.lane(spec)
        await arrived()
        await lane.begin([("PATH", host.environment["PATH"]), ("HOME", lane.paths.home)], {})
        await lane.submit(tasks, final=True)
        events = [event async for event in lane.events()]
        spent = watch.seconds()
        good = [event for event in events if isinstance(event, Ended) and event.exit_code == 0]
        if len(good) != len(tasks) or events[-1] != LaneDone("success"):
            raise BenchError(f"{len(good)} of {len(tasks)} steps went well, and then {events[-1]}")
        return spent
