"""`flake.lock`, as far as one input goes: does the repository pin one of this name, and to what?"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Any, NamedTuple

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


class Pin(NamedTuple):
    """One input of a repository, as a flake of its own that has nothing else.

    Written into a folder, `flake` and `lock` are what `--inputs-from` needs, wherever the
    repository itself is.
    """

    flake: str
    """The text of a flake.nix whose only input it is."""
    lock: str
    """The text of its flake.lock: the nodes of the repository's own, as they stand there."""
    nar_hash: str
    """The SHA-256 of its source in base64: from it, Nix knows the path in the store."""


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ESCAPED = re.compile(r'["\\]|\$\{')


def pin(lock: bytes | None, name: str = "nixpkgs") -> Pin | None:
    """Return a pinned input by itself; None where `pinned` says anything but YES, where the source
    is no flake, or where the lock has no SHA-256 of it."""
    if pinned(lock, name) is not Pinned.YES:
        return None
    document = msgspec.json.decode(lock or b"")
    nodes, root = document["nodes"], document["root"]
    key = _node(nodes, root, nodes[root]["inputs"][name], frozenset())
    node = nodes[key]
    digest = node["locked"].get("narHash")
    original = node.get("original")
    if node.get("flake") is False or not isinstance(original, dict):
        return None
    if not isinstance(digest, str) or not digest.startswith("sha256-"):
        return None
    attributes = _literal(original)
    if attributes is None:
        return None
    reduced = {**document, "nodes": {**nodes, root: {"inputs": {name: key}}}}
    return Pin(
        f"{{ inputs.{name} = {{ {attributes} }}; outputs = _: {{ }}; }}\n",
        msgspec.json.encode(reduced).decode(),
        digest.removeprefix("sha256-"),
    )


def _literal(attributes: dict[str, Any]) -> str | None:
    """Return flat attributes as Nix writes them, None for any that it could not have written."""
    words = []
    for name, value in attributes.items():
        if not _NAME.fullmatch(name) or not isinstance(value, str | bool | int):
            return None
        text = (
            '"' + _ESCAPED.sub(lambda found: "\\" + found[0], value) + '"'
            if isinstance(value, str)
            else str(value).lower()
        )
        words.append(f"{name} = {text};")
    return " ".join(words)
