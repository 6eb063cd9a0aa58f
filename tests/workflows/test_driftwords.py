"""Two command lines that do the same are one unit; two that may differ are two."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.driftwords import Unit, normalise

SAME = (
    ("cargo test --locked --release", "cargo test --release --locked"),
    ("cargo test -p a --features b", "cargo test --features b -p a"),
    ("cargo test --features=a", "cargo test --features a"),
    ("cargo t", "cargo test"),
    ("cargo test --color always", "cargo test"),
    ("/usr/bin/cargo test -v", "cargo test"),
    ("nix build .#a --print-build-logs", "nix build -L .#a"),
    ("nix --extra-experimental-features 'nix-command flakes' build .#a", "nix build .#a"),
    ("nix build .#a --option experimental-features flakes", "nix build .#a"),
    ("nix flake check --show-trace", "nix flake check"),
    ("pytest -q tests -x", "pytest -x tests"),
    ("python3.11 tool.py", "python3 tool.py"),
    ("scripts/check.sh", "./scripts/check.sh"),
    ("node_modules/.bin/eslint .", "eslint ."),
    ("npm run-script lint", "npm run lint"),
)
OTHER = (
    ("cargo test --locked", "cargo test"),
    ("cargo +nightly test", "cargo test"),
    ("cargo test -p a -F b", "cargo test -p b -F a"),
    ("nix build .#a", "nix build .#b"),
    ("nix build .#a --impure", "nix build .#a"),
    ("nix build .#a --option sandbox false", "nix build .#a"),
    ("pytest a b", "pytest b a"),
    ("cargo test -- --ignored", "cargo test --ignored"),
    ("./pytest", "pytest"),
    ("find . -not -name a -name b", "find . -not -name b -name a"),
    ("grep -v x", "grep x"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert normalise(shlex.split(one)) == normalise(shlex.split(other))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_not_the_same(one: str, other: str) -> None:
    assert normalise(shlex.split(one)) != normalise(shlex.split(other))


def test_the_folder_counts() -> None:
    assert normalise(["npm", "test"], "web") != normalise(["npm", "test"])


def test_the_program_and_its_subcommand() -> None:
    assert normalise(["nix", "flake", "check", "-L"]).head == ("nix", "flake", "check")
    assert normalise(["pytest", "tests"]) == Unit("", ("pytest",), ("tests",))


PROGRAMS = st.sampled_from(
    ["cargo", "nix", "pytest", "npm", "./x.sh", "a/b", "find", "/bin/ls", "../up", "$X", "python3"]
)
TRICKY = """
test run t -p -v -L -q --x --x=1 --x=-1 --x= --locked --check --check=a -- - +nightly .#a --option
experimental-features --extra-experimental-features --color <<#ab -rA --opt=<<#x flake run-script
--option=a=b
"""
WORDS = st.one_of(
    st.sampled_from(TRICKY.split()),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
)


@given(st.tuples(PROGRAMS, st.lists(WORDS, max_size=8)), st.sampled_from(["", "web", "a/b"]))
def test_law_normalising_again_changes_nothing(words: tuple[str, list[str]], folder: str) -> None:
    unit = normalise((words[0], *words[1]), folder)
    assert normalise(unit.argv, folder) == unit


@given(st.permutations(["--locked", "--release", "--features=a", "-p b", "--all-targets"]))
def test_law_the_order_of_flags_does_not_matter(flags: list[str]) -> None:
    words = " ".join(flags).split()
    wanted = normalise(
        ["cargo", "test", "--locked", "--release", "--features", "a", "-p", "b", "--all-targets"]
    )
    assert normalise(["cargo", "test", *words]) == wanted
