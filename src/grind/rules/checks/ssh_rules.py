"""What the rules about ssh share: the texts a file sends to other hosts."""

from __future__ import annotations

from collections.abc import Iterator

from grind.rules.shell.programs import Handed
from grind.rules.shell.wrappers import SSH_COMMANDS
from grind.rules.units import Unit, View


def sent(view: View) -> Iterator[tuple[Unit, Handed, Unit]]:
    """Sender, how, and the text, of everything that goes through ssh in running shell."""
    for unit in view.units:
        for how, child in unit.children:
            if how.call.name in SSH_COMMANDS:
                yield unit, how, child
