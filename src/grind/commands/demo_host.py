"""A chapter of `grind demo`: the change is proven on a host that ssh reaches, and the client dies.

The host is a real sshd on a loopback port, with throw-away keys, gone afterwards.

Everything it starts carries a mark in its environment, by which what is left is found and ended:
nothing else is ever touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from grind.core.errors import ExitCode

ALIAS = "demo-host"
_PATIENCE = 10.0
"""Seconds until a sshd listens, and until sessions have ended by themselves."""

_SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey "{folder}/host_key"
PidFile none
AuthorizedKeysFile "{folder}/user_key.pub"
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitUserRC no
PrintMotd no
LogLevel ERROR
SetEnv "HOME={home}" "{mark}"
"""

_CLIENT = """\
Host {alias}
  HostName 127.0.0.1
  Port {port}
  HostKeyAlias {alias}
  IdentityFile "{folder}/user_key"
  UserKnownHostsFile "{folder}/known_hosts"
  GlobalKnownHostsFile /dev/null
  IdentitiesOnly yes
  IdentityAgent none
  StrictHostKeyChecking yes
"""


_SIGN = "a slow one begins"
SLOW = f"""\
echo "{_SIGN}"
sleep 2
is "$GREETING, slow one!" "slow one"
"""
"""Goes to the end of the sample's tests, so that there is time to kill a client."""


class Stage(Protocol):
    """What a chapter is played on."""

    def say(self, text: str) -> None:
        """Tell the reader what comes."""

    def write(self, text: str) -> None:
        """Write as it stands."""

    def grind(self, *argv: str, expect: ExitCode = ExitCode.DONE) -> None:
        """Type a command, and hold it to its answer."""

    def asked(self, *argv: str, at: Path) -> str:
        """Return what a command says, unseen."""


def play(stage: Stage, folder: Path, work: Path, env: dict[str, str]) -> None:
    """Play it in the repository `work`; `env` is what the stage's commands get."""
    before = dict(env)
    host = DemoHost(folder, env)
    host.folder.mkdir(mode=0o700)
    try:
        missing = host.start()
        if missing:
            stage.say(f"The chapter about a host that ssh reaches is left out: {missing}.")
            return
        env.update(host.env)
        _chapter(stage, work, env)
    finally:
        host.stop()
        env.clear()
        env.update(before)


def _chapter(stage: Stage, work: Path, env: Mapping[str, str]) -> None:
    stage.say("Now on a host that ssh reaches (a real sshd, here for this minute).")
    (work / "grind.toml").write_text(f'[hosts.box]\nssh = "{ALIAS}"\n')
    stage.grind("check", expect=ExitCode.REFUSED)
    stage.say("A cloned grind.toml reaches no host before you have said yes to exactly it:")
    digest = json.loads(stage.asked("trust", "--show", "--json", at=work))["digest"]
    stage.grind("trust", "--digest", str(digest)[:16])
    stage.say("The check runs there. Half-way its client is killed, as by a closed laptop:")
    _killed_half_way(stage, work, env)
    stage.say("The host goes on by itself. Attached again, from the first byte:")
    stage.grind("attach", "--follow")
    stage.grind("land", "-m", "Prove it on a host")


def _killed_half_way(stage: Stage, work: Path, env: Mapping[str, str]) -> None:
    """Run a check until a slow test prints its first line, and kill it there."""
    argv = ("check", "--follow")
    stage.write(f"$ grind {' '.join(argv)}\n")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "grind", *argv],
        cwd=work,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    for line in process.stdout:
        stage.write(line.decode("utf-8", "replace"))
        if _SIGN.encode() in line:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    stage.write("[kill -9]\n")


class DemoHost:
    """A host in a folder; `env` is what the demo's programs are run with."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.mark = f"GRIND_DEMO_HOST={folder}"
        name, _, value = self.mark.partition("=")
        self.env = {**env, name: value, "GRIND_SSH_CONFIG": str(folder / "client_config")}
        self._sshd: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it; return why there is none, or nothing when it answers."""
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
        program = shutil.which("sshd", path=path)
        if program is None or not all(map(shutil.which, ("ssh", "ssh-keygen"))):
            return "there is no sshd on this machine"
        if os.geteuid() == 0 and not os.path.isdir("/run/sshd"):
            return "sshd has not been set up on this machine (/run/sshd is missing)"
        self.home.mkdir(parents=True, mode=0o700)
        port = _free_port()
        self._write(port)
        argv = [program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        with open(self.folder / "log", "wb") as log:
            self._sshd = subprocess.Popen(
                argv, env=self.env, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._sshd.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return "" if self._lets_in() else "its sshd does not let this user in"
            time.sleep(0.02)
        return "sshd does not start here"

    def stop(self) -> None:
        """End it, and whatever it has started."""
        if self._sshd is not None:
            self._sshd.terminate()
            self._sshd.wait()
        until = time.monotonic() + _PATIENCE
        while (left := self.left()) and time.monotonic() < until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def _write(self, port: int) -> None:
        folder = self.folder
        for name in ("host_key", "user_key"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f"]
            subprocess.run([*argv, str(folder / name)], check=True, stdin=subprocess.DEVNULL)
        kind, key = (folder / "host_key.pub").read_text().split()[:2]
        (folder / "known_hosts").write_text(f"{ALIAS} {kind} {key}\n")
        facts = {"folder": folder, "port": port, "home": self.home, "mark": self.mark}
        (folder / "sshd_config").write_text(_SSHD.format(**facts))
        (folder / "client_config").write_text(_CLIENT.format(alias=ALIAS, **facts))

    def _lets_in(self) -> bool:
        argv = [
            "ssh",
            "-F",
            str(self.folder / "client_config"),
            "-o",
            "BatchMode=yes",
            ALIAS,
            "true",
        ]
        done = subprocess.run(
            argv, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return done.returncode == 0

    def left(self) -> list[int]:
        """The processes that it has started, or that they have."""
        mark = os.fsencode(self.mark)
        found = []
        for name in os.listdir("/proc"):
            if name.isdecimal() and int(name) != os.getpid():
                with contextlib.suppress(OSError):
                    environ = Path(f"/proc/{name}/environ").read_bytes()
                    if mark in environ.split(b"\0"):
                        found.append(int(name))
        return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
