"""A host that is not NixOS: releases in a folder, a link, a service; brought about by commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.activation.lab import FILES, SRC, free_port
from tests.activation.world import PROBE
from tests.e2e.world import Done, World

BUILD = """
name=$(cat VERSION)-$(git rev-parse --short=12 HEAD)
rm -rf "$SITE/releases/$name"
mkdir -p "$SITE/releases/$name"
cp MODE VERSION "$SITE/releases/$name/"
printf '%s\\n' "$GRIND_REVISION" >"$SITE/releases/$name/REVISION"
echo "$name" >"$GRIND_BUILT"
"""
GO = """
[ -d "$SITE/releases/$GRIND_TO" ]
[ ! -e "$SITE/refuse-$KIND" ] || exit 7
ln -sfn "$SITE/releases/$GRIND_TO" "$SITE/now.new"
mv -T "$SITE/now.new" "$SITE/now"
if [ -e "$SITE/pid" ]; then kill -- "-$(cat "$SITE/pid")" 2>/dev/null || :; fi
REVISION=$(cat "$SITE/now/REVISION") setsid -f \\
  bash -c 'echo $$ >"$SITE/pid"; exec $SERVE "$(cat "$SITE/now/MODE")" sandbox-live' \\
  </dev/null >>"$SITE/log" 2>&1
until [ -s "$SITE/pid" ]; do sleep 0.01; done
"""
CURRENT = '[ ! -e "$SITE/now" ] || basename "$(readlink -f "$SITE/now")"\n[ -e "$SITE/now" ] || echo none\n'


class CommandsWorld:
    """The repository of `world` is a service that runs in `site`."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        (root / "world").mkdir()
        self.world = World(root / "world")
        self.site = root / "site"
        (self.site / "releases").mkdir(parents=True)
        self.port = free_port()
        self.state = root / "activation"
        self.world.env |= {
            "SITE": str(self.site),
            "SERVE": f"{sys.executable} {FILES / 'service.py'} {self.port}",
            "PYTHONPATH": str(SRC),
        }

    def toml(self) -> str:
        switch, back = (f"export KIND={kind}\n{GO}" for kind in ("switch", "back"))
        probe = PROBE.format(port=self.port, greens=3, deadline="4s")
        return (
            '[hosts.local]\nenv = ["SITE", "SERVE", "PYTHONPATH"]\n[activate]\n'
            f'state = "{self.state}"\nmin_disk = 1\nmin_memory = 1\n'
            f"build = '''{BUILD}'''\nswitch = '''{switch}'''\nback = '''{back}'''\n"
            f"current = '''{CURRENT}'''\n{probe}"
        )

    def start(self) -> None:
        self.world.start({"VERSION": "1\n", "MODE": "ok\n", "grind.toml": self.toml()})
        shown = self.world.grind("trust", "--show", "--json")
        assert self.world.grind("trust", "--digest", shown.document["digest"]).code == 0

    def change(self, version: str, mode: str = "ok") -> Done:
        self.world.write({"VERSION": f"{version}\n", "MODE": f"{mode}\n"})
        return self.world.grind("activate")

    @property
    def runs(self) -> str:
        return (
            os.path.basename(os.path.realpath(self.site / "now"))
            if (self.site / "now").exists()
            else "none"
        )

    def shut_down(self) -> None:
        pid = self.site / "pid"
        if pid.exists():
            subprocess.run(["kill", "-KILL", "--", f"-{pid.read_text().strip()}"], check=False)
