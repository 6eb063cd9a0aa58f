"""`grind status` from what is remembered says what it says from its sources, byte for byte, in every
state; or it says nothing, and then the sources are read."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.commands.status import run_line
from grind.core.errors import GrindError
from grind.core.standing import Status
from grind.wiring import Session, find_ahead
from grind.wiring.standing import Doubt, standing_read, standing_remembered
from tests.e2e.world import CHECKOUT, CI, SRC, World, workflow

NOW = 4_000_000_000.0
GREEN = workflow(CHECKOUT + "- run: 'true'\n")
RED = workflow(CHECKOUT + "- run: 'false'\n")
PARTIAL = workflow(CHECKOUT + "- run: 'true'\n- uses: someone/something@v1\n")


class At:
    """A clock that stands."""

    def now(self) -> float:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def read(world: World) -> Status | str:
    """From the sources; or the error, as text."""
    try:
        session = Session(str(world.repo), world.env)
        session.clock = At()  # type: ignore[assignment]
        return standing_read(session)
    except GrindError as error:
        return error.message


def remembered(world: World) -> Status | None:
    """From what is remembered alone; None for a doubt, or any error."""
    try:
        begun = find_ahead(str(world.repo), world.env)
        return standing_remembered(str(world.repo), world.env, At().now, begun)
    except GrindError:
        return None


State = Callable[[World], object]


def _check(world: World) -> None:
    world.grind("check")


def _toml(text: str) -> State:
    return lambda world: world.write({"grind.toml": text})


def _head(*args: str) -> State:
    return lambda world: world.git(*args)


def _newest(world: World) -> Path:
    return max((world.kept / "releases").iterdir()) / "journal.ndjson"


def _torn(world: World) -> None:
    path = _newest(world)
    path.write_bytes(path.read_bytes() + b'{"schema":"grind.ev')


def _cut_off(world: World) -> None:
    """As a run that was killed leaves it: begun, and not ended."""
    path = _newest(world)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if b'"run.ended"' not in line))


def _spoilt(world: World) -> None:
    _newest(world).write_bytes(b"not a journal\n")


def _unreadable_receipt(world: World) -> None:
    for path in (world.kept / "receipts").glob("*.json"):
        path.write_bytes(b"{")


def _upstream_moves(world: World) -> None:
    other = world.root / "other"
    world.git("clone", "-q", str(world.remote), str(other), cwd=world.root)
    world.git("commit", "-q", "--allow-empty", "-m", "theirs", cwd=other)
    world.git("push", "-q", cwd=other)
    world.git("fetch", "-q")


def _linked(world: World) -> None:
    """Go on in a linked working copy."""
    world.git("worktree", "add", "-q", "-b", "side", str(world.root / "linked"))
    world.repo = world.root / "linked"


QUICK: dict[str, tuple[str, list[State]]] = {
    "no run": (GREEN, []),
    "green": (GREEN, [_check]),
    "green, with a new commit": (GREEN, [lambda w: w.write({"new": "x"}), _check]),
    "red": (RED, [_check]),
    "partial": (PARTIAL, [_check]),
    "landed": (
        GREEN,
        [lambda w: w.write({"new": "x"}), _check, lambda w: w.grind("land", "-m", "new")],
    ),
    "expired": (GREEN, [_toml('[receipt]\nmax_age = "1s"\n'), _check]),
    "edited after the run": (GREEN, [_check, lambda w: w.write({CI: GREEN + "# more\n"})]),
    "untracked": (GREEN, [lambda w: w.write({"new file": "x", "größe/ü": "y"})]),
    "a hostile name": (GREEN, [lambda w: w.write({"a\x1b[2Jb\nc": "x"})]),
    "deleted": (GREEN, [lambda w: (w.repo / CI).unlink()]),
    "detached": (GREEN, [_head("checkout", "-q", "--detach")]),
    "another branch": (GREEN, [_head("checkout", "-q", "-b", "topic/ü")]),
    "upstream moved": (GREEN, [_check, _upstream_moves]),
    "ahead": (GREEN, [_head("commit", "-q", "--allow-empty", "-m", "more")]),
    "a configuration": (GREEN, [_toml('main = "trunk"\nremote = "origin"\n'), _check]),
    "labels and variables": (
        GREEN,
        [_toml('[hosts.local]\nlabels = ["big"]\nset = { A = "b" }\npath = ["/opt"]\n'), _check],
    ),
    "another host, nothing proven": (GREEN, [_toml('[hosts.far]\nssh = "far.invalid"\n')]),
    "no remote HEAD": (GREEN, [_head("remote", "set-head", "origin", "-d")]),
    "a remote HEAD that leads nowhere": (
        GREEN,
        [_head("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")],
    ),
    "packed refs": (GREEN, [_head("pack-refs", "--all"), _check]),
    "cut off": (GREEN, [_check, lambda w: w.write({"x": "y"}), _cut_off]),
    "a linked working copy": (GREEN, [_check, _linked]),
}
"""Name → workflow, and what is done before the question. The quick way must answer each."""

SLOW: dict[str, tuple[str, list[State]]] = {
    "a torn journal": (GREEN, [_check, _torn]),
    "a spoilt journal": (GREEN, [_check, _spoilt]),
    "a broken configuration": (GREEN, [_toml("main = \n")]),
    "a configuration with a mistake": (GREEN, [_toml('[receipt]\nmax_age = "soon"\n')]),
    "a host that is not there": (GREEN, [_toml('host = "far"\n')]),
    "a remote that is not there": (GREEN, [_toml('remote = "far"\n')]),
    "an unreadable receipt": (GREEN, [_check, _unreadable_receipt]),
    "a conflict": (GREEN, [lambda w: w.write({"a": "1"}), lambda w: _conflict(w)]),
}
"""The same, where nothing can be remembered."""


def _conflict(world: World) -> None:
    world.commit("a")
    world.git("checkout", "-q", "-b", "other", "HEAD~1")
    world.write({"a": "2"})
    world.commit("b")
    world.git("merge", "main", check=False)


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_both_ways_say_the_same(world: World, name: str) -> None:
    files, steps = (QUICK | SLOW)[name]
    world.start({CI: files})
    for step in steps:
        before = remembered(world)
        assert before is None or before == read(world)
        step(world)
    at_once = remembered(world)
    told = read(world)
    assert at_once is None or at_once == told
    later = remembered(world)
    assert later == (told if name in QUICK else None)


@pytest.mark.parametrize("name", ["green", "red", "landed", "upstream moved"])
def test_a_run_leaves_what_status_needs(world: World, name: str) -> None:
    files, steps = QUICK[name]
    world.start({CI: files})
    for step in steps:
        step(world)
    assert remembered(world) is not None


def test_without_a_commit(world: World) -> None:
    world.start({CI: GREEN}, commit=False)
    told = read(world)
    assert isinstance(told, Status)
    assert remembered(world) == told
    world.commit("first")
    assert remembered(world) == read(world)


@contextmanager
def _held(world: World) -> Iterator[None]:
    world.kept.mkdir(exist_ok=True)
    with open(world.kept / "lock", "w") as file:
        record = {"pid": 1, "boot": "b", "since": 5.0, "command": "grind check", "host": "box"}
        file.write(json.dumps(record))
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_while_somebody_runs_the_sources_are_read(world: World) -> None:
    world.start({CI: GREEN})
    _check(world)
    assert remembered(world) is not None
    with _held(world):
        assert remembered(world) is None
        told = read(world)
        assert isinstance(told, Status)
        assert told.running.startswith("grind check (pid 1 on box")
    assert remembered(world) is not None


@pytest.mark.parametrize("damage", [b"", b"[", b"[1]", b"{}", b'["grind.brief/1 0.0.0",[]]'])
def test_what_is_remembered_badly_is_read_again(world: World, damage: bytes) -> None:
    world.start({CI: GREEN})
    _check(world)
    told = read(world)
    for path in sorted((world.kept / "briefs").iterdir()):
        good = path.read_bytes()
        path.write_bytes(damage)
        assert remembered(world) is None, path.name
        assert read(world) == told
        assert path.read_bytes() == good
    assert remembered(world) == told


def test_another_version_remembers_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.start({CI: GREEN})
    assert read(world)
    assert remembered(world) is not None
    monkeypatch.setattr("grind.adapters.briefs._FORM", "grind.brief/1 9.9.9")
    assert remembered(world) is None


def test_a_receipt_in_place_of_another_is_read(world: World) -> None:
    """The same name, size and time of change; but another file."""
    world.start({CI: GREEN})
    _check(world)
    assert read(world)
    [path] = (world.kept / "receipts").glob("*.json")
    found = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.replace(other, path)
    assert remembered(world) is None


def test_the_whole_program_says_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.start({CI: GREEN})
    for args in ((), ("--json",)):
        first = world.grind("status", *args)
        second = world.grind("status", *args)
        assert first == second
        assert first.code == 0
    shutil.rmtree(world.kept / "briefs")
    assert run_line(["--host", "x"]) is None
    assert capsys.readouterr().out == ""
    assert Doubt().message


LEAN = """
import sys
sys.path.append(sys.argv.pop(1))
from grind.lean import main
code = main()
sys.stderr.write("\\n".join(sys.modules))
sys.exit(code)
"""


def test_what_is_remembered_needs_no_library(world: World) -> None:
    """As the door starts it: without `site`, and with the smallest modules."""
    world.start({CI: GREEN})
    _check(world)
    argv = [sys.executable, "-S", "-P", "-c", LEAN, str(SRC), "status"]
    done = subprocess.run(argv, cwd=world.repo, env=world.env, capture_output=True, check=False)
    assert done.returncode == 0, done
    assert b"proven" in done.stdout
    loaded = set(done.stderr.decode().split())
    assert "grind.flows.standing" in loaded
    heavy = {"site", "msgspec", "subprocess", "asyncio", "argparse", "rich", "tomllib", "datetime"}
    assert not heavy & loaded
    ages = re.compile(r"[0-9.]+s ago")
    assert ages.sub("", done.stdout.decode()) == ages.sub("", world.grind("status").out)


CHANGES: dict[str, State] = {
    "edit": lambda w: w.write({"a": os.urandom(4).hex()}),
    "new": lambda w: w.write({os.urandom(4).hex(): "x"}),
    "delete": lambda w: (w.repo / "a").unlink(missing_ok=True),
    "commit": lambda w: w.commit("more"),
    "push": lambda w: w.git("push", "-q", "origin", "HEAD:main", check=False),
    "detach": lambda w: w.git("checkout", "-q", "--detach"),
    "branch": lambda w: w.git("checkout", "-q", "-B", "topic"),
    "main": lambda w: w.git("checkout", "-q", "-f", "main"),
    "back": lambda w: w.git("reset", "-q", "--hard", "HEAD~1", check=False),
    "theirs": lambda w: w.git("update-ref", "refs/remotes/origin/main", "HEAD"),
    "no upstream": lambda w: w.git("update-ref", "-d", "refs/remotes/origin/main"),
    "second remote": lambda w: w.git("remote", "add", "b", "ssh://x/y/z.git", check=False),
    "moved remote": lambda w: w.git("remote", "set-url", "origin", "https://u:p@h/o/r.git"),
    "configure": _toml('[receipt]\nmax_age = "1h"\n'),
    "misconfigure": _toml("x = 1\n"),
    "no configuration": lambda w: (w.repo / "grind.toml").unlink(missing_ok=True),
    "ask": read,
    "forget": lambda w: shutil.rmtree(w.kept / "briefs", ignore_errors=True),
    "tear": lambda w: _torn(w) if _has_run(w) else None,
    "append": lambda w: _append(w) if _has_run(w) else None,
    "no receipts": lambda w: shutil.rmtree(w.kept / "receipts", ignore_errors=True),
}


def _has_run(world: World) -> bool:
    return (world.kept / "releases").is_dir()


def _append(world: World) -> None:
    """Begin the run once more, as a resumed one does."""
    path = _newest(world)
    whole = [line for line in path.read_bytes().split(b"\n")[:-1] if b"run.started" in line]
    path.write_bytes(path.read_bytes() + whole[0] + b"\n")


@given(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_they_never_disagree(changes: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.start({CI: GREEN, "a": "1"})
        _check(world)
        for name in changes:
            CHANGES[name](world)
            at_once = remembered(world)
            told = read(world)
            assert at_once is None or at_once == told, name
            assert remembered(world) in (None, told)


def test_outside_of_a_repository(world: World) -> None:
    done = world.grind("status", cwd=world.home)
    assert done.code == 2
    assert "is not in a git repository" in done.err
