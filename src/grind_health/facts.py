"""What the machine knows: when this process began, its host's name, the system that runs."""

from __future__ import annotations

import os
import re
import time
from typing import NamedTuple


class System(NamedTuple):
    """The NixOS system this process was started under; both unknown elsewhere."""

    path: str | None = None
    generation: int | None = None


def process_started_at(now: float, stat: str = "/proc/self/stat") -> float:
    """When this process began, in seconds of Unix time; `now` where the kernel does not say.

    The kernel's answer is the safe one for "started after the switch": an application that
    builds its context at its first request would otherwise look newer than it is. `exec` keeps
    the time of the process, so a wrapper script can only make it earlier. Field 22 of
    /proc/PID/stat counts clock ticks since boot (proc(5)); what has passed since then is taken
    from `now`, so a clock that was wrong at boot does no harm.
    """
    try:
        with open(stat, "rb") as file:
            # The command name is in parentheses and may itself hold spaces and parentheses.
            fields = file.read().rpartition(b")")[2].split()
        since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot
    except (OSError, ValueError, IndexError, AttributeError):
        return now
    # Sandboxes that do not know write 0.
    return now - age if since_boot > 0 and age >= 0 else now


def kernel_hostname() -> str | None:
    """Return the host name as the kernel has it, which is set where `HOSTNAME` is not."""
    try:
        return os.uname().nodename or None
    except (OSError, AttributeError):
        return None


def running_system(
    current: str = "/run/current-system", profile: str = "/nix/var/nix/profiles/system"
) -> System:
    """Return the running NixOS system and, only where it is certain, its generation number.

    In a container this is the container's own system. The profile's number is believed only if
    the profile is what runs: after half a switch the two differ.
    """
    try:
        os.readlink(current)
    except OSError:
        return System()
    path = os.path.realpath(current)
    try:
        link = os.readlink(profile)
    except OSError:
        return System(path)
    number = re.fullmatch(r"system-(\d+)-link", os.path.basename(link))
    if number is None or os.path.realpath(profile) != path:
        return System(path)
    return System(path, int(number[1]))
