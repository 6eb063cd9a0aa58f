"""One holder at a time; who holds it is said; a dead holder holds nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grind.adapters.lock import HeldError, Holder, Lock, boot_id, holder
from grind.core.errors import ExitCode

SRC = Path(__file__).parents[2] / "src"

HOLD = """
import sys
sys.path.insert(0, sys.argv[2])
from grind.adapters.lock import Lock
with Lock(sys.argv[1], "grind check"):
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(SRC)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "free\n"


def test_a_free_lock_is_taken_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    assert holder(str(path)) is None
    with Lock(str(path), "a", now=lambda: 12.0):
        who = holder(str(path))
        assert who is not None
        assert (who.command, who.since, who.boot) == ("a", 12.0, boot_id())
    assert holder(str(path)) is None
    with Lock(str(path), "b"):
        pass


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held_elsewhere(path) as process:
        who = holder(str(path))
        assert who is not None
        assert who.pid == process.pid
        with pytest.raises(HeldError, match=f"grind check .pid {process.pid} on ") as caught:
            Lock(str(path), "second").acquire()
        assert caught.value.code is ExitCode.REFUSED
        assert caught.value.holder == who
        assert caught.value.remedy


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held_elsewhere(path) as process:
        process.kill()
        process.wait()
        assert path.read_text() != ""  # its record stays behind, and means nothing
        assert holder(str(path)) is None
        with Lock(str(path), "second"):
            who = holder(str(path))
            assert who is not None
            assert who.command == "second"


def test_waiting_ends_when_the_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    told: list[Holder | None] = []
    with held_elsewhere(path) as process:

        def slept(_: float) -> None:
            if told and process.poll() is None and path.read_text():
                let_go(process)

        with Lock(str(path), "second", wait=None, waiting=told.append, sleep=slept):
            pass
    assert len(told) == 1
    assert told[0] is not None
    assert told[0].command == "grind check"


def test_waiting_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    ticks = iter(range(100))
    slept: list[float] = []
    with held_elsewhere(path), pytest.raises(HeldError):
        Lock(str(path), "x", wait=5, tick=lambda: float(next(ticks)), sleep=slept.append).acquire()
    assert len(slept) == 4


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Lock(str(path), "parent"):
        child = subprocess.Popen(["sleep", "1000"], close_fds=False)
    try:
        assert holder(str(path)) is None
        with Lock(str(path), "next"):
            pass
    finally:
        child.kill()
        child.wait()


def test_looking_does_not_keep_others_from_locking(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "lock"
    path.write_text("")
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # somebody looks, as `holder` does

        def slept(_: float) -> None:
            fcntl.flock(file, fcntl.LOCK_UN)

        with Lock(str(path), "a", sleep=slept):
            assert holder(str(path)) is not None


def test_a_file_that_was_replaced_is_not_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Lock(str(path), "first"):
        path.unlink()
        with Lock(str(path), "second"), pytest.raises(HeldError, match="second"):
            Lock(str(path), "third").acquire()


def test_nonsense_in_the_file_is_nobody(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "lock"
    path.write_text("{}")
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert holder(str(path)) is None
        with pytest.raises(HeldError, match="another process"):
            Lock(str(path), "x", sleep=lambda _: None).acquire()


def test_the_same_object_twice_is_a_mistake(tmp_path: Path) -> None:
    with Lock(str(tmp_path / "lock"), "a") as lock, pytest.raises(RuntimeError):
        lock.acquire()
