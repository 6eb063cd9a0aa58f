"""One holder at a time on a host, known to the others, never robbed in silence."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.hostlock import HostLock
from grind.adapters.ssh.host import SshHost
from grind.core.errors import GrindError
from grind.core.holders import HostHeldError, HostHolder
from tests.contracts.rig import Rig


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process on the host (which is this machine) that may hold a lock."""
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


def locks_of(rig: Rig) -> Path:
    """Where the locks lie: the host of a contract is always this machine."""
    return Path(rig.go(HostLock(rig.host).script())).parents[2] / "locks"


@pytest.fixture
def lock(rig: Rig) -> HostLock:
    """The locks of the host, on which other tests have left some."""
    shutil.rmtree(locks_of(rig), ignore_errors=True)
    return HostLock(rig.host)


def take(rig: Rig, lock: HostLock, pid: int, instead_of: str = "") -> str:
    return rig.go(
        lock.take("activation", pid, who="ada@laptop", what="grind activate", instead_of=instead_of)
    )


def test_held_shown_and_let_go(rig: Rig, lock: HostLock, sleeper: subprocess.Popen[bytes]) -> None:
    assert rig.go(lock.holder("activation")) is None
    token = take(rig, lock, sleeper.pid)
    with pytest.raises(HostHeldError, match="busy: grind activate by ada@laptop") as caught:
        take(rig, lock, os.getpid())
    held = caught.value.holder
    assert (held.token, held.pid, held.stale) == (token, sleeper.pid, False)
    assert held.origin == ("127.0.0.1" if isinstance(rig.host, SshHost) else "")
    assert rig.go(lock.all()) == {"activation": held}
    assert not rig.go(lock.free("activation", "another"))
    assert rig.go(lock.holder("activation")) == held
    assert rig.go(lock.free("activation", token))
    assert rig.go(lock.holder("activation")) is None
    assert rig.go(lock.all()) == {}
    assert take(rig, lock, sleeper.pid) != token


def test_other_names_are_other_locks(
    rig: Rig, lock: HostLock, sleeper: subprocess.Popen[bytes]
) -> None:
    take(rig, lock, sleeper.pid)
    rig.go(lock.take("workspace", sleeper.pid, who="a@b", what="grind sync"))
    assert set(rig.go(lock.all())) == {"activation", "workspace"}


def test_a_dead_holder_is_told_of_and_only_followed_by_name(
    rig: Rig, lock: HostLock, sleeper: subprocess.Popen[bytes]
) -> None:
    token = take(rig, lock, sleeper.pid)
    sleeper.send_signal(signal.SIGKILL)
    sleeper.wait()
    for wrong in ("", "another", token[:-1]):
        with pytest.raises(HostHeldError, match="gone without having let go") as caught:
            take(rig, lock, os.getpid(), instead_of=wrong)
        assert caught.value.holder.stale
        assert token in caught.value.remedy
    after = take(rig, lock, os.getpid(), instead_of=token)
    assert after != token
    assert not rig.go(lock.free("activation", token))
    with pytest.raises(HostHeldError, match="busy"):
        take(rig, lock, os.getpid(), instead_of=token)


def test_what_a_dead_holder_left_can_be_let_go_of(
    rig: Rig, lock: HostLock, sleeper: subprocess.Popen[bytes]
) -> None:
    token = take(rig, lock, sleeper.pid)
    with pytest.raises(HostHeldError, match="busy"):
        rig.go(lock.free_stale(token))
    sleeper.kill()
    sleeper.wait()
    with pytest.raises(GrindError, match="no lock"):
        rig.go(lock.free_stale("another"))
    assert rig.go(lock.free_stale(token)).who == "ada@laptop"
    assert rig.go(lock.all()) == {}


def test_a_number_that_was_given_to_another_process_is_stale(
    rig: Rig, lock: HostLock, sleeper: subprocess.Popen[bytes]
) -> None:
    take(rig, lock, sleeper.pid)
    (file,) = locks_of(rig).glob("activation.*")
    fields = file.read_bytes().split(b"\0")
    fields[3] = b"1"  # as if the process had started at another time
    file.write_bytes(b"\0".join(fields))
    held = rig.go(lock.holder("activation"))
    assert held is not None
    assert held.stale


def test_one_of_many_takes_it(rig: Rig, lock: HostLock) -> None:
    async def one() -> str:
        try:
            return await lock.take("activation", os.getpid(), who="a@b", what="x")
        except HostHeldError:
            return ""

    async def many() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(12)))

    for _ in range(3):
        taken = [token for token in rig.go(many()) if token]
        assert len(taken) == 1
        assert rig.go(lock.free("activation", taken[0]))


def test_one_of_many_follows_a_dead_holder(rig: Rig, lock: HostLock) -> None:
    process = subprocess.Popen(["sleep", "1000"])
    token = take(rig, lock, process.pid)
    process.kill()
    process.wait()

    async def one() -> bool:
        try:
            await lock.take("activation", os.getpid(), who="a@b", what="x", instead_of=token)
        except HostHeldError:
            return False
        return True

    async def many() -> list[bool]:
        return await asyncio.gather(*(one() for _ in range(12)))

    assert sum(rig.go(many())) == 1


def test_a_process_that_is_not_there_holds_nothing(rig: Rig, lock: HostLock) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(Exception, match="cannot be used"):
        take(rig, lock, process.pid)
    assert rig.go(lock.holder("activation")) is None


def test_held_by_a_process_of_its_own(rig: Rig, lock: HostLock) -> None:
    token = rig.go(lock.hold("activation", 1000, who="ada@laptop", what="grind rollback runtime"))
    held = rig.go(lock.holder("activation"))
    assert held is not None
    assert (held.token, held.stale, held.activation) == (token, False, "")
    with pytest.raises(HostHeldError, match="busy: grind rollback runtime by ada@laptop"):
        rig.go(lock.hold("activation", 1000, who="bob@box", what="grind rollback runtime"))
    rig.go(lock.release("activation", "another"))
    assert rig.go(lock.holder("activation")) == held
    rig.go(lock.release("activation", token))
    assert rig.go(lock.holder("activation")) is None
    assert not alive(held.pid)


def test_a_process_of_its_own_is_gone_in_the_end(rig: Rig, lock: HostLock) -> None:
    token = rig.go(lock.hold("activation", 0, who="ada@laptop", what="grind rollback runtime"))
    held = rig.go(lock.holder("activation"))
    while held is not None and not held.stale:
        held = rig.go(lock.holder("activation"))
    assert held is not None
    assert held.token == token


def test_an_activation_is_known_by_its_name() -> None:
    left = HostHolder("t", 1, 0.0, "a@b", "", "grind activate 20260101-000000-abcdef", stale=True)
    assert left.activation == "20260101-000000-abcdef"
    assert left._replace(what="grind rollback host x1").activation == "x1"
    assert left._replace(what="grind sync").activation == ""
    assert left._replace(what="grind sync").harmless
    assert not left.harmless


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
