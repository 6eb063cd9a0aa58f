"""What makes a grind.toml laxer than the main branch's, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import load
from grind.core.weakening import Weakening, digest_of, is_rule, weakened_config

PROBE = '[[probe]]\nname = "health"\nhttp = "http://127.0.0.1:1/health"\ndeadline = "9s"\n'
CASES = [
    ('[gate]\nsigners = "a"\n', "", "gate.signers"),
    ('[gate]\nsigners = "a"\n', '[gate]\nsigners = "b"\n', "gate.signers"),
    ("", "[gate]\nforeign_hosts = true\n", "gate.foreign_hosts"),
    ('[gate]\nbranches = ["a", "b"]\n', '[gate]\nbranches = ["b"]\n', "gate.branches"),
    ("", '[receipt]\nmax_age = "31d"\n', "receipt.max_age"),
    ("[land]\nconventional = true\n", "", "land.conventional"),
    ('[land]\natomic = "error"\n', "", "land.atomic"),
    ("", '[land]\natomic = "off"\n', "land.atomic"),
    ('[land]\nstatus = "required"\n', "", "land.status"),
    ("", "[watch]\nallow_none = true\n", "watch.allow_none"),
    (PROBE, "", "probe health"),
    (PROBE, PROBE + "status = 404\n", "probe health"),
    ("", '[hosts.local]\nset = { SKIP = "1" }\n', "hosts.local.set"),
]


@pytest.mark.parametrize(("base", "now", "where"), CASES)
def test_laxer(base: str, now: str, where: str) -> None:
    old, new = load("a", base.encode()), load("b", now.encode())
    [found] = weakened_config(old, new)
    assert found.where == where
    assert found.base
    assert found.now


@pytest.mark.parametrize(
    ("base", "now"),
    [
        ("", '[gate]\nsigners = "a"\nbranches = ["main", "x"]\n'),
        ("[gate]\nforeign_hosts = true\n", ""),
        ('[receipt]\nmax_age = "40d"\n', ""),
        ("", '[land]\nconventional = true\natomic = "error"\nstatus = "required"\n'),
        ("", PROBE),
        ("[watch]\nallow_none = true\n", "[lint]\ndisable = []\n"),
    ],
)
def test_stricter_or_something_else(base: str, now: str) -> None:
    assert weakened_config(load("a", base.encode()), load("b", now.encode())) == ()


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (".github/workflows/ci.yml", True),
        (".github/actions/x/run.sh", True),
        ("grind.toml", True),
        ("sub/grind.toml", False),
        ("tools/act/action.yml", True),
        ("action.yaml", True),
        ("src/action.py", False),
        ("ops/signers", True),
        ("src/.github/x", False),
    ],
)
def test_which_files_are_rules(path: str, rule: bool) -> None:
    assert is_rule(path, "grind.toml", ["ops/signers"]) is rule


WEAK = st.builds(Weakening, st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))


@given(st.lists(WEAK, max_size=4), st.lists(WEAK, max_size=4))
def test_an_acceptance_is_for_exactly_one_list(
    one: list[Weakening], other: list[Weakening]
) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)
