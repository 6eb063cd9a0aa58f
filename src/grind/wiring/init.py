"""What `grind init` reads of the user's, and where it writes."""

from __future__ import annotations

import os
from collections.abc import Mapping


def ssh_aliases(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The hosts of the user's ssh configuration."""
    from grind.adapters.sshconfig import aliases

    return aliases(environ)


def write_once(path: str, text: str) -> bool:
    """Write a new file; False when something stands there already. Nobody sees a part of it."""
    from grind.adapters.files import storing, write_all

    aside = f"{path}.{os.getpid()}.aside"
    with storing(path):
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            try:
                write_all(fd, text.encode())
            finally:
                os.close(fd)
            os.link(aside, path)
        except FileExistsError:
            return False
        finally:
            os.unlink(aside)
    return True
