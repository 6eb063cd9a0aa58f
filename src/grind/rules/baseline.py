"""What was there when lint was adopted: known findings do not fail, new ones do."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import msgspec

from grind.core.findings import Finding, shown_path

SCHEMA = "grind.lint-baseline/1"


class Known(msgspec.Struct, frozen=True):
    """One known finding: `print` digests the line's text, so that moving it changes nothing."""

    rule: str
    path: str
    print: str


class Baseline(msgspec.Struct, frozen=True):
    """The file's content."""

    schema: str
    findings: tuple[Known, ...]


def encode(findings: tuple[Finding, ...], lines: tuple[str, ...]) -> bytes:
    """The baseline file for these findings: sorted, one per line, so that diffs are small."""
    known = sorted(
        (_known(f, line) for f, line in zip(findings, lines, strict=True)),
        key=lambda k: (k.path, k.rule, k.print),
    )
    rows = ",\n    ".join(msgspec.json.encode(k).decode() for k in known)
    body = f"\n    {rows}\n  " if rows else ""
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": [{body}]\n}}\n'.encode()


def decode(data: bytes) -> Baseline:
    """Read a baseline file. Raises ValueError where it is none."""
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    if baseline.schema != SCHEMA:
        raise ValueError(f"schema is {baseline.schema!r}, not {SCHEMA!r}")
    return baseline


def split(
    findings: tuple[Finding, ...], lines: tuple[str, ...], baseline: Baseline
) -> tuple[list[int], int]:
    """Indexes of the findings that are new, and how many entries of the baseline are gone."""
    budget = Counter(baseline.findings)
    fresh: list[int] = []
    for index, (finding, line) in enumerate(zip(findings, lines, strict=True)):
        known = _known(finding, line)
        if budget[known] > 0:
            budget[known] -= 1
        else:
            fresh.append(index)
    return fresh, sum(budget.values())


def _known(finding: Finding, line: str) -> Known:
    text = " ".join(line.split())
    digest = sha256(f"{finding.rule}\0{text}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Known(finding.rule, shown_path(finding.path), digest)
