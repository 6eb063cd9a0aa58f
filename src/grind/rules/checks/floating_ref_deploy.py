"""floating-ref-deploy: a deployment of whatever a branch is at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.findings import HIGH, MEDIUM, WARNING, Hit, Rule
from grind.rules.shell.model import HOLE, Word
from grind.rules.shell.options import values
from grind.rules.shell.programs import Call
from grind.rules.units import Unit, View

_BRANCH = re.compile(
    r"^(origin/|upstream/|refs/heads/)?(main|master|develop|trunk|production|staging|HEAD)$"
)
_REMOTE_BRANCH = re.compile(r"^(origin|upstream)/[\w./-]+$|^FETCH_HEAD$|^@\{u(pstream)?\}$")
_FLAKE = re.compile(r"^(github|gitlab|sourcehut|git\+(https|ssh)|https):")
_PINNED = re.compile(r"[0-9a-f]{40}|[?&](rev|ref=refs/tags)=|\x01|/v?\d+\.\d+")
_APPLIES = {
    "nixos-rebuild": ("switch", "boot", "test"), "darwin-rebuild": ("switch",), "home-manager": ("switch",),
    "colmena": ("apply",), "nixos-anywhere": (), "deploy": (), "docker-compose": ("up",), "pm2": ("restart", "reload"),
    "systemctl": ("restart", "reload"), "ansible-playbook": (), "supervisorctl": ("restart",),
}  # fmt: skip
_DEPLOY_JOB = re.compile(
    r"deploy|rollout|(^|[-_])(prod(uction)?|publish)([-_]|$)|^release$", re.IGNORECASE
)
_LATEST = re.compile(r"^[\w./:@-]+:(latest|main|master|edge|nightly)$")


def check(view: View) -> Iterator[Hit]:
    """Branches where an oid belongs: on the remote side, before an activation, in deploy jobs."""
    for unit in view.running():
        deploys = _applies(unit)
        for call in unit.calls:
            found = _git(call, deploys) or _flake(call) or _image(call, unit)
            if found is not None:
                word, what, sure = found
                yield _hit(unit, word, what, sure)
    if view.workflow is not None and view.runs_here:
        yield from _checkouts(view)


_Found = tuple[Word, str, str]


def _hit(unit: Unit, word: Word, what: str, sure: str) -> Hit:
    message = f"{what}: what was proven is a commit; name it by its oid"
    return unit.hit("floating-ref-deploy", (word.start, word.end), message, WARNING, sure)


def _applies(unit: Unit) -> int:
    """Where this text activates something; -1 where it does not."""
    for call in unit.calls:
        wanted = _APPLIES.get(call.name)
        texts = [w.text for w in call.arguments]
        if wanted is not None and (not wanted or any(t in wanted for t in texts[:3])):
            return call.head.start
        if call.name == "docker" and texts[:1] == ["compose"] and "up" in texts:
            return call.head.start
    return -1


def _git(call: Call, deploys: int) -> _Found | None:
    if call.name != "git" or (call.context.machine != "remote" and deploys < call.head.start):
        return None
    words = list(call.arguments)
    while len(words) > 1 and words[0].text.startswith("-"):
        words = words[2:] if words[0].text in ("-C", "-c") else words[1:]
    if not words:
        return None
    verb, rest = words[0].text, words[1:]
    if any(HOLE in w.text for w in rest):
        return None
    sure = HIGH if call.context.machine == "remote" else MEDIUM
    if verb == "pull":
        return words[0], "`git pull` takes whatever the branch is when it runs", sure
    targets = [w for w in rest if not w.text.startswith("-")]
    if verb == "reset" and targets and _REMOTE_BRANCH.match(targets[0].text):
        return (
            targets[0],
            f"`git reset` to `{targets[0].text}` takes whatever the branch is then",
            sure,
        )
    if verb in ("checkout", "switch", "merge") and len(targets) == 1:
        text = targets[0].text
        if _REMOTE_BRANCH.match(text) or (verb != "merge" and _BRANCH.match(text)):
            return targets[0], f"`git {verb} {text}` takes whatever the branch is then", sure
    return None


def _flake(call: Call) -> _Found | None:
    if call.name not in (
        "nixos-rebuild",
        "darwin-rebuild",
        "home-manager",
        "colmena",
        "deploy",
        "nixos-anywhere",
    ):
        return None
    words = [*values(call, "--flake", "-f"), *(call.arguments[:2] if call.name == "deploy" else ())]
    for word in words:
        text = word.text.removeprefix("--flake=").split("#")[0]
        if _FLAKE.match(text) and not _PINNED.search(text):
            return word, f"`{text}` is whatever its branch is when this runs", HIGH
    return None


def _image(call: Call, unit: Unit) -> _Found | None:
    texts = [w.text for w in call.arguments]
    deploying = call.context.machine == "remote" or bool(_DEPLOY_JOB.search(unit.context.job))
    if call.name == "kubectl" and texts[:2] == ["set", "image"]:
        for word in call.arguments[2:]:
            if _LATEST.match(word.text.split("=", 1)[-1]) and "=" in word.text:
                return word, f"`{word.text.split('=', 1)[-1]}` is whatever was pushed last", HIGH
    if call.name in ("docker", "podman") and deploying and texts[:1] in (["pull"], ["run"]):
        for word in call.arguments[1:]:
            if _LATEST.match(word.text):
                return word, f"`{word.text}` is whatever was pushed last", MEDIUM
    return None


def _checkouts(view: View) -> Iterator[Hit]:
    assert view.workflow is not None
    for job in view.workflow.jobs:
        if not (_DEPLOY_JOB.search(job.id) or job.environment):
            continue
        for step in job.steps:
            ref = step.inputs.get("ref")
            if (
                step.uses
                and "actions/checkout" in step.uses.value
                and ref
                and _BRANCH.match(ref.value)
            ):
                if "repository" in step.inputs:
                    continue
                message = f"deploy job `{job.id}` checks out `{ref.value}`, whatever it is by then, and not the commit that was proven"
                span = (ref.offset, ref.offset + len(ref.value))
                yield view.hit("floating-ref-deploy", span, message, WARNING, HIGH)


RULE = Rule(
    id="floating-ref-deploy",
    severity=WARNING,
    what="A deployment pulls or names a branch (or `:latest`) instead of the commit that was checked.",
    why="Between the check and the deployment the branch moves; what goes live was never proven.",
    seen="A deploy took whatever `main` was at that moment, not what had been proven (F18).",
    bad="ssh web1 'cd /srv/app && git pull && systemctl restart app'",
    good='ssh web1 "cd /srv/app && git checkout --detach ${oid@Q} && systemctl restart app"',
    check=check,
)
