"""Why a host cannot be reached, told apart, each with its remedy."""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.ssh.channel import Pulse
from grind.adapters.ssh.door import LONGEST, door
from grind.adapters.ssh.host import SshHost
from grind.adapters.ssh.trouble import SshError, trouble
from grind.core.errors import ExitCode, GrindError
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import RealClock, Rig, step
from tests.sshd import Sshd, jumped


def refused(host: SshHost, folder: Path) -> SshError:
    rig = Rig(host, folder, lambda _: host)
    with pytest.raises(SshError) as caught:
        rig.go(host.identity())
    rig.close()
    assert caught.value.code is ExitCode.UNREACHABLE
    assert caught.value.remedy
    return caught.value


def test_a_host_key_that_changed(sshd: Sshd, tmp_path: Path) -> None:
    sshd.stop()
    sshd.make_host_key()
    sshd.start()
    error = refused(ssh_host(sshd), tmp_path)
    assert (error.kind, error.lasting) == ("host-key-changed", True)
    assert "is not the one that you know" in error.message


def test_a_host_key_that_is_not_known(sshd: Sshd, tmp_path: Path) -> None:
    (sshd.folder / "known_hosts").write_text("")
    assert refused(ssh_host(sshd), tmp_path).kind == "host-key-unknown"


def test_a_user_who_is_not_let_in(sshd: Sshd, tmp_path: Path) -> None:
    (sshd.folder / "authorized_keys").write_text("")
    error = refused(ssh_host(sshd), tmp_path)
    assert error.kind == "authentication"
    assert "ssh-add" in error.remedy


def test_nobody_listens(sshd: Sshd, tmp_path: Path) -> None:
    sshd.network.stop()
    assert refused(ssh_host(sshd), tmp_path).kind == "refused"


def test_a_name_that_nobody_has(sshd: Sshd, tmp_path: Path) -> None:
    way = door("no-such-host.invalid", {}, config=sshd.config)
    host = SshHost(way, RealClock(), name="x", slug="", environ=os.environ)
    assert refused(host, tmp_path).kind == "name"


def test_a_host_that_does_not_answer(sshd: Sshd, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        text = Path(sshd.config).read_text()
        Path(sshd.config).write_text(
            text.replace(f"Port {sshd.network.port}", f"Port {silent.getsockname()[1]}")
        )
        way = door(sshd.alias, {}, config=sshd.config, connect=1)
        host = SshHost(way, RealClock(), name="x", slug="", environ=os.environ)
        assert refused(host, tmp_path).kind == "timeout"


def test_a_connection_that_is_closed_at_once(sshd: Sshd, tmp_path: Path) -> None:
    sshd.network.refuse()
    error = refused(ssh_host(sshd), tmp_path)
    assert (error.kind, error.lasting) == ("dropped", False)


def test_a_host_without_bash(tmp_path: Path) -> None:
    # The login shell of the user who runs the tests is what it is; its PATH is the host's.
    with Sshd(tmp_path, without=("bash",)) as sshd:
        error = refused(ssh_host(sshd), tmp_path)
        assert error.kind == "no-bash"
        assert "bash 4.4" in error.remedy


def test_a_host_without_coreutils(tmp_path: Path) -> None:
    with Sshd(tmp_path, without=("head",)) as sshd:
        error = refused(ssh_host(sshd), tmp_path)
        assert error.kind == "no-bash"
        assert "coreutils" in error.remedy


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Sshd(tmp_path, state=tmp_path / "file" / "state") as sshd:
        error = refused(ssh_host(sshd), tmp_path)
        assert "GRIND_STATE_DIR" in error.remedy


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ssh: connect to host x port 22: Connection refused", "refused"),
        ("ssh: connect to host x port 22: No route to host", "timeout"),
        ("ssh: connect to host x port 22: Connection timed out", "timeout"),
        ("Timeout, server 10.0.0.1 not responding.", "timeout"),
        ("ssh: Could not resolve hostname x: Name or service not known", "name"),
        ("u@x: Permission denied (publickey,password).", "authentication"),
        ("Received disconnect from x: Too many authentication failures", "authentication"),
        ("Unable to negotiate with x: no matching host key type found.", "authentication"),
        ("@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@", "host-key-changed"),
        ("Host key verification failed.", "host-key-unknown"),
        ("kex_exchange_identification: Connection closed by remote host", "dropped"),
        ("client_loop: send disconnect: Broken pipe", "dropped"),
        ("/home/u/.ssh/config: line 3: Bad configuration option: x", "config"),
        ("fish: Unknown command: bash", "no-bash"),
        ("", "dropped"),
    ],
)
def test_words_of_ssh(said: str, kind: str) -> None:
    assert trouble("x", said.encode()).kind == kind


def test_words_are_cleaned() -> None:
    assert "\x1b" not in trouble("x", b"\x1b[31mPermission denied\x07 \xff").message


@pytest.mark.parametrize("alias", ["", "-oProxyCommand=x", "-", "a b", "a\nb", "a\0b"])
def test_an_alias_that_is_none(alias: str) -> None:
    with pytest.raises(GrindError, match="not an SSH alias"):
        door(alias, {})


def test_the_socket_has_a_short_path_in_a_private_folder(tmp_path: Path) -> None:
    way = door("host", {"XDG_RUNTIME_DIR": os.fspath(tmp_path / ("long" * 30))})
    assert len(way.socket) <= LONGEST
    assert way.socket.startswith(f"/tmp/grind-{os.geteuid()}/")
    short = Path("/tmp") / f"g{os.getpid()}"
    short.mkdir()
    try:
        way = door("host", {"XDG_RUNTIME_DIR": os.fspath(short)})
        assert way.socket.startswith(f"{short}/grind/")
        assert stat.S_IMODE((short / "grind").stat().st_mode) == 0o700
        (short / "grind").chmod(0o777)
        with pytest.raises(GrindError, match="private folder"):
            door("host", {"XDG_RUNTIME_DIR": os.fspath(short)})
        (short / "grind").rmdir()
        (short / "grind").symlink_to("/tmp")
        with pytest.raises(GrindError, match="private folder"):
            door("host", {"XDG_RUNTIME_DIR": os.fspath(short)})
        (short / "grind").unlink()
    finally:
        short.rmdir()


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Sshd]:
    with jumped(tmp_path) as (_, behind):
        yield behind


def test_a_host_behind_another(behind: Sshd, tmp_path: Path) -> None:
    host = ssh_host(behind, pulse=Pulse(1, 10, 20))
    rig = Rig(host, tmp_path, lambda _: host)
    assert rig.go(host.run(("bash", "-c", "echo $PATH"))).out.decode() == f"{behind.tools}\n"
    rig.close()


NOISE = """
echo "Welcome! $RANDOM"; echo to stderr >&2; printf 'no newline'
export LC_ALL=de_DE.UTF-8 GREETED=1 GRIND_STATE_DIR=$HOME/elsewhere
alias exec=false; set -o noglob
"""


def test_a_login_that_talks(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        (sshd.home / ".bashrc").write_text(NOISE)
        host = ssh_host(sshd)
        rig = Rig(host, tmp_path, lambda _: host)
        assert rig.go(host.run(("echo", "x"))).out == b"x\n"
        assert host.environment["LC_ALL"] == "de_DE.UTF-8"
        assert (sshd.home / "elsewhere" / "bin").is_dir()
        rig.close()


def test_a_process_that_is_closed_as_it_ends_is_no_news(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Asyncio warns of it where nothing is set up for logging: in the middle of what a user reads."""
    rig.go(rig.host.identity())
    log = logging.getLogger("asyncio")
    log.warning("Unknown child process pid %d, will report returncode 255", 7)
    log.warning("child process pid %d exit status already read:  will report returncode 255", 7)
    log.warning("Executing %s took %.3f seconds", "x", 1.0)
    assert [record.args for record in caplog.records if record.name == "asyncio"] == [("x", 1.0)]


def test_the_bare_path_is_what_jobs_get(sshd: Sshd, tmp_path: Path) -> None:
    from tests.sshd import ABSENT

    host = ssh_host(sshd)
    rig = Rig(host, tmp_path, lambda _: host)
    found = rig.go(host.ask({name: ("bash", "-c", f"type -P {name}") for name in ABSENT}))
    assert {name: done.out for name, done in found.items()} == dict.fromkeys(ABSENT, b"")
    rig.close()


@pytest.mark.parametrize("program", ["tail", "setsid"])
def test_a_host_that_lacks_what_a_lane_needs(tmp_path: Path, program: str) -> None:
    with Sshd(tmp_path, without=(program,)) as sshd:
        host = ssh_host(sshd)
        rig = Rig(host, tmp_path, lambda _: host)
        with pytest.raises(GrindError, match=f"has no {program} on the PATH"):
            rig.go(rig.lane())
        rig.close()


def test_commands_see_where_the_session_comes_from_and_steps_do_not(rig: Rig, sshd: Sshd) -> None:
    """Also after the connection was made again, when it is another one."""
    ask = ("bash", "-c", "echo $SSH_CONNECTION")

    def came() -> list[str]:
        return rig.go(rig.host.run(ask)).out.decode().split()

    first = came()
    assert (first[0], first[2:]) == ("127.0.0.1", ["127.0.0.1", str(sshd.port)])
    sshd.network.cut()
    second = rig.go(rig.host.ask({"came": ask}))["came"].out.decode().split()
    assert (second[0], second[1] != first[1]) == ("127.0.0.1", True)
    lent = {name: value for name, value in rig.host.environment.items() if name != "PATH"}
    told = rig.play(step(0, "echo ${SSH_CONNECTION-none}"), env=lent)
    assert told.text(0) == "none\n"
