"""The rules of the main branch, when they cannot be had."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from grind.adapters.git.repository import GitRepository
from grind.core.errors import GrindError, UnreachableError
from grind.flows.basis import Basis, Options, find_basis
from grind.flows.policy import find_rules, find_weakenings, guarded_branches
from tests.repositories import Repository

CI = ".github/workflows/ci.yml"


class Place:
    def __init__(self, folder: Path) -> None:
        self.made = Repository(folder / "app")
        self.git = GitRepository(str(folder / "app"), os.environ)

    def basis(self) -> Basis:
        return find_basis(self.git, Options(), lambda _: frozenset())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def unreachable(*_: object) -> object:
    raise UnreachableError("the host is away")


async def broken(*_: object) -> object:
    raise GrindError("no plan comes of it")


def weakenings(place: Place, base: str, prepare: object) -> list[str]:
    basis = place.basis()
    rules = find_rules(place.git, basis, base)
    found = find_weakenings(place.git, prepare, Options(), basis, rules)  # type: ignore[arg-type]
    return [one.line for one in asyncio.run(found)]


def test_a_host_that_is_away_says_nothing_of_the_rules(place: Place) -> None:
    base = place.made.commit({CI: "on: push\n"}, "one")
    place.made.commit({CI: "on: [push]\n"}, "two")
    with pytest.raises(UnreachableError):
        weakenings(place, base, unreachable)


def test_rules_of_which_no_plan_comes_need_a_persons_word(place: Place) -> None:
    base = place.made.commit({CI: "on: push\n"}, "one")
    place.made.commit({CI: "on: [push]\n"}, "two")
    [line] = weakenings(place, base, broken)
    assert "not understood → no plan comes of it" in line


def test_a_main_branch_whose_grind_toml_cannot_be_read(place: Place) -> None:
    base = place.made.commit({CI: "on: push\n", "grind.toml": "later = true\n"}, "one")
    place.made.commit({"grind.toml": ""}, "two")
    lines = weakenings(place, base, broken)
    assert any("grind.toml: cannot be read: " in line for line in lines)


def test_nobody_is_trusted_when_the_named_file_is_not_there(place: Place) -> None:
    base = place.made.commit({"grind.toml": '[gate]\nsigners = "none"\n'}, "one")
    assert find_rules(place.git, place.basis(), base).policy.signers == b""


def test_nothing_that_is_a_rule_was_touched(place: Place) -> None:
    base = place.made.commit({CI: "on: push\n"}, "one")
    place.made.commit({"file": "2"}, "two")
    assert weakenings(place, base, unreachable) == []


def test_guarded_branches_come_from_the_remotes_main_branch(place: Place) -> None:
    place.made.commit({"grind.toml": '[gate]\nbranches = ["release/*"]\n'}, "one")
    assert guarded_branches(place.git) == ("main",)
    place.made.git("remote", "add", "origin", "/nowhere")
    place.made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert guarded_branches(place.git) == ("release/*",)
    place.made.commit({"grind.toml": "no toml"}, "two")
    place.made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert guarded_branches(place.git) == ("*",)
