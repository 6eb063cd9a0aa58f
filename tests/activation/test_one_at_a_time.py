"""One at a time changes a host, whichever repository, command or client it is: activation, rollback of the
host, restart of units, sync of the workspace."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.activation.commands_host import CommandsWorld
from tests.activation.far import FarWorld


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CommandsWorld]:
    made = CommandsWorld(tmp_path / "w")
    made.start()
    assert made.world.grind("activate").code == 0
    yield made
    made.shut_down()


def lock(root: Path, *arguments: str) -> list[str]:
    """Call the program of the host's locks, as any grind on this host would."""
    program = next(path for path in root.rglob("lock.sh-*") if path.parent.name == "bin")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", program, *arguments], capture_output=True
    )
    return done.stdout.decode().split("\0")[:-1]


def take(root: Path, holder: subprocess.Popen[bytes], what: str) -> str:
    word, token = lock(root, "take", "activation", str(holder.pid), "bob@box", "10.0.0.7", what, "")
    assert word == "taken"
    return token


def wait_for_the_second(site: CommandsWorld) -> None:
    """Until the activation after the first waits for its acknowledgement."""
    record = site.state / "record"
    site.world.until(lambda: record.read_text().count("\twaiting\t") == 2, "it does not wait")


@pytest.fixture
def somebody() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


def test_held_while_the_host_waits_and_free_afterwards(site: CommandsWorld) -> None:
    root = site.world.root
    site.world.write({"VERSION": "2\n", "MODE": "hang\n"})
    site.world.env["SSH_CONNECTION"] = "10.0.0.9 50000 10.0.0.1 22"
    process = site.world.begin("activate")
    wait_for_the_second(site)
    os.killpg(process.pid, signal.SIGKILL)  # the client; the supervisor stays
    site.world.end(process)
    word, _, _, _, who, origin, what = lock(root, "show", "activation")
    assert (word, what.rpartition(" ")[0]) == ("held", "grind activate")
    assert who.endswith(f"@{os.uname().nodename}")
    assert origin == "10.0.0.9", "whoever is logged in on the host itself"
    for restart in (("rollback", "runtime", "web.service"), ("rollback", "host")):
        refused = site.world.grind(*restart)
        assert refused.code != 0
    done = site.world.grind("activate")  # is taken up, and goes back
    assert done.code == 5, done.said
    assert lock(root, "show", "activation") == ["free"]


def test_nothing_begins_while_somebody_else_changes_the_host(
    site: CommandsWorld, somebody: subprocess.Popen[bytes]
) -> None:
    before, root = site.runs, site.world.root
    token = take(root, somebody, "grind rollback runtime")
    refused = site.change("2")
    assert refused.code == 3, refused.said
    told = (
        f"busy: grind rollback runtime by bob@box from 10.0.0.7 (pid {somebody.pid} there, since "
    )
    assert told in refused.err
    assert site.world.grind("rollback", "host").code == 3
    assert site.runs == before
    somebody.kill()
    somebody.wait()
    # It is not there any more, and nobody but the user can say what it left.
    refused = site.world.grind("activate")
    assert refused.code == 3, refused.said
    assert "gone without having let go" in refused.err
    assert f"grind doctor --free-lock {token}" in refused.err
    assert site.world.grind("doctor", "--free-lock", token).code == 0
    done = site.world.grind("activate")
    assert done.code == 0, done.said
    assert site.runs.startswith("2-")


def test_the_supervisor_asks_again_when_it_begins(
    site: CommandsWorld, somebody: subprocess.Popen[bytes]
) -> None:
    """Between the plan and the switch somebody else has begun."""
    before, root = site.runs, site.world.root
    building = site.world.root / "building"
    text = site.toml().replace('echo "$name" >', f': >{building}; sleep 2; echo "$name" >')
    site.world.write({"VERSION": "2\n", "grind.toml": text})
    shown = site.world.grind("trust", "--show", "--json")
    assert site.world.grind("trust", "--digest", shown.document["digest"]).code == 0
    process = site.world.begin("activate")
    site.world.until(building.exists, "it does not build")
    take(root, somebody, "grind sync")
    done = site.world.end(process)
    assert done.code == 3, done.said
    assert "busy: grind sync by bob@box from 10.0.0.7" in done.said
    assert (site.state / "record").read_text().rstrip().rpartition("\n")[2].count(
        "\trefused\t"
    ) == 1
    assert site.runs == before


def test_a_sync_that_died_is_followed_and_told_of(
    site: CommandsWorld, somebody: subprocess.Popen[bytes]
) -> None:
    take(site.world.root, somebody, "grind sync")
    somebody.kill()
    somebody.wait()
    done = site.change("2")
    assert done.code == 0, done.said
    assert "the lock of the host was taken over: left by grind sync by bob@box" in done.said
    assert lock(site.world.root, "show", "activation") == ["free"]


def test_a_killed_supervisor_leaves_a_lock_that_its_repair_follows(site: CommandsWorld) -> None:
    root = site.world.root
    site.world.write({"VERSION": "2\n", "MODE": "hang\n"})
    process = site.world.begin("activate")
    wait_for_the_second(site)
    os.killpg(process.pid, signal.SIGKILL)
    newest = max(site.state.glob("a/*/pids"), key=lambda path: path.stat().st_mtime)
    for pid in newest.read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    site.world.end(process)
    site.world.until(lambda: lock(root, "show", "activation")[0] == "stale", "it is not stale")
    done = site.world.grind("rollback", "host")
    assert done.code == 0, done.said
    assert "the supervisor was killed" in done.said
    assert site.runs.startswith("1-")
    assert lock(root, "show", "activation") == ["free"]


def test_over_ssh(far: FarWorld) -> None:
    far.greens, far.deadline = 60, "20s"
    far.begin("1")
    far.change("2")
    far.world.env["SSH_CONNECTION"] = "10.0.0.9 50000 10.0.0.1 22"  # of us, not of the host
    process = far.world.begin("activate")
    far.lab.wait_for("waiting")
    word, _, _, _, who, origin, what = lock(far.sshd.home, "show", "activation")
    assert (word, what.rpartition(" ")[0]) == ("held", "grind activate")
    assert origin == "127.0.0.1", "as the host sees it"
    assert who.endswith(f"@{os.uname().nodename}")
    assert far.world.end(process).code == 0
    assert lock(far.sshd.home, "show", "activation") == ["free"]
