"""The hands of a session: commands one after the other are run by a shell that waits already."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from grind.adapters.ssh.host import SshHost
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig, alive, until
from tests.sshd import Sshd, words_of

WHO = ("bash", "-c", 'tr "\\0" " " <"/proc/$PPID/cmdline"; echo $PPID')


def hands(sshd: Sshd) -> list[int]:
    """The hands there, and the fork of them that waits for the next command."""
    found = []
    for pid in sshd.sessions():
        if b"hands" in words_of(pid).split(b"\0"):
            found.append(pid)
    return found


async def warmed(host: SshHost, sshd: Sshd) -> None:
    """Two commands, and the hands are there."""
    for _ in range(2):
        assert (await host.run(("true",))).exit_code == 0
    await until(lambda: len(hands(sshd)) == 2)
    for _ in range(100):
        if b" hands " in (await host.run(WHO)).out:
            return
    raise AssertionError("no command is run by the hands")


def warm(rig: Rig, sshd: Sshd) -> SshHost:
    host = rig.host
    assert isinstance(host, SshHost)
    rig.go(warmed(host, sshd))
    return host


def test_one_command_needs_none(rig: Rig, sshd: Sshd) -> None:
    rig.go(rig.host.run(("true",)))
    assert hands(sshd) == []


def test_while_they_are_busy_others_do_not_wait(rig: Rig, sshd: Sshd) -> None:
    host = warm(rig, sshd)

    async def story() -> tuple[bytes, int]:
        long = asyncio.create_task(host.run(("sleep", "600"), seconds=1000))
        await asyncio.sleep(0)
        told = [(await host.run(WHO)).out for _ in range(3)]
        assert not long.done()
        assert all(b" hands " not in one for one in told)
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        return (await host.run(("cat",), data=b"after")).out, len(hands(sshd))

    assert rig.go(story())[0] == b"after"
    # What was ended has freed them.
    rig.go(warmed(host, sshd))


def test_the_same_with_and_without_them(rig: Rig, sshd: Sshd, tmp_path: Path) -> None:
    """Each command beside a long one that has the hands, and then by the hands."""
    host = warm(rig, sshd)
    (tmp_path / "plain").write_text("text")
    (tmp_path / "bad").write_text("#!/no/such/interpreter\n")
    (tmp_path / "bad").chmod(0o755)
    folder = tmp_path / "a 'folder"
    folder.mkdir()
    see = 'env | sort; pwd; umask; echo "$@"; grep -E "^Sig(Ign|Blk)" /proc/self/status; cat'
    big = "head -c 300000 /dev/zero; printf '\\0x\\n' >&2; exit 7"
    cases: Sequence[tuple[Sequence[str], bytes, str]] = [
        (("bash", "-c", see, "bash", "", "a b", "é\n$(id)", "\\n"), b"in\0put", os.fspath(folder)),
        (("bash", "-c", see), b"", "/"),
        (("bash", "-c", big), b"", "/"),
        (("bash", "-c", "printf '%1300d' 1; printf '%600d' 2 >&2"), b"", "/"),
        (("bash", "-c", "printf '%1301d' 1; printf '%601d' 2 >&2"), b"", "/"),
        (("cat",), bytes(range(256)) * 300, "/"),
        (("no-such-program", "x"), b"", "/"),
        (("no-such\nprogram",), b"", "/"),
        (("",), b"", "/"),
        ((f"{tmp_path}/none",), b"", "/"),
        ((f"{tmp_path}/plain",), b"", "/"),
        ((f"{tmp_path}/bad",), b"", "/"),
        ((os.fspath(folder),), b"", "/"),
        (("./plain",), b"", os.fspath(tmp_path)),
        (("pwd",), b"", f"{tmp_path}/none"),
        (("g_hand",), b"", "/"),
        (("bash", "-c", "kill -INT $$"), b"", "/"),
        (("bash", "-c", "kill -KILL $$"), b"", "/"),
        (("bash", "-c", "echo said >&2; exit 127"), b"", "/"),
        (("true", "x" * 100_000), b"", "/"),
    ]

    async def story() -> None:
        long = asyncio.create_task(host.run(("sleep", "600"), seconds=1000))
        await asyncio.sleep(0)
        without = [await host.run(argv, data=data, cwd=cwd) for argv, data, cwd in cases]
        long.cancel()
        await asyncio.gather(long, return_exceptions=True)
        await warmed(host, sshd)
        for (argv, data, cwd), first in zip(cases, without, strict=True):
            for _ in range(2):
                assert await host.run(argv, data=data, cwd=cwd) == first, argv

    rig.go(story())


def test_both_outputs_in_any_locale(rig: Rig, sshd: Sshd) -> None:
    """The size in an answer is one of bytes, whatever LC_ALL the command has."""
    host = warm(rig, sshd)
    told = rig.go(host.run(("bash", "-c", "printf é; printf üü >&2"), env={"LC_ALL": "C.UTF-8"}))
    assert (told.out.decode(), told.err.decode()) == ("é", "üü")


@pytest.mark.parametrize("handed", [True, False])
def test_one_that_is_stopped_has_not_ended(rig: Rig, sshd: Sshd, handed: bool) -> None:
    host = warm(rig, sshd)

    async def story() -> int:
        env = {} if handed else {"A": "b"}
        done = await host.run(("bash", "-c", "kill -STOP $$"), env=env, seconds=1)
        return done.exit_code

    assert rig.go(story()) == 124
    assert rig.go(host.run(("echo", "after"))).out == b"after\n"


def test_what_a_command_leaves_behind_is_not_waited_for(rig: Rig, sshd: Sshd) -> None:
    host = warm(rig, sshd)
    left = int(rig.go(host.run(("bash", "-c", "sleep 600 & echo $!"))).out)
    assert alive(left)
    # Another one's end is not its own.
    assert rig.go(host.run(("sleep", "600"), seconds=0.5)).exit_code == 124
    assert alive(left)
    os.kill(left, signal.SIGKILL)


def test_what_runs_ends_with_the_session(rig: Rig, sshd: Sshd, tmp_path: Path) -> None:
    async def story() -> None:
        host = ssh_host(sshd)
        await warmed(host, sshd)
        note = tmp_path / "pid"
        script = f"sleep 600 & echo $! >'{note}.new'; mv '{note}.new' '{note}'; wait"
        run = asyncio.create_task(host.run(("bash", "-c", script), seconds=1000))
        await until(note.exists)
        await host.close()
        await asyncio.gather(run, return_exceptions=True)
        await until(lambda: not alive(int(note.read_text())))
        await until(lambda: hands(sshd) == [])

    rig.go(story())


@pytest.mark.parametrize("all_of_them", [True, False])
def test_hands_that_are_killed_are_done_without(rig: Rig, sshd: Sshd, all_of_them: bool) -> None:
    host = warm(rig, sshd)
    there = hands(sshd)
    for pid in there if all_of_them else there[:1]:
        os.kill(pid, signal.SIGKILL)
    rig.go(until(lambda: not any(alive(pid) for pid in there)))
    for number in range(3):
        assert rig.go(host.run(("echo", str(number)))).out == b"%d\n" % number
    rig.go(warmed(host, sshd))


def test_hands_that_are_killed_at_work(rig: Rig, sshd: Sshd, tmp_path: Path) -> None:
    """Nobody answers then: the time that was given ends it, and all that it started."""
    host = warm(rig, sshd)
    note = tmp_path / "pid"
    script = f"echo $$ >'{note}.new'; mv '{note}.new' '{note}'; sleep 600"

    async def story() -> int:
        run = asyncio.create_task(host.run(("bash", "-c", script), seconds=3))
        await until(note.exists)
        for pid in hands(sshd):
            os.kill(pid, signal.SIGKILL)
        return (await run).exit_code

    assert rig.go(story()) == 124
    assert not alive(int(note.read_text()))
    assert rig.go(host.run(("echo", "after"))).out == b"after\n"
