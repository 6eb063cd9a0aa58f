"""HTTP/1.1 for probes: requests as bytes, and answers read from bytes, strictly (RFC 9112).

One reader for every place that a probe is asked from: whoever has the connection only moves bytes.
An answer that is not exactly well-formed is no answer: a service in that state is not healthy, and a
guess about its body would be a wrong green.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from grind.core.weburl import Url

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 1024 * 1024
"""Bytes of body that a health answer may have."""
RAW_LIMIT = HEAD_LIMIT + 2 * BODY_LIMIT
"""Bytes to read from a connection at most: chunks have their own framing."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")


class BadAnswerError(Exception):
    """What came is not an HTTP/1.1 answer that may be believed; the message says why."""


class HttpAnswer(NamedTuple):
    """A whole answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, values without white space around them."""
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value; of several, joined with commas, as RFC 9110 reads them."""
        found = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(found) if found else None


def request(url: Url, send: Mapping[str, str]) -> bytes:
    """Return the GET to send; `send` is laid over what grind says of itself."""
    lines = {
        "Host": url.authority,
        "User-Agent": "grind-probe",
        "Accept": "application/health+json, application/json;q=0.9, */*;q=0.1",
    }
    ours = {name.lower(): name for name in lines}
    for name, value in send.items():
        lines[ours.get(name.lower(), name)] = value.strip()
    lines |= {"Accept-Encoding": "identity", "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {url.target} HTTP/1.1\r\n{head}\r\n".encode("ascii")


def read_answer(raw: bytes, *, ended: bool) -> HttpAnswer | None:
    """Read the answer to a GET; None when bytes are missing that may still come.

    `ended` says that the other side has closed the connection. Raises BadAnswerError.
    """
    while True:
        head = _head(raw, ended)
        if head is None:
            return None
        status, headers, start = head
        if not 100 <= status < 200:
            break
        if status == 101:
            raise BadAnswerError("switched to another protocol")
        raw = raw[start:]  # 103 and its kin: the answer is still to come
    answer = HttpAnswer(status, headers, b"")
    if status in (204, 304):
        return answer
    body = _body(answer, raw[start:], ended)
    return None if body is None else answer._replace(body=body)


def _head(raw: bytes, ended: bool) -> tuple[int, tuple[tuple[str, str], ...], int] | None:
    first = raw.find(b"\n", 0, HEAD_LIMIT)
    if first >= 0 and raw[first - 1 : first] != b"\r":
        raise BadAnswerError(f"is not HTTP: begins with {_shown(raw[: first + 1])}")
    end = raw.find(b"\r\n\r\n", 0, HEAD_LIMIT)
    if not b"HTTP/1.".startswith(raw[:7]):
        raise BadAnswerError(f"is not HTTP: begins with {_shown(raw)}")
    if end < 0:
        if len(raw) >= HEAD_LIMIT:
            raise BadAnswerError(f"has a head of more than {HEAD_LIMIT // 1024} KiB")
        if ended:
            raise BadAnswerError("ended in its head" if raw else "closed without an answer")
        return None
    lines = raw[:end].split(b"\r\n")
    match = _STATUS.fullmatch(lines[0])
    if match is None:
        raise BadAnswerError(f"is not HTTP: begins with {_shown(lines[0])}")
    headers = []
    for line in lines[1:]:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadAnswerError(f"has a malformed header line: {_shown(line)}")
        headers.append((field[1].decode("ascii").lower(), field[2].decode("latin-1")))
    return int(match[1]), tuple(headers), end + 4


def _body(answer: HttpAnswer, rest: bytes, ended: bool) -> bytes | None:
    coding = answer.header("transfer-encoding")
    length = answer.header("content-length")
    if coding is not None:
        if length is not None:
            raise BadAnswerError("has both Content-Length and Transfer-Encoding")
        if coding.lower() != "chunked":
            raise BadAnswerError(f"has a Transfer-Encoding that was not asked for: {coding[:40]}")
        return _chunked(rest, ended)
    if length is None:
        if len(rest) > BODY_LIMIT:
            raise _too_big()
        return rest if ended else None
    if not re.fullmatch(r"\d{1,18}", length):
        raise BadAnswerError(f"has a Content-Length that is none: {length[:40]}")
    wanted = int(length)
    if wanted > BODY_LIMIT:
        raise _too_big()
    if len(rest) >= wanted:
        return rest[:wanted]
    if ended:
        raise BadAnswerError(f"ended after {len(rest)} of {wanted} bytes")
    return None


def _chunked(rest: bytes, ended: bool) -> bytes | None:
    parts: list[bytes] = []
    at = total = 0
    while True:
        end = rest.find(b"\r\n", at, at + 4096)
        if end < 0:
            break
        match = _CHUNK.fullmatch(rest, at, end)
        if match is None:
            raise BadAnswerError(f"has a malformed chunk: {_shown(rest[at:end])}")
        size = int(match[1], 16)
        if size == 0:
            return _after_last(rest, end, b"".join(parts), ended)
        total += size
        if total > BODY_LIMIT:
            raise _too_big()
        at = end + 2 + size
        if len(rest) < at + 2:
            break
        if rest[at : at + 2] != b"\r\n":
            raise BadAnswerError("has a chunk that is longer than it says")
        parts.append(rest[end + 2 : at])
        at += 2
    if len(rest) - at >= 4096 and b"\r\n" not in rest[at : at + 4096]:
        raise BadAnswerError("has a malformed chunk")
    if ended:
        raise BadAnswerError("ended in the middle of its chunks")
    return None


def _after_last(rest: bytes, end: int, body: bytes, ended: bool) -> bytes | None:
    """Trailers are passed over, but must come to an end."""
    if rest.startswith(b"\r\n", end + 2) or rest.find(b"\r\n\r\n", end + 2) >= 0:
        return body
    if ended:
        raise BadAnswerError("ended in the middle of its chunks")
    if len(rest) - end > HEAD_LIMIT:
        raise BadAnswerError("has trailers without end")
    return None


def _too_big() -> BadAnswerError:
    return BadAnswerError(f"is bigger than {BODY_LIMIT // 1024} KiB")


def _shown(data: bytes) -> str:
    return ascii(data[:40].decode("latin-1"))
