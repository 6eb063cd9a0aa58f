"""How a runner is detached from its session: by systemd where that may be, else by itself.

No systemd can be booted here: tests/standins/systemd-run and systemctl stand in, and say what they mimic.
That a real systemd holds MemoryMax is not shown by these tests.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from grind.adapters.runner import wire
from grind.adapters.runner.program import HOST, RUNNER, program
from grind.adapters.ssh.host import Limits, SshHost
from grind.ports import LaneSpec
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig, Story, step
from tests.sshd import Sshd

STANDINS = Path(__file__).parents[2] / "standins"
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="a unit of the system is root's to start")


class Unit(NamedTuple):
    """What the stand-in has noted of a unit when it was started."""

    manager: str
    slice: str
    name: str
    own: str
    """Its own MemoryMax."""
    held: str
    """That of its slice."""


def put_systemd(tools: Path, notes: Path) -> None:
    for name in ("systemd-run", "systemctl"):
        shutil.copy(STANDINS / name, tools / name)
    (tools / "systemd-run.notes").write_text(os.fspath(notes))


@pytest.fixture
def root(sshd: Sshd, tmp_path: Path) -> Path:
    """What the host's / looks like: systemd runs there."""
    root = tmp_path / "root"
    (root / "run" / "systemd" / "system").mkdir(parents=True)
    put_systemd(sshd.tools, tmp_path / "notes")
    return root


def played(host: SshHost, folder: Path) -> Story:
    rig = Rig(host, folder, lambda _: host)
    try:
        return rig.play(
            step(0, "ps() { :; }; echo $PATH; cat /proc/$PPID/environ | tr '\\0' '\\n'")
        )
    finally:
        rig.close()


def notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().splitlines() if path.exists() else []


def units(folder: Path) -> list[Unit]:
    path = folder / "notes.units"
    return [Unit(*line.split()) for line in path.read_text().splitlines()] if path.exists() else []


def side_by_side(folder: Path, *hosts: SshHost) -> None:
    """Two runs of two jobs on each host, all of which live until the last one has begun."""

    async def all_of_them() -> list[Story]:
        def task(tag: str) -> str:
            begun = f"{folder}/begun"
            many = 4 * len(hosts)
            return (
                f"mkdir -p {begun}; : >{begun}/{tag}\n"
                f"until set -- {begun}/*; [ $# = {many} ]; do sleep 0.05; done"
            )

        return await asyncio.gather(
            *(
                rig._play([step(0, task(f"{at}-{run}-{key}"))], run=f"{run}{at}", key=key)
                for at, rig in enumerate(rigs)
                for run in ("r", "s")
                for key in ("one", "two")
            )
        )

    async def close(*_: object) -> None:
        for host in hosts:
            await host.close()

    async def whole() -> list[Story]:
        try:
            return await all_of_them()
        finally:
            await close()

    rigs = [Rig(host, folder) for host in hosts]
    stories = asyncio.run(whole())
    assert [story.status for story in stories] == ["success"] * 4 * len(hosts)


@ROOT
def test_a_unit_of_the_system_with_a_limit(sshd: Sshd, root: Path, tmp_path: Path) -> None:
    told = played(ssh_host(sshd, limits=Limits("12G", os.fspath(root))), tmp_path)
    assert told.status == "success", told.events
    said = notes(tmp_path)
    [unit] = units(tmp_path)
    assert unit[:2] == ("system", "grind-12G.slice")
    assert unit.name.startswith("grind-r1-job-")
    assert (unit.own, unit.held) == ("-", "12G"), "the limit is the slice's, and was there before"
    swap = tmp_path / "notes.slices" / "system" / unit.slice / "MemorySwapMax"
    assert swap.read_text() == "0\n"
    assert "--property=OOMPolicy=continue" in said
    assert f"--setenv=PATH={sshd.tools}" in said


@ROOT
def test_one_limit_for_all_jobs_of_all_runs(sshd: Sshd, root: Path, tmp_path: Path) -> None:
    """Of two clients too, each with its own folder of state, as operators have: 4 runs, 8 jobs."""
    limits = Limits("80%", os.fspath(root))
    side_by_side(tmp_path, *(ssh_host(sshd, slug=slug, limits=limits) for slug in ("ada", "bob")))
    started = units(tmp_path)
    assert len({unit.name for unit in started}) == 8
    assert {unit.slice for unit in started} == {"grind-80percent.slice"}
    assert {(unit.own, unit.held) for unit in started} == {("-", "80%")}


@ROOT
def test_another_limit_changes_nothing_for_those_that_run(
    sshd: Sshd, root: Path, tmp_path: Path
) -> None:
    many, few = (Limits(limit, os.fspath(root)) for limit in ("12G", "512M"))
    side_by_side(tmp_path, ssh_host(sshd, limits=many), ssh_host(sshd, slug="b", limits=few))
    started = units(tmp_path)
    assert {(unit.slice, unit.held) for unit in started} == {
        ("grind-12G.slice", "12G"),
        ("grind-512M.slice", "512M"),
    }
    kept = tmp_path / "notes.slices" / "system"
    assert (kept / "grind-12G.slice" / "MemoryMax").read_text() == "12G\n"


@ROOT
def test_without_a_limit_there_is_none(sshd: Sshd, root: Path, tmp_path: Path) -> None:
    assert played(ssh_host(sshd, limits=Limits("", os.fspath(root))), tmp_path).status == "success"
    assert not any("Memory" in word for word in notes(tmp_path))
    [unit] = units(tmp_path)
    assert unit[1:2] + unit[3:] == ("system.slice", "-", "-")
    assert not (tmp_path / "notes.slices").exists()


@ROOT
@pytest.mark.parametrize("how", ["refused", "absent"])
def test_without_a_slice_each_job_is_held_by_itself(
    sshd: Sshd, root: Path, tmp_path: Path, how: str
) -> None:
    if how == "refused":
        (sshd.tools / "systemctl.fails").touch()
    else:
        (sshd.tools / "systemctl").unlink()
    host = ssh_host(sshd, limits=Limits("1G", os.fspath(root)))
    assert played(host, tmp_path).status == "success"
    [unit] = units(tmp_path)
    assert unit[1:2] + unit[3:] == ("system.slice", "1G", "-")
    assert "--property=MemorySwapMax=0" in notes(tmp_path)


@ROOT
def test_a_systemd_older_than_oompolicy(sshd: Sshd, root: Path, tmp_path: Path) -> None:
    (sshd.tools / "systemd-run.old").touch()
    host = ssh_host(sshd, limits=Limits("1G", os.fspath(root)))
    assert played(host, tmp_path).status == "success"
    [unit] = units(tmp_path)
    assert (unit.slice, unit.held) == ("grind-1G.slice", "1G")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["systemd-run", "--slice=a--b.slice", "--", "true"], "Invalid slice name"),
        (["systemd-run", "--slice=80%.slice", "--", "true"], "Invalid slice name"),
        (["systemd-run", "--property=Nice=3", "--", "true"], "not mimicked"),
        (["systemctl", "set-property", "--runtime", "-a.slice", "MemoryMax=1G"], "Invalid unit"),
        (
            ["systemctl", "set-property", "--runtime", "a.slice", "MemoryMax=12 G"],
            "Failed to parse",
        ),
        (["systemctl", "set-property", "a.slice", "MemoryMax=1G"], "not mimicked"),
        (["systemctl", "daemon-reload"], "not mimicked"),
    ],
)
def test_what_the_standins_refuse(tmp_path: Path, argv: list[str], said: str) -> None:
    put_systemd(tmp_path, tmp_path / "notes")
    done = subprocess.run([tmp_path / argv[0], *argv[1:]], capture_output=True, text=True)
    assert (done.returncode != 0, said in done.stderr) == (True, True), done
    assert units(tmp_path) == []
    assert not (tmp_path / "notes.slices").exists()


def test_where_systemd_refuses_the_runner_has_a_session_of_its_own(
    sshd: Sshd, root: Path, tmp_path: Path
) -> None:
    (sshd.tools / "systemd-run.fails").touch()
    told = played(ssh_host(sshd, limits=Limits("1G", os.fspath(root))), tmp_path)
    assert told.status == "success"
    log = tmp_path / "state" / "runs" / "r1" / "job" / "runner.log"
    if os.geteuid() == 0:
        assert "Interactive authentication required" in log.read_text()


@pytest.fixture
def ordinary() -> Iterator[tuple[Path, list[str], str]]:
    """A folder of an ordinary user's, how to run a program as that user, and the user's name."""
    folder = Path(tempfile.mkdtemp(prefix="grind-user-"))
    if os.geteuid() != 0:
        yield folder, [], getpass.getuser()
    else:
        nobody = pwd.getpwuid(65534)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        argv = ["setpriv", "--reuid=65534", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
        yield folder, argv, nobody.pw_name
    shutil.rmtree(folder)


@pytest.mark.parametrize("lingers", [False, True])
def test_a_unit_of_the_user_only_where_lingering_is_on(
    ordinary: tuple[Path, list[str], str], lingers: bool
) -> None:
    """The server itself, fed by hand as that user: the tests' sshd lets in only who runs it."""
    folder, become, user = ordinary
    tools, state, root = folder / "tools", folder / "state", folder / "root"
    for part in (tools, root / "run" / "systemd" / "system", root / "var/lib/systemd/linger"):
        part.mkdir(parents=True)
    if lingers:
        (root / "var/lib/systemd/linger" / user).touch()
    put_systemd(tools, folder / "notes")
    for name, text in (("host.sh", program(HOST)), ("lane.sh", program(RUNNER))):
        (folder / name).write_bytes(text)
    path = f"{tools}:/usr/bin:/bin"
    setup = ["bash", "-c", 'mkdir -p "$1/bin/run" "$1/sessions"; cp "$2" "$1/bin/run/"', "x"]
    subprocess.run([*become, *setup, os.fspath(state), f"{folder}/lane.sh"], check=True)
    spec = LaneSpec(run="r1", key="job", repository="", name="repo")
    data = wire.spec_fields(spec, "grind-r1-x", os.fspath(state), wire.Graces(), "")
    fields = wire.join_fields(("r1", "job", "", "1G", os.fspath(root)))
    end = wire.join_fields((f"{state}/runs/r1/job",))
    serve = ["bash", "--noprofile", "--norc", f"{folder}/host.sh", "serve", os.fspath(state), path]
    server = subprocess.Popen(
        [*become, *serve, "lane.sh", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/"
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(b"1 lane 5 %d\n%s%s\n" % (len(data), fields, data))
    server.stdin.flush()
    line = server.stdout.readline()
    assert line.startswith(b"1 0 ")
    facts = line.split(b" ", 3)[3].split(b"\x1f")
    server.stdin.write(b"2 end 1 0\n%s\n" % end)
    server.stdin.flush()
    assert server.stdout.readline().startswith(b"2 0 0")
    server.communicate()
    assert facts[3] == (b"user" if lingers else b"session")
    held = ("user", "grind-1G.slice", "-", "1G")
    assert [unit[:2] + unit[3:] for unit in units(folder)] == ([held] if lingers else [])


def test_without_systemd_a_session_of_its_own(sshd: Sshd, tmp_path: Path) -> None:
    host = ssh_host(sshd, limits=Limits("1G", os.fspath(tmp_path / "no-systemd")))
    assert played(host, tmp_path).status == "success"
    assert notes(tmp_path) == []
