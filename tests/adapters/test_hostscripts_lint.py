"""The scripts beside the runner hold its laws: what a bare host has, own names, no eval."""

from __future__ import annotations

import re
import subprocess

import pytest

from grind.adapters.hostscripts import NAMES, script
from tests.adapters.test_runner_lint import BASE, bare, builtins, called, functions

COREUTILS = {
    "du",
    "chmod",
    "cp",
    "cat",
    "date",
    "df",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "nohup",
    "rm",
    "sort",
    "stat",
    "timeout",
    "touch",
}
OFTEN_THERE = {"nix", "loginctl", "systemctl"}
"""Looked for before they are called: a host without them is told so, and nothing fails."""


@pytest.fixture(params=NAMES)
def text(request: pytest.FixtureRequest) -> str:
    return re.sub(r"\\\n +", "", script(request.param).decode())


def test_bash_itself_accepts_it(text: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_only_builtins_and_the_base_set_are_called(text: str) -> None:
    calls = re.findall(r"(?m)^[^#\n]*?(\bbash (?=-)(?:\S+ ){2})", text)
    assert set(calls) <= {"bash --noprofile --norc "}, "only another script of ours, as a file"
    asked = (
        called(text)
        - set(functions(text))
        - builtins()
        - set().union(*BASE.values())
        - COREUTILS
        - {"bash"}
    )
    assert asked - OFTEN_THERE == set()
    for name in asked:
        assert f"type -P {name}" in text or f"g_has {name}" in text, name


def test_nothing_is_evaluated_and_nothing_is_sourced(text: str) -> None:
    assert called(text) & {"eval", "source", ".", "sh", "alias"} == set()


def test_names_are_the_scripts_own(text: str) -> None:
    assert all(name.startswith("g_") for name in re.findall(r"(?m)^(\w+)\(\)", text))
    assigned = set(re.findall(r"(?:(?<=\s)|^)(\w+)(?:\[[^]]*\])?\+?=", bare(text)))
    foreign = {name for name in assigned if not name.startswith("g_")} - {"IFS", "LC_ALL", "HOME"}
    assert {name for name in foreign if not re.fullmatch(r"GIT_[A-Z_]+", name)} == set()


def test_it_says_how_it_is_called(text: str) -> None:
    head = text[: text.index("\n\n")]
    assert all(line.startswith("#") for line in head.splitlines())
    assert text.endswith("\nexit\n")
