"""Reading `action.yml`: the three kinds, their inputs, and what is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.action import Action, read_action


def read(text: str) -> Action:
    reading = read_action("action.yml", text.encode())
    assert reading.problems == ()
    assert reading.action is not None
    return reading.action


def test_a_composite_action_is_read_whole() -> None:
    action = read(
        "name: Set up\ndescription: What it does\nauthor: me\nbranding: {icon: sun, color: red}\n"
        "inputs:\n  level: {description: d, required: true}\n  name: {default: 1.10}\n"
        "outputs:\n  path: {description: d, value: '${{ steps.s.outputs.path }}'}\n"
        "runs:\n  using: Composite\n  steps:\n"
        "    - {id: s, run: make, shell: bash, working-directory: w}\n"
        "    - {uses: ./other, with: {a: b}, if: always(), continue-on-error: true}\n"
    )
    assert (action.using, action.kind) == ("composite", "composite")
    assert [one.name.text for one in action.inputs] == ["level", "name"]
    assert action.inputs[1].default is not None
    assert action.inputs[1].default.value == 1.1
    assert [one.name.text for one in action.outputs] == ["path"]
    assert [step.run is not None for step in action.steps] == [True, False]


def test_node_and_docker_actions_are_recognised() -> None:
    node = read("runs: {using: node20, main: dist/index.js, post: p.js, post-if: success()}\n")
    assert (node.kind, node.using) == ("node", "node20")
    assert node.main is not None
    assert node.main.text == "dist/index.js"
    docker = read(
        "runs: {using: docker, image: Dockerfile, args: [a, '${{ inputs.b }}'], env: {A: b}}\n"
    )
    assert docker.kind == "docker"
    assert [one.text for one in docker.args] == ["a", "${{ inputs.b }}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\n", "action.yml:1:1: 'runs' is missing in this mapping"),
        ("runs: {}\n", "action.yml:1:7: 'using' is missing in this mapping"),
        (
            "runs: {using: node21, main: a}\n",
            "action.yml:1:15: 'node21' is no way to run an action",
        ),
        ("runs: {using: node20}\n", "action.yml:1:7: 'main' is missing in this node action"),
        ("runs: {using: docker}\n", "action.yml:1:7: 'image' is missing in this docker action"),
        ("runs: {using: composite}\n", "action.yml:1:7: 'steps' is missing in this composite"),
        (
            "runs: {using: node20, main: a, steps: []}\n",
            "action.yml:1:32: 'steps' is not allowed in a node action",
        ),
        (
            "runs: {using: composite, steps: [{run: make}]}\n",
            "action.yml:1:34: 'shell' is missing in this step with 'run' of an action",
        ),
        (
            "runs: {using: composite, steps: [{run: make, shell: sh, timeout-minutes: 3}]}\n",
            "action.yml:1:57: unknown key 'timeout-minutes'",
        ),
        (
            "runs: {using: composite, steps: [{uses: ./a, shell: sh}]}\n",
            "action.yml:1:46: 'shell' is not allowed in a step with 'uses' of an action",
        ),
        (
            "runs: {using: composite, steps: [{name: a}]}\n",
            "action.yml:1:34: this step does nothing (expected one of run, uses)",
        ),
        (
            "runs: {using: composite, steps: [{uses: a}]}\n",
            "action.yml:1:41: 'a' is no action",
        ),
        ("- a\n", "action.yml:1:1: an action is a mapping"),
        ("a: b: c\n", "action.yml:1:5: not valid YAML"),
    ],
)
def test_problems_have_a_place(text: str, message: str) -> None:
    found = read_action("action.yml", text.encode()).problems
    assert len(found) == 1, found
    assert str(found[0]).startswith(message)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_anything_is_read_or_refused(source: bytes) -> None:
    reading = read_action("action.yml", source)
    assert reading.action is not None or reading.problems
