"""A workflow file as typed data, before anything is evaluated. Every node keeps its place.

Lines and columns are 1-based, as editors count. Values follow GitHub's YAML rules (YAML 1.2 core
schema: `on`, `yes` and `no` are strings). Where GitHub allows an expression, the node is kept as
written; nothing in this module evaluates.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from msgspec import Struct


class Mark(NamedTuple):
    """A place in a file, 1-based."""

    line: int
    column: int


class Scalar(Struct, frozen=True):
    """A YAML scalar: its typed value, its text as written (unquoted, folded) and its place.

    `value` is what GitHub makes of a literal (`${{ 'x' }}` alone is the literal x), `text` what was
    written: evaluate `text`, compare `value`.

    `block` is the line of the first content line when the scalar is a block (`|`, `>`), so that a
    position inside a `run:` text can be mapped to the file; None for flow scalars.
    """

    value: bool | int | float | str | None
    text: str
    mark: Mark
    block: int | None = None
    folded: bool = False
    """Whether the block is a `>`: its lines are joined, so text and file have other lines."""


class Seq(Struct, frozen=True):
    """A YAML sequence."""

    items: tuple[Data, ...]
    mark: Mark


class Map(Struct, frozen=True):
    """A YAML mapping in file order; keys as written (GitHub compares many of them caselessly)."""

    entries: tuple[tuple[Scalar, Data], ...]
    mark: Mark

    def get(self, key: str) -> Data | None:
        """Return the value of `key`, compared exactly, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Data: TypeAlias = Scalar | Seq | Map
"""Any YAML node."""


class RunDefaults(Struct, frozen=True):
    """`defaults.run` of a workflow or a job."""

    shell: Scalar | None = None
    working_directory: Scalar | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One entry of `steps:`. `run` and `uses` exclude each other."""

    index: int
    mark: Mark
    id: Scalar | None = None
    name: Scalar | None = None
    if_: Scalar | None = None
    run: Scalar | None = None
    uses: Scalar | None = None
    with_: Map | Scalar | None = None
    shell: Scalar | None = None
    working_directory: Scalar | None = None
    env: Map | Scalar | None = None
    continue_on_error: Scalar | None = None
    timeout_minutes: Scalar | None = None
    background: Scalar | None = None
    """Parallel steps (mid-2026): runs while the following steps run."""
    control: tuple[str, Data] | None = None
    """`wait`, `wait-all`, `cancel` or `parallel` with its value, when the step is one of those."""
    parallel: tuple[Step, ...] = ()
    """The steps of a `parallel` group; `index` counts within the group."""


class Strategy(Struct, frozen=True, kw_only=True):
    """`strategy:` of a job."""

    mark: Mark
    matrix: Data | None = None
    fail_fast: Scalar | None = None
    max_parallel: Scalar | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One entry of `jobs:`; `uses` makes it a call of a reusable workflow."""

    id: str
    mark: Mark
    name: Scalar | None = None
    needs: tuple[Scalar, ...] = ()
    if_: Scalar | None = None
    runs_on: Data | None = None
    environment: Data | None = None
    concurrency: Data | None = None
    permissions: Data | None = None
    outputs: Map | Scalar | None = None
    env: Map | Scalar | None = None
    defaults: RunDefaults = RunDefaults()
    timeout_minutes: Scalar | None = None
    strategy: Strategy | None = None
    continue_on_error: Scalar | None = None
    container: Data | None = None
    services: Data | None = None
    steps: tuple[Step, ...] = ()
    uses: Scalar | None = None
    with_: Map | Scalar | None = None
    secrets: Data | None = None
    cancel_timeout_minutes: Scalar | None = None
    snapshot: Data | None = None


class Trigger(Struct, frozen=True, kw_only=True):
    """One event of `on:` with its filters; a filter that is absent is None, an empty one is ()."""

    event: str
    mark: Mark
    branches: tuple[Scalar, ...] | None = None
    branches_ignore: tuple[Scalar, ...] | None = None
    tags: tuple[Scalar, ...] | None = None
    tags_ignore: tuple[Scalar, ...] | None = None
    paths: tuple[Scalar, ...] | None = None
    paths_ignore: tuple[Scalar, ...] | None = None
    types: tuple[Scalar, ...] | None = None
    workflows: tuple[Scalar, ...] | None = None
    names: tuple[Scalar, ...] | None = None
    versions: tuple[Scalar, ...] | None = None
    cron: tuple[Scalar, ...] | None = None
    inputs: Map | None = None
    outputs: Map | None = None
    secrets: Map | None = None
    idle: tuple[Scalar, ...] = ()
    """Filters that this event does not have, by their keys: GitHub takes them and never looks."""


class Workflow(Struct, frozen=True, kw_only=True):
    """A whole workflow file."""

    path: str
    name: Scalar | None = None
    run_name: Scalar | None = None
    on: tuple[Trigger, ...] = ()
    env: Map | Scalar | None = None
    defaults: RunDefaults = RunDefaults()
    concurrency: Data | None = None
    permissions: Data | None = None
    jobs: tuple[Job, ...] = ()
    root: Map | None = None
    """The whole file as it was read, for checks that follow the table of rules."""
