"""What the contract tests of hosts share: the story of a lane, and small git repositories."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from grind.ports import (
    Checkout,
    Condition,
    Ended,
    Host,
    Lane,
    LaneDone,
    LaneEvent,
    LaneLost,
    LaneSpec,
    Output,
    Passed,
    Started,
    StepTask,
)

T = TypeVar("T")
BASH = ("bash", "-e", "{0}")
PATH = "/usr/local/bin:/usr/bin:/bin"
OWN = {
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "RUNNER_TRACKING_ID",
}
"""What the runner itself sets for a step."""


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Story:
    """The events of a lane, by what tests ask of them."""

    def __init__(self) -> None:
        self.events: list[LaneEvent] = []
        self.out: defaultdict[int, bytes] = defaultdict(bytes)
        self.ended: dict[int, Ended] = {}
        self.passed: set[int] = set()
        self.started: list[int] = []

    def add(self, event: LaneEvent) -> None:
        assert not self.over, "an event after the last one"
        self.events.append(event)
        match event:
            case Started(index, _):
                self.started.append(index)
            case Output(index, offset, data):
                assert index not in self.ended, "output after the end of its step"
                assert offset == len(self.out[index]), "a byte lost or twice"
                self.out[index] += data
            case Ended(index):
                assert index in self.started
                assert index not in self.ended, "ended twice"
                self.ended[index] = event
            case Passed(index):
                self.passed.add(index)

    @property
    def over(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], LaneDone | LaneLost)

    @property
    def status(self) -> str:
        last = self.events[-1]
        return last.status if isinstance(last, LaneDone) else f"lost: {last}"

    def text(self, index: int) -> str:
        return self.out[index].decode("utf-8", "surrogateescape")

    def code(self, index: int) -> int:
        return self.ended[index].exit_code


def step(index: int, script: str, **more: Any) -> StepTask:
    return StepTask(index=index, argv=BASH, script=script, **more)


def always(index: int, script: str, **more: Any) -> StepTask:
    return step(index, script, condition=Condition.ALWAYS, **more)


def co(index: int, oid: str, **more: Any) -> StepTask:
    timeout = more.pop("timeout", None)
    return StepTask(
        index=index,
        timeout=timeout,
        checkout=Checkout(oid=oid, **{"ref": "refs/heads/main"} | more),
    )


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


async def until(true: Any, seconds: float = 30) -> None:
    """Wait for something that must come; the bound only ends a test that has failed."""
    for _ in range(int(seconds / 0.01)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


class Rig:
    """A host, and a way to play lanes on it."""

    def __init__(
        self, host: Host, folder: Path, make: Callable[[Path], Host] | None = None
    ) -> None:
        self.host = host
        self.folder = folder
        self._make = make
        self._hosts = [host]
        self._runs = 0
        self._loop = asyncio.Runner() if make is not None else None

    def close(self) -> None:
        """Let go of the host, and of the loop that its connections live in."""
        assert self._loop is not None
        with self._loop:
            for host in self._hosts:
                self._loop.run(host.close())

    def another(self) -> Host:
        """The same host, as another client sees it."""
        assert self._make is not None
        self._hosts.append(self._make(self.folder))
        return self._hosts[-1]

    def go(self, story: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(120):
                return await story

        # The connections of a host live in one loop.
        return asyncio.run(bounded()) if self._loop is None else self._loop.run(bounded())

    async def lane(
        self,
        *,
        env: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        begin: bool = True,
        files: Mapping[str, bytes] | None = None,
        **spec: Any,
    ) -> Lane:
        self._runs += 1
        facts = {"run": f"r{self._runs}", "key": "job", "repository": "", "name": "repo"} | spec
        lane = await self.host.lane(LaneSpec(**facts))
        if begin:
            given = env.items() if isinstance(env, Mapping) else env
            home = [("PATH", PATH), ("HOME", lane.paths.home), ("TMPDIR", lane.paths.temp)]
            await lane.begin([*home, *given], files or {})
        return lane

    async def follow(self, lane: Lane, story: Story | None = None) -> Story:
        story = story or Story()
        async for event in lane.events():
            story.add(event)
        return story

    async def _play(self, tasks: Sequence[StepTask], **more: Any) -> Story:
        lane = await self.lane(**more)
        await lane.submit(tasks, final=True)
        return await self.follow(lane)

    def play(self, *tasks: StepTask, **more: Any) -> Story:
        """Run the steps of one lane to its end."""
        return self.go(self._play(tasks, **more))


def git(where: Path, *argv: str, data: bytes | None = None) -> str:
    """Run git as a user with a name and no configuration."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    for who in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{who}_NAME"], env[f"GIT_{who}_EMAIL"] = "Ada", "ada@example.org"
    done = subprocess.run(["git", *argv], cwd=where, env=env, input=data, capture_output=True)
    assert done.returncode == 0, (argv, done.stderr)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def repository(where: Path, *, object_format: str = "sha1") -> Path:
    """Make a repository with four commits, two branches, a tag, a link and a program."""
    where.mkdir(parents=True)
    git(where, "init", "-q", "-b", "main", f"--object-format={object_format}")
    for number in range(4):
        (where / "text").write_text(f"{number}\n")
        (where / "folder").mkdir(exist_ok=True)
        (where / "folder" / f"file {number}").write_text(f"content {number}\n")
        if number == 1:
            (where / "link").symlink_to("folder/file 0")
            (where / "program").write_text("#!/bin/sh\necho hello\n")
            (where / "program").chmod(0o755)
            (where / ".gitignore").write_text("*.ignored\nbuild/\n")
        git(where, "add", "-A")
        git(where, "commit", "-qm", f"commit {number}")
        if number == 2:
            git(where, "tag", "-a", "v1", "-m", "first")
            git(where, "branch", "side")
    return where


def private(source: Path, where: Path) -> Path:
    """Make a private bare repository beside, which sees the objects of `source`."""
    git(source, "clone", "-q", "--bare", "--shared", str(source), str(where))
    return where
