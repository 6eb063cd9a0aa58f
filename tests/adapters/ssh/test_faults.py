"""The fault table (docs/hosts-faults.md): after each the same end, no byte lost or twice, nothing left."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grind.adapters.ssh.channel import Pulse
from grind.adapters.ssh.host import SshHost
from grind.core.errors import ExitCode, GrindError, UnreachableError
from grind.ports import Host, LaneLost, LaneSpec, Output, StepTask
from tests.contracts.conftest import SHORT, ssh_host
from tests.contracts.rig import RealClock, Rig, Story, co, git, private, repository, step, until
from tests.sshd import Sshd, words_of

QUICK = Pulse(beat=0.3, silence=2.0, lifeline=4.0)


@pytest.fixture
def make(sshd: Sshd) -> Callable[[Path], SshHost]:
    return lambda _: ssh_host(sshd, pulse=QUICK)


@pytest.fixture
def rig(sshd: Sshd, tmp_path: Path, make: Callable[[Path], SshHost]) -> Iterator[Rig]:
    rig = Rig(make(tmp_path), tmp_path, make)
    yield rig
    sshd.network.resume()
    sshd.network.delay, sshd.network.rate = 0.0, None
    rig.go(rig.host.abandon("r1"))
    rig.close()


def spec(run: str = "r1") -> LaneSpec:
    return LaneSpec(run=run, key="job", repository="", name="repo")


def served(sshd: Sshd) -> list[int]:
    """What serves connections on the host: servers, followers, and the tails they read from."""
    found = []
    for pid in sshd.sessions():
        words = words_of(pid)
        if any(w in words for w in (b"\0serve\0", b"follow\0", b"tail\0")):
            found.append(pid)
    return found


SPOKEN = "for n in {1..40}; do seq $n 5000; sleep 0.02; done"


def spoken() -> str:
    return "".join(f"{n}\n" for start in range(1, 41) for n in range(start, 5001))


@pytest.mark.parametrize("every", [30_000, 200_000])
def test_the_connection_is_cut_in_the_middle_of_output(rig: Rig, sshd: Sshd, every: int) -> None:
    told: list[str] = []
    rig.host.listen(told.append)

    async def story() -> Story:
        lane = await rig.lane()
        await lane.submit([step(0, SPOKEN), step(1, "echo after")], final=True)
        found, cuts = Story(), 0
        async for event in lane.events():
            found.add(event)
            if isinstance(event, Output) and len(found.out[0]) > cuts * 200_000 and cuts < 6:
                cuts += 1
                sshd.network.cut_after(every)
        return found

    found = rig.go(story())
    assert found.status == "success"
    assert found.text(0) == spoken()
    assert found.text(1) == "after\n"
    assert any("trying again" in text for text in told)
    assert any("is back after" in text for text in told)


def test_a_client_that_stood_still_takes_nobody_for_silent(rig: Rig) -> None:
    """Ctrl-Z and `fg`, a laptop that slept for a moment: nothing was listened to, so nothing was missed."""
    told: list[str] = []
    rig.host.listen(told.append)

    async def story() -> tuple[Story, int]:
        lane = await rig.lane()
        await lane.submit([step(0, "echo one; sleep 3.5; echo two")], final=True)
        events = lane.events()
        found = Story()
        async for event in events:
            found.add(event)
            if isinstance(event, Output):
                time.sleep(QUICK.silence + 1)
                break
        done = await rig.host.run(("true",))
        async for event in events:
            found.add(event)
        return found, done.exit_code

    found, code = rig.go(story())
    assert (found.text(0), found.status, code, told) == ("one\ntwo\n", "success", 0, [])


def test_the_connection_is_cut_while_steps_are_queued(rig: Rig, sshd: Sshd) -> None:
    big = f": {'x' * 900_000}\necho done $N"

    async def story() -> Story:
        lane = await rig.lane()
        for n in range(4):
            sshd.network.cut_after(100_000 + 300_000 * n)
            await lane.submit([step(n, big, env=(("N", str(n)),))], final=n == 3)
        return await rig.follow(lane)

    found = rig.go(story())
    assert [found.text(n) for n in range(4)] == [f"done {n}\n" for n in range(4)]
    assert found.started == [0, 1, 2, 3]


@pytest.mark.parametrize("after", [1000, 400_000, 4_000_000])
def test_the_connection_is_cut_in_the_middle_of_sync(
    rig: Rig, sshd: Sshd, tmp_path: Path, after: int
) -> None:
    source = repository(tmp_path / "source")
    (source / "big").write_bytes(os.urandom(1_000_000 if after < 1_000_000 else 9_000_000))
    git(source, "add", "big")
    git(source, "commit", "-qm", "big")
    bare = private(source, tmp_path / "private")

    async def story() -> Path:
        await rig.host.identity()
        sshd.network.cut_after(after)
        for _ in range(2):
            try:
                return Path(await rig.host.receive(os.fspath(bare), dict))
            except UnreachableError:
                continue  # the same command again
        raise AssertionError

    there = rig.go(story())
    git(there, "fsck", "--strict")
    told = [git(where, "for-each-ref") for where in (there, bare)]
    assert told[0] == told[1]


def test_a_lane_that_nobody_has_begun_waits_over_a_cut(sshd: Sshd, tmp_path: Path) -> None:
    """Another session is there then, and no process of the one that opened the lane."""
    host = ssh_host(sshd, SHORT._replace(alone=3.0), pulse=QUICK)
    rig = Rig(host, tmp_path, lambda _: host)
    folder = sshd.state / "runs" / "r1" / "job"

    def waits() -> int:
        status = Path(f"/proc/{(folder / 'claim').read_text().split()[0]}/status").read_text()
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    async def story() -> Story:
        lane = await rig.lane(begin=False)
        sshd.network.cut()
        await rig.host.identity()
        before = waits()
        # Fifteen looks that find nobody would have ended it.
        await until(lambda: waits() > before + 20)
        await lane.begin([("PATH", os.fspath(sshd.tools))], {})
        await lane.submit([step(0, "echo begun")], final=True)
        return await rig.follow(lane)

    assert rig.go(story()).text(0) == "begun\n"
    rig.close()


def test_a_black_hole(rig: Rig, sshd: Sshd) -> None:
    """Nothing is heard for a while; the host ends what served us, and the lane goes on."""
    told: list[str] = []
    rig.host.listen(told.append)

    async def story() -> Story:
        lane = await rig.lane()
        records = rig.folder / "state" / "runs" / "r1" / "job" / "records"
        script = "echo first; until [ -e go ]; do sleep 0.05; done; seq 100000"
        await lane.submit([step(0, script), step(1, "echo after")], final=True)
        found = Story()
        async for event in lane.events():
            found.add(event)
            if isinstance(event, Output) and found.text(0) == "first\n":
                sshd.network.swallow()
                (Path(lane.paths.workspace) / "go").touch()
                await until(lambda: b"done" in records.read_bytes())
                # Nothing of the old connection stays on the host, though it is never told.
                await until(lambda: not served(sshd))
                sshd.network.resume()
        return found

    found = rig.go(story())
    assert found.text(0) == "first\n" + "".join(f"{n}\n" for n in range(1, 100_001))
    assert (found.text(1), found.status) == ("after\n", "success")
    assert any("trying again" in text for text in told)


def test_a_command_whose_answer_is_lost_is_not_run_twice(rig: Rig, sshd: Sshd) -> None:
    note = rig.folder / "note"

    async def story() -> None:
        await rig.host.identity()
        asked = asyncio.create_task(
            rig.host.run(("bash", "-c", f"echo once >>'{note}'; sleep 1; echo done"))
        )
        await until(note.exists)
        sshd.network.cut()
        with pytest.raises(UnreachableError):
            await asked
        assert (await rig.host.run(("cat", os.fspath(note)))).out == b"once\n"

    rig.go(story())


def test_patience_ends(sshd: Sshd, tmp_path: Path) -> None:
    host = ssh_host(sshd, pulse=QUICK, patience=1.0)
    rig = Rig(host, tmp_path, lambda _: host)

    async def story() -> None:
        lane = await rig.lane()
        await lane.submit([step(0, "sleep 2; echo done")], final=True)
        sshd.network.refuse()
        sshd.network.cut()
        with pytest.raises(UnreachableError, match="given up") as caught:
            await rig.follow(lane)
        assert caught.value.code is ExitCode.UNREACHABLE
        sshd.network.refuse(False)
        again = await rig.another().lane(spec())
        assert again.resumed
        assert (await rig.follow(again)).text(0) == "done\n"

    rig._make = lambda _: ssh_host(sshd, pulse=QUICK)
    rig.go(story())
    rig.close()


@pytest.mark.parametrize("delay", [0.02, 0.15])
def test_a_slow_network(rig: Rig, sshd: Sshd, delay: float) -> None:
    sshd.network.delay, sshd.network.rate = delay, 3_000_000.0
    found = rig.play(step(0, "seq 200000"), step(1, "echo after"))
    assert found.text(0) == "".join(f"{n}\n" for n in range(1, 200_001))
    assert found.text(1) == "after\n"


def test_a_full_disk_on_the_host(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "state").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "grind-test"]
    done = subprocess.run([*mount, os.fspath(tmp_path / "state")], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no mounting here: {done.stderr.strip()}")
    try:
        with Sshd(tmp_path, state=tmp_path / "state") as sshd:
            host = ssh_host(sshd)
            rig = Rig(host, tmp_path, lambda _: host)
            told = rig.play(step(0, "echo first"), step(1, "yes"), step(2, "echo never"))
            assert (told.text(0), told.code(0)) == ("first\n", 0)
            assert 2 not in told.started
            last = told.events[-1]
            assert isinstance(last, LaneLost)
            assert "full" in last.reason
            for asked in (
                rig.host.keep("x", b"x" * 100_000),
                rig.lane(run="another"),
            ):
                with pytest.raises(GrindError) as caught:
                    rig.go(asked)
                assert caught.value.code is ExitCode.PAUSED, caught.value
                assert "space" in caught.value.remedy
            # The session has not lost its place, and questions are answered.
            assert rig.go(rig.host.run(("cat",), data=b"x" * 100_000)).out == b"x" * 100_000
            rig.go(rig.host.abandon("r1"))
            rig.close()
    finally:
        subprocess.run(["umount", "-l", os.fspath(tmp_path / "state")], check=True)


def test_two_operators_at_once(rig: Rig, sshd: Sshd, tmp_path: Path) -> None:
    source = repository(tmp_path / "source")
    bare = private(source, tmp_path / "private")
    oid = git(source, "rev-parse", "HEAD")

    async def one(host: Host, run: str) -> Story:
        there = await host.receive(os.fspath(bare), dict)
        other = Rig(host, tmp_path)
        lane = await other.lane(run=run, repository=there)
        await lane.submit([co(0, oid), step(1, f"cat text; echo {run}; sleep 0.3")], final=True)
        return await other.follow(lane)

    async def story() -> list[Story]:
        hosts = [rig.host, rig.another(), rig.another()]
        return await asyncio.gather(*(one(host, f"run-{n}") for n, host in enumerate(hosts)))

    for number, told in enumerate(rig.go(story())):
        assert told.text(1) == f"3\nrun-{number}\n", told.out


def test_binary_output(rig: Rig) -> None:
    data = os.urandom(200_000) + bytes(range(256)) * 100
    (rig.folder / "data").write_bytes(data)
    found = rig.play(
        StepTask(index=0, argv=("cat", os.fspath(rig.folder / "data"))), step(1, "true")
    )
    assert found.out[0] == data


HOSTILE = "two\nlines 'single' \"double\" $(touch pwned) `id` 🦀 \\ ; & |"


def test_names_and_texts_full_of_signs(rig: Rig, tmp_path: Path) -> None:
    source = repository(tmp_path / "source")
    name = HOSTILE.replace("/", "")
    (source / name).write_text("content\n")
    git(source, "add", "-A")
    git(source, "commit", "-qm", HOSTILE)
    branch = 'it\'s-$(touch${IFS}pwned)-`id`-"q"-🦀-;&|'
    git(source, "checkout", "-qb", branch)
    bare = private(source, tmp_path / "private")
    oid = git(source, "rev-parse", "HEAD")

    async def story() -> Story:
        there = await rig.host.receive(os.fspath(bare), dict)
        assert git(Path(there), "rev-parse", f"refs/heads/{branch}") == oid
        lane = await rig.lane(repository=there, name="a 'repo' $(x) 🦀")
        script = (
            f'cat -- "$FILE"; git rev-parse --abbrev-ref HEAD; echo {"$"}{{#1}}; pwd; : {HOSTILE}'
        )
        tasks = [
            co(0, oid, ref=f"refs/heads/{branch}", depth=0),
            StepTask(
                index=1,
                argv=("bash", "{0}", HOSTILE),
                script=script.replace(HOSTILE, "'done'"),
                env=(("FILE", name), ("ODD", HOSTILE)),
            ),
        ]
        await lane.submit(tasks, final=True)
        return await rig.follow(lane)

    told = rig.go(story())
    assert told.status == "success", told.out
    assert told.text(1).split("\n")[:2] == ["content", branch]
    assert "a 'repo' $(x) 🦀" in told.text(1)
    assert not list(tmp_path.rglob("pwned"))


class LateClock(RealClock):
    """The client's clock is an hour behind the host's."""

    def now(self) -> float:
        return super().now() - 3600


def test_clocks_that_differ_by_an_hour(sshd: Sshd, tmp_path: Path) -> None:
    from grind.adapters.ssh.door import door

    way = door(sshd.alias, {}, config=sshd.config, persist=5)
    host = SshHost(way, LateClock(), name="x", slug="", environ=os.environ)
    rig = Rig(host, tmp_path, lambda _: host)
    told = rig.play(step(0, "sleep 600", timeout=0.3), step(1, "true"), timeout=3600.0)
    assert told.ended[0].reason == "timeout"
    assert 0 < told.ended[0].ended - told.ended[0].started < 60
    assert told.ended[0].started > LateClock().now() + 3000
    rig.close()


def test_ending_a_run_ends_everything_on_the_host(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        lane = await rig.lane()
        script = "setsid sleep 1001 & nohup sleep 1002 & trap '' TERM INT; echo up; sleep 1003; sleep 1004"
        await lane.submit([step(0, script)])
        async for event in lane.events():
            if isinstance(event, Output):
                break
        await rig.host.abandon("r1")
        left = [
            pid
            for pid in sshd.sessions()
            if b"sleep\x00100" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert left == []

    rig.go(story())


def test_closing_leaves_nothing_that_serves_us(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        other = rig.another()
        lane = await other.lane(spec("other"))
        await lane.begin([("PATH", os.fspath(sshd.tools))], {})
        await lane.submit([step(0, "sleep 0.5; echo done")], final=True)
        async for _ in lane.events():
            break
        await other.close()
        await until(lambda: not served(sshd))
        told = await rig.follow(await rig.host.lane(spec("other")))
        assert told.text(0) == "done\n"

    rig.go(story())


CLIENT = """
import asyncio, os, sys
from tests.adapters.ssh.test_faults import QUICK, STEPS
from tests.contracts.conftest import host_at
from tests.contracts.rig import Rig
from pathlib import Path

async def main(folder, limit):
    host = host_at(folder)
    rig = Rig(host, folder)
    lane = await rig.lane(run="x")
    seen = 1 if not lane.resumed else 0
    def count():
        nonlocal seen
        seen += 1
        if seen > limit:
            os.kill(os.getpid(), 9)
    count()
    for number, task in enumerate(STEPS):
        await lane.submit([task], final=number == len(STEPS) - 1)
        count()
    async for event in lane.events():
        count()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""

STEPS = [
    step(n, f"echo {n}; sleep 0.1; seq {n}000; echo A{n}=1 >> $GITHUB_ENV") for n in range(1, 5)
]
MOMENTS = 20


def killed_at(sshd: Sshd, tmp_path: Path, moment: int) -> Story:
    (tmp_path / "way").write_text(f"{sshd.config}\n{sshd.alias}\n")
    argv = [sys.executable, "-c", CLIENT, os.fspath(tmp_path), str(moment)]
    done = subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    host = ssh_host(sshd, pulse=QUICK)
    rig = Rig(host, tmp_path, lambda _: host)

    async def story() -> Story:
        lane = await rig.lane(run="x")
        for number, task in enumerate(STEPS):
            await lane.submit([task], final=number == len(STEPS) - 1)
        return await rig.follow(lane)

    told = rig.go(story())
    rig.close()
    return told


@pytest.mark.parametrize("moment", [1, 3, 6, 11])
def test_a_client_that_is_killed_and_comes_again(sshd: Sshd, tmp_path: Path, moment: int) -> None:
    told = killed_at(sshd, tmp_path, moment)
    assert told.status == "success"
    for number in range(1, 5):
        counted = "".join(f"{n}\n" for n in range(1, number * 1000 + 1))
        assert told.text(number) == f"{number}\n{counted}"


@pytest.mark.campaign
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_client_that_is_killed_at_any_event(sshd: Sshd, tmp_path: Path, moment: int) -> None:
    test_a_client_that_is_killed_and_comes_again(sshd, tmp_path, moment)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(10))
def test_cuts_at_random(sshd: Sshd, tmp_path: Path, seed: int) -> None:
    import random

    chance = random.Random(seed)
    host = ssh_host(sshd, pulse=QUICK)
    rig = Rig(host, tmp_path, lambda _: host)

    async def cutting() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.05, 0.6))
            chance.choice(
                [sshd.network.cut, lambda: sshd.network.cut_after(chance.randrange(50_000))]
            )()

    async def story() -> Story:
        lane = await rig.lane()
        cutter = asyncio.create_task(cutting())
        for n in range(8):
            await lane.submit([step(n, SPOKEN)], final=n == 7)
        told = await rig.follow(lane)
        cutter.cancel()
        return told

    told = rig.go(story())
    assert [told.text(n) for n in range(8)] == [spoken()] * 8
    rig.close()


LONG = """
import asyncio, hashlib, resource, sys
from pathlib import Path
from grind.ports import LaneDone, Output, StepTask
from tests.contracts.conftest import host_at
from tests.contracts.rig import Rig

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    folder = Path(sys.argv[1])
    rig = Rig(host_at(folder), folder)
    lane = await rig.lane()
    size, total, before = 0, hashlib.sha256(), peak()
    await lane.submit([StepTask(index=0, argv=("cat", sys.argv[2]))], final=True)
    async for event in lane.events():
        if isinstance(event, Output):
            assert event.offset == size
            size += len(event.data)
            total.update(event.data)
    assert event == LaneDone("success"), event
    await rig.host.close()
    print(size, total.hexdigest(), peak() - before)

asyncio.run(main())
"""


def followed(sshd: Sshd, tmp_path: Path, size: int, line: bytes) -> None:
    data = line * (size // len(line))
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "way").write_text(f"{sshd.config}\n{sshd.alias}\n")
    argv = [sys.executable, "-c", LONG, os.fspath(tmp_path), os.fspath(tmp_path / "data")]
    done = subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    got, digest, grown_kb = done.stdout.split()
    assert (int(got), digest) == (len(data), hashlib.sha256(data).hexdigest())
    assert int(grown_kb) < 30 * 1024


def test_20_mb_without_a_newline(sshd: Sshd, tmp_path: Path) -> None:
    followed(sshd, tmp_path, 20_000_000, b"0123456789")


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("size", "line"), [(50_000_000, b"0123456789"), (200_000_000, b"a line of output\n" * 50)]
)
def test_much_output_in_little_memory(sshd: Sshd, tmp_path: Path, size: int, line: bytes) -> None:
    followed(sshd, tmp_path, size, line)
