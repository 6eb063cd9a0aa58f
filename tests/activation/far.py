"""The host of an activation behind a real sshd."""

from __future__ import annotations

from pathlib import Path

from tests.activation.lab import NIX_VARIABLES
from tests.activation.world import HostWorld
from tests.sshd import Sshd

ON_HOST = ("nix", "nix-env", "nix-store", "nix-build", "cmp", "systemctl")


class FarWorld(HostWorld):
    """The host is reached through ssh, as `far`."""

    def __init__(self, root: Path, sshd: Sshd) -> None:
        super().__init__(root)
        self.sshd = sshd
        self.world.env |= sshd.env

    def toml(self, *lines: str) -> str:
        fixed = {name: self.lab.env[name] for name in NIX_VARIABLES}
        fixed |= {"GRIND_BOOT_ID_FILE": str(self.boot_id)}
        text = ", ".join(f'{name} = "{value}"' for name, value in fixed.items())
        head = f'[hosts.far]\nssh = "{self.sshd.alias}"\npath = ["{self.lab.root / "bin"}"]\nset = {{ {text} }}\n'
        return head + super().toml(*lines).partition("\n")[2].partition("\n")[2]
