"""The files that grind carries beside its modules: scripts for hosts, data, styles."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Protocol, cast


class _Loader(Protocol):
    """What has loaded a module, from a folder or from an archive."""

    def get_data(self, path: str) -> bytes: ...


def bundled(package: str, name: str) -> bytes:
    """Return a file of a package, by its path in it. Raises FileNotFoundError.

    `importlib.resources` does the same, and imports temporary files and archives for it.
    """
    module = import_module(package)
    loader = cast("_Loader", module.__loader__)
    return loader.get_data(os.path.join(os.path.dirname(module.__file__ or ""), *name.split("/")))


def bundled_text(package: str, name: str) -> str:
    """Return a text of a package, as `bundled`."""
    return bundled(package, name).decode("utf-8")
