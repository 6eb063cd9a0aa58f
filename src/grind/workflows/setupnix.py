"""Languages out of nixpkgs as the repository's lock pins it, where the host's store has them.

The last of the providers: asked only when nothing else on the host has the version that a setup
action names, and only in a repository whose flake.lock pins `nixpkgs`. Never downloaded and never
built for it: what is not in the store is refused, with the command that fetches it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from grind.core.flakelock import Pin, pin
from grind.workflows.facts import Facts, Judgement, pending, refused
from grind.workflows.scripts import script
from grind.workflows.setups import Lack, find_question
from grind.workflows.versions import answers, parse_version

PINNED: Final = {
    "python": "python3[0-9]+",
    "node": "nodejs_[0-9]+",
    "go": "go_[0-9]+_[0-9]+|go",
    "java": "jdk[0-9]+|jdk",
    "ruby": "ruby_[0-9]+_[0-9]+",
    "rust": "rustc|cargo|rustfmt|clippy",
}
"""The names in nixpkgs that are a version of a language, or a part of one. .NET is in none: there,
several versions in one folder are a package of their own."""

_FEATURES = "--extra-experimental-features 'nix-command flakes'"

Judge: TypeAlias = Callable[[str], Judgement | Lack]
"""What becomes of the step when this is what `find-*.sh` tells of all there is."""


class Held(NamedTuple):
    """An attribute of the pinned nixpkgs; `folder` is empty where the store has it not.

    Without a name: not even the source of that nixpkgs is in the store.
    """

    attribute: str
    version: str = ""
    folder: str = ""


def nix_question(language: str, pinned: Pin) -> tuple[str, ...]:
    """The question that lists what the pinned nixpkgs has of a language, and the store of it."""
    words = (pinned.flake, pinned.lock, pinned.nar_hash, PINNED[language])
    return ("bash", "--noprofile", "--norc", "-c", script("find-nix.sh"), "find", *words)


def held(facts: Facts, language: str) -> list[Held] | None:
    """Ask for what the pinned nixpkgs has; nothing without a lock, None while not answered."""
    lock = facts.read("flake.lock") if language in PINNED else None
    pinned = pin(lock.encode()) if lock is not None else None
    if pinned is None:
        return []
    answer = facts.ask(nix_question(language, pinned))
    if answer is None:
        return None
    rows = [line.split("\t") for line in answer.out.splitlines()]
    if ["nosource"] in rows:
        return [Held("")]
    return [
        Held(row[1], row[2], row[3] if row[0] == "have" else "")
        for row in rows
        if len(row) == 4 and row[0] in ("have", "lacks")
    ]


def answered(facts: Facts, language: str, judge: Judge) -> Judgement:
    """Judge by what the host has by itself, and where that lacks the version, by its Nix store.

    An action that names no version takes what the host has: nothing is looked up for it.
    """
    own = facts.ask(find_question(language))
    if own is None:
        return pending()
    judged = judge(own.out)
    if isinstance(judged, Judgement):
        return judged
    there = held(facts, language) if judged.request else []
    if there is None:
        return pending()
    folders = [one.folder for one in there if one.folder]
    if folders:
        more = facts.ask(find_question(language, folders))
        if more is None:
            return pending()
        again = judge(own.out + more.out)
        if isinstance(again, Judgement):
            return _kept(again, folders)
        judged = again
    return refused(judged.reason, _fetch(language, judged, there) + judged.remedy)


def _kept(judged: Judgement, folders: Sequence[str]) -> Judgement:
    """Say where it is from, and have the job keep it from a garbage collection."""
    if judged.recipe is None:
        return judged
    given = [part for value in judged.recipe.env.values() for part in value.split("\n")]
    used = [one for one in folders if any(f"{part}/".startswith(f"{one}/") for part in given)]
    if not used:
        return judged
    recipe = msgspec.structs.replace(
        judged.recipe, env=judged.recipe.env | {"GRIND_KEEP": "\n".join(used)}
    )
    return judged._replace(
        recipe=recipe, reason=f"{judged.reason}, from nixpkgs as flake.lock pins it"
    )


def _fetch(language: str, lack: Lack, there: Sequence[Held]) -> str:
    """The line that brings what is pinned and would answer; empty where nothing would."""
    if there == [Held("")]:
        return f"nix {_FEATURES} flake archive (brings the nixpkgs that flake.lock pins), or "
    absent = [
        (version, one.attribute)
        for one in there
        if (version := parse_version(one.version)) is not None
        and not one.folder
        and answers(version, lack.request)
    ]
    if not absent:
        return ""
    version, name = max(absent)
    # A Rust toolchain is several packages, and of no use without any of them.
    names = [one for _, one in absent] if language == "rust" else [name]
    words = " ".join(f"nixpkgs#{one}" for one in names)
    build = f"nix {_FEATURES} build --no-link --inputs-from . {words}"
    return f"{build} (flake.lock pins {version}), or "
