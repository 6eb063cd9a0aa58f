"""flake-untracked-input: a flake refers to a file that git does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.paths import join
from grind.rules.extract.nix import code_only
from grind.rules.findings import ERROR, HIGH, Claim, Hit, Rule
from grind.rules.shell.model import HOLE
from grind.rules.treefacts import TreeFacts
from grind.rules.units import View

_PATH = re.compile(r"(?<![\w./}\"-])(\.{1,2}/[\w.+-]+(?:/[\w.+-]+)*)")
_FLAKE_REF = re.compile(r"^(?:path:)?(\.{1,2}(?:/[\w.+-]+)*/?)(?:#.*)?$")
_TAKES_FLAKE = frozenset(("build", "develop", "run", "shell", "check"))


def check(view: View) -> Iterator[Hit]:
    """Path literals of Nix files, and flakes that commands name."""
    if view.kind == "nix":
        folder = view.source.path.rpartition("/")[0]
        text = code_only(view.source.text)
        for match in _PATH.finditer(text):
            path = join(folder, match.group(1))
            message = f"`{match.group(1)}` is on this disk, but git does not track it: a flake cannot see it"
            claim = Claim("nix", path, (folder,))
            yield view.hit("flake-untracked-input", match.span(1), message, ERROR, HIGH, claim)
    for unit in view.running():
        for call in unit.calls:
            if (
                call.name != "nix"
                or call.context.machine not in ("local", "ci")
                or unit.context.cwd is None
            ):
                continue
            texts = [w.text for w in call.arguments]
            if not any(t in _TAKES_FLAKE for t in texts[:6]):
                continue
            for word in call.arguments:
                ref = _FLAKE_REF.match(word.text) if HOLE not in word.text else None
                if ref and ref.group(1) not in (".", "./"):
                    path = join(unit.context.cwd, ref.group(1) + "/flake.nix")
                    message = (
                        f"`{path}` is on this disk, but git does not track it: `git add -N {path}`"
                    )
                    claim = Claim("flake", path, ("",))
                    span = (word.start, word.end)
                    yield unit.hit("flake-untracked-input", span, message, ERROR, HIGH, claim=claim)


def judge(hit: Hit, facts: TreeFacts) -> Hit | None:
    """Untracked, or ignored by git, below a folder that has a flake."""
    assert hit.claim is not None
    path, folder = hit.claim.path, hit.claim.more[0]
    if path.startswith("..") or facts.tracked(path) or path in ("", "result"):
        return None
    if hit.claim.kind == "nix" and not _in_flake(folder, facts):
        return None
    if facts.on_disk(path):
        return hit
    if hit.claim.kind == "nix" and facts.ignored(path):
        message = (
            hit.message.split(" is on")[0]
            + " is ignored by git: a flake cannot see it, and CI has it not"
        )
        return Hit(hit.rule, hit.start, hit.end, message, hit.severity, hit.confidence)
    return None


def _in_flake(folder: str, facts: TreeFacts) -> bool:
    while True:
        if join(folder, "flake.nix") in facts.files:
            return True
        if not folder:
            return False
        folder = folder.rpartition("/")[0]


RULE = Rule(
    id="flake-untracked-input",
    severity=ERROR,
    what="A Nix expression of a flake names a file that exists here but is not tracked, or is ignored.",
    why="Flakes copy only what git tracks: it builds nowhere else, or not even here.",
    seen="A lock file was ignored by git; the laptop had it, CI did not (F4).",
    bad="cargoLock.lockFile = ./Cargo.lock;   # and Cargo.lock in .gitignore",
    good="git add -f Cargo.lock, and take it out of .gitignore",
    check=check,
    judge=judge,
)
