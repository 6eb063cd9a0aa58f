"""The gate's rules, as the remote's main branch has them."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_MAX_AGE = 30 * 86400.0


class Policy(NamedTuple):
    """What a receipt must be like. Never read from the change that is being judged, except for the
    first push of all, when there is nothing else."""

    base: str | None = None
    """The commit of the main branch that it was read from; None when there is none yet."""
    max_age: float = DEFAULT_MAX_AGE
    """Seconds that a proof lasts."""
    signers_path: str = ""
    signers: bytes | None = None
    """The allowed_signers file; None when signatures are not asked for."""
    foreign_hosts: bool = False
    branches: tuple[str, ...] = ()
    """Globs of guarded branches."""
    problem: str = ""
    """Why the rules on the main branch cannot be read; empty when they can."""
