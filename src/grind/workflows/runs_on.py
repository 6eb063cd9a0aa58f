"""The machine that a job asks for by `runs-on`, and whether this host stands for it."""

from __future__ import annotations

import re

from grind.core.remedy import more_labels
from grind.workflows.expressions import ExpressionError
from grind.workflows.nodes import raw, to_value
from grind.workflows.scope import Scope
from grind.workflows.syntax import Data, Map, Scalar, Seq

_HOSTED_LINUX = re.compile(r"ubuntu-(?:latest|slim|\d\d\.\d\d)(-arm)?(?:-\d+-?cores?)?")
"""GitHub's own Ubuntu images; any other label is a name that somebody gave to a machine."""
_OTHER_SYSTEM = re.compile(r"(windows|macos)(?:-.*)?")
"""What a grind host, which is a Linux, never is: to let it stand for one would be a wrong green."""


def machine(
    node: Data | None, known: frozenset[str], scope: Scope
) -> tuple[tuple[str, ...], tuple[str, str] | None, bool]:
    """Return the labels asked for, why this host is not such a machine, and whether GitHub hosts
    it. An Ubuntu image is answered by any Linux of the same architecture (docs/adr/0006)."""
    if node is None:
        return (), ("no runs-on", ""), True
    if isinstance(node, Map):
        group = raw(node.get("group"))
        if group:
            return (group,), (f"runs-on asks for the runner group {group!r}", ""), False
        node = node.get("labels")
    try:
        value = to_value(node, scope) if node is not None else []
    except ExpressionError as error:
        text = raw(node) if isinstance(node, (Scalar, Seq)) else ""
        return (text,), (f"runs-on: {error}", ""), True
    labels = tuple(str(v) for v in (value if isinstance(value, (list, tuple)) else [value]))
    if not labels:
        return (), ("runs-on names no machine", ""), True
    hosted = "self-hosted" not in {label.lower() for label in labels}
    missing = [label for label in labels if not answers(label, known)]
    if not missing:
        return labels, None, hosted
    asked = ", ".join(missing)
    return (
        labels,
        (
            f"runs-on {asked}: this host is not one",
            _remedy(missing),
        ),
        hosted,
    )


def is_foreign(label: str) -> bool:
    """Whether a `runs-on` label is of a system that no host of grind's is."""
    return _OTHER_SYSTEM.fullmatch(label.lower()) is not None


def _remedy(missing: list[str]) -> str:
    for label in missing:
        if is_foreign(label):
            return f"CI alone proves what runs on {label}: no Linux host can stand for it"
    return more_labels(missing[0])


def answers(label: str, labels: frozenset[str]) -> bool:
    """Whether a host with `labels` stands for the `runs-on` label."""
    name = label.lower()
    if name in labels:
        return True
    hosted = _HOSTED_LINUX.fullmatch(name)
    if hosted is None or "linux" not in labels:
        return False
    return ("arm64" if hosted[1] else "x64") in labels
