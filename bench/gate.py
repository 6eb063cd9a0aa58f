"""The pre-push hook on a proven commit, beside the same hook as a Python script that only asks git
for a commit; and what a signature costs, made and verified.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.receipt import WORKFLOW
from bench.table import Row
from bench.timing import BenchError, Side, Stopwatch, environment, medians, program
from grind.adapters import sshsig
from grind.core.envelope import Envelope

ROUNDS = 31
GOAL = 3.0
BOTH_AT_MOST = 0.060
"""Seconds for signing and verifying together, of processor time: what a push waits for on a machine
that has nothing else to do, whatever the machine of the bench is busy with."""

SCRIPT = """\
#!{python}
import subprocess
import sys

sys.stdin.read()
done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
sys.exit(done.returncode)
"""


def rows() -> Iterator[Row]:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        yield hook(Path(scratch))
        yield signature(Path(scratch))


def hook(folder: Path) -> Row:
    """Measure the hook as git runs it: with lines on standard input, in the repository."""
    place = samples.repository(
        folder / "app", {".github/workflows/ci.yml": WORKFLOW, "notes.txt": "one\n"}
    )
    samples.with_remote(place)
    env = environment(XDG_STATE_HOME=str(folder / "state"))
    before = _oid(place, env)
    (place / "notes.txt").write_text("two\n")
    samples.git(place, "commit", "-qam", "two")
    program(samples.grind("check"), cwd=place, env=env, says="green")()
    program(samples.grind("hook", "install"), cwd=place, env=env)()
    other = folder / "script"
    other.write_text(SCRIPT.format(python=sys.executable))
    other.chmod(0o755)
    line = f"refs/heads/main {_oid(place, env)} refs/heads/main {before}\n"
    found = medians(
        {
            "grind": _hook(place / ".git/hooks/pre-push", line, place, env),
            "script": _hook(other, line, place, env),
        },
        ROUNDS,
        warm=2,
    )
    beside = "a Python hook: git rev-parse"
    return Row("gate", "pre-push, proven commit", found["grind"], beside, found["script"], GOAL)


def _oid(place: Path, env: dict[str, str]) -> str:
    argv = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        argv, cwd=place, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def _hook(path: Path, line: str, place: Path, env: dict[str, str]) -> Side:
    def run() -> float:
        watch = Stopwatch()
        done = subprocess.run(
            [str(path), "origin", "url"],
            input=line,
            cwd=place,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        spent = watch.seconds()
        if done.returncode or done.stdout or done.stderr:
            raise BenchError(f"{path}: {done.returncode} {done.stdout}{done.stderr}")
        return spent

    return run


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def signature(folder: Path) -> Row:
    """Measure one signature over a receipt of usual size, made and verified."""
    key = folder / "key"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(argv, check=True)
    signers = b"ada@example.com " + key.with_suffix(".pub").read_bytes()
    environ = dict(os.environ)

    def both() -> float:
        before = _processor()
        signed = sshsig.sign(Envelope(b"x" * 8000), sshsig.SigningKey(str(key)), environ)
        who, why = sshsig.verify(signed, signers, environ)
        spent = _processor() - before
        if who is None:
            raise BenchError(why)
        return spent

    found = medians({"grind": both}, ROUNDS)
    return Row(
        "gate",
        "sign and verify a receipt",
        found["grind"],
        "60 ms of processor time",
        BOTH_AT_MOST,
        1.0,
    )
