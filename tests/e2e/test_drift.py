"""`grind plan --drift` on a real repository: failure F1, and its repair."""

from __future__ import annotations

from textwrap import dedent

from tests.e2e.world import CI, World
from tests.test_docs import validator
from tests.workflows.test_drift import F1, F1_JUST

FILES = {CI: dedent(F1), "Justfile": dedent(F1_JUST)}
DECLARED = """
[[drift]]
command = "nix build *"
reason = "too slow before every push; grind check has them"
[[drift]]
command = "cargo check *"
reason = "quick feedback"
"""


def test_f1(world: World) -> None:
    world.start(FILES)
    done = world.grind("plan", "--drift")
    assert done.code == 4, done
    assert "missing (3)" in done.out
    assert "nix build .#web" in done.out
    assert "extra (2)" in done.out
    assert "./deploy.sh host" in done.out
    document = world.grind("plan", "--drift", "--json")
    assert document.code == 4, document
    told = document.document
    validator("drift").validate(told)
    assert told["drifted"] is True
    assert [row["command"] for row in told["extra"]] == [
        "cargo check -p core",
        "cargo check -p web",
    ]
    assert [row["by_design"] for row in told["missing"]] == [False, False, False, True]


def test_f1_declared(world: World) -> None:
    world.start(FILES | {"grind.toml": DECLARED})
    done = world.grind("plan", "--drift", "--json")
    assert done.code == 0, done
    assert len(done.document["excepted"]) == 5


def test_a_difference_needs_a_reason(world: World) -> None:
    world.start(FILES | {"grind.toml": '[[drift]]\ncommand = "x"\n'})
    done = world.grind("plan", "--drift")
    assert done.code == 2, done
    assert "reason" in done.err
