"""Ask for the user's yes before a host or a command of grind.toml is used. For every command.

Call `require_trust(session, config, "switch the system of grind")` before the first effect outside
of a job's clean checkout: before a host is reached, a system is switched, a probe runs on a host.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from grind.core.texts import one_line

if TYPE_CHECKING:
    from grind.core.config import Config
    from grind.core.trust import Standing
    from grind.wiring import Session


def require_trust(session: Session, config: Config, scope: str) -> None:
    """Return when this user has said yes to exactly what `config` says of hosts and commands.

    `scope` is what is about to be done, as it follows "grind wants to …". At a terminal the user
    is shown what it is about, or what has changed since the last yes, and asked.

    Raises:
        RefusedError: the answer was no, or there is nobody to ask (exit 3, with the command).
    """
    from grind.flows.trust import require_yes
    from grind.wiring.trust import standing_of, trust_store

    repository = session.repository.common_dir
    standing, _ = standing_of(config, session.environ, repository)
    if require_yes(standing, scope, ask):
        now = standing.relevant
        trust_store(session.environ).give(repository, now.digest, now.text, session.clock.now())


def ask(standing: Standing, scope: str) -> bool | None:
    """Show what it is about and ask; None where there is nobody to ask. Only `yes` or `y` is yes."""
    from grind.wiring.trust import somebody_there

    if not somebody_there():
        return None
    sys.stderr.write(told(standing))
    sys.stderr.write(f"grind wants to {one_line(scope)}. Say yes to exactly this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def told(standing: Standing) -> str:
    """Return what is to be said yes to, or what changed since the last yes, as lines."""
    head = (
        "since your last yes, grind.toml changed in:"
        if standing.before is not None
        else "grind.toml names, and you have not said yes to it yet:"
    )
    lines = standing.changes if standing.before is not None else standing.relevant.text.splitlines()
    return "".join(f"{line}\n" for line in (head, *(f"  {one_line(line)}" for line in lines)))
