"""Make text from git, remotes and hooks fit to be shown: no control characters, no credentials."""

from __future__ import annotations

import os

# scheme://user:password@ or scheme://token@
_CREDENTIAL = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/\s]*)@(?=[^\s@/])"
_HEADER = r"(?i)((?:proxy-)?authorization:\s*)(?:(?:basic|bearer|token)\s+)?\S+"
_LIMIT = 8_000


def without_credentials(text: str) -> str:
    """Replace user names, passwords and tokens in URLs and authorization headers by `***`. The
    user of an ssh URL is no secret and stays."""
    import re  # here, because the hook's start-up pays for it and seldom shows anything

    def masked(match: re.Match[str]) -> str:
        user, colon, _secret = match["user"].partition(":")
        if match["scheme"].lower() in ("ssh://", "git+ssh://"):
            return f"{match['scheme']}{user}{':***' if colon else ''}@"
        return f"{match['scheme']}***@"

    return re.sub(_HEADER, r"\1***", re.sub(_CREDENTIAL, masked, text))


def escaped(text: str) -> str:
    """Write control characters (terminal escapes, carriage returns, bidirectional overrides) and
    undecodable bytes as backslash escapes; line ends and tabs stay."""
    return "".join(
        char
        if char in "\n\t" or (char.isprintable() and not "\ud800" <= char <= "\udfff")
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def shown(text: bytes | str) -> str:
    """Return foreign text for a person: escaped, masked, stripped, at most 8,000 characters."""
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    text = text.replace("\r\n", "\n").strip()
    if len(text) > _LIMIT:
        text = "…" + text[-_LIMIT:]
    return escaped(without_credentials(text))
