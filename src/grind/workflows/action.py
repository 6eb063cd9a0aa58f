"""An `action.yml` read into typed data: composite actions whole, the others as far as they show."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from msgspec import Struct

from grind.core.errors import Problem
from grind.workflows.checks_jobs import check_steps
from grind.workflows.conform import Problems, TooManyProblemsError, conform, quote, read_mapping
from grind.workflows.literals import string_of
from grind.workflows.reader import fields, scalar, scalars, steps
from grind.workflows.schema_action import ACTION, KINDS
from grind.workflows.syntax import Data, Map, Mark, Scalar, Step

_NODES: Final = ("node12", "node16", "node20", "node24")
_USING: Final = ("composite", "docker", *_NODES)


class ActionInput(Struct, frozen=True, kw_only=True):
    """One input of an action; all are texts."""

    name: Scalar
    description: Scalar | None = None
    required: Scalar | None = None
    default: Scalar | None = None


class ActionOutput(Struct, frozen=True, kw_only=True):
    """One output of an action; `value` is an expression, in composite actions."""

    name: Scalar
    value: Scalar | None = None


class Action(Struct, frozen=True, kw_only=True):
    """A whole `action.yml`."""

    path: str
    mark: Mark
    using: str
    """`composite`, `docker` or `node20` and its like, in lower case; empty when it is missing."""
    kind: str
    """`composite`, `docker`, `node`, or empty when `using` is not known."""
    name: Scalar | None = None
    inputs: tuple[ActionInput, ...] = ()
    outputs: tuple[ActionOutput, ...] = ()
    steps: tuple[Step, ...] = ()
    main: Scalar | None = None
    pre: Scalar | None = None
    post: Scalar | None = None
    image: Scalar | None = None
    entrypoint: Scalar | None = None
    args: tuple[Scalar, ...] = ()
    env: Data | None = None
    root: Map | None = None
    """The whole file as it was read, for checks that follow the table of rules."""


class ActionReading(NamedTuple):
    """What could be read of an action's file, and what is wrong with it."""

    action: Action | None
    problems: tuple[Problem, ...]


def read_action(path: str, source: bytes) -> ActionReading:
    """Read an `action.yml`. Total, as `read_workflow` is."""
    data, problems = read_mapping(path, source, "an action")
    if data is None:
        return ActionReading(None, problems.all())
    action = _action(path, data)
    with suppress(TooManyProblemsError):
        conform(data, ACTION, "action", problems)
        _check_runs(action, data.get("runs"), problems)
        check_steps(action.steps, problems)
    return ActionReading(action, problems.all())


def _action(path: str, data: Map) -> Action:
    get = fields(data).get
    runs = fields(get("runs")).get
    given = scalar(runs("using"))
    using = string_of(given).lower() if given is not None else ""
    return Action(
        path=path,
        mark=data.mark,
        using=using,
        kind=("node" if using in _NODES else using) if using in _USING else "",
        name=scalar(get("name")),
        inputs=tuple(_input(name, value) for name, value in _entries(get("inputs"))),
        outputs=tuple(
            ActionOutput(name=name, value=scalar(fields(value).get("value")))
            for name, value in _entries(get("outputs"))
        ),
        steps=steps(runs("steps")),
        main=scalar(runs("main")),
        pre=scalar(runs("pre")),
        post=scalar(runs("post")),
        image=scalar(runs("image")),
        entrypoint=scalar(runs("entrypoint")),
        args=scalars(runs("args")),
        env=runs("env"),
        root=data,
    )


def _entries(data: Data | None) -> tuple[tuple[Scalar, Data], ...]:
    return data.entries if isinstance(data, Map) else ()


def _input(name: Scalar, value: Data) -> ActionInput:
    get = fields(value).get
    return ActionInput(
        name=name,
        description=scalar(get("description")),
        required=scalar(get("required")),
        default=scalar(get("default")),
    )


def _check_runs(action: Action, runs: Data | None, problems: Problems) -> None:
    if not isinstance(runs, Map):
        return
    using = runs.get("using")
    if not action.kind:
        if isinstance(using, Scalar) and action.using:
            known = "one of " + ", ".join(_USING)
            problems.add(using.mark, f"{quote(action.using)} is no way to run an action", known)
        return
    needed, allowed = KINDS[action.kind]
    if runs.get(needed) is None:
        problems.add(runs.mark, f"'{needed}' is missing in this {action.kind} action")
    for key, _ in runs.entries:
        if key.text in ACTION["runs"].shapes[0].keys and key.text not in allowed:
            message = f"{quote(key.text)} is not allowed in a {action.kind} action"
            problems.add(key.mark, message, "one of " + ", ".join(allowed))
