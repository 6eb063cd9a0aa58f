"""The SSH host beside what users would type: one ssh with a script, a fed shell, cat, rsync, git push.

All over one sshd on loopback, through warm master connections on both sides; once as it is, and once with
20 ms put into each direction by the tests' own proxy.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.sshd import Sshd, sshd_program

from bench.table import Row, Skipped
from bench.timing import BenchError, Stopwatch, medians
from grind.adapters.git.repository import GitRepository
from grind.adapters.ssh.host import SshHost
from grind.ports import Checkout, Ended, LaneDone, LaneSpec, Output, StepTask
from grind.wiring.sshhost import host_of

T = TypeVar("T")
DELAY = 0.02
STEPS = 100
BIG = 200_000_000
BASH = ("bash", "-e", "{0}")
MEMORY_MB = 60
_RUNS = itertools.count()


class Bed:
    """One host, grind's connection to it, and a user's own."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        self.folder, self.sshd = folder, sshd
        self.loop = asyncio.Runner()
        self.environ = dict(os.environ)
        self.host: SshHost = host_of(
            sshd.alias, self.environ, name="bench", slug="bench", config=sshd.config
        )
        # Beside grind's own: the master connection that a user would have configured.
        self.socket = f"/tmp/grind-bench-{os.getpid()}"
        self.ssh = ["ssh", "-F", sshd.config, "-o", f"ControlPath={self.socket}"]
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

    def go(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def close(self) -> None:
        self.go(self.host.close())
        self.loop.close()
        self.shell.kill()
        self.shell.communicate()
        subprocess.run([*self.ssh, "-O", "exit", self.sshd.alias], capture_output=True)

    def user(self, *argv: str, into: Path | None = None) -> float:
        """Run a program through the user's own connection."""
        watch = Stopwatch()
        with open(into or os.devnull, "wb") as out:
            done = subprocess.run([*self.ssh, self.sshd.alias, *argv], stdout=out)
        if done.returncode:
            raise BenchError(f"ssh {argv} ended with {done.returncode}")
        return watch.seconds()

    async def lane(self, *tasks: StepTask, repository: str = "") -> float:
        """Open a lane, queue steps, follow them to the end."""
        watch = Stopwatch()
        spec = LaneSpec(run=f"run-{next(_RUNS)}", key="bench", repository=repository, name="bench")
        lane = await self.host.lane(spec)
        await lane.begin([("PATH", self.host.environment["PATH"]), ("HOME", lane.paths.home)], {})
        await lane.submit(tasks, final=True)
        events = [event async for event in lane.events()]
        spent = watch.seconds()
        good = [event for event in events if isinstance(event, Ended) and event.exit_code == 0]
        if len(good) != len(tasks) or events[-1] != LaneDone("success"):
            raise BenchError(f"{len(good)} of {len(tasks)} steps went well, and then {events[-1]}")
        return spent


def steps(bed: Bed, rounds: int) -> dict[str, float]:
    """100 small steps, made durable and followed, beside one ssh that runs them all."""
    script = "echo step $((6 * 7))\n"
    scripts = bed.folder / "steps"
    scripts.mkdir(exist_ok=True)
    files = [scripts / f"{n}.sh" for n in range(STEPS)]
    for file in files:
        file.write_text(script)
    together = bed.folder / "all.sh"
    together.write_text("".join(f"bash -e {file}\n" for file in files))
    tasks = [StepTask(index=n, argv=BASH, script=script) for n in range(STEPS)]
    return medians(
        {
            "grind": lambda: bed.go(bed.lane(*tasks)),
            "ssh": lambda: bed.user("bash", os.fspath(together)),
        },
        rounds,
    )


def loop_of_ssh(bed: Bed) -> float:
    """Ten steps by a loop of ssh through the master, times ten."""
    file = bed.folder / "steps" / "0.sh"
    return 10 * sum(bed.user("bash", "-e", os.fspath(file)) for _ in range(STEPS // 10))


def fabric(bed: Bed) -> float | None:
    """Ten steps through fabric, times ten; None where it is not installed."""
    try:
        from fabric import Config, Connection  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    found = Config(runtime_ssh_path=bed.sshd.config)
    with Connection(bed.sshd.alias, config=found) as connection:
        connection.client.load_host_keys(os.fspath(bed.sshd.folder / "known_hosts"))
        connection.open()
        watch = Stopwatch()
        for _ in range(STEPS // 10):
            connection.run(f"bash -e {bed.folder}/steps/0.sh", hide=True)
        return 10 * watch.seconds()


def command(bed: Bed, rounds: int) -> dict[str, float]:
    """One small program, beside the same program named to a shell that runs there already."""
    assert bed.shell.stdin is not None
    assert bed.shell.stdout is not None

    def fed() -> float:
        watch = Stopwatch()
        bed.shell.stdin.write(b"uname\n")  # type: ignore[union-attr]
        bed.shell.stdin.flush()  # type: ignore[union-attr]
        if bed.shell.stdout.readline() != b"Linux\n":  # type: ignore[union-attr]
            raise BenchError("the shell did not answer")
        return watch.seconds()

    def asked() -> float:
        watch = Stopwatch()
        if bed.go(bed.host.run(("uname",))).out != b"Linux\n":
            raise BenchError("the host did not answer")
        return watch.seconds()

    return medians({"grind": asked, "fed": fed}, rounds, warm=5)


FOLLOW = """
import asyncio, os, resource, sys
from bench.timing import Stopwatch
from grind.ports import LaneDone, LaneSpec, Output, StepTask
from grind.wiring.sshhost import host_of

async def main(config, alias, run, source, target):
    host = host_of(alias, os.environ, name="bench", slug="bench", config=config)
    lane = await host.lane(LaneSpec(run=run, key="big", repository="", name="bench"))
    await lane.begin([("PATH", host.environment["PATH"])], {})
    with open(target, "wb", buffering=0) as file:
        watch = Stopwatch()
        await lane.submit([StepTask(index=0, argv=("cat", source))], final=True)
        async for event in lane.events():
            if isinstance(event, Output):
                file.write(event.data)
        spent = watch.seconds()
    assert event == LaneDone("success"), event
    await host.close()
    print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

asyncio.run(main(*sys.argv[1:]))
"""


def output(bed: Bed, rounds: int) -> tuple[dict[str, float], float]:
    """200 MB of one step's output into a file here, and the memory it took in MB."""
    source, here = bed.folder / "big", bed.folder / "here"
    with source.open("wb") as file:
        for _ in range(BIG // 1_000_000):
            file.write(os.urandom(500).hex().encode() * 1000)
    peaks: list[float] = []

    def followed() -> float:
        argv = [sys.executable, "-c", FOLLOW, bed.sshd.config, bed.sshd.alias]
        argv += [f"run-{next(_RUNS)}", os.fspath(source), os.fspath(here)]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode or here.stat().st_size != source.stat().st_size:
            raise BenchError(f"not all of it came: {done.stderr}")
        spent, peak = map(float, done.stdout.split())
        peaks.append(peak / 1024)
        return spent

    times = medians(
        {"grind": followed, "cat": lambda: bed.user("cat", os.fspath(source), into=here)}, rounds
    )
    if max(peaks) >= MEMORY_MB:
        raise BenchError(f"the client took {max(peaks):.0f} MB of memory")
    return times, max(peaks)


def big_repository(folder: Path) -> Path:
    """5,000 files, 50 MB."""
    where = folder / "repository"
    where.mkdir()
    for number in range(5000):
        path = where / f"d{number % 50}" / f"e{number % 7}" / f"file-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(5000).hex().encode())
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for argv in (["init", "-qb", "main"], ["add", "-A"], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", *argv], cwd=where, check=True)
    return where


def sync(bed: Bed, rounds: int) -> dict[str, float]:
    """One changed file: all of it, the transfer alone, and rsync."""
    where = big_repository(bed.folder)
    count = itertools.count()

    def change() -> None:
        (where / "d1" / "e1" / "file-1").write_text(f"changed {next(count)}\n" * 50)

    def whole() -> float:
        change()
        watch = Stopwatch()
        repository = GitRepository(os.fspath(where), bed.environ)
        snapshot = repository.snapshot()
        private = repository.prepare(snapshot, None, "main")
        there = bed.go(bed.host.receive(private, dict))
        task = StepTask(index=0, checkout=Checkout(oid=snapshot.commit, ref="refs/heads/main"))
        bed.go(bed.lane(task, repository=there))
        return watch.seconds()

    def transfer() -> float:
        change()
        repository = GitRepository(os.fspath(where), bed.environ)
        private = repository.prepare(repository.snapshot(), None, "main")
        watch = Stopwatch()
        bed.go(bed.host.receive(private, dict))
        return watch.seconds()

    def rsync() -> float:
        change()
        argv = ["rsync", "-a", "--delete", "-e", " ".join(bed.ssh), f"{where}/"]
        watch = Stopwatch()
        subprocess.run([*argv, f"{bed.sshd.alias}:{bed.folder}/rsynced/"], check=True)
        return watch.seconds()

    return medians({"grind": whole, "transfer": transfer, "rsync": rsync}, rounds, warm=2)


def first_sync(bed: Bed, rounds: int) -> dict[str, float]:
    """All of a repository, to a host that has nothing of it."""
    where = bed.folder / "repository"
    repository = GitRepository(os.fspath(where), bed.environ)
    private = repository.prepare(repository.snapshot("HEAD"), None, "main")
    there = bed.sshd.state / "bench" / "repo"
    pushed = bed.folder / "pushed.git"

    def received() -> float:
        shutil.rmtree(there, ignore_errors=True)
        watch = Stopwatch()
        bed.go(bed.host.receive(private, dict))
        return watch.seconds()

    def push() -> float:
        shutil.rmtree(pushed, ignore_errors=True)
        subprocess.run(["git", "init", "-q", "--bare", os.fspath(pushed)], check=True)
        env = bed.environ | {"GIT_SSH_COMMAND": " ".join(bed.ssh)}
        argv = ["git", "push", "-q", f"{bed.sshd.alias}:{pushed}", "main"]
        watch = Stopwatch()
        subprocess.run(argv, cwd=where, env=env, check=True)
        return watch.seconds()

    return medians({"grind": received, "push": push}, rounds)


def attach(bed: Bed, rounds: int) -> float:
    """From asking for a lane that runs to its first output, in seconds."""
    spec = LaneSpec(run=f"run-{next(_RUNS)}", key="bench", repository="", name="bench")

    async def begin() -> None:
        lane = await bed.host.lane(spec)
        await lane.begin([("PATH", bed.host.environment["PATH"])], {})
        await lane.submit([StepTask(index=0, argv=BASH, script="echo up; sleep 600")])
        async for event in lane.events():
            if isinstance(event, Output):
                return

    async def again() -> float:
        watch = Stopwatch()
        lane = await bed.host.lane(spec)
        async for event in lane.events():
            if isinstance(event, Output):
                return watch.seconds()
        raise BenchError("no output came")

    bed.go(begin())
    found = medians({"attach": lambda: bed.go(again())}, rounds)["attach"]
    bed.go(bed.host.abandon(spec.run))
    return found


def rows() -> Iterator[Row | Skipped]:
    """Measure it all."""
    if sshd_program() is None:
        yield Skipped("ssh", "all", "no sshd here: tools/parts.sh installs it")
        return
    also = ("rsync",)
    with (
        tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch,
        Sshd(Path(scratch), "bench-host", also=also) as sshd,
    ):
        bed = Bed(Path(scratch), sshd)
        try:
            yield from _rows(bed, "", 9)
            still = attach(bed, 5)
            sshd.network.delay = DELAY
            yield from _rows(bed, ", 40 ms", 5)
            far, bound = attach(bed, 5), 4 * DELAY + still
            what = "attach: first output, 40 ms"
            yield Row("ssh", what, far, "two round trips and start-up", bound, 1.0)
            sshd.network.delay = 0.0
            yield from _output(bed)
            yield from _syncs(bed, sshd)
        finally:
            sshd.network.delay = 0.0
            bed.close()


def _rows(bed: Bed, where: str, rounds: int) -> Iterator[Row | Skipped]:
    took = steps(bed, rounds)
    what = f"{STEPS} small steps, followed{where}"
    yield Row("ssh", what, took["grind"], "ssh host bash FILE", took["ssh"], 1.3)
    yield Row("ssh", what, took["grind"], "a loop of ssh through a master", loop_of_ssh(bed))
    peers: dict[str, Callable[[Bed], float | None]] = {"fabric": fabric}
    for name, peer in peers.items():
        found = peer(bed)
        if found is None:
            yield Skipped("ssh", f"{what}, beside {name}", f"{name} is not installed")
        else:
            yield Row("ssh", what, took["grind"], name, found)
    took = command(bed, 60 if not where else 20)
    yield Row("ssh", f"one small command{where}", took["grind"], "a fed shell", took["fed"], 1.2)


def _output(bed: Bed) -> Iterator[Row]:
    took, peak = output(bed, 3)
    what = f"200 MB of output, into a file ({peak:.0f} MB memory)"
    mega = BIG / 1e6
    yield Row(
        "ssh", what, mega / took["grind"], "MB/s: ssh host cat", mega / took["cat"], 0.8, "/s"
    )


def _syncs(bed: Bed, sshd: Sshd) -> Iterator[Row | Skipped]:
    if shutil.which("rsync") is None:
        yield Skipped("ssh", "one changed file of 5,000", "rsync is not installed")
        big_repository(bed.folder)
    else:
        for where, delay in (("", 0.0), (", 40 ms", DELAY)):
            sshd.network.delay = delay
            shutil.rmtree(bed.folder / "repository", ignore_errors=True)
            took = sync(bed, 7)
            what = f"one changed file of 5,000, checked out{where}"
            yield Row("ssh", what, took["grind"], "rsync -a", took["rsync"], 1.0)
            what = f"one changed file of 5,000, sent{where}"
            yield Row("ssh", what, took["transfer"], "rsync -a", took["rsync"], 0.75)
    sshd.network.delay = 0.0
    took = first_sync(bed, 3)
    yield Row("ssh", "first sync, 50 MB", took["grind"], "git push", took["push"], 1.3)
