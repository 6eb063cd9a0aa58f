"""The user's token: found where people keep it, sent to its own host only, never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grind.adapters.github.address import Address
from grind.adapters.process import run
from grind.core.errors import GrindError

OWN = "GRIND_GITHUB_TOKEN"
_SHARED = ("GITHUB_TOKEN", "GH_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_VALID = re.compile(r"^[\x21-\x7e]{1,4096}$")
_GH_SECONDS = 10.0


class Token:
    """A token that shows where it came from, and never itself."""

    def __init__(self, value: str, source: str) -> None:
        """Raises GrindError, without the value, for what cannot be a header."""
        if not _VALID.match(value):
            raise GrindError(
                f"{source} does not hold a token: it has spaces or other odd characters",
                remedy="gh auth login, or set GRIND_GITHUB_TOKEN",
            )
        self._value = value
        self.source = source

    def header(self) -> dict[str, str]:
        """Return the header that carries it."""
        return {"Authorization": f"Bearer {self._value}"}

    def __repr__(self) -> str:
        return f"Token(from {self.source})"

    def __reduce__(self) -> str:
        raise TypeError("a token is not stored")


async def find_token(address: Address, environ: Mapping[str, str]) -> Token | None:
    """Return the token for the API's host; None when there is none.

    In this order: GRIND_GITHUB_TOKEN, GITHUB_TOKEN, GH_TOKEN, `gh auth token`. A variable is used
    only for github.com, for ghe.com, and for an API that the user named: the remote of a cloned
    repository may name any host, and must not get a token that is meant for another one.
    """
    if address.chosen:
        names = (OWN, *_SHARED, *(() if address.host == "github.com" else _ENTERPRISE))
        for name in names:
            if value := environ.get(name, "").strip():
                return Token(value, name)
    done = await run(
        ["gh", "auth", "token", "--hostname", address.host], environ, seconds=_GH_SECONDS
    )
    said = done.out.decode("utf-8", "replace").strip()
    return Token(said, "gh auth token") if done.exit_code == 0 and said else None
