"""The addresses that probes ask: plain `http://` and `https://`, and `host:port`.

Stricter than RFC 3986 allows, because each is written by hand and meant exactly: no user, no
fragment, nothing that would have to be guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

CONTAINER = "{container}"
"""Stands for the container's address."""

_HOST = (
    r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\{container\})"
)
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?(?P<rest>[/?][!-~]*)?", re.I
)
_TCP = re.compile(rf"(?P<host>{_HOST}):(?P<port>\d{{1,5}})")


class Address(NamedTuple):
    """Where to connect to."""

    host: str
    """Without brackets."""
    port: int

    def __str__(self) -> str:
        """Render with brackets where they are needed."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Url(NamedTuple):
    """An address, and what to ask there."""

    scheme: str
    address: Address
    target: str
    """Path and query, as they are sent."""

    @property
    def authority(self) -> str:
        """What a `Host:` line says: the port only where it is not the usual one."""
        usual = {"http": 80, "https": 443}[self.scheme]
        text = str(self.address)
        return text.rpartition(":")[0] if self.address.port == usual else text

    def __str__(self) -> str:
        """Render in full."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(text: str) -> Url:
    """Read an address. Raises ValueError, which says what is wrong with it."""
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("has a user in it: credentials do not belong into a file")
    if "#" in text:
        raise ValueError("has a fragment, which is never sent")
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("is no address such as http://127.0.0.1:8000/health")
    scheme = match["scheme"].lower()
    port = int(match["port"] or {"http": 80, "https": 443}[scheme])
    rest = match["rest"] or "/"
    return Url(scheme, _address(match["host"], port), rest if rest[0] == "/" else f"/{rest}")


def parse_tcp(text: str) -> Address:
    """Read `host:port`. Raises ValueError, which says what is wrong with it."""
    match = _TCP.fullmatch(text)
    if match is None:
        raise ValueError("is no address such as 127.0.0.1:5432")
    return _address(match["host"], int(match["port"]))


def redirected(base: Url, location: str) -> Url:
    """Return where an answer's `Location:` leads. Raises ValueError for what cannot be followed."""
    location = location.partition("#")[0]
    if re.match(r"(?i)https?://", location):
        return parse_url(location)
    if location.startswith("//"):
        return parse_url(f"{base.scheme}:{location}")
    if not location or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location):
        raise ValueError("is no address that can be followed")
    if not re.fullmatch(r"[!-~]+", location):
        raise ValueError("is no address: it holds what has to be escaped")
    if location.startswith("/"):
        return base._replace(target=_without_dots(location))
    path = base.target.partition("?")[0]
    if location.startswith("?"):
        return base._replace(target=path + location)
    return base._replace(target=_without_dots(path.rpartition("/")[0] + "/" + location))


def _without_dots(target: str) -> str:
    """Resolve `.` and `..`, as a browser does before it asks."""
    path, mark, query = target.partition("?")
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if parts and parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept) + mark + query


def _address(host: str, port: int) -> Address:
    if not 0 < port < 65536:
        raise ValueError(f"has the port {port}, which is none")
    bare = host.strip("[]")
    if re.fullmatch(r"[0-9.]+", bare) and not re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", bare):
        raise ValueError(f"has the host {bare}, which is half an address")
    return Address(bare if bare == CONTAINER else bare.lower(), port)
