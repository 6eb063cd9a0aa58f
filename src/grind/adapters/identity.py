"""Who this machine is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from grind.core.sha import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from grind.ports import HostIdentity

SALT = b"grind host identity 1\n"
"""machine-id(5) asks that the id itself is never shown; only a hash that is grind's own."""


def local_identity(state: Path, root: Path | None = None) -> HostIdentity:
    """Return the identity of this machine; `root` is where its files are, if not at the root."""
    from grind.adapters.localfiles import boot_id
    from grind.ports import HostIdentity

    top = os.fspath(root) if root is not None else "/"
    return HostIdentity(
        id=stable_id(os.fspath(state), top),
        os=os_name(_text(os.path.join(top, "etc/os-release"))),
        architecture=architecture(),
        system=_link(os.path.join(top, "run/current-system")),
        boot=boot_id(),
    )


def architecture() -> str:
    """Return what the kernel calls the processor: `x86_64`."""
    return os.uname().machine


def stable_id(state: str, root: str = "/") -> str:
    """Return what tells this machine from others; made up once, and kept in the folder `state`,
    where the system has nothing of the kind. Light: `grind status` asks it."""
    for name in (
        "etc/machine-id",
        "etc/ssh/ssh_host_ed25519_key.pub",
        "etc/ssh/ssh_host_rsa_key.pub",
    ):
        try:
            with open(os.path.join(root, name), "rb") as file:
                value = file.read().strip()
        except OSError:
            continue
        # systemd writes `uninitialized` on a machine that boots for the first time.
        if value and value != b"uninitialized":
            return sha256(SALT + value).hexdigest()[:32]
    return _generated_id(state)


def _generated_id(state: str) -> str:
    import secrets
    from pathlib import Path

    from grind.adapters.localfiles import write_new

    folder = Path(state) / "identity"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(folder / "id", secrets.token_hex(16).encode() + b"\n")
    return (folder / "id").read_text().strip()


def os_name(release: str) -> str:
    """Return `ID VERSION_ID` of the text of os-release(5), such as `nixos 24.05`."""
    values = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    parts = (values.get(key, "").strip().strip("\"'") for key in ("ID", "VERSION_ID"))
    return " ".join(part for part in parts if part) or "linux"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
