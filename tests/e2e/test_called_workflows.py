"""A workflow of the repository that another one calls, with real bash."""

from __future__ import annotations

from tests.e2e.world import CI, World

CALLED = """
on:
  workflow_call:
    inputs:
      word: {type: string, required: true}
    outputs:
      said: {value: "${{ jobs.say.outputs.said }}"}
jobs:
  say:
    runs-on: ubuntu-latest
    outputs: {said: "${{ steps.s.outputs.said }}"}
    steps:
      - uses: actions/checkout@v4
      - id: s
        run: |
          test "$GITHUB_JOB/$GITHUB_WORKFLOW" = say/Top
          test -f file
          echo "said=$WORD!" >> "$GITHUB_OUTPUT"
        env: {WORD: "${{ inputs.word }}"}
"""
TOP = """
name: Top
on: push
jobs:
  call:
    strategy: {matrix: {n: [1, 2]}}
    uses: ./.github/workflows/called.yml
    with: {word: "it's $(id)"}
  end:
    needs: call
    runs-on: ubuntu-latest
    steps:
      - run: test "$SAID" = "it's \\$(id)!"
        env: {SAID: "${{ needs.call.outputs.said }}"}
"""


def test_it_is_followed(world: World) -> None:
    world.start({CI: TOP, ".github/workflows/called.yml": CALLED, "file": "x"})
    jobs = {job["key"]: job for job in world.plan()["jobs"]}
    assert not jobs["called.yml/say"]["active"]
    assert jobs["ci.yml/call (1) / say"]["file"] == ".github/workflows/called.yml"
    done = world.grind("check")
    assert done.code == 0, done
    receipt = world.receipts[0]
    assert (receipt["state"], receipt["executed"]) == ("green", 3)
    assert world.grind("check").code == 0
    world.write({"file": "y"})
    assert world.grind("check", "call (1) / say").code == 0
