"""path-filter-empty: a workflow that waits for files which do not exist."""

from __future__ import annotations

from collections.abc import Iterator

from grind.rules.findings import ERROR, HIGH, MEDIUM, NOTE, WARNING, Claim, Hit, Rule
from grind.rules.globs import literal_prefix
from grind.rules.treefacts import TreeFacts
from grind.rules.units import View


def check(view: View) -> Iterator[Hit]:
    """One claim per path pattern."""
    if view.workflow is None or view.workflow.action or not view.runs_here:
        return
    for item in view.workflow.filters:
        pattern = item.pattern.value
        if pattern.startswith("!") or not pattern or "${{" in pattern:
            continue
        ignore = item.key == "paths-ignore"
        claim = Claim("filter", pattern, (item.event, item.key))
        span = (item.pattern.offset, item.pattern.offset + len(pattern))
        message = f"`{pattern}` in `{item.event}.{item.key}` matches no tracked file"
        severity = NOTE if ignore else WARNING
        yield view.hit("path-filter-empty", span, message, severity, HIGH, claim)


def judge(hit: Hit, facts: TreeFacts) -> Hit | None:
    """Confirm that nothing matches; a folder that is not there at all is worse."""
    assert hit.claim is not None
    pattern = hit.claim.path
    if facts.matches(pattern):
        return None
    folder = literal_prefix(pattern)
    if pattern.startswith(("/", "./")):
        message = (
            hit.message + ": patterns are relative to the root and never start with `/` or `./`"
        )
        return Hit(hit.rule, hit.start, hit.end, message, ERROR, HIGH)
    if hit.severity == NOTE:
        return Hit(hit.rule, hit.start, hit.end, hit.message, NOTE, MEDIUM)
    if folder and folder not in facts.folders:
        message = hit.message + f": there is no folder `{folder}`"
        return Hit(hit.rule, hit.start, hit.end, message, ERROR, HIGH)
    return Hit(hit.rule, hit.start, hit.end, hit.message, hit.severity, hit.confidence)


RULE = Rule(
    id="path-filter-empty",
    severity=WARNING,
    what="A path filter of a workflow matches no file of the repository.",
    why="The workflow stops running for what was moved, without a word.",
    seen="A filter named a folder that does not exist: the workflow silently stopped running for those "
    "files (F12).",
    bad='on: {push: {paths: ["srcs/**"]}}',
    good='on: {push: {paths: ["src/**"]}}',
    check=check,
    judge=judge,
)
