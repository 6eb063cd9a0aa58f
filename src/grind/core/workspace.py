"""What the host's own clone of the repository answers: plain values, and words for people."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Forwarded(NamedTuple):
    """It was at `old` and is at `new`, so many commits later; its files are those of `new`."""

    old: str
    new: str
    commits: int


class Current(NamedTuple):
    """It is where the remote's main branch is."""

    oid: str


class Blocked(NamedTuple):
    """Nothing was changed. `kind` is the script's word, `there` what stands in the way."""

    kind: str
    there: tuple[str, ...]


class Taken(NamedTuple):
    """The workspace's tree as it would be pushed, in a commit of its own when it has edits."""

    commit: str
    tree: str
    head: str
    branch: str
    pack: bytes
    """Objects that the client did not name as its own; thin."""


Answer: TypeAlias = Forwarded | Current | Blocked

_WORDS = {
    "dirty": "it has edits that no commit holds",
    "ahead": "it has commits that the remote has not",
    "branch": "it is not on the main branch, but on",
    "none": "it is no git repository",
    "empty": "it is an empty repository",
    "conflicts": "a merge in it has conflicts that are not settled",
    "remote": "it cannot be brought up to date",
    "fetch": "its remote did not answer",
    "busy": "somebody changes this host just now",
    "stale": "the lock of this host was left by",
    "failed": "git did not do it",
}
_REMEDIES = {
    "dirty": "`grind check --from-host` and `grind land --from-host -m …` prove and push them; "
    "or undo them there",
    "ahead": "`grind check --from-host` and `grind land --from-host` prove and push them; "
    "or undo them there",
    "branch": "git switch, there",
    "none": "git clone the repository to that place on the host, or change `workspace`",
    "empty": "git clone the repository to that place on the host",
    "conflicts": "settle them there",
    "remote": "git remote add, there; or name it in grind.toml's `remote`",
    "fetch": "the host's own git must reach the remote without being asked for a password",
    "busy": "wait for it",
    "stale": "`grind status --host` shows how the host stands, and `grind activate` or `grind rollback "
    "host` brings an activation that was cut off to its end; else `grind doctor --free-lock` with "
    "the token in the last line",
    "failed": "see what git says, there",
}


def told(blocked: Blocked) -> str:
    """Say what is in the way, and list what is there."""
    lines = "".join(f"\n  {line}" for line in blocked.there)
    return f"{_WORDS.get(blocked.kind, 'it answered what is not understood')}:{lines}"


def remedy(blocked: Blocked) -> str:
    """Say what to do about it."""
    return _REMEDIES.get(blocked.kind, "grind doctor")
