"""This machine as a host (implements `grind.ports.Host`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from grind.adapters.localfiles import write_new
from grind.adapters.locallane import LaneFiles, LocalGround, start_time
from grind.adapters.runner import wire
from grind.adapters.runner.client import RunnerLane
from grind.adapters.runner.program import program, program_name
from grind.core.errors import GrindError
from grind.ports import Clock, Completed, HostIdentity, LanePaths, LaneSpec

ASK_SECONDS = 20.0
COLLECT_SECONDS = 600.0
START_SECONDS = 60.0
"""How long a runner may take to make its folders (emptying the last run's can take a while)."""


def kept_name(name: str, data: bytes) -> str:
    """Return the name under which a host keeps a file: what it was called, and its content.

    Raises:
        GrindError: the name is not one of letters, digits, `.`, `_` and `-`.
    """
    import hashlib
    import re

    if re.fullmatch(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,99}", name) is None:
        raise GrindError(f"not a name for a file on a host: {name!r}")
    return f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"


class LocalHost:
    """Runs lanes on this machine, each by a runner of its own that outlives the client.

    `state` is grind's private state folder; `env` is what the machine lends to jobs, and the
    environment of small questions and of the runner's own tools (PATH); `outer` is the RUNNER_TRACKING_ID under which
    grind itself runs, so that a runner that started grind can find what grind left behind.
    """

    def __init__(
        self,
        state: Path,
        env: Mapping[str, str],
        clock: Clock,
        *,
        name: str = "local",
        graces: wire.Graces = wire.Graces(),  # noqa: B008 - a constant
        outer: str = "",
    ) -> None:
        self._state = state.absolute()
        self._env = dict(env)
        self._clock = clock
        self._name = name
        self._graces = graces
        self._outer = outer
        self._program: Path | None = None

    @property
    def name(self) -> str:
        """The name the user gave it."""
        return self._name

    @property
    def environment(self) -> Mapping[str, str]:
        """What this machine lends to its jobs."""
        return self._env

    async def identity(self) -> HostIdentity:
        """Return who this host is."""
        from grind.adapters.identity import local_identity

        return local_identity(self._state)

    async def ask(self, queries: Mapping[str, Sequence[str]]) -> Mapping[str, Completed]:
        """Run small fact-finding commands side by side."""
        answers = await asyncio.gather(*(self._ask(argv) for argv in queries.values()))
        return dict(zip(queries, answers, strict=True))

    async def _ask(self, argv: Sequence[str]) -> Completed:
        from grind.adapters.process import run

        return await run(argv, self._env, seconds=ASK_SECONDS)

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
        from grind.adapters.process import run

        whole = self._env | dict(env or {})
        return await run(argv, whole, seconds=seconds, data=data, cwd=cwd)

    async def keep(self, name: str, data: bytes) -> str:
        """Put a private file into the state folder, and return its path."""
        folder = self._state / "bin"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / kept_name(name, data)
        if not path.exists():
            write_new(path, data)
        return os.fspath(path)

    async def place(self, repository: str) -> str:
        """Return the path of the private repository: it is on this machine."""
        return repository

    async def receive(self, repository: str, modules: Callable[[], Mapping[str, str]]) -> str:
        """Return the path of the private repository: it and its modules are on this machine."""
        del modules
        return repository

    def listen(self, tell: Callable[[str], None]) -> None:
        """This machine is always heard of."""

    async def lane(self, spec: LaneSpec) -> RunnerLane:
        """Open the lane, or attach to it when it exists."""
        wire.check_spec(spec)
        folder = self._state / "runs" / spec.run / spec.key
        resumed = folder.is_dir() or not self._make(folder, spec)
        if not (folder / "env").exists():
            # What tells a lane that nobody has begun that somebody still can.
            with contextlib.suppress(OSError):
                (folder / f"here.{start_time(os.getpid())}-{os.getpid()}").touch(mode=0o600)
        files = LaneFiles(folder, self._clock)
        if files.claim() is None:
            await self._start(folder)
        paths = (await self._paths(files))._replace(
            cache=self._folder("cache"), artifacts=self._folder("runs", spec.run, ".artifacts")
        )
        return RunnerLane(LocalGround(files, self._clock, self._end), paths, resumed=resumed)

    async def abandon(self, run: str) -> None:
        """End all lanes of a run and every process they started."""
        folder = self._state / "runs" / run
        if wire.is_run(run) and folder.is_dir():
            await self._end(sorted(path for path in folder.iterdir() if path.name[0] != "."))

    async def collect(self, max_age: float, keep: int) -> None:
        """Remove runs and checkouts that nothing has used for `max_age` seconds.

        The newest `keep` runs stay, and so does whatever still runs.
        """
        from grind.adapters.process import run

        if not (self._state / "runs").is_dir():
            return
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._state / "idle", 0o600)
        argv = ("collect", os.fspath(self._state), str(max(0, int(max_age))), str(max(0, keep)))
        collected = await run((*self._bash(), *argv), self._tools(), seconds=COLLECT_SECONDS)
        if collected.exit_code:
            said = collected.err.decode("utf-8", "replace").strip()
            raise GrindError(f"old runs could not be removed: {said}")

    async def close(self) -> None:
        """Let go of connections; lanes go on."""

    def _folder(self, *parts: str) -> str:
        """Return a folder that jobs share, made when it is missing."""
        folder = self._state.joinpath(*parts)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fspath(folder)

    def _make(self, folder: Path, spec: LaneSpec) -> bool:
        """Make the folder of a lane aside and rename it in; False when another was first."""
        for parent in (self._state, self._state / "runs", folder.parent):
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = folder.parent / f".{secrets.token_hex(8)}"
        track = f"grind-{spec.run}-{secrets.token_hex(8)}"
        for part in ("", "queue", "s", "f", "events"):
            (aside / part).mkdir(mode=0o700)
        for fifo in ("wake", "life", "idle", "still", "out", "go0", "go1"):
            os.mkfifo(aside / fifo, 0o600)
        fields = wire.spec_fields(spec, track, os.fspath(self._state), self._graces, self._outer)
        # In `lost` blanks whose blocks exist, so that a reason can be written on a full disk.
        files = {"spec": fields, "records": b"", "log": b"", "runner.log": b"", "lost": b" " * 512}
        for name, data in files.items():
            write_new(aside / name, data)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            import shutil

            shutil.rmtree(aside)
            return False
        return True

    async def _start(self, folder: Path) -> None:
        """Start a runner, detached. When two are started for one lane, one of them leaves."""
        from grind.adapters.process import run

        argv = ("setsid", "-f", *self._bash(), "run", os.fspath(folder))
        env = {"RUNNER_TRACKING_ID": self._outer} if self._outer else {}
        started = await run(
            argv, env | self._tools(), seconds=ASK_SECONDS, err=folder / "runner.log"
        )
        if started.exit_code:
            said = started.err.decode("utf-8", "replace").strip()
            raise GrindError(
                f"the runner could not be started: {said}",
                remedy="bash, coreutils and setsid must be on the PATH",
            )

    async def _paths(self, files: LaneFiles) -> LanePaths:
        until = self._clock.now() + START_SECONDS
        while True:
            paths = wire.lane_paths(files.facts())
            if paths is not None:
                return paths
            reason = await files.lost()
            if reason or self._clock.now() > until:
                reason = reason or "it does not answer"
                raise GrindError(f"the runner of {files.folder.name} did not start: {reason}")
            await self._clock.sleep(0.002)

    async def _end(self, folders: Sequence[Path]) -> None:
        from grind.adapters.process import run

        argv = (*self._bash(), "kill", *map(os.fspath, folders))
        # Whoever is interrupted now wants them gone all the more.
        ended = await asyncio.shield(run(argv, self._tools(), seconds=ASK_SECONDS))
        if ended.exit_code:
            raise GrindError("processes of the run could not be ended")

    def _tools(self) -> dict[str, str]:
        return {"PATH": self._env.get("PATH", os.defpath)}

    def _bash(self) -> tuple[str, ...]:
        return ("bash", "--noprofile", "--norc", os.fspath(self._install()))

    def _install(self) -> Path:
        """Put the runner into the state folder: a lane outlives an upgrade of grind."""
        if self._program is None:
            text = program()
            folder = self._state / "bin" / "run"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._program = folder / program_name(text)
            if not self._program.exists():
                write_new(self._program, text)
        return self._program
