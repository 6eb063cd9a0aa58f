"""How a runner is detached from its session: by systemd where that may be, else by itself.

No systemd can be booted here: tests/standins/systemd-run stands in, and says what it mimics. That a real
systemd holds MemoryMax is not shown by these tests.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.runner import wire
from grind.adapters.runner.program import HOST, RUNNER, program
from grind.adapters.ssh.host import Limits, SshHost
from grind.ports import LaneSpec
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig, Story, step
from tests.sshd import Sshd

STANDIN = Path(__file__).parents[2] / "standins" / "systemd-run"


@pytest.fixture
def root(sshd: Sshd, tmp_path: Path) -> Path:
    """What the host's / looks like: systemd runs there."""
    root = tmp_path / "root"
    (root / "run" / "systemd" / "system").mkdir(parents=True)
    shutil.copy(STANDIN, sshd.tools / "systemd-run")
    (sshd.tools / "systemd-run.notes").write_text(os.fspath(tmp_path / "notes"))
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


@pytest.mark.skipif(os.geteuid() != 0, reason="a unit of the system is root's to start")
def test_a_unit_of_the_system_with_a_limit(sshd: Sshd, root: Path, tmp_path: Path) -> None:
    told = played(ssh_host(sshd, limits=Limits("12G", os.fspath(root))), tmp_path)
    assert told.status == "success", told.events
    said = notes(tmp_path)
    assert "--property=MemoryMax=12G" in said
    assert any(word.startswith("--unit=grind-r1-job-") for word in said)
    assert f"--setenv=PATH={sshd.tools}" in said
    assert "--user" not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="a unit of the system is root's to start")
def test_without_a_limit_there_is_none(sshd: Sshd, root: Path, tmp_path: Path) -> None:
    assert played(ssh_host(sshd, limits=Limits("", os.fspath(root))), tmp_path).status == "success"
    assert not any("Memory" in word for word in notes(tmp_path))


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
    shutil.copy(STANDIN, tools / "systemd-run")
    (tools / "systemd-run.notes").write_text(f"{folder}/notes")
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
    while not (line := server.stdout.readline()).startswith(b"1 0"):
        said = b64decode(line.split(b" ", 3)[3])
    facts = said.split(b"\0")
    server.stdin.write(b"2 end 1 0\n%s\n" % end)
    server.stdin.flush()
    assert server.stdout.readline().startswith(b"2 0 0")
    server.communicate()
    assert facts[3] == (b"user" if lingers else b"session")
    assert ("--user" in notes(folder)) == lingers
    assert ("--property=MemoryMax=1G" in notes(folder)) == lingers


def test_without_systemd_a_session_of_its_own(sshd: Sshd, tmp_path: Path) -> None:
    host = ssh_host(sshd, limits=Limits("1G", os.fspath(tmp_path / "no-systemd")))
    assert played(host, tmp_path).status == "success"
    assert notes(tmp_path) == []
