"""Plays sudo for a test: what an ordinary user asks for is run by root's side of a spool folder. It mimics
`sudo -n -- PROGRAM ARGUMENT...` with a NOPASSWD rule for exactly the programs that were allowed, and the
environment of root's own, not that of whoever asks; who asks, sudo says in SUDO_UID and SUDO_GID. Nothing
else of sudo.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

CLIENT = """\
#!/bin/bash
[[ $1 == -n && $2 == -- ]] || { echo "sudo: not played: $*" >&2; exit 1; }
shift 2
ask=$(mktemp -d SPOOL/XXXXXX)
cat >"$ask/data"
printf '%s\\0' "$@" >"$ask/words"
: >"$ask/ready"
until [[ -e $ask/done ]]; do sleep 0.02; done
cat "$ask/out"
cat "$ask/err" >&2
exit "$(<"$ask/code")"
"""


class RootDo:
    """Root's side."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.asked: list[list[str]] = []
        self.allowed: set[str] = set()
        self._environment = environment
        self._spool = folder / "spool"
        self._spool.mkdir()
        self._spool.chmod(0o1777)
        client = folder / "sudo"
        client.write_text(CLIENT.replace("SPOOL", str(self._spool)))
        client.chmod(0o755)
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._over.set()

    def _serve(self) -> None:
        while not self._over.is_set():
            for ready in self._spool.glob("*/ready"):
                if not (ready.parent / "begun").exists():
                    (ready.parent / "begun").touch()
                    threading.Thread(target=self._answer, args=(ready.parent,), daemon=True).start()
            time.sleep(0.02)

    def _answer(self, ask: Path) -> None:
        words = [os.fsdecode(word) for word in (ask / "words").read_bytes().split(b"\0")[:-1]]
        self.asked.append(words)
        if words[0] not in self.allowed:
            code, out, err = 1, b"", b"sudo: a password is required\n"
        else:
            done = subprocess.run(
                words,
                input=(ask / "data").read_bytes(),
                capture_output=True,
                check=False,
                env=self._environment,
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        for name, data in (("out", out), ("err", err), ("code", b"%d" % code), ("done", b"")):
            (ask / name).write_bytes(data)
            (ask / name).chmod(0o644)
