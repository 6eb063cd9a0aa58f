"""A repository, a host that it builds, and grind between them: whole-process tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.activation.lab import NIX_VARIABLES, Lab
from tests.e2e.world import Done, World

PROBE = """
[[probe]]
name = "web"
http = "http://127.0.0.1:{port}/health"
role = "sandbox-live"
revision = "commit"
fresh = true
deadline = "{deadline}"
interval = "50ms"
greens = {greens}
timeout = "1s"
"""


class HostWorld:
    """The repository of `world` builds the host `lab`."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self.world = World(root / "world" if (root / "world").mkdir() is None else root)
        self.lab = Lab(root / "lab", self.world.repo)
        self.world.env |= self.lab.env | {"GRIND_BOOT_ID_FILE": str(root / "boot-id")}
        (root / "boot-id").write_text("first-boot\n")
        self.boot_id = root / "boot-id"
        self.more: list[str] = []
        self.lent = [*NIX_VARIABLES, "GRIND_BOOT_ID_FILE"]
        self.greens, self.deadline = 3, "4s"

    def toml(self, *lines: str) -> str:
        lent = ", ".join(f'"{name}"' for name in self.lent)
        probe = PROBE.format(port=self.lab.port, greens=self.greens, deadline=self.deadline)
        return f"[hosts.local]\nenv = [{lent}]\n" + self.lab.config(*self.more, *lines) + probe

    def begin(self, version: str = "1", mode: str = "ok", **more: Any) -> str:
        """A repository with one commit, and the host on it, deployed by hand."""
        self.world.start({**self.lab.describe(version, mode, **more), "grind.toml": self.toml()})
        self.trust()
        return self.lab.deploy()

    def change(self, version: str, mode: str = "ok", **more: Any) -> None:
        """Edit the working copy; nothing is committed."""
        self.world.write({**self.lab.describe(version, mode, **more), "grind.toml": self.toml()})
        self.trust()

    def trust(self, cwd: Path | None = None) -> None:
        """Say yes to what grind.toml says now, as its owner; one that cannot be read gets none."""
        shown = self.world.grind("trust", "--show", "--json", cwd=cwd)
        if shown.code == 0 and not shown.document["trusted"]:
            given = self.world.grind("trust", "--digest", shown.document["digest"], cwd=cwd)
            assert given.code == 0, given.said

    def activate(self, *args: str) -> Done:
        self.trust()
        return self.world.grind("activate", *args)

    def good(self, version: str, **more: Any) -> str:
        """Activate a good change, and return what the host runs then."""
        self.change(version, **more)
        done = self.activate()
        assert done.code == 0, done.said
        return self.lab.runs


def is_root() -> bool:
    return os.geteuid() == 0
