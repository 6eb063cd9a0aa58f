"""A private world for whole-process tests: a home, a state folder, a repository, a bare remote.

Nothing of the environment of the tests gets in but the PATH, so that it makes no difference whether
they run on a laptop, as root, or in CI (with CI and GITHUB_* set).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SRC = Path(__file__).parents[2] / "src"
PATIENCE = 60.0
"""Seconds after which something that never comes fails a test; no assertion about speed."""


class Done(NamedTuple):
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [line["event"] for line in self.lines]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


class World:
    """Everything lies under one folder; whatever process names that folder belongs to this world."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir()
        self.enter: tuple[str, ...] = ()
        """What stands before the words of every grind: what puts it on a machine of its own."""
        self._begun = 0
        self._errors: dict[int, Path] = {}
        self.state = root / "state"
        self.repo = root / "repo"
        self.remote = root / "remote.git"
        self.outside = root / "outside"
        """A folder that steps may write to from anywhere, to tell the test what they did."""
        self.outside.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GRIND_STATE_DIR": str(self.state),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(SRC),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TMPDIR": str(self._folder("tmp")),
        }
        (self.home / ".gitconfig").write_text(
            "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
        )

    def _folder(self, name: str) -> Path:
        (self.root / name).mkdir()
        return self.root / name

    # --- the repository ------------------------------------------------------------------------

    def start(
        self, files: Mapping[str, str | bytes], *, remote: bool = True, commit: bool = True
    ) -> World:
        """Make the repository with one commit, and push it to a bare remote."""
        self.repo.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write(files)
        if remote:
            self.git("init", "-q", "--bare", "-b", "main", str(self.remote))
            self.git("remote", "add", "origin", str(self.remote))
        if commit:
            self.commit("first")
            if remote:
                self.git("push", "-q", "-u", "origin", "main")
                self.git("remote", "set-head", "origin", "main")
        return self

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            if name.endswith(".sh"):
                path.chmod(0o755)

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *args: str, cwd: Path | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.repo, env=self.env, capture_output=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"git {args}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def git_says(self, *args: str) -> str:
        """What git writes to its standard error, whatever comes of it."""
        done = subprocess.run(
            ["git", *args], cwd=self.repo, env=self.env, capture_output=True, check=False
        )
        return _text(done.stderr)

    @property
    def tip(self) -> str:
        """Where main is on the remote."""
        return self.git("rev-parse", "--verify", "-q", "main", cwd=self.remote, check=False)

    # --- grind ---------------------------------------------------------------------------------

    def grind(
        self,
        *args: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> Done:
        """Run grind to its end."""
        return self._run([sys.executable, "-m", "grind", *args], cwd, env, before)

    def killed(self, when: str, *args: str, env: Mapping[str, str] | None = None) -> Done:
        """Run grind, which kills itself (kill -9) at a point: see killed.py."""
        program = str(Path(__file__).with_name("killed.py"))
        done = self._run([sys.executable, program, when, *args], None, env, None)
        assert done.code == -signal.SIGKILL, f"was not killed: {done}"
        return done

    def _run(
        self,
        argv: Sequence[str],
        cwd: Path | None,
        env: Mapping[str, str] | None,
        before: Callable[[], None] | None,
    ) -> Done:
        done = subprocess.run(
            [*self.enter, *argv],
            cwd=cwd or self.repo,
            env=self.env | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            preexec_fn=before,
            timeout=4 * PATIENCE,
        )
        return Done(done.returncode, _text(done.stdout), _text(done.stderr))

    def begin(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start grind in a process group of its own; end it with `end`."""
        self._begun += 1
        with open(self.root / f"stderr-{self._begun}", "wb") as said:
            process = subprocess.Popen(
                [*self.enter, sys.executable, "-m", "grind", *args],
                cwd=self.repo,
                env=self.env | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )
        self._errors[process.pid] = Path(said.name)
        return process

    def said_by(self, process: subprocess.Popen[bytes]) -> bytes:
        """What a begun grind has written to its standard error so far."""
        return self._errors[process.pid].read_bytes()

    def end(self, process: subprocess.Popen[bytes]) -> Done:
        """Wait for what `begin` started."""
        out, _ = process.communicate(timeout=4 * PATIENCE)
        return Done(process.returncode, _text(out), _text(self.said_by(process)))

    def plan(self, *args: str) -> dict[str, Any]:
        done = self.grind("plan", "--json", *args)
        assert done.code == 0, done
        return done.document

    def status(self) -> dict[str, Any]:
        done = self.grind("status", "--json")
        assert done.code == 0, done
        return done.document

    # --- what is left ---------------------------------------------------------------------------

    @property
    def kept(self) -> Path:
        return self.repo / ".git" / "grind"

    @property
    def receipts(self) -> list[dict[str, Any]]:
        """The predicates, with the tree and the commit that they are about."""
        return [_predicate(path.read_bytes()) for path in (self.kept / "receipts").glob("*.json")]

    def forge(self, **changed: Any) -> None:
        """Change the newest receipt as somebody with a text editor would, signature and all."""
        paths = (self.kept / "receipts").glob("*.json")
        path = max(paths, key=lambda one: one.stat().st_mtime_ns)
        path.write_bytes(forged(path.read_bytes(), **changed))

    def journal(self) -> list[dict[str, Any]]:
        """The events of the newest release."""
        newest = max((self.kept / "releases").iterdir())
        lines = (newest / "journal.ndjson").read_text().splitlines()
        return [json.loads(line)["event"] for line in lines]

    def logs(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.kept / "releases")): path.read_bytes()
            for path in sorted((self.kept / "releases").rglob("*.log"))
        }

    def told(self, name: str) -> list[str]:
        """The lines that steps appended to a file outside."""
        path = self.outside / name
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, name: str) -> None:
        """Wait until a step has written to a file outside."""
        self.until(lambda: bool(self.told(name)), f"nothing wrote {name}")

    def until(self, true: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, otherwise
            time.sleep(0.02)

    def processes(self) -> dict[int, str]:
        """Every process (not this one) that this world's folder is named to."""
        mark = os.fsencode(self.root)
        found = {}
        for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
            if pid == os.getpid():
                continue
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                environ = Path(f"/proc/{pid}/environ").read_bytes()
                stat = Path(f"/proc/{pid}/stat").read_bytes()
            except OSError:
                continue
            if stat[stat.rindex(b")") + 2 :][:1] != b"Z" and (mark in command or mark in environ):
                found[pid] = command.replace(b"\0", b" ").decode(errors="replace")
        return found

    def fingerprint(self, folder: Path | None = None) -> dict[str, str]:
        """Every file, link and folder of the repository but grind's own: mode and content."""
        folder = folder or self.repo
        return dict(_prints(folder, folder / ".git" / "grind"))


def _predicate(data: bytes) -> dict[str, Any]:
    statement = json.loads(base64.b64decode(json.loads(data)["payload"]))
    named = {name: oid for one in statement["subject"] for name, oid in one["digest"].items()}
    found: dict[str, Any] = statement["predicate"]
    return found | {"tree": named["gitTree"], "commit": named["gitCommit"]}


def forged(data: bytes, **changed: Any) -> bytes:
    """An envelope whose predicate says something else; the signatures stay as they are."""
    envelope = json.loads(data)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"] |= changed
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps(envelope).encode() + b"\n"


def _prints(folder: Path, without: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path == without or without in path.parents:
            continue
        mode = f"{path.lstat().st_mode:o}"
        if path.is_symlink():
            yield str(path), f"{mode} -> {path.readlink()}"
        elif path.is_file():
            yield str(path), f"{mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            yield str(path), mode


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def workflow(
    steps: str, *, on: str = "push", head: str = "", runs_on: str = "ubuntu-latest"
) -> str:
    """A workflow with one job `test`; `steps` is YAML that is indented here."""
    body = "\n".join(f"      {line}" if line else "" for line in steps.strip("\n").split("\n"))
    return f"name: CI\non: {on}\n{head}jobs:\n  test:\n    runs-on: {runs_on}\n    steps:\n{body}\n"


CI = ".github/workflows/ci.yml"
CHECKOUT = "- uses: actions/checkout@v4\n"
