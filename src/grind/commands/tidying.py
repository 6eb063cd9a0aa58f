"""After a run: what is old and unused goes, here and on the host it ran on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from grind.commands.collect import KEEP_DAYS, KEEP_RUNS
from grind.core.errors import GrindError
from grind.core.room import kib_of
from grind.flows.collect import Keeping, collect
from grind.wiring import proofs

if TYPE_CHECKING:
    from grind.core.config import Config
    from grind.ports import Host
    from grind.wiring import Session

KEEP_RELEASES: Final = 50
_EVERY: Final = 3600.0
"""Seconds between two tidyings: looking for what is old takes longer than a small run."""


async def tidy(session: Session, host: Host, config: Config) -> None:
    """Tidy up, when it is due. What cannot be tidied up is told, and changes nothing of the run."""
    try:
        if not session.store.tidying_is_due(session.clock.now(), _EVERY):
            return
        session.store.prune(KEEP_RELEASES)
        proofs.collect(session, config.receipt.max_age)
        session.repository.prune(KEEP_DAYS)
        name, sizes = session.hosts.sizes_script()
        room = session.chosen(config).config.disk
        keeping = Keeping(KEEP_DAYS * 86400, KEEP_RUNS, kib_of(room) if room else None)
        await collect(host, keeping, session.clock, name=name, sizes=sizes)
    except GrindError as error:
        sys.stderr.write(f"grind: {error.message}\n")
