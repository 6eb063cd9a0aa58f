"""What must not be read in a log, and hiding it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

_SHORTEST_ENCODED = 8
"""A shorter value is masked as it is only: what it is encoded to would be found by chance."""


_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""What stands for itself in a URL (RFC 3986)."""


def masks_of(value: str) -> set[str]:
    """Return what `::add-mask::value` hides: the value, each of its lines, and common encodings.

    The runner masks encodings too (ValueEncoders in `actions/runner`): JSON, URL, XML, base64.
    """
    plain = {text for text in (value, *value.splitlines()) if text.strip()}
    return plain | {
        other
        for text in plain
        if len(text) >= _SHORTEST_ENCODED
        for other in _encodings(text)
        if len(other) >= _SHORTEST_ENCODED
    }


def _encodings(text: str) -> Iterator[str]:
    from base64 import b64encode
    from html import escape
    from json import dumps

    yield dumps(text)[1:-1]
    yield dumps(text, ensure_ascii=False)[1:-1]
    data = text.encode("utf-8", "surrogateescape")
    yield "".join(chr(byte) if chr(byte) in _UNRESERVED else f"%{byte:02X}" for byte in data)
    yield escape(text, quote=True)
    yield escape(text, quote=True).replace("&#x27;", "&apos;")
    for shift in range(3):
        # Inside a longer base64 text it stands at one of three places; what its neighbours touch
        # is left out.
        encoded = b64encode(b"\0" * shift + data).decode().rstrip("=")
        end = len(encoded) if (len(data) + shift) % 3 == 0 else -1
        yield encoded[(0, 2, 3)[shift] : end]


def hide(text: str, masks: Collection[str]) -> str:
    """Return the text with every masked value replaced by `***`.

    Values that overlap are replaced together, so that no end of one is left over.
    """
    spans = _spans(text, masks)
    if not spans:
        return text
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += (text[done:start], "***")
        done = end
    return "".join((*parts, text[done:]))


def safe_cut(text: str, masks: Collection[str]) -> int:
    """Return where a text that goes on can be cut: in no masked value, nor in the begin of one."""
    cut = len(text)
    for mask in masks:
        at = text.find(mask[0], max(0, len(text) - len(mask) + 1))
        while 0 <= at < cut and not mask.startswith(text[at:]):
            at = text.find(mask[0], at + 1)
        cut = at if 0 <= at < cut else cut
    for start, end in reversed(_spans(text, masks)):
        if start < cut < end:
            cut = start
    return cut


def _spans(text: str, masks: Collection[str]) -> list[tuple[int, int]]:
    """Where masked values stand, in order, those that touch joined to one."""
    found: list[tuple[int, int]] = []
    for mask in masks:
        at = text.find(mask)
        while at >= 0:
            found.append((at, at + len(mask)))
            at = text.find(mask, at + 1)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
