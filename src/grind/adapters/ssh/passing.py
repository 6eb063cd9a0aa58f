"""A program on the host with this process's own input and output: what ssh itself is for.

Its arguments go as a file that is read once, because what ssh is given is read by a shell there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from grind.adapters.hostscripts import PASS, bash, script
from grind.adapters.runner import wire
from grind.adapters.ssh.door import is_plain
from grind.core.errors import GrindError
from grind.ports import Passage

if TYPE_CHECKING:
    from grind.adapters.ssh.door import Door
    from grind.adapters.ssh.host import SshHost

_END = 'read -r pid <"$1.pid" && kill -s "$2" -- "-$pid"'
_TIDY = 'rm -f -- "$1" "$1.pid"'


async def passage(
    host: SshHost, door: Door, argv: Sequence[str], cwd: str, env: Mapping[str, str]
) -> Passage:
    """Keep the arguments on the host, and return the ssh command that runs the program.

    Raises:
        GrindError: the path of the host's state folder is no plain word.
    """
    whole = {**host.environment, **env}
    pairs = [f"{name}={value}" for name, value in whole.items()]
    fields = wire.join_fields((cwd, str(len(pairs)), *pairs, *argv))
    program = await host.keep("pass", script(PASS))
    file = await host.keep(f"arguments-{secrets.token_hex(8)}", fields)
    for path in (program, file):
        if not is_plain(path):
            raise GrindError(
                f"the state folder of {host.name} has a path that no ssh command can hold: {path!r}",
                remedy="give the host another one: GRIND_STATE_DIR there",
            )
    ending = ("bash", "--noprofile", "--norc", "-c", _END, "end", file)
    return Passage(
        argv=door.argv(*bash(program), file),
        end=ending,
        tidy=("bash", "--noprofile", "--norc", "-c", _TIDY, "tidy", file),
    )
