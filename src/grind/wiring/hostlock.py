"""The locks of a host, for the commands that change one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grind.adapters.hostlock import ACTIVATION as ACTIVATION
from grind.adapters.hostlock import HostHeldError as HostHeldError
from grind.adapters.hostlock import HostLock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.ports import Host


def host_lock(host: Host) -> HostLock:
    """Return the locks of a host."""
    return HostLock(host)


def operator(environ: Mapping[str, str]) -> str:
    """Say who types here, as others are shown it: `ada@laptop`."""
    import os
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = environ.get("USER", "") or str(os.getuid())
    return f"{name}@{os.uname().nodename}"
