"""Who this machine is."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from pathlib import Path

from grind.adapters.localfiles import boot_id, write_new
from grind.ports import HostIdentity

SALT = b"grind host identity 1\n"
"""machine-id(5) asks that the id itself is never shown; only a hash that is grind's own."""


def local_identity(state: Path, root: Path = Path("/")) -> HostIdentity:
    """Return the identity of this machine; `root` is where its files are."""
    return HostIdentity(
        id=_stable_id(state, root),
        os=os_name(_text(root / "etc/os-release")),
        architecture=platform.machine(),
        system=_link(root / "run/current-system"),
        boot=boot_id(),
    )


def _stable_id(state: Path, root: Path) -> str:
    for name in (
        "etc/machine-id",
        "etc/ssh/ssh_host_ed25519_key.pub",
        "etc/ssh/ssh_host_rsa_key.pub",
    ):
        try:
            value = (root / name).read_bytes().strip()
        except OSError:
            continue
        # systemd writes `uninitialized` on a machine that boots for the first time.
        if value and value != b"uninitialized":
            return hashlib.sha256(SALT + value).hexdigest()[:32]
    return _generated_id(state)


def _generated_id(state: Path) -> str:
    folder = state / "identity"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(folder / "id", secrets.token_hex(16).encode() + b"\n")
    return (folder / "id").read_text().strip()


def os_name(release: str) -> str:
    """Return `ID VERSION_ID` of the text of os-release(5), such as `nixos 24.05`."""
    values = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    parts = (values.get(key, "").strip().strip("\"'") for key in ("ID", "VERSION_ID"))
    return " ".join(part for part in parts if part) or "linux"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
