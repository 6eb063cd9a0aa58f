"""Fixes as text: edits applied to a file's bytes, and the diff that shows them first."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from grind.core.findings import shown_path
from grind.rules.findings import Edit, Hit, NewFile


class Change(NamedTuple):
    """One file before and after; `before` is None for a file that a fix adds."""

    path: str
    before: bytes | None
    after: bytes


def plan(path: str, data: bytes, hits: list[Hit]) -> list[Change]:
    """The changes that the fixes of one file make. Of overlapping edits the first one wins."""
    edits: list[Edit] = []
    files: list[NewFile] = []
    end = -1
    for hit in sorted((h for h in hits if h.edits), key=lambda h: h.edits[0].start):
        if hit.edits[0].start < end:
            continue
        edits.extend(hit.edits)
        files.extend(hit.new_files)
        end = hit.edits[-1].end
    if not edits:
        return []
    changes = [Change(path, data, apply(data, edits))]
    changes.extend(Change(f.path, None, f.text.encode("latin-1")) for f in files)
    return changes


def apply(data: bytes, edits: list[Edit]) -> bytes:
    """The bytes after the edits, which must be in order and not overlap."""
    out: list[bytes] = []
    at = 0
    for edit in edits:
        out.append(data[at : edit.start])
        out.append(edit.text.encode("latin-1"))
        at = edit.end
    out.append(data[at:])
    return b"".join(out)


def diff(change: Change) -> str:
    """The change as a unified diff."""
    name = shown_path(change.path)
    before = (change.before or b"").decode("utf-8", "replace").splitlines(keepends=True)
    after = change.after.decode("utf-8", "replace").splitlines(keepends=True)
    old = f"a/{name}" if change.before is not None else "/dev/null"
    lines = difflib.unified_diff(before, after, old, f"b/{name}")
    return "".join(
        ln if ln.endswith("\n") else ln + "\n\\ No newline at end of file\n" for ln in lines
    )
