"""What is done with each key of a workflow: the table that lowering reads its refusals from, and
that docs/compatibility.md is made from.

A row stands for its key and for every key below it, until a row further down says otherwise. A test
holds that every key of GitHub's schema has a row, that every row has a key, and that each refusal
really refuses.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Support(StrEnum):
    """What becomes of a key."""

    SUPPORTED = "supported"
    VERDICT = "verdict"
    """It decides a verdict: by what it says, a job or a step is executed, shown only, or refused."""
    CHECKED = "checked"
    """It is held against GitHub's rules, and has no effect on what runs here."""
    REFUSED = "refused"


class Key(NamedTuple):
    """A row."""

    support: Support
    told: str = ""
    """The reason of a refusal, as the plan gives it; otherwise what a reader must know."""


_YES: Final = Key(Support.SUPPORTED)
_NOBODY: Final = "there is no GitHub token here, so there is nothing to permit"
_QUEUE: Final = "one run at a time in a repository; other runs at GitHub are not waited for"

JOB_REFUSALS: Final = {
    "container": "runs in a container, which is not done here yet",
}
"""Keys of a job that nothing here can honour: the whole job is refused."""

KEYS: Final[dict[str, Key]] = {
    "name": _YES,
    "description": Key(Support.CHECKED),
    "run-name": Key(Support.CHECKED, "a name for a list of runs that is not here"),
    "on": _YES,
    "on.schedule": Key(
        Support.CHECKED, "`--event schedule` plans it; nothing here starts by the clock"
    ),
    "on.workflow_call": Key(Support.SUPPORTED, "planned where it is called from"),
    "on.workflow_dispatch": Key(
        Support.VERDICT, "its inputs have no values here: what hangs on one is refused"
    ),
    "env": _YES,
    "defaults": _YES,
    "permissions": Key(Support.CHECKED, _NOBODY),
    "concurrency": Key(Support.CHECKED, _QUEUE),
    "jobs": _YES,
    "jobs.ID.uses": Key(
        Support.VERDICT,
        "a workflow of the repository is followed; one of another repository is refused",
    ),
    "jobs.ID.with": Key(Support.SUPPORTED, "inputs with their types and defaults"),
    "jobs.ID.secrets": Key(Support.VERDICT, "held against GitHub's rules; a secret is never here"),
    "jobs.ID.permissions": Key(Support.CHECKED, _NOBODY),
    "jobs.ID.concurrency": Key(Support.CHECKED, _QUEUE),
    "jobs.ID.environment": Key(Support.VERDICT, "a deployment: shown, never executed"),
    "jobs.ID.environment.deployment": Key(Support.CHECKED, "the job is never executed anyway"),
    "jobs.ID.runs-on": Key(
        Support.VERDICT,
        "this host stands for Ubuntu images of its architecture and for the labels that grind.toml "
        "gives it; any other label, and any group, is refused",
    ),
    "jobs.ID.strategy.matrix": Key(
        Support.SUPPORTED,
        "made from the output of a job before, in whole or by an axis: open in the plan, and the real "
        "jobs once the output is known; a value that is no matrix fails the job, as at GitHub",
    ),
    "jobs.ID.cancel-timeout-minutes": Key(
        Support.CHECKED, "what is cancelled here is ended with all its processes"
    ),
    "jobs.ID.snapshot": Key(Support.CHECKED, "making an image of the machine is left to GitHub"),
    **{f"jobs.ID.{key}": Key(Support.REFUSED, told) for key, told in JOB_REFUSALS.items()},
    "jobs.ID.services": Key(
        Support.VERDICT,
        "started by the host's podman or docker, where it has the image; refused otherwise, and with "
        "`credentials`, `volumes`, ports that are not HOST:CONTAINER, and options that reach out",
    ),
    "jobs.ID.steps[].uses": Key(
        Support.VERDICT,
        "by the table of actions below; a composite action of the repository (`./…`) is followed",
    ),
    "jobs.ID.steps[].with": Key(
        Support.VERDICT, "an input that grind does not know refuses the step"
    ),
    "jobs.ID.steps[].shell": Key(Support.VERDICT, "by the table of shells below"),
    "jobs.ID.steps[].background": Key(
        Support.VERDICT,
        "up to ten at once; a checkout or an action of the repository in the background is refused",
    ),
    "jobs.ID.steps[].wait": Key(
        Support.VERDICT, "a `wait` for what was cancelled above is refused"
    ),
    "jobs.ID.steps[].parallel": Key(
        Support.SUPPORTED, "its steps in the background, and a `wait` for them"
    ),
}
"""Paths of keys: `ID` for a name that anybody may choose, `[]` for the items of a list."""

CONTEXTS: Final[dict[str, str]] = {
    "github": "for a push in full, but for what only GitHub can know (below)",
    "env": "once the steps before have run",
    "vars": "never known here: what hangs on it is refused, unless grind.toml says otherwise",
    "job": "once the job runs",
    "jobs": "in the outputs of a reusable workflow",
    "steps": "once the steps before have run; the outputs of a known action, as far as it gives them",
    "runner": "`os` and `arch` are this host's; folders once the job runs",
    "secrets": "never here: a step that uses one is shown, and not run",
    "strategy": "",
    "matrix": "",
    "needs": "once the needed jobs have run",
    "inputs": "empty for events that have none; unknown for `workflow_dispatch`",
}
"""What is known of each context, and when."""

COMMANDS: Final[dict[str, str]] = {
    "add-mask": "the value is masked from then on in every log",
    "add-matcher": "read, and not shown",
    "remove-matcher": "read, and not shown",
    "add-path": "disabled, as at GitHub",
    "set-env": "disabled, as at GitHub",
    "debug": "shown",
    "echo": "read",
    "endgroup": "shown",
    "error": "shown, as an annotation",
    "group": "shown",
    "notice": "shown, as an annotation",
    "save-state": "read; no action of this host has a post step that would see it",
    "set-output": "deprecated at GitHub; read, and without effect",
    "stop-commands": "honoured until its token",
    "warning": "shown, as an annotation",
}
"""What is done with each workflow command."""

COMMAND_FILES: Final[dict[str, str]] = {
    "GITHUB_ENV": "honoured by the steps after it, forbidden names as at GitHub",
    "GITHUB_OUTPUT": "honoured",
    "GITHUB_PATH": "honoured",
    "GITHUB_STATE": "honoured; no action of this host has a post step that would see it",
    "GITHUB_STEP_SUMMARY": "taken",
}
"""The files by which a step speaks to the runner."""

KINDS: Final[dict[str, str]] = {
    "checkout": "built in: the snapshot, as a clean checkout",
    "outward": "shown, never executed",
    "satisfied": "nothing to do here",
    "tool": "satisfied where the host has the tool in that version; never downloaded",
    "tools": "satisfied where the host has each tool; never downloaded",
    "run": "the host's own tool is called as the action would call it",
    "upload": "a folder of the run",
    "download": "a folder of the run",
    "paths-filter": "evaluated from what the push would change",
    "changed-files": "evaluated from what the push would change",
    "refuse": "refused",
}
"""What is done with an action, by its kind in `actions.toml`; a kind that is not here is a language,
given to the job where the host has it in the version asked for."""


def key_of(path: str) -> Key:
    """Return the row that stands for a key. Raises KeyError when there is none."""
    at = path
    while at not in KEYS:
        at, dot, _ = at.rpartition(".")
        if not dot:
            raise KeyError(path)
    return KEYS[at]
