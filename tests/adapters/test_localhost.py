"""What is special about this machine as a host: memory, full disks, identity, collecting."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.identity import local_identity
from grind.ports import LaneLost
from tests.contracts.conftest import local_host
from tests.contracts.rig import Rig, Story, co, git, private, repository, step, until


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(local_host(tmp_path), tmp_path)
    yield rig
    runs = tmp_path / "state" / "runs"
    for run in runs.iterdir() if runs.is_dir() else ():
        rig.go(rig.host.abandon(run.name))


CLIENT = """
import asyncio, resource, sys
from pathlib import Path
from grind.ports import LaneDone, Output, StepTask
from tests.contracts.conftest import local_host
from tests.contracts.rig import Rig

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    folder = Path(sys.argv[1])
    rig = Rig(local_host(folder), folder)
    lane = await rig.lane()
    before, size = peak(), 0
    task = StepTask(index=0, argv=("head", "-c", "100000000", "/dev/zero"))
    await lane.submit([task], final=True)
    async for event in lane.events():
        if isinstance(event, Output):
            size += len(event.data)
    assert event == LaneDone("success"), event
    print(size, peak() - before)

asyncio.run(main())
"""


def test_memory_stays_flat_over_100_mb_of_output(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", CLIENT, str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    size, grown_kb = map(int, done.stdout.split())
    assert size == 100_000_000
    assert grown_kb < 10_000


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def limited(rig: Rig, size: int, *scripts: str) -> Story:
    """Play the steps while no file of the lane may grow beyond `size`: a full disk, by a limit."""

    async def tell() -> Story:
        lane = await rig.lane()
        folder = rig.folder / "state" / "runs" / "r1" / "job"
        runner = int((folder / "claim").read_text().split()[0])
        await lane.submit([step(0, "echo first")])
        await until(lambda: b"end 0" in (folder / "records").read_bytes())
        for pid in (runner, *children(runner)):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))
        await lane.submit([step(n, text) for n, text in enumerate(scripts, start=1)], final=True)
        return await rig.follow(lane)

    return rig.go(tell())


def test_a_log_that_cannot_be_written_loses_the_lane_and_nothing_before(rig: Rig) -> None:
    story = limited(rig, 20_000, "yes | head -c 1000000", "echo never")
    assert isinstance(story.events[-1], LaneLost)
    assert (story.text(0), story.code(0)) == ("first\n", 0)
    assert 2 not in story.started
    assert "log could not be written" in story.events[-1].reason


def test_records_that_cannot_be_written_lose_the_lane(rig: Rig) -> None:
    story = limited(rig, 120, "true", "true", "true", "true", "true")
    assert isinstance(story.events[-1], LaneLost)
    assert (story.text(0), story.code(0)) == ("first\n", 0)
    assert len(story.ended) < 6


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real small file system; only root can have one."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root; the limits above are tested in its place")
    (tmp_path / "state").mkdir()
    mount = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=1m,mode=0700",
        "grind-test",
        str(tmp_path / "state"),
    ]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no mounting here: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path / "state")], check=True)


@pytest.mark.parametrize("script", ["yes", "yes > file; sleep 0.1; yes"])
def test_a_full_disk(small_disk: Path, script: str) -> None:
    rig = Rig(local_host(small_disk), small_disk)
    story = rig.play(step(0, "echo first"), step(1, script), step(2, "echo never"))
    assert (story.text(0), story.code(0)) == ("first\n", 0)
    assert 2 not in story.started
    assert story.status != "success"
    if script == "yes":
        last = story.events[-1]
        assert isinstance(last, LaneLost)
        assert "written" in last.reason or "full" in last.reason
    rig.go(rig.host.abandon("r1"))


def test_the_identity_of_a_machine(tmp_path: Path) -> None:
    (tmp_path / "etc" / "ssh").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    state = tmp_path / "state"
    generated = local_identity(state, tmp_path)
    assert local_identity(state, tmp_path) == generated
    assert (state / "identity" / "id").stat().st_mode & 0o777 == 0o600
    (tmp_path / "etc" / "ssh" / "ssh_host_ed25519_key.pub").write_text("ssh-ed25519 AAAA root@a\n")
    by_key = local_identity(state, tmp_path)
    (tmp_path / "etc" / "machine-id").write_text("uninitialized\n")
    assert local_identity(state, tmp_path).id == by_key.id
    (tmp_path / "etc" / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    by_machine = local_identity(state, tmp_path)
    assert len({generated.id, by_key.id, by_machine.id}) == 3
    assert "0123456789" not in by_machine.id
    (tmp_path / "etc" / "os-release").write_text('NAME=NixOS\nID=nixos\nVERSION_ID="24.05"\n')
    (tmp_path / "run" / "current-system").symlink_to("/nix/store/abc-system")
    last = local_identity(state, tmp_path)
    assert (last.os, last.system, last.id) == (
        "nixos 24.05",
        "/nix/store/abc-system",
        by_machine.id,
    )


def test_a_state_folder_with_an_odd_name(tmp_path: Path) -> None:
    folder = tmp_path / "a b'\"$(id)`id`*?[x]&\\ 🦀"
    folder.mkdir()
    rig = Rig(local_host(folder), folder)
    source = repository(folder / "source")
    bare = private(source, folder / "private")
    for _ in range(2):
        story = rig.play(
            co(0, git(source, "rev-parse", "HEAD")),
            step(1, 'cat text; pwd; echo A=1 >> "$GITHUB_ENV"; touch dirt'),
            step(2, "echo $A; git status --porcelain"),
            # Each begins in its turn, although the next is a process already.
            step(3, "sleep 0.3; test ! -e later"),
            step(4, "touch later"),
            repository=str(bare),
        )
        assert story.text(1).startswith(f"3\n{folder}"), story.out
        assert story.text(2) == "1\n?? dirt\n"
        assert story.status == "success", story.ended


def test_collect_removes_what_is_old_and_over(rig: Rig) -> None:
    bare = private(repository(rig.folder / "source"), rig.folder / "private")
    oid = git(bare, "rev-parse", "HEAD")
    state = rig.folder / "state"

    async def tell() -> None:
        await rig.host.collect(0, 0)
        for run in ("a", "b", "c"):
            lane = await rig.lane(run=run, repository=str(bare))
            await lane.submit([co(0, oid), step(1, "mkdir -p d/e; chmod 000 d")], final=True)
            await rig.follow(lane)
        alive = await rig.lane(run="alive", key="other")
        for number, run in enumerate(("a", "b", "c", "alive")):
            os.utime(state / "runs" / run, (1000 + number, 1000 + number))
        await rig.host.collect(10**10, 0)
        assert {path.name for path in (state / "runs").iterdir()} == {"a", "b", "c", "alive"}
        await rig.host.collect(3600, 2)
        assert {path.name for path in (state / "runs").iterdir()} == {"c", "alive"}
        assert {path.name for path in (state / "jobs").iterdir()} == {"job", "other"}
        await rig.host.collect(0, 0)
        assert {path.name for path in (state / "runs").iterdir()} == {"alive"}
        assert {path.name for path in (state / "jobs").iterdir()} == {"other"}
        await alive.submit([step(0, "echo fine")], final=True)
        assert (await rig.follow(alive)).text(0) == "fine\n"

    rig.go(tell())
