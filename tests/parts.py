"""Programs that tests talk to. Where one is missing, a test is skipped and counted; in CI it fails."""

from __future__ import annotations

import os
import shutil

import pytest

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def part(*names: str) -> str:
    """Return the path of the first of these programs that is here."""
    for name in names:
        if found := shutil.which(name, path=PATH):
            return found
    message = f"{' or '.join(names)} is not here (tools/parts.sh installs it)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
