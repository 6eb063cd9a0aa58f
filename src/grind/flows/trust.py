"""Nothing of a cloned grind.toml leaves this machine, or changes it, without this user's yes."""

from __future__ import annotations

from collections.abc import Callable

from grind.core.errors import RefusedError
from grind.core.trust import Standing


def require_yes(
    standing: Standing, scope: str, ask: Callable[[Standing, str], bool | None]
) -> bool:
    """Return whether a yes was given just now; False when there was one already.

    `scope` is what is about to be done, as the rest of a sentence ("run steps on grind"). `ask`
    shows what it is about and returns the answer, or None where there is nobody to ask.

    Raises:
        RefusedError: nobody can be asked, or the answer was no.
    """
    if standing.trusted:
        return False
    answer = ask(standing, scope)
    if answer:
        return True
    raise RefusedError(refusal(standing, scope, said_no=answer is False), remedy=remedy(standing))


def refusal(standing: Standing, scope: str, *, said_no: bool = False) -> str:
    """Say why it is not done, and what it is about."""
    if said_no:
        return f"not trusted, so grind does not {scope}"
    changed = "has changed since you" if standing.before is not None else "names what you never"
    shown = "".join(f"\n  {line}" for line in standing.changes)
    verb = "said yes to it" if standing.before is not None else "said yes to"
    return f"grind.toml {changed} {verb}, so grind does not {scope}. It is about:{shown}"


def remedy(standing: Standing) -> str:
    """Return the command that gives the yes, with and without a terminal."""
    return (
        f"read it, then `grind trust` (without a terminal: "
        f"`grind trust --digest {standing.relevant.digest[:16]}`)"
    )
