"""Workflows and composite actions: `run:` blocks, and what the rules ask about jobs and filters."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from grind.rules.extract import yamltext
from grind.rules.extract.problems import ExtractError
from grind.rules.extract.shells import with_shell
from grind.rules.fragments import Context, Fragment, masked
from grind.rules.source import Source

EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_PYTHON_SETUP = re.compile(
    r"^(actions/setup-python|astral-sh/setup-uv|conda-incubator/|mamba-org/|prefix-dev/setup-pixi"
    r"|pdm-project/|snok/install-poetry|abatilo/actions-poetry|moneymeets/|install-pinned/|jdx/mise)",
    re.IGNORECASE,
)

_POWERSHELL = re.compile(
    r"\$env:\w|^\s*(Write-(Host|Output)|Get-\w+|New-Item|& [\"$\w]|\$\w+ = )", re.MULTILINE
)


_LISTED = re.compile(
    r"^\s*-\s+(?:[\w|]+:\s+)?(?:'([^'\n]+)'|\"([^\"\n]+)\"|([^\s#&!*'\"][^\n#]*))", re.MULTILINE
)


class Text(NamedTuple):
    """A scalar and where it stands."""

    value: str
    offset: int


class Step(NamedTuple):
    """One step, as far as the rules ask."""

    offset: int
    name: str
    uses: Text | None
    run: Fragment | None
    working_directory: Text | None
    inputs: dict[str, Text]
    condition: str


class Job(NamedTuple):
    """One job; a composite action has a single nameless one."""

    id: str
    offset: int
    runs_on: str
    steps: tuple[Step, ...]
    environment: bool


class Filter(NamedTuple):
    """One pattern of `on.<event>.paths` or `paths-ignore`, or of a filter action's input."""

    event: str
    key: str
    pattern: Text


class Workflow(NamedTuple):
    """A workflow file or an action file."""

    action: bool
    jobs: tuple[Job, ...]
    filters: tuple[Filter, ...]


def extract(source: Source) -> list[Fragment]:
    """The `run:` blocks. Raises ExtractError where the file is not YAML."""
    return fragments(read(source))


def fragments(workflow: Workflow) -> list[Fragment]:
    """The shell of all steps."""
    return [step.run for job in workflow.jobs for step in job.steps if step.run is not None]


def read(source: Source) -> Workflow:
    """The file as data. Raises ExtractError where it is not YAML."""
    root = yamltext.compose(source)
    if root is None:
        return Workflow(False, (), ())
    if not isinstance(root, yaml.MappingNode):
        raise ExtractError("a workflow must be a mapping", 0)
    return _Reader(source).workflow(root)


_Map = dict[str, yaml.Node]


def _mapping(node: yaml.Node | None) -> _Map:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {k.value: v for k, v in node.value if isinstance(k, yaml.ScalarNode)}


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


class _Scope(NamedTuple):
    """What a level hands down to the next: defaults and environment."""

    shell: str = ""
    cwd: str = ""
    env: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()

    def within(self, node: _Map) -> _Scope:
        run = _mapping(_mapping(node.get("defaults")).get("run"))
        env = _mapping(node.get("env"))
        secret = {k for k, v in env.items() if "secrets." in _text(v)}
        return _Scope(
            _text(run.get("shell")) or self.shell,
            _text(run.get("working-directory")) or self.cwd,
            self.env | env.keys(),
            self.secrets | secret,
        )


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source

    def text(self, node: yaml.Node | None) -> Text | None:
        if not isinstance(node, yaml.ScalarNode):
            return None
        return Text(node.value, yamltext.start_of(self.source, node))

    def workflow(self, root: yaml.MappingNode) -> Workflow:
        top = _mapping(root)
        runs = _mapping(top.get("runs"))
        if "runs" in top and "jobs" not in top:
            job = self.job("", top["runs"], _Scope(), runs, "")
            return Workflow(True, (job,), self.action_filters((job,)))
        scope = _Scope().within(top)
        jobs: list[Job] = []
        for name, node in _mapping(top.get("jobs")).items():
            body = _mapping(node)
            jobs.append(self.job(name, node, scope.within(body), body, name))
        filters = (*self.filters(top.get("on")), *self.action_filters(tuple(jobs)))
        return Workflow(False, tuple(jobs), filters)

    def filters(self, node: yaml.Node | None) -> list[Filter]:
        out: list[Filter] = []
        for event, body in _mapping(node).items():
            for key, value in _mapping(body).items():
                if key in ("paths", "paths-ignore") and isinstance(value, yaml.SequenceNode):
                    texts = (self.text(item) for item in value.value)
                    out.extend(Filter(event, key, text) for text in texts if text)
        return out

    def action_filters(self, jobs: tuple[Job, ...]) -> tuple[Filter, ...]:
        """The `filters:` input of dorny/paths-filter: YAML inside YAML."""
        out: list[Filter] = []
        for step in (step for job in jobs for step in job.steps):
            inner = step.inputs.get("filters")
            if inner is None or not step.uses or "paths-filter" not in step.uses.value:
                continue
            at = inner.offset
            for match in _LISTED.finditer(inner.value):
                pattern = next(filter(None, match.groups()), "").strip()
                place = self.source.text.find(pattern, at)
                if place >= 0 and pattern:
                    out.append(Filter("filters", "paths", Text(pattern, place)))
                    at = place + 1
        return tuple(out)

    def job(self, name: str, node: yaml.Node, scope: _Scope, body: _Map, key: str) -> Job:
        runs_on = self.flat(body.get("runs-on"))
        python = "container" if "container" in body else ""
        loose = _text(body.get("continue-on-error")) == "true"
        base = Context(host="workflow", machine="ci", python=python, job=key, gating=not loose)
        steps: list[Step] = []
        sequence = body.get("steps")
        for item in sequence.value if isinstance(sequence, yaml.SequenceNode) else ():
            step = self.step(item, scope, base, runs_on)
            if step.uses and _PYTHON_SETUP.match(step.uses.value):
                base = base._replace(python="setup-python")
            steps.append(step)
        offset = yamltext.start_of(self.source, node)
        return Job(name, offset, runs_on, tuple(steps), "environment" in body)

    def flat(self, node: yaml.Node | None) -> str:
        if isinstance(node, yaml.SequenceNode):
            return " ".join(_text(item) for item in node.value)
        if isinstance(node, yaml.MappingNode):
            return " ".join(self.flat(value) for _, value in node.value)
        return _text(node)

    def step(self, node: yaml.Node, scope: _Scope, base: Context, runs_on: str) -> Step:
        body = _mapping(node)
        inner = scope.within({k: v for k, v in body.items() if k == "env"})
        name = _text(body.get("name")) or _text(body.get("id"))
        folder = self.text(body.get("working-directory"))
        cwd: str | None = folder.value if folder else inner.cwd
        if cwd is not None and "${{" in cwd:
            cwd = None
        loose = _text(body.get("continue-on-error")) == "true"
        context = base._replace(
            label=name,
            cwd=_clean(cwd) if cwd is not None else None,
            env=inner.env,
            secrets=inner.secrets,
            gating=base.gating and not loose,
        )
        chosen = _shell(context, _text(body.get("shell")) or inner.shell, runs_on)
        run = body.get("run")
        fragment = None
        if isinstance(run, yaml.ScalarNode) and chosen is not None:
            fragment = self.fragment(run, chosen)
            if "shell" not in body and not inner.shell and _POWERSHELL.search(fragment.text):
                fragment = None  # `runs-on` is an expression, and this text knows which system
        inputs = {k: t for k, v in _mapping(body.get("with")).items() if (t := self.text(v))}
        return Step(
            yamltext.start_of(self.source, node),
            name,
            self.text(body.get("uses")),
            fragment,
            folder,
            inputs,
            _text(body.get("if")),
        )

    def fragment(self, node: yaml.ScalarNode, context: Context) -> Fragment:
        plain = yamltext.read(self.source, node).build(context)
        found = [(m.start(), m.end(), "github") for m in EXPRESSION.finditer(plain.text)]
        return masked(plain, found)


def _clean(folder: str) -> str:
    folder = folder.strip()
    while folder.startswith("./"):
        folder = folder[2:]
    return "" if folder in (".", "") else folder.rstrip("/")


def _shell(context: Context, said: str, runs_on: str) -> Context | None:
    """GitHub's rules for `shell:`. None where it is not a shell that is read here."""
    if not said:
        if "windows" in runs_on.lower():
            return None
        return context._replace(errexit=True)
    if said == "bash":
        return context._replace(errexit=True, pipefail=True)
    if said == "sh":
        return context._replace(errexit=True, dialect="sh")
    return with_shell(context, said)
