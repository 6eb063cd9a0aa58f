"""The SSH host beside what users would type: one ssh with a script, a fed shell, cat, rsync, git push.

All over one sshd on loopback, through warm master connections on both sides (100 small steps also with
a connection that each side makes for itself, as one `ssh host bash FILE` does); once as it is, and once
with 20 ms put into each direction by the tests' own proxy, which is a process of its own then.
`python -m bench --only ssh:PART` does one of PARTS.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.sshd import Sshd, sshd_program

from bench import farpeers
from bench.farbed import BASH, RUNS, Bed
from bench.slow import slowed
from bench.table import Row, Skipped
from bench.timing import BenchError, Stopwatch, medians
from grind.adapters.git.repository import GitRepository
from grind.core.repository import Snapshot
from grind.flows.arrival import sending
from grind.ports import Checkout, LaneSpec, Output, StepTask

DELAY = 0.02
STEPS = 100
BIG = 200_000_000
MEMORY_MB = 60


class Beds(NamedTuple):
    """The host over loopback as it is, and with a delay."""

    near: Bed
    far: Bed

    def places(self) -> tuple[tuple[str, Bed], ...]:
        """Return both, with what a row says of it."""
        return ("", self.near), (", 40 ms", self.far)


def step_files(bed: Bed) -> list[StepTask]:
    """Write the scripts of the steps, for the others; return them as tasks."""
    script = "echo step $((6 * 7))\n"
    scripts = bed.folder / "steps"
    scripts.mkdir(exist_ok=True)
    for number in range(STEPS):
        (scripts / f"{number}.sh").write_text(script)
    return [StepTask(index=n, argv=BASH, script=script) for n in range(STEPS)]


def steps(bed: Bed, rounds: int) -> dict[str, float]:
    """100 small steps, made durable and followed, beside one ssh that runs them all."""
    tasks = step_files(bed)
    together = bed.folder / "all.sh"
    together.write_text("".join(f"bash -e {bed.folder}/steps/{n}.sh\n" for n in range(STEPS)))
    return medians(
        {
            "grind": lambda: bed.go(bed.lane(*tasks)),
            "ssh": lambda: bed.user("bash", os.fspath(together)),
            "grind anew": lambda: bed.go(bed.anew(*tasks)),
            "ssh anew": lambda: bed.user("bash", os.fspath(together), anew=True),
        },
        rounds,
    )


def command(bed: Bed, rounds: int) -> dict[str, float]:
    """One small program, beside the same program named to a shell that runs there already."""

    async def asked() -> float:
        watch = Stopwatch()
        done = await bed.host.run(("uname",))
        spent = watch.seconds()
        if done.out != b"Linux\n":
            raise BenchError("the host did not answer")
        return spent

    fed = partial(bed.feed, b"uname\n", b"Linux\n")
    return medians({"grind": lambda: bed.go(asked()), "fed": fed}, rounds, warm=5)


FOLLOW = """
import asyncio, os, sys
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
    # Not ru_maxrss: that begins with what the process had before exec, which is the bench's own.
    print(spent, next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))

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
        argv = [sys.executable, "-c", FOLLOW, bed.config, bed.sshd.alias]
        argv += [f"run-{next(RUNS)}", os.fspath(source), os.fspath(here)]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode or here.stat().st_size != source.stat().st_size:
            raise BenchError(f"not all of it came: {done.stderr}")
        spent, peak = map(float, done.stdout.split())
        peaks.append(peak / 1024)
        # A host collects what is old; files that are only ever added would time the memory that each
        # of their pages takes for the first time.
        shutil.rmtree(bed.sshd.state / "bench" / "runs")
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
    if where.exists():
        return where
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
        bed.go(checked_out(repository, snapshot))
        return watch.seconds()

    async def checked_out(repository: GitRepository, snapshot: Snapshot) -> None:
        # As `grind check` does it.
        task = StepTask(index=0, checkout=Checkout(oid=snapshot.commit, ref="refs/heads/main"))
        prepare = partial(repository.prepare, snapshot, None, "main")
        async with sending(bed.host, repository.private, dict, prepare=prepare) as arrival:
            await bed.lane(task, repository=arrival.place, arrived=arrival.there)

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
    where = big_repository(bed.folder)
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
    spec = LaneSpec(run=f"run-{next(RUNS)}", key="bench", repository="", name="bench")

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


def _steps(beds: Beds) -> Iterator[Row | Skipped]:
    for where, bed in beds.places():
        took = steps(bed, 5 if where else 9)
        what = f"{STEPS} small steps, followed{where}"
        beside = "ssh host bash FILE"
        yield Row("ssh", what, took["grind anew"], beside, took["ssh anew"], 1.3)
        what, beside = f"{what}, connected", f"{beside}, through a master"
        yield Row("ssh", what, took["grind"], beside, took["ssh"], 1.3)


def _peers(beds: Beds) -> Iterator[Row | Skipped]:
    bed = beds.near
    tasks = step_files(bed)[: farpeers.TEN]
    grind = medians({"grind": lambda: bed.go(bed.lane(*tasks))}, 5)["grind"]
    what = f"{farpeers.TEN} small steps, followed"
    took = medians({"loop": lambda: farpeers.loop_of_ssh(bed)}, 3)["loop"]
    yield Row("ssh", what, grind, "a loop of ssh through a master", took)
    lacking = farpeers.installed()
    for name, peer in farpeers.PEERS.items():
        if lacking:
            yield Skipped("ssh", f"{what}, beside {name}", lacking)
        else:
            yield Row("ssh", what, grind, name, peer(bed))


def _command(beds: Beds) -> Iterator[Row | Skipped]:
    for where, bed in beds.places():
        took = command(bed, 20 if where else 200)
        yield Row(
            "ssh", f"one small command{where}", took["grind"], "a fed shell", took["fed"], 1.2
        )


def _attach(beds: Beds) -> Iterator[Row | Skipped]:
    sides = {"near": beds.near.echo, "far": beds.far.echo}
    trips = medians(sides, 20, warm=5)
    bound = 2 * (trips["far"] - trips["near"]) + attach(beds.near, 9)
    what = "attach: first output, 40 ms"
    yield Row("ssh", what, attach(beds.far, 9), "two round trips and start-up", bound, 1.0)


def _output(beds: Beds) -> Iterator[Row | Skipped]:
    took, peak = output(beds.near, 5)
    what = f"200 MB of output, into a file ({peak:.0f} MB memory)"
    mega = BIG / 1e6
    yield Row(
        "ssh", what, mega / took["grind"], "MB/s: ssh host cat", mega / took["cat"], 0.8, "/s"
    )


def _sync(beds: Beds) -> Iterator[Row | Skipped]:
    if shutil.which("rsync") is None:
        yield Skipped("ssh", "one changed file of 5,000", "rsync is not installed")
        return
    for where, bed in beds.places():
        took = sync(bed, 5 if where else 9)
        what = f"one changed file of 5,000, checked out{where}"
        yield Row("ssh", what, took["grind"], "rsync -a", took["rsync"], 1.0)
        what = f"one changed file of 5,000, sent{where}"
        yield Row("ssh", what, took["transfer"], "rsync -a", took["rsync"], 0.75)


def _first(beds: Beds) -> Iterator[Row | Skipped]:
    took = first_sync(beds.near, 3)
    yield Row("ssh", "first sync, 50 MB", took["grind"], "git push", took["push"], 1.3)


PARTS: dict[str, Callable[[Beds], Iterator[Row | Skipped]]] = {
    "steps": _steps,
    "peers": _peers,
    "command": _command,
    "attach": _attach,
    "output": _output,
    "sync": _sync,
    "first": _first,
}
"""What can be measured alone."""


def rows(parts: Collection[str] = ()) -> Iterator[Row | Skipped]:
    """Measure these parts; all of them when none is named."""
    if sshd_program() is None:
        yield Skipped("ssh", "all", "no sshd here: tools/parts.sh installs it")
        return
    also = ("rsync", "git-receive-pack", "git-upload-pack")
    with (
        tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch,
        Sshd(Path(scratch), "bench-host", also=also) as sshd,
        slowed(sshd.port, DELAY) as port,
        closing(Bed(Path(scratch, "near"), sshd, sshd.port)) as near,
        closing(Bed(Path(scratch, "far"), sshd, port)) as far,
    ):
        for name in parts or PARTS:
            yield from PARTS[name](Beds(near, far))
