"""A cable between two machines: network namespaces of their own, a veth pair, addresses of 192.0.2.0/24.

    with Cable() as cable:
        subprocess.run([*cable.near.enter, "ssh", cable.far.address, "true"])
        cable.pull()

Of this machine's own network nothing is touched, not even by the near end, so that tests can run side by
side; and no other address can be reached from either end. A namespace lives as long as the process that
holds it, and that one as long as the test: when the namespaces go, so does the cable.

192.0.2.0/24 is TEST-NET-1 of RFC 5737: addresses for documentation, which nobody has.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.parts import part

NEAR, FAR = "192.0.2.1", "192.0.2.2"


def need_namespaces() -> None:
    """Skip the test where the kernel or the sandbox refuses namespaces or a veth pair, in CI too: that
    cannot be installed. A program that is missing can."""
    _skip_unless("true")
    part("nsenter")
    _skip_unless(part("ip"), "link", "add", "near", "type", "veth", "peer", "name", "far")


def _skip_unless(*argv: str) -> None:
    """Skip unless a program does well in a namespace that nobody else sees, and that ends with it."""
    asked = [part("unshare"), "--net", *argv]
    done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"network namespaces are not to be had here: {done.stderr.strip()}")


class End:
    """One end: a namespace, its address, and how to run a program in it."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        # It ends with its input, which only this process holds: also when a test is killed.
        self._holder = subprocess.Popen(
            [part("unshare"), "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self.pid = self._holder.pid
        for _ in range(1000):
            if self.namespace not in ("", os.readlink("/proc/self/ns/net")):
                break
            assert self._holder.poll() is None, "the namespace is gone"
            time.sleep(0.01)
        self.enter = (part("nsenter"), f"--net=/proc/{self.pid}/ns/net", "--")
        """What stands before the words of a command."""

    @property
    def namespace(self) -> str:
        """The kernel's name for it."""
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{self.pid}/ns/net")
        return ""

    def ip(self, *words: str) -> None:
        done = subprocess.run(
            [*self.enter, part("ip"), *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")

    def listens(self, port: int) -> bool:
        """Whether something listens on that port of its address (/proc/net/tcp, proc(5))."""
        octets = bytes(map(int, self.address.split(".")))
        address = f"{int.from_bytes(octets, 'little'):08X}:{port:04X}"
        lines = Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]
        return any(line.split()[1] == address and line.split()[3] == "0A" for line in lines)

    def close(self) -> None:
        self._holder.kill()
        self._holder.communicate()


class Cable:
    """Both ends, up."""

    def __enter__(self) -> Cable:
        need_namespaces()
        self._open = contextlib.ExitStack()
        with contextlib.ExitStack() as made:
            self.near = End("near", NEAR)
            made.callback(self.near.close)
            self.far = End("far", FAR)
            made.callback(self.far.close)
            far = ("peer", "name", "far", "netns", str(self.far.pid))
            self.near.ip("link", "add", "near", "type", "veth", *far)
            made.callback(self.near.ip, "link", "delete", "near")
            for end in (self.near, self.far):
                end.ip("address", "add", f"{end.address}/24", "dev", end.name)
                end.ip("link", "set", "lo", "up")
                end.ip("link", "set", end.name, "up")
            self._open = made.pop_all()
        return self

    def __exit__(self, *_: Any) -> None:
        self._open.close()

    def pull(self, end: End) -> None:
        """Take the link down at one end; what it knew of it stays."""
        end.ip("link", "set", end.name, "down")

    def plug(self) -> None:
        """Both ends up again."""
        for end in (self.near, self.far):
            end.ip("link", "set", end.name, "up")
