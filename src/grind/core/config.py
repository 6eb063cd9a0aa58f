"""`grind.toml`: what a repository adds to its workflows. Optional; an empty one is the default.

The classes are the contract: they give the reader, the problems, and the JSON Schema
(docs/schemas/grind.toml.json).
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import msgspec.inspect as mi
from msgspec import Meta, Struct

from grind.core.activateconfig import ActivateConfig
from grind.core.configrules import findings_of
from grind.core.configtypes import (
    AbsolutePath,
    Alias,
    Count,
    Duration,
    FlakeName,
    GitName,
    Interpreter,
    Memory,
    Name,
    Role,
    Size,
    Text,
    Unit,
    Variable,
)
from grind.core.errors import Problem, ProblemsError
from grind.core.probe import Probe, VerifyConfig
from grind.core.tomlplace import Path, find
from grind.core.typed import Finding, key_path, read

FILE = "grind.toml"

MatrixValue: TypeAlias = str | bool | int | float
"""A value of a matrix, as TOML has it."""
VerdictWord: TypeAlias = Literal["overridden", "skipped", "satisfied-by-host", "executed"]


class Check(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[check]]`: a check of the repository's own, run before CI's steps."""

    name: Name
    """Unique; `grind check NAME` runs it alone."""
    run: Text | None = None
    """The script."""
    app: Name | None = None
    """A promoted command (`grind py promote`) that is run instead of a script."""
    shell: Text | None = None
    """As a step's `shell:`; by default `bash -e`, as CI's steps."""
    needs: tuple[Name, ...] = ()
    """Other checks that must be green first."""
    inputs: tuple[Text, ...] = ()
    """Path globs: the check is needed only when a path that matches one of them differs from the
    remote's main branch. Empty means always."""
    timeout: Duration | None = None
    """After it the check is ended with every process it started, and is red."""
    min_tests: Count | None = None
    """The check is red when its output tells of fewer tests run, or of none at all."""
    env: dict[Variable, str] = {}
    """Laid over the environment that every step has."""
    working_directory: Text | None = None
    """Relative to the repository's root."""

    @property
    def script(self) -> str:
        """What is run: `run`, or the call of `app`, which is a flake app of the folder `grind`."""
        if self.run is not None:
            return self.run
        here = posixpath.normpath(self.working_directory or ".")
        flake = posixpath.relpath("grind", here)
        flake = flake if flake.startswith(".") else f"./{flake}"
        return f"nix --extra-experimental-features 'nix-command flakes' run {flake}#{self.app}"


class VerdictRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[verdict]]`: what becomes of the steps it selects. All selectors given must match."""

    uses: Text | None = None
    """Glob on an action, `owner/name[/path]@ref`: "docker/*@*"."""
    workflow: Text | None = None
    """File name or path glob: "ci.yml", ".github/workflows/*.yml"; for a step of a composite action
    of the repository, the path of the action's file."""
    job: Text | None = None
    """The job's id in the workflow. Without `step`, a job that calls a workflow is settled whole."""
    step: Text | Annotated[int, Meta(ge=0)] | None = None
    """The step's id, its name, or its place from 0 in its file's `steps`."""
    matrix: dict[Text, MatrixValue | tuple[MatrixValue, ...]] | None = None
    """Combinations of the job's matrix: those that have all these values, of a list any, compared as
    they are typed. One that selects none is an error."""
    verdict: VerdictWord
    """`overridden`: `run` takes the step's place (without it, nothing does). `skipped`: not run,
    and not proven; with `matrix` and without `step` and `uses`, the whole combination is left to CI,
    which a receipt says and which does not keep it from being full. `satisfied-by-host`: the host
    has it when `check` passes. `executed`: run it although it looks like a provision, deploy or
    secret-bearing step."""
    reason: Text
    """For the reader of a receipt."""
    run: Text | None = None
    """What runs instead, with `overridden`."""
    check: Text | None = None
    """The command that must pass, with `satisfied-by-host`."""
    outputs: dict[Text, str] = {}
    """The step's outputs, for later `steps.ID.outputs.NAME`."""
    env: dict[Variable, str] = {}
    """Laid over the environment of what runs."""

    @property
    def leaves(self) -> bool:
        """Whether it leaves whole combinations of a matrix to CI."""
        whole = self.matrix is not None and self.step is None and self.uses is None
        return whole and self.verdict == "skipped"


class IgnoredWorkflow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[ignore]]`: a workflow that counts for nothing, with the reason in writing."""

    workflow: Text
    """File name or path glob."""
    reason: Text
    """Why it counts for nothing; shown with every plan."""


class DriftException(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[drift]]`: a difference between CI and here that is meant, with the reason in writing."""

    command: Text
    """The command as `grind plan --drift` prints it, or a glob on it: "nix build *"."""
    reason: Text
    """Why the two sides may differ in it."""


class HostConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[hosts.NAME]`: a machine on which steps run. `local` is this one."""

    ssh: Alias | None = None
    """How ssh reaches it: an alias of your ssh configuration, or `[user@]host`. Every host but
    `local` has one; when it names this very machine, no ssh is used."""
    role: Role = "grind"
    """`grind`: steps run there. `staging`, `prod`: only what was proven elsewhere goes there."""
    workspace: AbsolutePath | None = None
    """The host's own clone of this repository, which `grind sync` keeps at the main branch."""
    labels: tuple[Text, ...] = ()
    """`runs-on` labels that this host answers to, besides those that grind finds itself."""
    env: tuple[Variable, ...] = ()
    """Names of the host's own environment variables that a step may see."""
    set: dict[Variable, str] = {}
    """Variables that every step on it gets, whatever the host has."""
    path: tuple[Text, ...] = ()
    """Folders put before the steps' PATH."""
    jobs: Count | None = None
    """How many jobs may run side by side on it."""
    disk: Size | None = None
    """How much room this repository's runs and checkouts may take on it; the oldest go first."""
    memory: Memory | None = None
    """What the jobs on it may use together, where the host can hold them to it: "8G"."""


class ReceiptConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[receipt]`: how long a proof lasts."""

    max_age: Duration = 30 * 86400.0
    """A receipt older than this proves nothing; 30 days by default."""


class GateConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[gate]`: what may be pushed. As it stands on the remote's main branch, never as the change
    that is being judged would have it."""

    signers: Text | None = None
    """Path of an allowed_signers file (ssh-keygen(1)) in the repository. With it a receipt must be
    signed by one of them; without it, signatures are not asked for."""
    foreign_hosts: bool = False
    """Whether a receipt counts that was made on another host, provided that one of the signers
    signed it."""
    branches: tuple[Text, ...] = ()
    """Globs of the branches that the pre-push hook guards; by default the main branch alone."""


class LandConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[land]`: how `grind land` commits and pushes."""

    conventional: bool = False
    """Whether the message must be a Conventional Commit."""
    from_: Literal["here", "host"] = msgspec.field(name="from", default="here")
    """Who pushes: this machine, or the grind host with its own credentials."""
    status: Literal["off", "optional", "required"] = "optional"
    """The commit status `grind/prove`: never set; set after the push when a token is there; or set
    before the push, for repositories whose rules require it: the commit goes to a temporary ref
    first."""
    atomic: Literal["off", "warn", "error"] = "warn"
    """What becomes of a change of code without a change of tests."""
    tests: tuple[Text, ...] = ()
    """Path globs of what else counts as a test."""
    exempt: tuple[Text, ...] = ()
    """Path globs of code that needs no tests of its own."""


class LintConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[lint]`: how `grind lint` judges this repository."""

    disable: tuple[Text, ...] = ()
    """Rules that are off."""
    exclude: tuple[Text, ...] = ()
    """Path globs that are not looked at."""
    severity: dict[Text, Literal["error", "warning", "note"]] = {}
    """Rule → severity, in place of its own."""
    baseline: Text | None = None
    """File with known findings, which are not reported."""
    fail_on: Literal["error", "warning", "note"] = "error"
    """What exits 1."""


class PythonConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[python]`: how Python is called in this repository."""

    form: Text | None = None
    """What `grind lint --fix` makes of a bare `python3`: `grind py` (or `… grind -- py`) stands in its
    place, where a script, code or `-` follows; anything else is put before it."""
    flake: FlakeName | None = None
    """The flake whose shell or lock gives Python: `./sandbox`, `.#dev`. By default the repository's
    own, when it has a flake.nix at its top."""
    fallback: Interpreter | None = None
    """What runs Python where there is no Nix or no flake: `uv run`, or an interpreter's absolute
    path."""
    promote_after: Count = 3
    """At the how many-th run of one script `grind py` says, once, that it could be promoted."""


class WatchConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[watch]`: how `grind watch` judges CI."""

    allow_none: bool = False
    """Whether a commit that starts no workflow (`[skip ci]`, path filters) is fine."""
    timeout: Duration = 7200.0
    """How long to wait for CI in all; two hours by default."""


class RollbackConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[rollback]`: how a deployed change is undone."""

    units: tuple[Unit, ...] = ()
    """systemd units that `grind rollback runtime` restarts, in this order."""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `grind.toml`."""

    main: GitName | None = None
    """The main branch; by default what the remote's HEAD says."""
    remote: GitName | None = None
    """The remote that `grind land` pushes to; by default the only one, or `origin`."""
    host: Name | None = None
    """Where `grind check` and its kin run without `--host`; by default the only host that has `ssh`
    and the role `grind`, else this machine."""
    jobs: Count | None = None
    """How many jobs may run side by side; by default as many as there are processors."""
    check: tuple[Check, ...] = ()
    verdict: tuple[VerdictRule, ...] = ()
    ignore: tuple[IgnoredWorkflow, ...] = ()
    drift: tuple[DriftException, ...] = ()
    probe: tuple[Probe, ...] = ()
    rollback: RollbackConfig = RollbackConfig()
    verify: VerifyConfig = VerifyConfig()
    lint: LintConfig = LintConfig()
    python: PythonConfig = PythonConfig()
    hosts: dict[Name, HostConfig] = {}
    """Machines by name; `local` is this one."""
    receipt: ReceiptConfig = ReceiptConfig()
    gate: GateConfig = GateConfig()
    land: LandConfig = LandConfig()
    watch: WatchConfig = WatchConfig()
    activate: ActivateConfig | None = None

    @property
    def local(self) -> HostConfig:
        """This machine's own settings."""
        return self.hosts.get("local", HostConfig())


def load(path: str, source: bytes) -> Config:
    """Read `grind.toml`.

    `path` is what problems name. Raises ProblemsError with every problem at once, in file order;
    a file that is not TOML has one problem, its first syntax error.
    """
    document = _parse(path, source)
    findings: list[Finding] = []
    data = read(mi.type_info(Config), document, (), findings)
    findings += findings_of(document, _spoilt(findings))
    if findings:
        raise _problems(path, source, findings)
    return msgspec.convert(data, Config)


def require_selected(source: bytes, findings: Iterable[Finding]) -> None:
    """Raise ProblemsError for what only the plan can say of `grind.toml`, at its place in there."""
    found = list(findings)
    if found:
        raise _problems(FILE, source, found)


def _parse(path: str, source: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(source.decode())
    except UnicodeDecodeError as error:
        before = source[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        problem = Problem(path, line, column, "not UTF-8 text", "TOML, which is UTF-8")
    except tomllib.TOMLDecodeError as error:
        problem = _syntax_problem(path, source.decode(), str(error))
    except RecursionError:
        problem = Problem(path, None, None, "nested too deeply to be read")
    raise ProblemsError(f"{path} is not valid TOML:", (problem,)) from None


def _syntax_problem(path: str, text: str, message: str) -> Problem:
    """Take the place out of tomllib's sentence; "end of document" is the last line's end."""
    import re

    said = re.fullmatch(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if said is None:
        return Problem(path, None, None, message)
    if said[2]:
        return Problem(path, int(said[2]), int(said[3]), said[1])
    lines = text.rstrip("\n").split("\n")
    return Problem(path, len(lines), len(lines[-1]) + 1, f"{said[1]}, and the file ends here")


def _spoilt(findings: list[Finding]) -> frozenset[Path]:
    return frozenset(finding.path for finding in findings if finding.at_value)


def _problems(path: str, source: bytes, findings: list[Finding]) -> ProblemsError:
    places = find(source.decode())
    problems = []
    for finding in findings:
        place = places.nearest(finding.path, value=finding.at_value)
        where = key_path(finding.path)
        message = f"{where}: {finding.message}" if where else finding.message
        problems.append(Problem(path, place.line, place.column, message, finding.expected))
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ProblemsError(f"{path} has {count}:", tuple(problems))
