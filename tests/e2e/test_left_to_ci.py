"""A matrix with systems that no grind host is: left to CI by the owner's word, and said wherever it counts."""

from __future__ import annotations

from tests.e2e.test_ci_receipts import Runner
from tests.e2e.test_receipts import GATE, SIGNERS, key, prove, public, refused, use
from tests.e2e.world import CI, World

MATRIX = """\
name: CI
on: push
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, windows-latest]
    steps:
      - uses: actions/checkout@v4
      - run: test -e file
  after:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - run: "true"
"""
LEFT = """
[[verdict]]
job = "test"
matrix = { os = "windows-latest" }
verdict = "skipped"
reason = "no Windows here"
"""
TOLD = "ci.yml/test (windows-latest): left to CI by grind.toml: no Windows here"


def test_partial_then_full_and_the_receipt_says_what_is_not_proven(world: World) -> None:
    world.start({CI: MATRIX, "file": "1"})
    partial = world.grind("check")
    assert partial.code == 3, partial
    assert 'matrix = { os = "windows-latest" }' in partial.said
    world.write({"grind.toml": LEFT})
    green = world.grind("check")
    assert green.code == 0, green
    assert f"left out by design: {TOLD}" in green.out
    assert "after: success" in green.out
    assert "1 unproven by design" in green.out
    shown = world.grind("receipt", "show")
    assert f"not proven, by design: {TOLD}" in shown.out
    again = world.grind("check")
    assert again.code == 0
    assert "not proven, by design: 1" in again.out


def test_a_selector_that_selects_nothing(world: World) -> None:
    world.start({CI: MATRIX, "file": "1", "grind.toml": LEFT.replace("windows", "window")})
    for command in ("plan", "check"):
        done = world.grind(command)
        assert done.code == 2, done
        assert "grind.toml:4:1: verdict[0].matrix: selects no combination of any job" in done.err
        assert '{ os = "windows-latest" }' in done.err


def test_it_lands_only_by_a_word_in_writing_and_lets_ci_skip_nothing(world: World) -> None:
    ada = key(world, "ada")
    start = {CI: MATRIX, "file": "1", SIGNERS: f"ada@example.com {public(ada)}", "grind.toml": GATE}
    world.start(start)
    use(world, ada)
    world.write({"grind.toml": GATE + LEFT})
    assert world.grind("check").code == 0
    assert "left to CI by grind.toml" in refused(world, "weakens a rule").err
    assert world.grind("land", "-m", "x", "--accept-weakened", "no Windows").code == 0
    before = world.tip
    world.write({"file": "2"})
    prove(world)
    assert world.grind("land", "-m", "y").code == 0
    runner = Runner(world, before)
    done = runner.verify("--allow-skip")
    assert done.code == 0, done
    assert runner.told == {"trusted": "true", "proven": "false", "signer": "ada@example.com"}
    assert "leaves combinations of a matrix to CI" in done.out
