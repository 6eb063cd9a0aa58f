"""A world with Nix in it, and grind as it is installed: the door in front of Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e.world import SRC, Done, World
from tests.nixworld import NixWorld


class PythonWorld(World):
    """A repository whose flake is called by a real Nix."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.nix = NixWorld(root / "nix")
        self.env |= self.nix.env | {"PWD": str(self.repo)}
        place = root / "bin"
        place.mkdir()
        (place / "grind").write_bytes((SRC / "grind" / "door.sh").read_bytes())
        (place / "grind-python").write_text(
            f"#!{sys.executable}\nimport sys\nfrom grind.__main__ import main\nsys.exit(main())\n"
        )
        for name in ("grind", "grind-python"):
            (place / name).chmod(0o755)
        self.door = place / "grind"
        self.main = place / "grind-python"

    def py(
        self,
        *args: str,
        stdin: bytes = b"",
        cwd: Path | None = None,
        door: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run `grind py …` to its end: through the door, or without it."""
        return self.ran([str(self.door if door else self.main), "py", *args], stdin, cwd, env)

    def ran(
        self,
        argv: Sequence[str],
        stdin: bytes = b"",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        at = cwd or self.repo
        done = subprocess.run(
            argv,
            cwd=at,
            env=self.env | {"PWD": str(at)} | (env or {}),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=240,
        )
        out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
        return Done(done.returncode, out, err)

    def flake(self, *, shell: str = "", nixpkgs: bool = True, lock: bool = True) -> None:
        """Give the repository a flake, which git knows."""
        self.write({"flake.nix": self.nix.flake(shell=shell, nixpkgs=nixpkgs)})
        self.git("add", "-A")
        if lock and nixpkgs:
            self.nix.lock(self.repo)
        self.git("add", "-A")


@pytest.fixture
def world(tmp_path: Path) -> PythonWorld:
    """A private world."""
    return PythonWorld(tmp_path)


WITH_PYTHON = 'PATH = "${OWN}/bin"; nativeBuildInputs = [ OWN ]; GREETING = "good\nday";'
"""Attributes of a shell that has Python, and a variable with two lines."""
WITHOUT = 'PATH = "/nowhere";'
