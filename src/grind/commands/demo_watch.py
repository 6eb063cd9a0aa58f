"""A chapter of `grind demo`: what was landed is watched until CI has agreed, and once it does not.

No forge is asked: its place is taken by a stand-in on a loopback port (demoforge.py), which the
reader is told. Its runs are written here, except for the failing step, whose log is what the step's
command really says.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol

from grind.commands.demoforge import DemoForge
from grind.commands.demoforge_shapes import Job, Step
from grind.core.errors import ExitCode

OWNER, NAME = "newcomer", "greet"
REPOSITORY = f"stand-in.invalid/{OWNER}/{NAME}"
CI = ".github/workflows/ci.yml"
_LATE = 1.0
"""Seconds after the first question at which the first run appears: before the second question."""

TOOLS = """\
#!/usr/bin/env bash
# Everything that the tests need is here.
set -eu
for tool in bash git; do command -v "$tool"; done
"""
_ASKING_MORE = TOOLS.replace("bash git", "bash git greet-spellcheck").replace(
    'command -v "$tool"', 'command -v "$tool" || { echo "no $tool" >&2; exit 1; }'
)

CONFIG = """\
[[verdict]]
workflow = "ci.yml"
job = "lint"
step = "Tools"
verdict = "satisfied-by-host"
check = "command -v bash"
reason = "whoever works on this has the tools"
"""
"""The sample's grind.toml: a belief about whoever works on it."""
SUGGESTED = """\
[[verdict]]
workflow = "ci.yml"
job = "lint"
step = "Tools"
verdict = "executed"
reason = "it was red in CI, so it must run here, too"
"""
"""The lines that `grind watch` suggests; a test compares them with what it prints."""


class Stage(Protocol):
    """What a chapter is played on."""

    def say(self, text: str) -> None:
        """Tell the reader what comes."""

    def grind(self, *argv: str, expect: ExitCode = ExitCode.DONE) -> None:
        """Type a command, and hold it to its answer."""


def play(stage: Stage, work: Path, env: dict[str, str]) -> None:
    """Play it in the repository `work`; `env` is what the stage's commands get."""
    before = dict(env)
    forge = DemoForge(OWNER, NAME)
    try:
        missing = forge.start()
        if missing:
            stage.say(f"The chapter about CI's own runs is left out: {missing}.")
            return
        # a made-up token, so that none of the user's is looked for
        env |= {"GRIND_GITHUB_API": forge.url, "GRIND_GITHUB_TOKEN": "made-up-for-the-demo"}
        _clean(stage, forge, work)
        _red(stage, forge, work, before)
    finally:
        forge.stop()
        env.clear()
        env.update(before)


def _clean(stage: Stage, forge: DemoForge, work: Path) -> None:
    stage.say(
        "Landed is not finished: CI must agree. A stand-in answers here in the place of GitHub's "
        "API, on a loopback port; it runs nothing. Its run appears a moment late:"
    )
    forge.run(CI, _head(work), *jobs_in_ci(None), late=_LATE)
    stage.grind("watch", "--repo", REPOSITORY)


def _red(stage: Stage, forge: DemoForge, work: Path, env: dict[str, str]) -> None:
    stage.say(
        "A change to tools.sh, which CI runs. Here, grind.toml says that the host has the tools, so "
        "the step is not run, and the proof is green:"
    )
    (work / "tools.sh").write_text(_ASKING_MORE)
    stage.grind("check")
    stage.grind("land", "-m", "Ask for one more tool")
    failed = subprocess.run(
        ["bash", "./tools.sh"],
        cwd=work,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    forge.run(CI, _head(work), *jobs_in_ci(failed))
    stage.say(
        "CI knew more than we did. Its log (what ./tools.sh really says), what was believed here, "
        "and the lines to add:"
    )
    stage.grind("watch", "--repo", REPOSITORY, expect=ExitCode.STEP_FAILED)
    stage.say("Nothing was rolled back: that was only the plan. With the suggested lines:")
    (work / "grind.toml").write_text(SUGGESTED)
    stage.grind("check", expect=ExitCode.STEP_FAILED)
    stage.say("Now it is red here as well, before anybody pushes. It is repaired for what follows.")
    (work / "tools.sh").write_text(TOOLS)


def jobs_in_ci(failed: subprocess.CompletedProcess[str] | None) -> tuple[Job, ...]:
    """Return the sample's jobs as CI runs them: clean, or with what its step `Tools` said when it
    failed, after which the rest is skipped."""
    begin, end = (Step("Set up job"), Step("Run actions/checkout@v4")), (Step("Complete job"),)
    if failed is not None:
        steps = (Step("Tools", "failure"), Step("Syntax", "skipped"))
        said = failed.stdout.splitlines()
        error = f"##[error]Process completed with exit code {failed.returncode}."
        log = ("##[group]Run ./tools.sh", "##[endgroup]", *said, error)
        return Job("lint", (*begin, *steps, *end), log), Job("test"), Job("deploy")
    lint = Job("lint", (*begin, Step("Tools"), Step("Syntax"), *end))
    tests = (Job(f"test ({word})", (*begin, Step("Tests"), *end)) for word in ("Hello", "Hei"))
    return lint, *tests, Job("deploy", (begin[0], Step("Run ./deploy.sh"), *end))


def _head(work: Path) -> str:
    argv = ["git", "-C", str(work), "rev-parse", "HEAD"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
