"""What git tells a pre-push hook, line by line, and what follows without asking anybody. Light."""

from __future__ import annotations

from typing import NamedTuple

_HEADS = "refs/heads/"
ZEROS = frozenset("0")


class Update(NamedTuple):
    """One ref that is about to be pushed (githooks(5), pre-push)."""

    local_ref: str
    local: str
    remote_ref: str
    remote: str
    """Where the remote has the ref now."""

    @property
    def deletes(self) -> bool:
        """Whether the remote's ref goes away."""
        return set(self.local) <= ZEROS

    @property
    def creates(self) -> bool:
        """Whether the remote does not have the ref yet."""
        return set(self.remote) <= ZEROS

    @property
    def branch(self) -> str | None:
        """The remote's branch; None for tags, notes and everything else."""
        if not self.remote_ref.startswith(_HEADS):
            return None
        return self.remote_ref.removeprefix(_HEADS)


def read_updates(text: str) -> tuple[list[Update], list[str]]:
    """Read the hook's standard input; also return the lines that are none. No line means that
    there is nothing to push."""
    updates, odd = [], []
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) == 4 and all(words) and _is_oid(words[1]) and _is_oid(words[3]):
            updates.append(Update(*words))
        elif line.strip():
            odd.append(line)
    return updates, odd


def _is_oid(word: str) -> bool:
    return len(word) in (40, 64) and not set(word) - set("0123456789abcdef")
