"""stale-path and wrong-cwd: commands that name files which are not there, or not from there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.paths import has_extension, join, named_path
from grind.rules.findings import ERROR, HIGH, MEDIUM, WARNING, Claim, Hit, Rule
from grind.rules.treefacts import TreeFacts
from grind.rules.units import Unit, View

_MOVES = frozenset(("cd", "pushd", "popd"))
_BRINGS = re.compile(
    r"\b(git (clone|submodule|checkout|worktree)|tar |unzip |gh (repo|release|run)|rsync |npm (ci|install)"
    r"|download|svn |hg clone|cp -|repo sync|cmake |configure|west )"
)


def check(view: View) -> Iterator[Hit]:
    """Claims for script paths, `working-directory:` and local actions."""
    if view.workflow is not None:
        if view.runs_here and not view.workflow.action:
            yield from _workflow(view)
        return
    for unit in view.running():
        if unit.context.machine == "local" and unit.sender is None:
            yield from _unit(view, unit)


def _workflow(view: View) -> Iterator[Hit]:
    assert view.workflow is not None
    for job in view.workflow.jobs:
        moved = any(
            step.uses
            and "checkout" in step.uses.value
            and {"path", "repository"} & step.inputs.keys()
            for step in job.steps
        )
        brought = any(step.run and _BRINGS.search(step.run.text) for step in job.steps)
        brought = brought or any(step.uses and "download" in step.uses.value for step in job.steps)
        if moved or not any(step.uses and "checkout" in step.uses.value for step in job.steps):
            continue
        text = "\n".join(step.run.text for step in job.steps if step.run)
        for step in job.steps:
            folder = step.working_directory
            if (
                folder
                and "${{" not in folder.value
                and not brought
                and not _made(text, folder.value)
            ):
                claim = Claim("folder", join("", folder.value))
                message = f"there is no folder `{folder.value}` in the repository"
                span = (folder.offset, folder.offset + len(folder.value))
                yield view.hit("stale-path", span, message, ERROR, HIGH, claim)
            if step.uses and step.uses.value.startswith("./") and not brought:
                claim = Claim("action", join("", step.uses.value.split("@")[0]))
                message = f"there is no action `{step.uses.value}` in the repository"
                span = (step.uses.offset, step.uses.offset + len(step.uses.value))
                yield view.hit("stale-path", span, message, ERROR, HIGH, claim)
            if step.run is None or brought:
                continue
            for unit in view.units:
                if unit.fragment is step.run:
                    yield from _unit(view, unit, text)


def _unit(view: View, unit: Unit, around: str = "") -> Iterator[Hit]:
    around = around or unit.text
    cwd = unit.context.cwd
    if cwd is None and view.kind not in ("script", "?"):
        return
    for call in unit.calls:
        if (
            call.context.machine not in ("local", "ci")
            or call.context.machine != unit.context.machine
        ):
            continue
        word = named_path(call)
        if (
            word is None
            or "\x01" in word.text
            or (call.name in ("source", ".") and "/" not in word.text)
        ):
            continue
        if (
            _moved(unit, word.start)
            or _made(around, word.text)
            or _guarded(unit, word.text, word.start)
        ):
            continue
        if cwd is None and (_BRINGS.search(unit.text) or "/" not in word.text.removeprefix("./")):
            continue
        folder = view.source.path.rpartition("/")[0]
        claim = Claim("path", word.text, ("?" if cwd is None else "=", cwd or "", folder))
        span = (word.start, word.end)
        yield unit.hit("stale-path", span, "", ERROR, HIGH, claim=claim)


def _moved(unit: Unit, at: int) -> bool:
    return any(c.name in _MOVES for c in unit.calls_before(at))


def _guarded(unit: Unit, path: str, at: int) -> bool:
    """`[ -x path ] && path`: the text asks first."""
    before = unit.text[:at]
    return bool(re.search(r"(\[\[?|\btest)\s[^\n]*-[efxrs]\s+[\"']?" + re.escape(path), before))


def _made(text: str, path: str) -> bool:
    """Whether the commands around make this path themselves."""
    name = re.escape(path.rstrip("/").rsplit("/", 1)[-1])
    top = re.escape(path.removeprefix("./").split("/", 1)[0])
    return bool(
        re.search(
            r"(>|>>|\s-o|\s-O|--output[= ]|\btee\b[^\n]*|--dest\S*)\s*[\"']?[^\s;|&]*" + name, text
        )
        or re.search(
            r"\b(cp|mv|ln|install|touch|mkdir|rsync|virtualenv|venv|build)\b[^\n]*" + name, text
        )
        or re.search(
            r"\b(mkdir|clone|venv|worktree|init|new|create|-o|-C|build)\b[^\n]*\b" + top + r"\b",
            text,
        )
        or (re.search(r"\b(curl|wget)\b[^\n]*" + name, text))
    )


def judge(hit: Hit, facts: TreeFacts) -> Hit | None:
    """Decide between there, elsewhere and nowhere."""
    claim = hit.claim
    assert claim is not None
    if claim.kind == "folder":
        if claim.path == "" or claim.path in facts.folders or facts.ignored(claim.path + "/x"):
            return None
        return hit
    if claim.kind == "action":
        known = claim.path in facts.files or claim.path in facts.folders
        return None if known or claim.path.startswith("..") else hit
    sure, cwd, folder = claim.more
    here = join(cwd, claim.path)
    places = {here} if sure == "=" else {here, join(folder, claim.path)}
    if any(
        facts.has(p) or p.startswith("..") or facts.ignored(p) or facts.on_disk(p) for p in places
    ):
        return None
    return _missing(hit, facts, sure == "=", cwd)


def _missing(hit: Hit, facts: TreeFacts, sure: bool, cwd: str) -> Hit | None:
    assert hit.claim is not None
    path = hit.claim.path
    tail = join("", path).lstrip("./")
    elsewhere = facts.ending_with(tail)
    known_folder = "/" in tail and any(
        f == tail.rpartition("/")[0] or f.endswith("/" + tail.rpartition("/")[0])
        for f in facts.folders
    )
    if elsewhere:
        if not sure:
            return None
        where = f"`{elsewhere[0]}`"
        start = f"`{cwd}`" if cwd else "the root"
        message = f"`{path}` is not reachable from {start}, where this runs; there is {where}"
        return Hit("wrong-cwd", hit.start, hit.end, message, ERROR, HIGH)
    if not has_extension(path) and not known_folder:
        return None  # something that is built or fetched
    message = f"`{path}` is named here, but the repository has no such file"
    if not sure and not known_folder:
        return None
    return Hit(
        "stale-path",
        hit.start,
        hit.end,
        message,
        ERROR if sure else WARNING,
        HIGH if sure else MEDIUM,
    )


RULE = Rule(
    id="stale-path",
    severity=ERROR,
    what="A command, a `working-directory:` or a local action names a path that the tree does not have.",
    why="It was moved or never committed: green where the old file still lies around, red in CI.",
    seen="A lock file was ignored by git, and a build input was filtered out: green on the laptop, red in "
    "CI (F4).",
    bad="run: ./scripts/old-name.sh",
    good="run: ./scripts/new-name.sh",
    check=check,
    judge=judge,
)
WRONG_CWD = Rule(
    id="wrong-cwd",
    severity=ERROR,
    what="A path is right from another folder than the one the command runs in.",
    why="It works for whoever happens to stand in the right folder.",
    seen="A recipe's script worked from its own folder and nowhere else.",
    bad="working-directory: app\nrun: ./scripts/test.sh   # which is at the root",
    good="working-directory: app\nrun: ../scripts/test.sh",
    check=lambda _view: (),
)
