"""A real Nix that touches nothing of the machine's: a store, a state and a registry of its own, no network.

Flakes in it are raw derivations (there is no nixpkgs): "python3" is a wrapper of this machine's Python.
What each line avoids stands in the field notes: a builder ends with a builtin, outputs are named, the
registry is an empty file.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEM = f"{platform.machine()}-linux"
FEATURES = ("--extra-experimental-features", "nix-command flakes")


def nix_or_skip() -> str:
    """Return the nix program. Without it the tests that ask are skipped and counted; with CI set they fail."""
    found = shutil.which("nix")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("nix is not here: tools/parts.sh installs it")
        pytest.skip("nix is not on this machine")
    return found


class NixWorld:
    """Nix under `root`, and a stand-in for nixpkgs in a git repository."""

    def __init__(self, root: Path) -> None:
        nix_or_skip()
        self.root = root
        conf = root / "conf"
        conf.mkdir(parents=True)
        registry = conf / "registry.json"
        registry.write_text(json.dumps({"version": 2, "flakes": []}))
        (conf / "nix.conf").write_text(
            f"sandbox = false\nbuild-users-group =\nsubstituters =\nflake-registry = {registry}\n"
        )
        self.env = {
            "NIX_STORE_DIR": str(root / "store"),
            "NIX_STATE_DIR": str(root / "var"),
            "NIX_LOG_DIR": str(root / "log"),
            "NIX_CONF_DIR": str(conf),
            "XDG_CACHE_HOME": str(root / "cache"),
        }
        self.nixpkgs = root / "nixpkgs"
        self.nixpkgs.mkdir()
        (self.nixpkgs / "flake.nix").write_text(
            f"{{ outputs = _: {{ legacyPackages.{SYSTEM}.python3 = {python('python3-3.11-pinned')}; }}; }}\n"
        )
        git = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", self.nixpkgs)
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "one")):
            subprocess.run([*git, *words], check=True, env=_plain())

    def lock(self, folder: Path) -> None:
        """Write the flake's lock."""
        subprocess.run(
            ["nix", *FEATURES, "flake", "lock"],
            cwd=folder,
            env=_plain() | self.env,
            check=True,
            capture_output=True,
        )

    def flake(self, *, shell: str = "", nixpkgs: bool = True) -> str:
        """Return a flake.nix with `shell` as the attributes of its shell (none without)."""
        given = f'inputs.nixpkgs.url = "git+file://{self.nixpkgs}";' if nixpkgs else ""
        pinned = f"(args.nixpkgs.legacyPackages.{SYSTEM}.python3)"
        own = python("python3-3.11-shell")
        body = shell.replace("PINNED", pinned).replace("OWN", own)
        shells = (
            f"devShells.{SYSTEM}.default = {raw('shell', 'echo > $out', body)};" if shell else ""
        )
        return f"{{ {given} outputs = args: {{ {shells} }}; }}\n"


def python(name: str) -> str:
    """A derivation with bin/python3 that runs this machine's Python and says who it is."""
    script = (
        f"PATH=/usr/bin:/bin; mkdir -p $out/bin; printf '#!/bin/sh\\nWHO={name} exec {_base()} \\\"$@\\\"\\n' "
        "> $out/bin/python3; chmod +x $out/bin/python3"
    )
    return raw(name, script)


def raw(name: str, script: str, more: str = "") -> str:
    """A derivation without nixpkgs."""
    return (
        f'(derivation {{ name = "{name}"; system = "{SYSTEM}"; builder = "/bin/bash"; outputs = [ "out" ]; '
        f'args = [ "-c" "{script}; exit 0" ]; {more} }})'
    )


def _base() -> str:
    """The interpreter that this one's venv was made from: a script sees no package of the tests'."""
    return f"{sys.base_prefix}/bin/python3 -S"


def _plain() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "NIX_", "XDG_", "PYTHON"))
    } | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
