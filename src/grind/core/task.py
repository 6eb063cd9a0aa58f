"""A step that is ready to run: pure data, with nothing left to evaluate and nothing quoted."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Condition(StrEnum):
    """When a queued step runs, decided on the host from the status of the lane so far."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    NOT_CANCELLED = "not-cancelled"
    ALWAYS = "always"


class Checkout(Struct, frozen=True, kw_only=True):
    """What `actions/checkout` does, from the private repository of the run.

    `path` is relative to the workspace ("" for the workspace itself); `depth` 0 means all history
    with every branch and tag, otherwise that many commits; `ref` is the full ref that CI would see.
    """

    oid: str
    ref: str
    path: str = ""
    depth: int = 1
    clean: bool = True
    tags: bool = False
    submodules: str = "false"
    """`false`, `true` or `recursive`."""
    origin: str = ""
    """The URL that `git remote get-url origin` answers in the checkout; never with a credential."""


class Control(Struct, frozen=True, kw_only=True):
    """What a step does with steps in the background: `wait` for their ends, or `cancel` them."""

    kind: str
    steps: tuple[int, ...]
    """Their places in the lane; each was queued before."""


class StepTask(Struct, frozen=True, kw_only=True):
    """One step, ready to run: arguments and scripts travel as data, never as quoted text."""

    index: int
    """Unique in the lane, increasing in queueing order."""
    condition: Condition = Condition.SUCCESS
    argv: tuple[str, ...] = ()
    """The program; the argument part `{0}` stands for the path of the script file."""
    script: str = ""
    suffix: str = ".sh"
    env: tuple[tuple[str, str], ...] = ()
    """Laid over the lane's environment and over what earlier steps wrote to GITHUB_ENV."""
    cwd: str = ""
    """Absolute, or relative to the workspace."""
    continue_on_error: bool = False
    timeout: float | None = None
    """Seconds; the whole process group is ended after it."""
    checkout: Checkout | None = None
    """When set, the step is a checkout and `argv`/`script` are empty."""
    background: bool = False
    """Whether the steps behind it do not wait for it. What it writes to its command files, and that
    it has failed, counts for them when a `control` has waited for it; at the latest at the end."""
    control: Control | None = None
    """When set, nothing is started: the step waits for others, or ends them."""
