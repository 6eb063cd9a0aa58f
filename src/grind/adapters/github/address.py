"""Where a repository's API is: from its remote's address, or from what the user says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from grind.core.errors import GrindError
from grind.core.texts import one_line

VARIABLE = "GRIND_GITHUB_API"
_PUBLIC = "github.com"
_SCP = re.compile(r"^(?:[^@/\s]+@)?(\[[^\]]+\]|[^:/\s]+):(?!/)(.+)$")
_PART = re.compile(r"^[A-Za-z0-9._-]+$")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Address(NamedTuple):
    """A repository, and the API that knows it."""

    host: str
    """The host that `gh auth token --hostname` knows it by."""
    api: str
    """Base URL without a slash at its end."""
    owner: str
    name: str
    chosen: bool
    """Whether the user named the API, so that a token of the environment is meant for it."""

    @property
    def shown(self) -> str:
        """Return it for people: `github.com/owner/name`."""
        return f"{self.host}/{self.owner}/{self.name}"


def address_of(url: str, environ: Mapping[str, str], api: str | None = None) -> Address:
    """Find the API of the repository that a remote's URL names.

    `api` (or GRIND_GITHUB_API, or GITHUB_API_URL of a runner on the same server) says where it is;
    otherwise github.com has api.github.com, a tenant of ghe.com has `api.` before its name, and any
    other host is taken for GitHub Enterprise Server with `/api/v3`. Raises GrindError for what is
    no repository at a host, and for an API that would send a token in the clear.
    """
    host, path = _host_and_path(url)
    parts = path.strip("/").removesuffix(".git").split("/")
    if len(parts) != 2 or not all(_PART.match(part) and part.strip(".") for part in parts):
        raise GrindError(
            f"{one_line(url) or 'the remote'} does not name a repository at GitHub",
            remedy="set the remote to https://github.com/OWNER/NAME, or give --repo OWNER/NAME",
        )
    said = api or environ.get(VARIABLE, "")
    if not said and environ.get("GITHUB_SERVER_URL", "").rstrip("/") == f"https://{host}":
        said = environ.get("GITHUB_API_URL", "")
    base = (said or _default_api(host)).rstrip("/")
    split = urlsplit(base)
    if split.scheme != "https" and split.hostname not in _LOOPBACK:
        raise GrindError(f"{one_line(base)} is not an https address", remedy="--api https://…")
    if split.username or split.password or split.query or split.fragment or not split.hostname:
        raise GrindError("the address of the API holds more than a host and a path")
    chosen = bool(said) or host == _PUBLIC or host.endswith(".ghe.com")
    return Address(host, base, parts[0], parts[1], chosen)


def _default_api(host: str) -> str:
    if host == _PUBLIC:
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"https://{host}/api/v3"


def _host_and_path(url: str) -> tuple[str, str]:
    if "://" in url:
        split = urlsplit(url)
        host = split.hostname or ""
        # an ssh alias of GitHub's for networks that block port 22
        return ("github.com" if host == "ssh.github.com" else host), split.path
    match = _SCP.match(url)
    return (match[1].lower(), match[2]) if match else ("", "")
