"""What hosts have told of themselves, kept so that a question about a receipt needs no connection.

It is a memory, not a proof: whoever runs steps asks the host again, and what is kept is renewed.
"""

from __future__ import annotations

import hashlib
import os

import msgspec
from msgspec import Struct

from grind.adapters.files import private_folder, replace_file
from grind.ports import Host, HostIdentity


class Known(Struct, frozen=True, kw_only=True):
    """One host, as it was when it was last asked."""

    identity: HostIdentity
    processors: int

    @property
    def id(self) -> str:
        """Who it is, as receipts name it: identity and architecture."""
        return f"{self.identity.id}/{self.identity.architecture}"


async def ask_host(host: Host) -> Known:
    """Ask a host who it is and how many processors it has. Raises UnreachableError."""
    told = await host.run(("nproc",))
    text = told.out.decode("ascii", "replace").strip()
    return Known(
        identity=await host.identity(),
        processors=int(text) if told.exit_code == 0 and text.isdigit() else 1,
    )


class KnownHosts:
    """The memory of all hosts, in a folder of its own; one file for what ssh is told."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def get(self, ssh: str) -> Known | None:
        """Return what is known of a host; None for nothing, or what cannot be read."""
        try:
            with open(self._path(ssh), "rb") as file:
                return msgspec.json.decode(file.read(), type=Known)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def put(self, ssh: str, known: Known) -> None:
        """Keep it."""
        private_folder(self._folder)
        replace_file(self._path(ssh), msgspec.json.encode(known) + b"\n", sync=False)

    def _path(self, ssh: str) -> str:
        return os.path.join(self._folder, f"{hashlib.sha256(ssh.encode()).hexdigest()[:24]}.json")
