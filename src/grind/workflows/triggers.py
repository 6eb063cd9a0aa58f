"""Whether an event starts a workflow, and why.

From GitHub's documentation ("Workflow syntax", "Skipping workflow runs"): branch and path filters
must both match; with only `branches` a tag does not run the workflow, and the reverse; paths do not
matter for tags; pull requests compare branches with their base, and without `types` run when
opened, synchronised or reopened; skip instructions concern `push` and `pull_request` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from grind.core.errors import Problem
from grind.workflows.conform import quote
from grind.workflows.filters import Filter, Pattern, PatternError
from grind.workflows.literals import string_of
from grind.workflows.syntax import Scalar, Trigger, Workflow

MAX_DIFF: Final = 300
"""GitHub looks at the first so many changed files only, so beyond it path filters may miss."""

_DEFAULT_TYPES: Final = {
    "pull_request": ("opened", "synchronize", "reopened"),
    "pull_request_target": ("opened", "synchronize", "reopened"),
}
_SKIPS: Final = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
_TRAILER: Final = re.compile(r"skip-checks: ?true")
_BY_PATH: Final = ("push", "pull_request", "pull_request_target")


class Event(NamedTuple):
    """What happened in the repository, as far as it decides what runs."""

    name: str
    ref: str = ""
    """What it happened to, in full: `refs/heads/main`, `refs/tags/v1`."""
    base_ref: str = ""
    """The branch a pull request wants to go to (or a merge group's), short or in full."""
    paths: tuple[str, ...] | None = None
    """Changed paths; None when unknown, and none of them when nothing differs."""
    message: str = ""
    """The message of the head commit."""
    type: str = ""
    """The activity type; empty for the event's usual one."""
    head: str = ""
    """The head commit's id."""
    workflow: str = ""
    """For `workflow_run`: the name of the workflow that ran; `ref` is the branch it ran on."""


class Decision(NamedTuple):
    """Whether the workflow runs, the reason for people, and the line that decides."""

    active: bool
    reason: str
    line: int


def decide(workflow: Workflow, event: Event) -> Decision:
    """Say whether `event` starts `workflow`. Raises PatternError for a faulty pattern.

    `read_workflow` reports faulty patterns, so that a workflow without problems never raises.
    """
    trigger = next((one for one in workflow.on if one.event == event.name), None)
    if trigger is None:
        line = workflow.on[0].mark.line if workflow.on else 1
        return Decision(False, f"the workflow does not run on {event.name}", line)
    reasons: list[str] = []
    for check in (_by_skip, _by_type, _by_source, _by_ref, _by_path):
        decision = check(trigger, event)
        if decision is None:
            continue
        if not decision.active:
            return decision
        reasons.append(decision.reason)
    reason = "; ".join(reasons) or f"runs on every {event.name}"
    return Decision(True, reason, trigger.mark.line)


def skip_instruction(message: str) -> str:
    """Return the instruction in a commit message that tells GitHub to skip, or ''.

    The trailer counts as GitHub documents it: the last line, after two empty lines and possibly
    other trailers.
    """
    for skip in _SKIPS:
        if skip in message:
            return skip
    lines = message.rstrip("\n").split("\n")
    if not _TRAILER.fullmatch(lines[-1].rstrip()):
        return ""
    start = len(lines) - 1
    while start and lines[start - 1].strip():
        start -= 1
    empty = start >= 2 and not lines[start - 1].strip() and not lines[start - 2].strip()
    return lines[-1].strip() if empty else ""


def idle_notes(workflow: Workflow) -> list[str]:
    """Return a line for each filter of the workflow that GitHub takes and never looks at."""
    return [
        f"{workflow.path}:{key.mark.line}: '{key.text}' filters nothing: in CI, every "
        f"{trigger.event} starts the workflow"
        for trigger in workflow.on
        for key in trigger.idle
    ]


def unmatched_filters(workflow: Workflow, tracked: Iterable[str]) -> tuple[Problem, ...]:
    """Report path patterns that match no tracked file: the workflow silently misses its files."""
    paths = tuple(tracked)
    found: list[Problem] = []
    known: dict[str, bool] = {}
    for trigger in workflow.on:
        for scalar in (*(trigger.paths or ()), *(trigger.paths_ignore or ())):
            text = string_of(scalar)
            if text not in known:
                try:
                    known[text] = any(map(Pattern(text).matches, paths))
                except PatternError:
                    known[text] = True  # a problem of its own, which the reader reports
            if not known[text]:
                message = f"the path filter {quote(text)} matches no tracked file"
                found.append(Problem(workflow.path, *scalar.mark, message, "a path that exists"))
    return tuple(found)


def _by_skip(trigger: Trigger, event: Event) -> Decision | None:
    if event.name not in ("push", "pull_request"):
        return None
    skip = skip_instruction(event.message)
    if not skip:
        return None
    return Decision(False, f"the commit message says '{skip}'", trigger.mark.line)


def _by_type(trigger: Trigger, event: Event) -> Decision | None:
    default = _DEFAULT_TYPES.get(event.name, ())
    if trigger.types is None:
        if event.type and default and event.type not in default:
            usual = ", ".join(default)
            reason = f"without types, {event.name} runs on {usual}; this is {event.type}"
            return Decision(False, reason, trigger.mark.line)
        return None
    types = [string_of(scalar) for scalar in trigger.types]
    line = _line(trigger.types, trigger)
    wanted = (event.type,) if event.type else default
    if not wanted:
        return Decision(True, f"the activity type is not known (types: {', '.join(types)})", line)
    for kind in wanted:
        if kind in types:
            return Decision(True, f"the activity {kind} is one of its types", line)
    shown = " or ".join(wanted)
    return Decision(False, f"{shown} is none of its types ({', '.join(types)})", line)


def _by_source(trigger: Trigger, event: Event) -> Decision | None:
    """The workflows whose runs start this one."""
    if event.name != "workflow_run" or trigger.workflows is None:
        return None
    names = [string_of(scalar) for scalar in trigger.workflows]
    line = _line(trigger.workflows, trigger)
    if event.workflow in names:
        return Decision(True, f"it follows the workflow {quote(event.workflow)}", line)
    return Decision(False, f"it does not follow the workflow {quote(event.workflow)}", line)


def _by_ref(trigger: Trigger, event: Event) -> Decision | None:
    branches, tags = (
        (trigger.branches, trigger.branches_ignore),
        (trigger.tags, trigger.tags_ignore),
    )
    by_branch = any(filters is not None for filters in branches)
    by_tag = event.name == "push" and any(filters is not None for filters in tags)
    if not (by_branch or by_tag):
        return None
    if event.name == "push":
        if event.ref.startswith("refs/tags/"):
            tag = event.ref.removeprefix("refs/tags/")
            if not by_tag:
                line = _line(branches[0] or branches[1], trigger)
                return Decision(
                    False, f"the tag '{tag}' is no branch, and only branches run it", line
                )
            return _by_name("tag", tag, tags, trigger)
        branch = _short(event.ref)
        if not by_branch:
            line = _line(tags[0] or tags[1], trigger)
            return Decision(False, f"the branch '{branch}' is no tag, and only tags run it", line)
        return _by_name("branch", branch, branches, trigger)
    if event.name == "workflow_run":
        return _by_name("branch", _short(event.ref), branches, trigger)
    return _by_name("base branch", _short(event.base_ref), branches, trigger)


def _by_name(
    what: str,
    name: str,
    filters: tuple[Sequence[Scalar] | None, Sequence[Scalar] | None],
    trigger: Trigger,
) -> Decision:
    wanted, ignored = filters
    if wanted is not None:
        scalar = _last_match(wanted, name)
        if scalar is None:
            reason = f"no filter matches the {what} {quote(name)}"
            return Decision(False, reason, _line(wanted, trigger))
        text = string_of(scalar)
        if text.startswith("!"):
            reason = f"the {what} {quote(name)} is excluded by {quote(text)}"
            return Decision(False, reason, scalar.mark.line)
        reason = f"the {what} {quote(name)} matches {quote(text)}"
        return Decision(True, reason, scalar.mark.line)
    scalar = _last_match(ignored or (), name)
    if scalar is not None and not string_of(scalar).startswith("!"):
        reason = f"the {what} {quote(name)} is ignored by {quote(string_of(scalar))}"
        return Decision(False, reason, scalar.mark.line)
    return Decision(True, f"the {what} {quote(name)} is not ignored", _line(ignored, trigger))


def _by_path(trigger: Trigger, event: Event) -> Decision | None:
    if event.name not in _BY_PATH or (trigger.paths is None and trigger.paths_ignore is None):
        return None
    scalars = trigger.paths if trigger.paths is not None else trigger.paths_ignore or ()
    line = _line(scalars, trigger)
    if event.ref.startswith("refs/tags/"):
        return Decision(True, "path filters do not matter for tags", line)
    if event.paths is None:
        return Decision(
            True, "the changed paths are not known, so path filters count as matched", line
        )
    if not event.paths:
        return Decision(True, "nothing differs, so path filters count as matched", line)
    compiled = Filter(map(string_of, scalars))
    beyond = ""
    if len(event.paths) > MAX_DIFF:
        beyond = f" (GitHub looks at the first {MAX_DIFF} of {len(event.paths)} only)"
    if trigger.paths is not None:
        hit = next(filter(compiled.matches, event.paths), None)
        if hit is None:
            return Decision(False, f"no changed path matches its path filters{beyond}", line)
        return Decision(True, f"{quote(hit)} has changed{beyond}", line)
    kept = next((path for path in event.paths if not compiled.matches(path)), None)
    if kept is None:
        return Decision(False, f"every changed path is ignored{beyond}", line)
    return Decision(True, f"{quote(kept)} has changed and is not ignored{beyond}", line)


def _last_match(scalars: Sequence[Scalar], name: str) -> Scalar | None:
    last: dict[str, Scalar] = {}  # an alias may repeat a pattern thousands of times
    for scalar in reversed(scalars):
        last.setdefault(string_of(scalar), scalar)
    return next((one for text, one in last.items() if Pattern(text).matches(name)), None)


def _line(scalars: Sequence[Scalar] | None, trigger: Trigger) -> int:
    return scalars[0].mark.line if scalars else trigger.mark.line


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
