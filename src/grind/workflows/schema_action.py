"""What may stand where in an `action.yml`, from the runner's own schema (`action_yaml.json`).

The runner takes any further key at the top and in inputs, and so does this table.
"""

from __future__ import annotations

from typing import Final

from grind.workflows.rule import (
    COMMON,
    STATUS,
    Rule,
    Shape,
    flag,
    list_of,
    mapping,
    open_map,
    text,
)

_JOB: Final = ("github", "strategy", "matrix", "job", "runner")
_STEP: Final = (*_JOB, "inputs", "steps", "env", "hashFiles()")
_HOOK: Final = ("github", "inputs", "job", "runner", "strategy", "matrix", "env", "hashFiles()")
_STEP_KEYS: Final = {
    "name": "step-text",
    "id": "name",
    "if": "step-if",
    "env": "step-env",
    "continue-on-error": "step-flag",
}

KINDS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "composite": ("steps", ("using", "steps")),
    "node": ("main", ("using", "main", "pre", "pre-if", "post", "post-if")),
    "docker": (
        "image",
        (
            "using",
            "image",
            "entrypoint",
            "args",
            "env",
            "pre-entrypoint",
            "pre-if",
            "post-entrypoint",
            "post-if",
        ),
    ),
}
"""For each kind of action the key it cannot do without, and the keys it may have in `runs`."""

ACTION: Final[dict[str, Rule]] = COMMON | {
    "action": mapping(
        {
            "name": "text",
            "description": "text",
            "inputs": "inputs",
            "outputs": "outputs",
            "runs": "runs",
        },
        required=("runs",),
        value="any",
    ),
    "inputs": open_map("input"),
    "input": mapping({"default": "input-default"}, value="any"),
    "input-default": text(*_JOB, "hashFiles()"),
    "outputs": open_map("output"),
    "output": mapping({"description": "text", "value": "output-value"}),
    "output-value": text(*_JOB, "inputs", "steps", "env"),
    "runs": mapping(
        {
            "using": "name",
            "steps": "steps",
            "main": "name",
            "pre": "name",
            "pre-if": "hook-if",
            "post": "name",
            "post-if": "hook-if",
            "image": "name",
            "entrypoint": "name",
            "args": "args",
            "env": "docker-env",
            "pre-entrypoint": "name",
            "post-entrypoint": "name",
        },
        required=("using",),
    ),
    "hook-if": text(*_HOOK, *STATUS)._replace(condition=True),
    "args": list_of("docker-text", "inputs"),
    "docker-text": text("inputs"),
    "docker-env": open_map("text", "inputs"),
    "steps": list_of("step"),
    "step": Rule(
        "a mapping",
        shapes=(
            Shape(
                _STEP_KEYS
                | {"run": "step-text", "shell": "step-text", "working-directory": "step-text"},
                ("shell",),
                when="run",
                what="step with 'run' of an action",
            ),
            Shape(
                _STEP_KEYS | {"uses": "name", "with": "step-env"},
                when="uses",
                what="step with 'uses' of an action",
            ),
        ),
    ),
    "step-if": text(*_STEP, *STATUS)._replace(condition=True),
    "step-text": text(*_STEP),
    "step-flag": flag(*_STEP),
    "step-env": open_map("text", *_STEP),
}
"""The rules of an `action.yml`; it begins with `action`."""
