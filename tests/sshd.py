"""A real sshd on a loopback port, whose sessions see what a bare NixOS has, and a network that fails.

    with Sshd(tmp_path) as host:
        subprocess.run(["ssh", "-F", host.config, host.alias, "true"])

`host.env` is what grind needs in its environment to use this client configuration. `host.network` is
the TCP proxy between client and sshd: it delays, throttles, cuts, swallows and resumes.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.netns import End
from tests.network import Network

COREUTILS = (  # noqa: SIM905
    "[ b2sum base32 base64 basename cat chgrp chmod chown chroot cksum comm cp csplit cut date dd "
    "df dir dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id "
    "install join kill link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc "
    "numfmt od paste pathchk pr printenv printf ptx pwd readlink realpath rm rmdir seq sha1sum "
    "sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum "
    "sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink "
    "uptime users vdir wc who whoami yes "
).split()
"""GNU coreutils: the programs that its manual lists."""

BARE = [*COREUTILS, "bash", "sh", "grep", "sed", "awk", "git", "setsid", "flock", "find", "xargs"]
"""What a bare NixOS has on the PATH of a session, as far as it matters here."""

ABSENT = ("python3", "python", "perl", "curl", "wget", "make", "jq", "rsync", "nix")


def sshd_program() -> str | None:
    return shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def need_sshd() -> None:
    """Skip the test where there is no sshd; in CI that is a failure."""
    if sshd_program() is None or shutil.which("ssh") is None:
        if os.environ.get("CI"):
            pytest.fail("sshd is not installed: tools/parts.sh installs it")
        pytest.skip("no sshd here: tools/parts.sh installs it")


class Sshd:
    """A host of its own: keys, config, home, PATH; logged in to as the user who runs the tests.

    `through` is the host that a client must jump over. `without` are programs that this host lacks.
    `settings` are further lines of its sshd_config, `more` further lines of the client's. With `end` it
    has an address of its own, and is reached at that, without the proxy, from the cable's other end.
    """

    def __init__(
        self,
        folder: Path,
        alias: str = "grind-test",
        *,
        through: Sshd | None = None,
        without: tuple[str, ...] = (),
        also: tuple[str, ...] = (),
        settings: str = "",
        more: str = "",
        state: Path | None = None,
        end: End | None = None,
    ) -> None:
        self.alias = alias
        self.folder = folder / f"sshd-{alias}"
        self.home = self.folder / "home"
        self.tools = self.folder / "bin"
        self.state = state or self.home / ".local" / "state" / "grind"
        """Where grind keeps what is its own on this host; given: by its GRIND_STATE_DIR."""
        self._state_set = f'"GRIND_STATE_DIR={state}"' if state is not None else ""
        self._end = end
        self.address = end.address if end is not None else "127.0.0.1"
        self.port = 22 if end is not None else free_port()
        self.network = Network((self.address, self.port))
        self._through = through
        self._programs = [name for name in [*BARE, *also] if name not in without]
        self._settings = settings
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> str:
        """The client's configuration: `ssh -F`."""
        return os.fspath(self.folder / "client_config")

    @property
    def env(self) -> dict[str, str]:
        """What makes grind use it."""
        return {"GRIND_SSH_CONFIG": self.config}

    def __enter__(self) -> Sshd:
        need_sshd()
        self.folder.mkdir(mode=0o700, parents=True)
        self.home.mkdir(parents=True, exist_ok=True)
        self._make_tools()
        self.make_host_key()
        _key(self.folder / "user_key")
        shutil.copy(self.folder / "user_key.pub", self.folder / "authorized_keys")
        self._write_config()
        self.network.start()
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.network.stop()
        self.stop()
        self.end_sessions()

    def start(self) -> None:
        """Start the daemon, as after a boot."""
        program = sshd_program()
        assert program is not None
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # privilege separation wants it
        log = self.folder / "log"
        enter = self._end.enter if self._end is not None else ()
        argv = [*enter, program, "-D", "-e", "-f", os.fspath(self.folder / "sshd_config")]
        with log.open("ab") as err:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=err)
        for _ in range(1000):
            if self._listens():
                return
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.01)
        raise AssertionError(f"sshd does not listen: {log.read_text()}")

    def _listens(self) -> bool:
        if self._end is not None:
            return self._end.listens(self.port)
        with contextlib.suppress(OSError), socket.create_connection((self.address, self.port)):
            return True
        return False

    def stop(self) -> None:
        """Stop listening; what runs goes on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def sessions(self) -> list[int]:
        """The processes of logins to this host, and nobody else's: they tell of its folder."""
        marks = (os.fsencode(self.folder), os.fsencode(self.state))
        own = self._process.pid if self._process is not None else 0
        return [pid for pid, told in _processes() if pid != own and any(m in told for m in marks)]

    def end_sessions(self) -> None:
        """Kill whatever logins to this host have left, detached or not."""
        for _ in range(100):
            left = self.sessions()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            if not left:
                return
            time.sleep(0.01)

    def make_host_key(self) -> None:
        """Make a (new) host key. The client goes on knowing the first one."""
        known = self.folder / "known_hosts"
        for path in self.folder.glob("host_key*"):
            path.unlink()
        _key(self.folder / "host_key")
        if not known.exists():
            public = (self.folder / "host_key.pub").read_text().split()
            known.write_text(f"{self.alias} {public[0]} {public[1]}\n")

    def ssh(self, *argv: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """Run ssh as the user would."""
        return subprocess.run(
            ["ssh", "-F", self.config, self.alias, *argv], capture_output=True, **more
        )

    def _make_tools(self) -> None:
        self.tools.mkdir()
        for name in self._programs:
            found = shutil.which(name)
            if found is not None:
                (self.tools / name).symlink_to(os.path.realpath(found))

    def _write_config(self) -> None:
        folder = self.folder
        quoted = (
            f'"PATH={self.tools}" "HOME={self.home}" "GRIND_TEST_HOST={folder}" {self._state_set}'
        )
        (folder / "sshd_config").write_text(
            f"""{self._settings}
Port {self.port}
ListenAddress {self.address}
HostKey "{folder}/host_key"
PidFile none
AuthorizedKeysFile "{folder}/authorized_keys"
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
PrintMotd no
PrintLastLog no
AllowTcpForwarding yes
MaxStartups 100
LogLevel ERROR
SetEnv {quoted}
"""
        )
        jump = f"ProxyJump {self._through.alias}" if self._through is not None else ""
        port = self.port if self._end is not None else self.network.port
        own = f"""Host {self.alias}
  HostName {self.address}
  Port {port}
  User {getpass.getuser()}
  HostKeyAlias {self.alias}
  IdentityFile "{folder}/user_key"
  UserKnownHostsFile "{folder}/known_hosts"
  {jump}
  {self._more}
  IdentitiesOnly yes
  IdentityAgent none
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""
        before = Path(self._through.config).read_text() if self._through is not None else ""
        Path(self.config).write_text(own + before)


@contextlib.contextmanager
def jumped(folder: Path) -> Iterator[tuple[Sshd, Sshd]]:
    """Two hosts, the second of which is reached through the first."""
    with Sshd(folder, "door") as door, Sshd(folder, "behind", through=door) as behind:
        yield door, behind


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_MAKING = threading.Lock()


def _key(path: Path) -> None:
    with _MAKING:
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", os.fspath(path)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def _processes() -> Iterator[tuple[int, bytes]]:
    """What the environment and the arguments of every process say, but of ours and of sshd's."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                yield int(entry.name), told


def words_of(pid: int) -> bytes:
    """Return the words of a process, each ended by NUL; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
