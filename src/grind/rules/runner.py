"""A whole tree in, a report out. Tree, second parser and cache come in as arguments."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress as suppress_errors
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec

from grind.core.findings import SEVERITIES, Finding, LintReport
from grind.core.tree import Entry, Tree
from grind.rules import GENERATION, extract, fixes, suppress
from grind.rules.checks import BY_ID, RULES
from grind.rules.engine import Shfmt, lint, no_shfmt, settle
from grind.rules.findings import Hit
from grind.rules.globs import github
from grind.rules.settings import Settings
from grind.rules.source import Source
from grind.rules.treefacts import TreeFacts
from grind.rules.units import Policy

_VENDORED = frozenset(("vendor", "node_modules", "third_party", "third-party", "3rdparty"))
"""Folders of other people's code, whose habits are not this repository's."""


class Cache(Protocol):
    """Bytes by key; forgets what was not asked for."""

    def get(self, key: bytes, /) -> bytes | None:
        """What is kept under a key."""
        ...

    def put(self, key: bytes, value: bytes, /) -> None:
        """Keep it."""
        ...


class NoCache:
    """Keeps nothing."""

    def get(self, _key: bytes) -> bytes | None:
        """Nothing."""
        return None

    def put(self, _key: bytes, _value: bytes) -> None:
        """Forget it."""


class _Kept(msgspec.Struct, array_like=True):
    """What the cache keeps for one file."""

    hits: list[Hit]
    suppressions: list[suppress.Suppression]


class Job(NamedTuple):
    """What to lint, and how."""

    tree: Tree
    settings: Settings = Settings()
    wanted: Callable[[str], bool] = lambda _path: True
    vendored: bool = False
    """Whether other people's code that lies in the tree is linted too."""
    second: Shfmt = no_shfmt
    cache: Cache = NoCache()
    fixing: bool = True
    """Whether what `--fix` would do is wanted, too."""


class _Ground(NamedTuple):
    """What every file's hits hang on, besides the file."""

    policy: Policy
    key: blake2b
    """The beginning of every key of the cache."""


class Result(NamedTuple):
    """The report, the files that were looked at, and what `--fix` would do."""

    report: LintReport
    looked_at: tuple[str, ...]
    changes: tuple[fixes.Change, ...]


def run(job: Job) -> Result:
    """Lint every wanted file of the tree."""
    facts = TreeFacts(job.tree)
    policy = policy_of(job, facts)
    words = f"{GENERATION}\0{policy}\0{len(RULES)}"
    key = blake2b(words.encode("utf-8", "surrogateescape"), digest_size=16)
    ground = _Ground(policy, key)
    rows: list[tuple[Finding, str]] = []
    changes: list[fixes.Change] = []
    looked_at: list[str] = []
    for entry in job.tree.entries():
        kind = extract.kind_of(entry)
        if not kind or not job.wanted(entry.path) or _excluded(entry.path, job.settings):
            continue
        if not job.vendored and not _VENDORED.isdisjoint(entry.path.split("/")[:-1]):
            continue
        data = job.tree.read(entry.path)
        if data is None or (kind == "?" and not data.startswith(b"#!")):
            continue
        looked_at.append(entry.path)
        found, planned = _file(job, facts, ground, kind, entry, data)
        rows.extend(found)
        changes.extend(planned)
    rows.sort(key=lambda row: (row[0].path, row[0].line, row[0].column, row[0].rule))
    report = LintReport(tuple(r[0] for r in rows), tuple(r[1] for r in rows), len(looked_at))
    return Result(report, tuple(looked_at), tuple(changes))


def policy_of(job: Job, facts: TreeFacts) -> Policy:
    """What the repository as a whole says about Python."""
    nix = "flake.nix" in facts.files
    form = job.settings.python_form
    if not form and nix and _locks_nixpkgs(job.tree.read("flake.lock")):
        form = "nix shell --inputs-from . nixpkgs#python3 --command"
    return Policy(nix, "grind.toml" in facts.files, form)


def _locks_nixpkgs(data: bytes | None) -> bool:
    """Whether the lock pins a root input named nixpkgs; else `--inputs-from` asks the registry."""
    if data is None:
        return False
    try:
        lock = msgspec.json.decode(data)
        return "nixpkgs" in lock["nodes"][lock["root"]]["inputs"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return False


def _excluded(path: str, settings: Settings) -> bool:
    return any(github(pattern).match(path) for pattern in settings.exclude)


def _file(
    job: Job, facts: TreeFacts, ground: _Ground, kind: str, entry: Entry, data: bytes
) -> tuple[list[tuple[Finding, str]], list[fixes.Change]]:
    kept, source = _kept(job, ground, kind, entry, data)
    if not kept.hits and not kept.suppressions:
        return [], []
    source = source or Source(entry.path, data)
    hits = settle(kept.hits, BY_ID, facts)
    hits = [_weighed(h, job.settings) for h in hits if h.rule not in job.settings.disable]
    known = frozenset(BY_ID)
    hits = suppress.apply(hits, kept.suppressions, source, known).hits
    hits = [h for h in hits if h.rule not in job.settings.disable]
    rows: list[tuple[Finding, str]] = []
    seen: set[tuple[str, int, int]] = set()
    for hit in hits:
        if (hit.rule, hit.start, hit.end) in seen:
            continue
        seen.add((hit.rule, hit.start, hit.end))
        finding = _finding(hit, source)
        rows.append((finding, source.line(finding.line)))
    return rows, fixes.plan(entry.path, data, hits) if job.fixing else []


def _kept(
    job: Job, ground: _Ground, kind: str, entry: Entry, data: bytes
) -> tuple[_Kept, Source | None]:
    digest = ground.key.copy()
    digest.update(f"\0{kind}\0{entry.path}\0".encode("utf-8", "surrogateescape"))
    digest.update(data)
    key = digest.digest()
    cached = job.cache.get(key)
    if cached is not None:
        return msgspec.msgpack.decode(cached, type=_Kept), None
    source = Source(entry.path, data)
    hits = lint(kind, source, RULES, ground.policy, job.second).hits
    kept = _Kept(hits, suppress.find(source))
    with suppress_errors(UnicodeEncodeError):  # a claim that names a path which is no UTF-8
        job.cache.put(key, msgspec.msgpack.encode(kept))
    return kept, source


def _weighed(hit: Hit, settings: Settings) -> Hit:
    for rule, severity in settings.severity:
        if rule == hit.rule and severity in SEVERITIES:
            return msgspec.structs.replace(hit, severity=severity)
    return hit


def _finding(hit: Hit, source: Source) -> Finding:
    line, column = source.place(min(hit.start, len(source.text)))
    end_line = source.line_of(max(hit.start, min(hit.end - 1, len(source.text))))
    return Finding(
        hit.rule,
        source.path,
        line,
        column,
        end_line,
        hit.severity,
        hit.confidence,
        hit.message,
        bool(hit.edits),
    )
