"""shfmt as a second parser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_SECONDS = 20


class Shfmt:
    """Runs `shfmt --to-json`. The wheel puts it beside the interpreter, perhaps not on the PATH."""

    def __init__(self) -> None:
        beside = os.path.join(os.path.dirname(sys.executable), "shfmt")
        self.program = beside if os.access(beside, os.X_OK) else shutil.which("shfmt")

    def __call__(self, text: bytes) -> bytes | None:
        """The tree as JSON; None where shfmt refuses the text, is missing, or takes too long."""
        if self.program is None:
            return None
        try:
            done = subprocess.run(
                [self.program, "--to-json", "-ln", "bash"],
                input=text,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None
