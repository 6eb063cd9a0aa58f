"""A host in the shape of NixOS: real Nix on a store of its own, real profiles and generations, a real
service. What is played, and how, is said in files/switch.sh and files/systemctl.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "files"
SRC = Path(__file__).parents[2] / "src"
NIX_VARIABLES = (
    "NIX_STORE_DIR",
    "NIX_STATE_DIR",
    "NIX_LOG_DIR",
    "NIX_CONF_DIR",
    "LAB",
    "PYTHONPATH",
)
UNIT = "web.service"
FLAKY = "flaky.service"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def unit_text(port: int, mode: str, role: str, version: str) -> str:
    if mode == "crash":  # sooner than any settling
        return f"[Service]\nExecStart=/bin/false\n# {version}"
    command = f"{sys.executable} {FILES / 'service.py'} {port} {mode} {role}"
    return f"[Service]\nExecStart={command}\n# {version}"


class Lab:
    """One host under `root`. `repo` is the folder of a repository that builds it."""

    def __init__(self, root: Path, repo: Path) -> None:
        self.root = root
        self.repo = repo
        self.port = free_port()
        self.host = root / "host"
        (self.host / "run").mkdir(parents=True)
        nix = root / "nix"
        conf = root / "conf"
        conf.mkdir()
        (conf / "registry.json").write_text('{"flakes":[],"version":2}')
        (conf / "nix.conf").write_text(
            "experimental-features =\nsandbox = false\nbuild-users-group =\nsubstituters =\n"
            f"flake-registry = {conf}/registry.json\n"
        )
        bin_folder = root / "bin"
        bin_folder.mkdir()
        shutil.copy(FILES / "systemctl", bin_folder / "systemctl")
        self.profile = nix / "var" / "profiles" / "system"
        self.running = self.host / "run" / "current-system"
        self.booted = self.host / "run" / "booted-system"
        self.state = root / "activation"
        self.env = {
            "NIX_STORE_DIR": str(nix / "store"),
            "NIX_STATE_DIR": str(nix / "var"),
            "NIX_LOG_DIR": str(nix / "log"),
            "NIX_CONF_DIR": str(conf),
            "LAB": str(self.host),
            "PYTHONPATH": str(SRC),
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
        }
        self.profile.parent.mkdir(parents=True)

    # --- what the repository builds --------------------------------------------------------------

    def describe(self, version: str, mode: str = "ok", **more: Any) -> dict[str, str]:
        """Return the files of a repository that builds the host so."""
        role = more.pop("role", "sandbox-live")
        units = {UNIT: unit_text(self.port, mode, role, version)} | more.pop("units", {})
        host = {"version": version, "units": units} | more
        return {
            "flake.nix": (FILES / "flake.nix").read_text(),
            "switch.sh": (FILES / "switch.sh").read_text(),
            "host.json": json.dumps(host, indent=1),
        }

    def config(self, *lines: str) -> str:
        return "\n".join(
            (
                "[activate]",
                'flake = ".#nixosConfigurations.lab"',
                f'profile = "{self.profile}"',
                f'running = "{self.running}"',
                f'booted = "{self.booted}"',
                f'state = "{self.state}"',
                "min_disk = 1",
                "min_memory = 1",
                *lines,
                "",
            )
        )

    # --- the host, by hand ------------------------------------------------------------------------

    def run(self, *argv: str, check: bool = True, cwd: Path | None = None) -> str:
        done = subprocess.run(
            argv,
            env=os.environ | self.env | {"HOME": str(self.root)},
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{argv}: {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def build(self) -> str:
        return self.run(
            "nix", "--extra-experimental-features", "nix-command flakes", "build", "--no-link",
            "--json", ".#nixosConfigurations.lab.config.system.build.toplevel", cwd=self.repo,
        ).partition('"out":"')[2].partition('"')[0]  # fmt: skip

    def deploy(self, *, switch: bool = True) -> str:
        """Do by hand what nixos-rebuild does: build, set the profile, switch."""
        path = self.build()
        self.run("nix-env", "-p", str(self.profile), "--set", path)
        if switch:
            self.run(f"{path}/bin/switch-to-configuration", "switch")
            if not self.booted.exists():
                self.booted.symlink_to(path)
        return path

    @property
    def runs(self) -> str:
        return os.path.realpath(self.running)

    @property
    def profile_leads_to(self) -> str:
        return os.path.realpath(self.profile)

    @property
    def generation(self) -> int:
        return int(os.readlink(self.profile).rsplit("-", 2)[1])

    @property
    def boots(self) -> str:
        return os.path.realpath(self.host / "boot" / "default")

    def switches(self) -> list[str]:
        """Every verb that a switch-to-configuration was called with, in order."""
        lines = (self.host / "switches").read_text().splitlines()
        return [line.split()[0] for line in lines]

    def health(self) -> dict[str, Any]:
        """What the service answers, as soon as it does: a switch does not wait for that."""
        until = time.monotonic() + 60
        while True:
            try:
                address = f"http://127.0.0.1:{self.port}/health"
                with urllib.request.urlopen(address, timeout=5) as answer:
                    return dict(json.load(answer))
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def record(self) -> list[str]:
        """The phases that the supervisor recorded, in order."""
        file = self.state / "record"
        return (
            [line.split("\t")[2] for line in file.read_text().splitlines()] if file.exists() else []
        )

    def pids(self) -> list[int]:
        """Guard and worker of the activation that was begun last."""
        found = sorted(self.state.glob("a/*/pids"), key=lambda path: path.stat().st_mtime)
        return [int(pid) for pid in found[-1].read_text().split()]

    def idle(self) -> bool:
        """Whether no switch-to-configuration is at work."""
        import fcntl

        with open(self.host / "run" / "switch.lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def wait_for(self, phase: str, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while phase not in self.record():
            if time.monotonic() > until:
                raise AssertionError(f"no {phase} in {self.record()}")
            time.sleep(0.02)

    def shut_down(self) -> None:
        """End everything that was started under the root, whoever started it."""
        for process in Path("/proc").glob("[1-9]*"):
            try:
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if f"LAB={self.host}".encode() in environment and int(process.name) != os.getpid():
                try:
                    os.kill(int(process.name), signal.SIGKILL)
                except ProcessLookupError:
                    continue
        for folder, _, _ in os.walk(self.root):
            os.chmod(folder, 0o755)


def environment(lab: Lab, base: Mapping[str, str]) -> dict[str, str]:
    return {**base, **lab.env}
