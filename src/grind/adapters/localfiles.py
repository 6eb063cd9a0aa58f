"""What is small and of this machine: files that are new or not written at all, and which boot this is."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from grind.adapters.files import storing


def write_new(path: Path, data: bytes) -> bool:
    """Write a private file aside and link it in; False when it was there already.

    Whoever sees the name sees all of the content, and of two writers exactly one succeeds.
    Raises StorageError; nothing is left aside then.
    """
    aside = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    with storing(os.fspath(path)):
        try:
            with open(aside, "xb", opener=_private) as file:
                file.write(data)
            os.link(aside, path)
        except FileExistsError:
            return False
        finally:
            aside.unlink(missing_ok=True)
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def boot_id() -> str:
    """Return the identifier of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
