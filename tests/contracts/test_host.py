"""What a host does besides lanes: small commands with data, and files that it keeps."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from grind.core.errors import GrindError
from tests.contracts.rig import Rig, alive, until

HOSTILE = [
    "",
    "a b",
    "'",
    '"',
    "$(touch /tmp/no)",
    "`id`",
    "\\",
    "two\nlines",
    "*",
    "é 😊",
    "-n",
    "#",
]


def test_arguments_environment_and_data_travel_as_they_are(rig: Rig) -> None:
    data = bytes(range(256)) * 300
    script = 'printf "%s\\0" "$@" "$WORD"; exec cat'
    done = rig.go(
        rig.host.run(("bash", "-c", script, "bash", *HOSTILE), data=data, env={"WORD": "\n$x'\""})
    )
    *words, rest = done.out.split(b"\0", len(HOSTILE) + 1)
    assert [word.decode() for word in words] == [*HOSTILE, "\n$x'\""]
    assert rest == data
    assert (done.exit_code, done.err) == (0, b"")


def test_exit_code_and_both_outputs(rig: Rig) -> None:
    done = rig.go(rig.host.run(("bash", "-c", "echo out; echo err >&2; exit 7")))
    assert done == (7, b"out\n", b"err\n")


def test_no_input_is_an_empty_one(rig: Rig) -> None:
    assert rig.go(rig.host.run(("cat",))) == (0, b"", b"")


def test_input_that_is_not_read_does_no_harm(rig: Rig) -> None:
    assert rig.go(rig.host.run(("true",), data=b"x" * 1_000_000)).exit_code == 0


def test_the_folder(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "with 'blank"
    folder.mkdir()
    done = rig.go(rig.host.run(("pwd",), cwd=os.fspath(folder)))
    assert done.out.decode() == f"{folder}\n"
    missing = rig.go(rig.host.run(("pwd",), cwd=os.fspath(tmp_path / "none")))
    assert missing.exit_code == 127
    assert b"none" in missing.err


def test_a_program_that_is_not_there(rig: Rig) -> None:
    done = rig.go(rig.host.run(("no-such-program-here",)))
    assert done.exit_code == 127
    assert b"no-such-program-here" in done.err


def test_one_that_takes_too_long_is_killed_with_what_it_started(rig: Rig, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"sleep 600 & echo $! >'{note}'; wait"
    done = rig.go(rig.host.run(("bash", "-c", script), seconds=2))
    assert done.exit_code == 124
    # KILL was sent when this returns; the kernel may need a moment to carry it out.
    rig.go(until(lambda: not alive(int(note.read_text()))))


def test_several_at_once(rig: Rig) -> None:
    async def story() -> list[bytes]:
        asked = (rig.host.run(("bash", "-c", f"echo {n}")) for n in range(8))
        return [done.out for done in await asyncio.gather(*asked)]

    assert rig.go(story()) == [b"%d\n" % n for n in range(8)]


def test_what_is_kept_is_private_whole_and_named_by_its_content(rig: Rig) -> None:
    data = bytes(range(256))

    async def story() -> tuple[str, str, str]:
        keep = rig.host.keep
        return await keep("tool", data), await keep("tool", data), await keep("tool", data + b"!")

    first, again, other = rig.go(story())
    assert first == again != other
    done = rig.go(rig.host.run(("cat", first)))
    assert done.out == data
    mode = rig.go(rig.host.run(("stat", "-c", "%a", first))).out
    assert stat.S_IMODE(int(mode, 8)) == 0o600


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\n",
        b"\0\0",
        b"a\0",
        b"\0a\n",
        b"\xff\xc3\0\\ \n\0",
        b"x" * 2048,
        b"\0" * 2048,
        b"\0x" * 1025,
    ],
    ids=["nul", "line", "nuls", "ends", "begins", "bytes", "full", "full-of-nuls", "longer"],
)
def test_what_is_short_comes_as_it_is(rig: Rig, data: bytes) -> None:
    path = rig.go(rig.host.keep("short", data))
    assert rig.go(rig.host.run(("cat", path))).out == data


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", ".hidden", "a b", "x\n", "x" * 101])
def test_names_that_lead_elsewhere_are_refused(rig: Rig, name: str) -> None:
    with pytest.raises(GrindError):
        rig.go(rig.host.keep(name, b""))
