"""Whether an ssh alias names this very machine and this very user: then no ssh is used.

Decided from what ssh itself would do (`ssh -G`, which connects to nothing) and from the kernel: the
port must be 22, the user this one, no proxy in between, and the name must lead to an address that
this machine has. A forwarded port on localhost is therefore another machine, as it usually is one.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping

_SECONDS = 20.0


def names_this_machine(
    alias: str,
    environ: Mapping[str, str],
    own_address: Callable[[str], bool] | None = None,
) -> bool:
    """Return whether the alias is this user on this machine; False when in doubt."""
    own = own_address or is_own_name
    told = _resolved(alias, environ)
    if not told or told.get("port") != "22" or told.get("user") != _user():
        return False
    if any(told.get(way, "none") != "none" for way in ("proxyjump", "proxycommand")):
        return False
    return own(told.get("hostname", ""))


def _resolved(alias: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what ssh makes of an alias; nothing where there is no ssh or it does not like it."""
    own = environ.get("GRIND_SSH_CONFIG", "")
    argv = ["ssh", *(("-F", own) if own else ()), "-G", "--", alias]
    try:
        done = subprocess.run(
            argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if done.returncode:
        return {}
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return dict(line.split(" ", 1) for line in reversed(lines) if " " in line)


def is_own_name(name: str) -> bool:
    """Return whether every address that a name leads to is one of this machine's own."""
    try:
        found = socket.getaddrinfo(name, 22, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all_own((family, address) for family, _, _, _, address in found)


def all_own(addresses: Iterable[tuple[int, tuple[object, ...]]]) -> bool:
    """Return whether there are addresses, and a socket can be bound to each of them."""
    known = False
    for family, address in addresses:
        known = True
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.bind((address[0], 0, *address[2:]))
        except OSError:
            return False
    return known


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
