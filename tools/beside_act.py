"""What act answers on workflow files, beside grind's answers: a table in Markdown.

    python tools/beside_act.py --act PATH FOLDER …

Each folder is searched for workflow files, which are put, one at a time, into a scratch repository
of their own. act is asked by `act push --list` (does it read the file?) and by a dry run
(`-n --action-offline-mode`, hosted Ubuntu labels given to the machine itself); grind is asked as in
tools/survey.py. Nothing is run, nothing is fetched: where act wants an action that it does not have,
its dry run ends there, and the file counts as not answered. What it would run is then counted from
the jobs that it named before.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from grind.core.plan import Plan, Verdict
from grind.workflows.availability import check_expressions
from grind.workflows.reader import read_workflow

sys.path.insert(0, str(Path(__file__).parent))
from survey import STARTERS, settled

UBUNTU = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "ubuntu-20.04", "ubuntu-slim")
PATIENCE = 60.0
_JOB = re.compile(r"^\*DRYRUN\* \[([^\]]+?)\s*\]", re.MULTILINE)
_FETCH = re.compile(
    r"Unable to clone|unable to resolve|no such host|action-offline|not found in cache"
)


class Answer(NamedTuple):
    """What one program says of one file."""

    reads: bool
    jobs: int
    """Jobs that would run, or be tried, for a push."""
    verdict: str
    """act: `success`, `failure`, `not answered`; grind: `runs`, `refuses in part`, `none`."""
    skips: bool = False
    """Whether act leaves out a job for its platform, and says nothing of it by its exit code."""


def main() -> int:
    """Ask both; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--act", required=True, help="path of act")
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args()
    counted: Counter[str] = Counter()
    for path in files_in(options.folders):
        text = path.read_bytes()
        for mark, value in STARTERS:
            text = text.replace(mark, value)
        theirs, ours = ask_act(options.act, path.name, text), ask_grind(path.name, text)
        count(counted, theirs, ours)
    version = subprocess.run([options.act, "--version"], capture_output=True, text=True, check=True)
    print(f"act: {version.stdout.strip()}; {counted['files']} workflow files\n")
    print("| | files |\n| --- | --- |")
    for name, number in counted.items():
        print(f"| {name} | {number} |")
    return 0


def files_in(folders: list[Path]) -> Iterator[Path]:
    """Yield the workflow files below folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*.y*ml")):
            data = path.read_bytes()
            if re.search(rb"^jobs:", data, re.M) and re.search(rb"^[\"']?on[\"']?:", data, re.M):
                yield path


def ask_act(act: str, name: str, text: bytes) -> Answer:
    """Return what act says of one file, in a repository that has nothing else."""
    with tempfile.TemporaryDirectory(prefix="grind-act-") as scratch:
        place = Path(scratch, ".github", "workflows", name)
        place.parent.mkdir(parents=True)
        place.write_bytes(text)
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        for line in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-qm", "x"]):
            subprocess.run(["git", *line], cwd=scratch, check=True, capture_output=True)
        listed = run([act, "push", "--list"], scratch)
        if listed is None or listed[0]:
            return Answer(reads=False, jobs=0, verdict="failure")
        platforms = [word for label in UBUNTU for word in ("-P", f"{label}=-self-hosted")]
        done = run([act, "push", "-n", "--action-offline-mode", *platforms], scratch)
    if done is None:
        return Answer(reads=True, jobs=0, verdict="not answered")
    code, said = done
    verdict = "success" if code == 0 else "not answered" if _FETCH.search(said) else "failure"
    skips = "unsupported platform" in said.lower()
    return Answer(True, len(set(_JOB.findall(said))), verdict, skips)


def run(argv: list[str], folder: str) -> tuple[int, str] | None:
    """Run a command; return its exit code and what it said, None when it does not end in time."""
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def ask_grind(name: str, text: bytes) -> Answer:
    """Return what grind plans for a push, on a host that has no program at all."""
    reading = read_workflow(f".github/workflows/{name}", text)
    problems = reading.problems
    if reading.workflow is not None:
        problems += check_expressions(reading.workflow)
    if reading.workflow is None or problems:
        return Answer(reads=False, jobs=0, verdict="none")
    plan: Plan = settled(reading.workflow, "push", rich=False)
    active = [job for job in plan.jobs if job.active and job.call is None]
    steps = [step for job in active for step in job.steps]
    refused = any(one.verdict is Verdict.REFUSED for one in (*active, *steps))
    verdict = "none" if not active else "refuses in part" if refused else "runs"
    return Answer(True, len(active), verdict)


def count(counted: Counter[str], theirs: Answer, ours: Answer) -> None:
    """Count one file in every row that it belongs to."""
    rows = {
        "files": True,
        "act lists it": theirs.reads,
        "grind reads it": ours.reads,
        "act lists it, grind says with a line why GitHub would refuse it": theirs.reads
        and not ours.reads,
        "act does not list it, grind reads it": ours.reads and not theirs.reads,
    }
    both = theirs.reads and ours.reads
    rows |= {
        "both read it": both,
        "as many jobs for a push to main": both and theirs.jobs == ours.jobs,
        "act names more jobs": both and theirs.jobs > ours.jobs,
        "act names fewer jobs": both and theirs.jobs < ours.jobs,
        "act: dry run ends in success": both and theirs.verdict == "success",
        "act: dry run fails": both and theirs.verdict == "failure",
        "act: not answered (wants an action from the network)": both
        and theirs.verdict == "not answered",
        "act: a job is left out for its platform, exit code 0": both
        and theirs.skips
        and theirs.verdict == "success",
        "grind: every step is executed, satisfied or left out by design": both
        and ours.verdict == "runs",
        "grind: refuses a step or a job, with the reason": both
        and ours.verdict == "refuses in part",
        "grind: nothing runs for a push": both and ours.verdict == "none",
        "act: success, where grind refuses something": both
        and theirs.verdict == "success"
        and ours.verdict == "refuses in part",
    }
    for name, holds in rows.items():
        counted[name] += bool(holds)


if __name__ == "__main__":
    sys.exit(main())
