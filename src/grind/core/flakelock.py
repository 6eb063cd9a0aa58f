"""`flake.lock`, as far as one question goes: does the repository pin an input of this name?"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec


class Pinned(Enum):
    """What a flake's lock says of an input."""

    NO_LOCK = auto()
    """There is no lock at all."""
    UNREADABLE = auto()
    """It is no lock that Nix would read."""
    ABSENT = auto()
    """The flake has no input of this name: `--inputs-from` would ask the global registry."""
    YES = auto()


def pinned(lock: bytes | None, name: str = "nixpkgs") -> Pinned:
    """Say whether the root of a lock has the input, and the node that it leads to is locked.

    An input may follow another one (`["utils", "nixpkgs"]`): the way is walked to its end.
    """
    if lock is None:
        return Pinned.NO_LOCK
    try:
        document = msgspec.json.decode(lock)
        nodes: dict[str, Any] = document["nodes"]
        root = document["root"]
        inputs = nodes[root].get("inputs", {})
        if name not in inputs:
            return Pinned.ABSENT
        node = nodes[_node(nodes, root, inputs[name], frozenset())]
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, RecursionError):
        return Pinned.UNREADABLE
    return Pinned.YES if isinstance(node.get("locked"), dict) else Pinned.UNREADABLE


def _node(nodes: dict[str, Any], root: str, told: Any, seen: frozenset[tuple[str, ...]]) -> str:
    """Return the name of the node that an input is; raises KeyError when the way leads nowhere."""
    if isinstance(told, str):
        return told
    way = tuple(map(str, told))
    if way in seen:
        raise KeyError(way)
    here = root
    for part in way:
        here = _node(nodes, root, nodes[here]["inputs"][part], seen | {way})
    return here
