"""Where the work stands: what `grind status` says, and the few facts that it is made from. Pure.

The facts ("briefs") are what configuration, receipt and release come to for this one question. They
are plain tuples, so that they can be kept beside their sources and read again without the libraries
that read those: starting these costs more than all else that `grind status` does (docs/adr/0054).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from grind.core.gate import Decision
    from grind.core.receipt import Receipt
    from grind.core.release import Release

STATUS_SCHEMA = "grind.status/1"


class ConfigBrief(NamedTuple):
    """What `grind.toml` says that matters here; `host` is the one that is meant without `--host`."""

    remote: str | None
    main: str | None
    max_age: float
    host: str
    ssh: str | None
    """None for this machine."""
    labels: tuple[str, ...]
    env: tuple[str, ...]
    path: tuple[str, ...]
    fixed: dict[str, str]
    """Variables that the host sets."""


class ReceiptBrief(NamedTuple):
    """What the gate's decision asks a receipt (`grind.core.gate.Claim`), and its tools."""

    tree: str
    void: bool
    full: bool
    key: str
    digest: str
    host: str
    host_name: str
    created: float
    expires: float | None
    open: tuple[str, ...]
    remedies: tuple[str, ...]
    bound: str
    tools_print: str
    questions: tuple[tuple[str, ...], ...]
    acceptances: tuple[str, ...]


class ReleaseBrief(NamedTuple):
    """What a release came to."""

    state: str
    at: float
    """Seconds since the epoch; 0 when nothing was recorded."""
    host: str | None
    """Where its run was started; None when none was."""
    told: str


class Status(NamedTuple):
    """Everything that the five lines say; what is not known is empty."""

    tree: str
    branch: str = ""
    changed: int = 0
    """Tracked files that differ from HEAD."""
    new_files: tuple[str, ...] = ()
    """Files that git does not know yet and that are part of the snapshot."""
    proof: str = "none"
    """`full`, `partial`, `none` or `expired`: the receipt for exactly this tree and plan."""
    proof_reason: str = ""
    """What is missing, when the proof is not full."""
    receipt: str = ""
    proven_ago: float | None = None
    """Seconds since the receipt was made."""
    host: str = "local"
    running: str = ""
    """Who holds the lock, when somebody does: `grind check, pid 12, since 13:05:02`."""
    last: str = ""
    """The last run's state: `green`, `red`, …"""
    last_told: str = ""
    """What it came to, in a few words."""
    last_ago: float | None = None
    next: str = ""
    """The command to type."""
    why: str = ""


def brief_of_receipt(receipt: Receipt) -> ReceiptBrief:
    """Return what the decision asks of it."""
    return ReceiptBrief(
        tree=receipt.tree,
        void=receipt.void,
        full=receipt.full,
        key=receipt.key,
        digest=receipt.digest,
        host=receipt.host,
        host_name=receipt.host_name,
        created=receipt.created,
        expires=receipt.expires,
        open=receipt.open,
        remedies=receipt.remedies,
        bound=receipt.bound,
        tools_print=receipt.tools_print,
        questions=tuple(tool.question for tool in receipt.tools),
        acceptances=receipt.acceptances,
    )


def brief_of_release(release: Release) -> ReleaseBrief:
    """Return what it came to."""
    host = release.started.host if release.started is not None else None
    return ReleaseBrief(str(release.state), release.at, host, _told(release))


def _told(release: Release) -> str:
    if release.landed is not None:
        return f"{release.landed.oid[:12]} on {release.landed.remote}/{release.landed.branch}"
    red = [step for step in release.failed if step.gating]
    if red:
        return f"{red[-1].job}: {red[-1].name}"
    if release.ended is not None:
        steps = "step" if release.ended.executed == 1 else "steps"
        return f"{release.ended.executed} {steps} in {release.ended.duration:.1f} s"
    return ""


def next_step(
    decision: Decision,
    release: ReleaseBrief | None,
    remote: str | None,
    *,
    landed: bool,
    going: str,
) -> tuple[str, str]:
    """Return the command to type, and why; `going` says who holds the lock, if anybody does."""
    state = release.state if release is not None else ""
    if release is not None and state == "checking" and not decision.ok:
        host = release.host if release.host is not None else "its host"
        if going:
            return "grind attach", f"it runs on {host}, and can be followed"
        return "grind attach", f"the last run was cut off, and goes on by itself on {host}"
    if state in ("landing", "committed"):
        return "grind land", "the last landing was cut off: the same command takes it up again"
    if landed:
        return "nothing", f"{remote} has it"
    if decision.ok and remote is None:
        return "git remote add origin URL", "the tree is proven, and there is no remote to push to"
    if decision.ok:
        return 'grind land -m "…"', "the tree is proven"
    if "\n" in decision.remedy:  # lines for grind.toml, of which the plan shows all
        return "grind plan", decision.reason
    return decision.remedy, decision.reason
