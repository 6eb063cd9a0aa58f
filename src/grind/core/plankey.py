"""The key of a plan: a digest of everything a plan is made from. Equal keys mean equal plans, so a
receipt can be found good without reading a workflow. Light on purpose: the hook's path imports it.
"""

from __future__ import annotations

from collections.abc import Iterable

from grind.core.sha import sha256


def plan_key(
    *,
    version: str,
    tree: str,
    base: str | None,
    event: str,
    ref: str,
    repository: str,
    labels: Iterable[str],
) -> str:
    """Return SHA-256 over the parts, each with its length, so that no two sets of parts meet.

    `tree` stands for the workflows and grind.toml in it; `base` for the paths that changed;
    what the host answers is compared apart (`Receipt.tools_print`), and so is the commit where the
    plan speaks of it (`Receipt.bound`).
    """
    parts = (
        version,
        tree,
        base or "-",
        event,
        ref,
        repository,
        *sorted(labels),
    )
    digest = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        digest.update(f"{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()
