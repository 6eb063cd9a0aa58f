"""A machine that is reached through SSH (implements `grind.ports.Host`)."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from grind.adapters.identity import os_name
from grind.adapters.localhost import ASK_SECONDS, COLLECT_SECONDS, kept_name
from grind.adapters.runner import wire
from grind.adapters.runner.client import RunnerLane
from grind.adapters.ssh import passing
from grind.adapters.ssh.channel import Pulse
from grind.adapters.ssh.door import Door
from grind.adapters.ssh.following import PushedSource
from grind.adapters.ssh.lane import WRITTEN, RemoteGround, check
from grind.adapters.ssh.link import Link
from grind.adapters.ssh.session import Answer
from grind.adapters.ssh.sync import TOP, Source, send
from grind.core.errors import UnreachableError
from grind.core.lend import lend
from grind.ports import Clock, Completed, HostIdentity, LanePaths, LaneSpec, Passage

PATIENCE = 900.0
OPEN_AHEAD = 3
"""Lanes that have a channel before somebody follows them, at most."""


class Lending(NamedTuple):
    """What of the host's own environment its jobs see, beyond what every host lends."""

    env: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    fixed: Mapping[str, str] = MappingProxyType({})
    """Variables with their values."""


class Limits(NamedTuple):
    """How lanes are held on a host with systemd."""

    memory: str = ""
    """MemoryMax of systemd.resource-control(5), such as `12G` or `80%`, for all lanes together that have
    the same; empty for none."""
    root: str = ""
    """Where the host's /run and /var are looked for."""


class SshHost:
    """Runs lanes on another machine, each by a runner of its own that outlives the connection.

    Nothing is connected before it is needed. `slug` names the repository's folder in the host's state
    folder; `environ` is what git gets here, `workspace` a clone on the host that it may borrow objects
    from; `patience` is for how many seconds a connection that broke is tried again.
    """

    def __init__(
        self,
        door: Door,
        clock: Clock,
        *,
        name: str,
        slug: str,
        environ: Mapping[str, str],
        lending: Lending = Lending(),  # noqa: B008 - a constant
        limits: Limits = Limits(),  # noqa: B008 - a constant
        graces: wire.Graces = wire.Graces(),  # noqa: B008 - a constant
        outer: str = "",
        patience: float = PATIENCE,
        pulse: Pulse = Pulse(),  # noqa: B008 - a constant
        workspace: str = "",
    ) -> None:
        self._link = Link(door, slug, name, clock, patience=patience, pulse=pulse)
        self._name = name
        self._lending = lending
        self._limits = limits
        self._graces = graces
        self._outer = outer
        self._workspace = workspace
        self._environ = dict(environ)
        self._env: dict[str, str] = {}
        self._grounds: list[RemoteGround] = []
        self._opening = asyncio.Lock()

    @property
    def name(self) -> str:
        """The name the user gave it."""
        return self._name

    @property
    def environment(self) -> Mapping[str, str]:
        """What the host lends to every job. Known after `open`, or anything that needs the host."""
        if not self._env:
            raise UnreachableError(f"{self._name} has not been connected to")
        return self._env

    def listen(self, tell: Callable[[str], None]) -> None:
        """Tell `tell` when the connection is lost, and when it is back."""
        self._link.listen(tell)

    async def open(self) -> None:
        """Connect, when that has not been done. Raises UnreachableError, which says why."""
        if self._env:
            return
        async with self._opening:
            if self._env:
                return
            hello = (await self._link.session()).hello
            self._env = lend(
                dict(hello.environ) | {"PATH": hello.path},
                home=hello.environ.get("HOME", ""),
                extra=self._lending.env,
                folders=self._lending.path,
            ) | dict(self._lending.fixed)
            await self._link.lend([f"{name}={value}" for name, value in self._env.items()])

    async def identity(self) -> HostIdentity:
        """Return who this host is."""
        answer = check(await self._request("identity"), "the host does not say who it is")
        id_, release, machine, system, boot = _fields(answer.out)
        return HostIdentity(
            id=id_, os=os_name(release), architecture=machine, system=system, boot=boot
        )

    async def ask(self, queries: Mapping[str, Sequence[str]]) -> Mapping[str, Completed]:
        """Run small fact-finding commands side by side: one round trip."""
        await self.open()
        answers = await asyncio.gather(
            *(self._run(argv, b"", "/", {}, ASK_SECONDS, again=True) for argv in queries.values())
        )
        return dict(zip(queries, answers, strict=True))

    async def run(
        self,
        argv: Sequence[str],
        *,
        data: bytes = b"",
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        seconds: float = ASK_SECONDS,
    ) -> Completed:
        """Run one command to its end, with `data` as its standard input."""
        await self.open()
        return await self._run(argv, data, cwd, env or {}, seconds, again=False)

    async def _run(
        self,
        argv: Sequence[str],
        data: bytes,
        cwd: str,
        env: Mapping[str, str],
        seconds: float,
        *,
        again: bool,
    ) -> Completed:
        pairs = [f"{name}={value}" for name, value in env.items()]
        fields = (cwd, str(len(pairs)), *pairs, *argv)
        wire.join_fields(fields)  # raises for what no program can be given
        try:
            answer = await self._link.ask("run", fields, data, seconds=seconds, again=again)
        except TimeoutError:
            return Completed(124, b"", f"{argv[0]}: no answer in {seconds:g} seconds".encode())
        if answer.code == 125 and answer.err.startswith(b"the state folder of the host"):
            check(answer, f"{argv[0]} was not run")
        return Completed(*answer)

    async def keep(self, name: str, data: bytes) -> str:
        """Put a private file into the state folder, and return its path."""
        kept = kept_name(name, data)
        check(
            await self._request("keep", (kept,), data), "the host cannot keep a file", good=WRITTEN
        )
        return f"{self._state()}/bin/{kept}"

    async def passage(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str] | None = None
    ) -> Passage:
        """Return how to run a program there with this process's own input and output."""
        await self.open()
        return await passing.passage(self, self._link.door, argv, cwd, env or {})

    async def place(self, repository: str) -> str:
        """Return the path at which `receive` will have put the private repository."""
        del repository
        await self.open()
        return f"{self._state()}/{TOP}"

    async def receive(self, repository: str, modules: Callable[[], Mapping[str, str]]) -> str:
        """Bring the private repository to the host, and return its path there."""
        await self.open()
        places = {TOP: repository} | {f"{TOP}/modules/{n}": place for n, place in modules().items()}
        for place, git_dir in places.items():
            workspace = self._workspace if place == TOP else ""
            memory = Path(repository) / "hosts" / self._link.key(place)
            await send(self._link, Source(git_dir, place, workspace, memory, self._environ))
        return await self.place(repository)

    async def lane(self, spec: LaneSpec) -> RunnerLane:
        """Open the lane, or attach to it when it exists."""
        wire.check_spec(spec)
        await self.open()
        track = f"grind-{spec.run}-{secrets.token_hex(8)}"
        data = wire.spec_fields(spec, track, self._state(), self._graces, self._outer)
        fields = (spec.run, spec.key, self._outer, self._limits.memory, self._limits.root)
        folder = f"{self._state()}/runs/{spec.run}/{spec.key}"
        # Whoever opens a lane wants to hear of it: that is asked for at once.
        ahead = PushedSource(self._link, folder) if self._has_room() else None
        try:
            answer = check(await self._request("lane", fields, data), f"{spec.key} cannot be run")
        except BaseException:
            if ahead is not None:
                await ahead.close()
            raise
        resumed, begun, track, _, _, *places, _ = _fields(answer.out)
        ground = RemoteGround(self._link, folder, track, begun=begun == "1", ahead=ahead)
        self._grounds.append(ground)
        paths = LanePaths(*places)._replace(
            cache=f"{self._state()}/cache", artifacts=f"{self._state()}/runs/{spec.run}/.artifacts"
        )
        return RunnerLane(ground, paths, resumed=resumed == "1")

    def _has_room(self) -> bool:
        """Whether few lanes wait for somebody to follow them.

        sshd lets a connection have ten sessions (MaxSessions); what is more has to log in anew, which
        ssh does by itself, but nobody should have to for what may not be needed.
        """
        return sum(ground.following for ground in self._grounds) < OPEN_AHEAD

    async def abandon(self, run: str) -> None:
        """End all lanes of a run and every process they started."""
        if wire.is_run(run):
            # Whoever is interrupted now wants them gone all the more.
            answer = await asyncio.shield(self._request("abandon", (run,)))
            check(answer, "processes of the run could not be ended")

    async def collect(self, max_age: float, keep: int) -> None:
        """Remove runs and checkouts that nothing has used for `max_age` seconds."""
        await self.open()
        fields = (str(max(0, int(max_age))), str(max(0, keep)))
        answer = await self._link.ask("collect", fields, seconds=COLLECT_SECONDS)
        check(answer, "old runs could not be removed")

    async def close(self) -> None:
        """Let go of connections; lanes go on."""
        for ground in self._grounds:
            await ground.close()
        self._grounds = []
        await self._link.close()

    async def _request(self, kind: str, fields: Sequence[str] = (), data: bytes = b"") -> Answer:
        await self.open()
        return await self._link.ask(kind, fields, data)

    async def state(self) -> str:
        """Return the state folder of this repository on the host. Raises UnreachableError."""
        await self.open()
        return self._state()

    def _state(self) -> str:
        hello = self._link.hello
        assert hello is not None
        return hello.state


def _fields(data: bytes) -> list[str]:
    # The unit separator, where no field holds one: an answer with NULs has to be encoded.
    by = b"\0" if b"\0" in data else b"\x1f"
    return [os.fsdecode(field) for field in data.split(by)[:-1]]
