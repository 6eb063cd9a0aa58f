"""A composite action of the repository, with real bash."""

from __future__ import annotations

from tests.e2e.world import CHECKOUT, CI, World, workflow

GREET = """
inputs:
  who: {required: true}
outputs:
  line: {value: "${{ steps.say.outputs.line }}"}
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      run: echo "line=$("$GITHUB_ACTION_PATH/say.sh" "$WHO")" >> "$GITHUB_OUTPUT"
      env: {WHO: "${{ inputs.who }}"}
    - shell: bash
      run: |
        test -e "${{ github.action_path }}/say.sh"
        echo "GREETED=$WHO" >> "$GITHUB_ENV"
    - uses: ./actions/inner
      continue-on-error: true
"""
INNER = "runs: {using: composite, steps: [{run: exit 3, shell: bash}]}\n"


def test_it_runs_as_on_github(world: World) -> None:
    world.start(
        {
            CI: workflow(
                CHECKOUT + "- id: greet\n  uses: ./actions/greet\n  with: {who: \"$(id) 'Ada'\"}\n"
                "  env: {WHO: outer}\n"
                '- run: |\n    test "$LINE" = "hello \\$(id) \'Ada\'"\n    test "$GREETED" = outer\n'
                '    test -z "$WHO$GITHUB_ACTION_PATH"\n'
                "  env: {LINE: '${{ steps.greet.outputs.line }}'}\n"
            ),
            "actions/greet/action.yml": GREET,
            "actions/greet/say.sh": '#!/bin/sh\necho "hello $1"\n',
            "actions/inner/action.yml": INNER,
        }
    )
    plan = world.plan()
    steps = plan["jobs"][0]["steps"]
    assert [step.get("parent") for step in steps] == [None, None, 1, 1, 1, 4, None]
    assert steps[2]["file"] == "actions/greet/action.yml"
    done = world.grind("check")
    assert done.code == 0, done
    receipt = world.receipts[0]
    assert receipt["state"] == "green"
    assert receipt["executed"] == 2  # what cannot fail CI does not count: an `echo`, a forgiven one
    words = {record["step"]: record["conclusion"] for record in receipt["steps"]}
    assert words == {
        0: "success",
        1: "success",
        2: "success",
        3: "success",
        4: "success",
        5: "failure",
        6: "success",
    }


def test_red_inside_is_red(world: World) -> None:
    world.start(
        {
            CI: workflow(CHECKOUT + "- uses: ./actions/inner\n- run: echo after\n"),
            "actions/inner/action.yml": INNER,
        }
    )
    done = world.grind("check")
    assert done.code == 1, done
    assert "echo after" not in "".join(map(str, world.told("x")))
    assert not world.receipts
