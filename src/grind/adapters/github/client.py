"""One conversation with GitHub's REST API: conditional requests, limits, and what is no answer.

Sources: GitHub's documentation, "Best practices for using the REST API" and "Rate limits for the
REST API": a 304 to an authorised request does not count; `retry-after` first, then
`x-ratelimit-reset` when nothing remains, else at least a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from grind import __version__
from grind.adapters.github.tokens import Token
from grind.core.errors import GrindError, LimitedError, RefusedError, UnreachableError
from grind.core.texts import one_line
from grind.ports import Cost

_REDIRECTS = 4
_MOVED = (301, 302, 303, 307, 308)
_BODY_AT_MOST = 64 << 20
LOG_AT_MOST = 32 << 20
"""Bytes of a log that are kept: its end, where the failure is."""
_AN_HOUR = 3600.0
_A_MINUTE = 60.0
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class Reply(NamedTuple):
    """An answer with a meaning: 200, or a refusal that the caller understands."""

    status: int
    data: bytes
    fresh: bool = True


class Client:
    """Asks one API. Serial: GitHub wants the requests of one user one after the other."""

    def __init__(self, api: str, token: Token | None) -> None:
        self._api = api
        self._token = token
        loopback = urlsplit(api).scheme == "http"
        shared = {"User-Agent": f"grind/{__version__}"}
        own = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._http = httpx.AsyncClient(
            headers=shared | own | (token.header() if token else {}),
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=not loopback,
        )
        # Another client for links that lead away: it has never had the token.
        self._bare = httpx.AsyncClient(
            headers=shared, timeout=_TIMEOUT, follow_redirects=False, trust_env=not loopback
        )
        self._kept: dict[str, tuple[str, bytes]] = {}
        self._requests = 0
        self._uncached = 0
        self._remaining: int | None = None
        self._reset_in: float | None = None

    @property
    def cost(self) -> Cost:
        """What asking has cost."""
        return Cost(self._requests, self._uncached, self._remaining, self._reset_in)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()
        await self._bare.aclose()

    async def get(
        self,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        expect: tuple[int, ...] = (),
    ) -> Reply:
        """Ask; `expect` names refusals that the caller wants to see instead of an error.

        Raises UnreachableError, LimitedError, RefusedError.
        """
        url = f"{self._api}{path}"
        if query:
            url += f"?{httpx.QueryParams(dict(query))}"
        key = url
        for _ in range(_REDIRECTS):
            response, data = await self._send(self._http, url, self._condition(key), _BODY_AT_MOST)
            if response.status_code not in _MOVED or response.status_code in expect:
                return self._judged(key, response, data, expect)
            url = self._moved(url, response)
        raise UnreachableError("GitHub redirects in a circle")

    async def send(
        self, method: str, path: str, body: Mapping[str, object], *, expect: tuple[int, ...] = ()
    ) -> Reply:
        """Change something: `POST` or `PATCH` with a JSON body. Never repeated, never redirected.

        Raises UnreachableError, LimitedError, RefusedError.
        """
        import msgspec

        url = f"{self._api}{path}"
        headers = {"Content-Type": "application/json"}
        content = msgspec.json.encode(body)
        response, data = await self._send(
            self._http, url, headers, _BODY_AT_MOST, method=method, content=content
        )
        if response.status_code in (200, 201):
            return Reply(response.status_code, data)
        self._raise_if_limited(response, data)
        if response.status_code in expect:
            return Reply(response.status_code, data)
        if response.status_code in (401, 403, 404, 422):
            raise self._not_done(response.status_code, data)
        raise UnreachableError(f"GitHub answered {response.status_code}: {_message(data)}")

    async def log(self, path: str) -> bytes | None:
        """Return what the link that `path` answers with leads to; the token stays here."""
        url = f"{self._api}{path}"
        response, data = await self._send(self._http, url, {}, LOG_AT_MOST)
        for _ in range(_REDIRECTS):
            if response.status_code not in _MOVED:
                break
            url = urljoin(url, response.headers.get("location", ""))
            if urlsplit(url).scheme != urlsplit(self._api).scheme:
                raise UnreachableError("GitHub's link to the log is not an https address")
            response, data = await self._send(self._bare, url, {}, LOG_AT_MOST)
        if response.status_code in (200, 206):
            return data
        if response.status_code >= 500:
            raise UnreachableError(f"the log cannot be had: {response.status_code}")
        self._raise_if_limited(response, data)
        return None

    # --- one request -----------------------------------------------------------------------------

    def _condition(self, key: str) -> dict[str, str]:
        kept = self._kept.get(key)
        return {"If-None-Match": kept[0]} if kept else {}

    async def _send(
        self,
        http: httpx.AsyncClient,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        *,
        method: str = "GET",
        content: bytes | None = None,
    ) -> tuple[httpx.Response, bytes]:
        self._requests += 1
        data = bytearray()
        try:
            async with http.stream(method, url, headers=dict(headers), content=content) as response:
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > 2 * limit:
                        del data[:-limit]
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            self._uncached += 1
            place = urlsplit(self._api).hostname if http is self._http else "the log's server"
            told = one_line(str(error)) or type(error).__name__
            raise UnreachableError(f"{place} does not answer: {told}") from None
        free = response.status_code == 304 and self._token is not None
        self._uncached += not free and http is self._http
        if http is self._http:
            self._note_limits(response)
        return response, bytes(data[-limit:])

    def _note_limits(self, response: httpx.Response) -> None:
        remaining = _number(response.headers.get("x-ratelimit-remaining"))
        reset = _number(response.headers.get("x-ratelimit-reset"))
        if remaining is not None:
            self._remaining = int(remaining)
        if reset is not None and (now := _date(response)) is not None:
            self._reset_in = max(reset - now, 0.0)

    def _moved(self, url: str, response: httpx.Response) -> str:
        """Return where a renamed repository is now: at the same API, or nowhere."""
        target = urljoin(url, str(response.headers.get("location", "")))
        here, there = urlsplit(self._api), urlsplit(target)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise RefusedError("GitHub's answer leads to another host; the token is not sent there")
        return target

    # --- what an answer means --------------------------------------------------------------------

    def _judged(
        self, key: str, response: httpx.Response, data: bytes, expect: tuple[int, ...]
    ) -> Reply:
        status = response.status_code
        if status == 304 and key in self._kept:
            return Reply(200, self._kept[key][1], fresh=False)
        if status == 200:
            if etag := response.headers.get("etag"):
                self._kept[key] = (etag, data)
            return Reply(status, data)
        self._raise_if_limited(response, data)
        if status in expect:
            return Reply(status, data)
        if status in (401, 403, 404):
            raise self._refused(status, data)
        raise UnreachableError(f"GitHub answered {status}: {_message(data)}")

    def _raise_if_limited(self, response: httpx.Response, data: bytes) -> None:
        if response.status_code not in (403, 429):
            return
        told = _message(data)
        after = response.headers.get("retry-after")
        if after is not None:
            raise LimitedError(f"GitHub asks to wait: {told}", _wait(after, response))
        if response.headers.get("x-ratelimit-remaining") == "0":
            wait = self._reset_in if self._reset_in is not None else _A_MINUTE
            raise LimitedError("the limit of requests at GitHub is used up", _bounded(wait + 1))
        if response.status_code == 429 or "rate limit" in told.lower():
            raise LimitedError(f"GitHub asks to wait: {told}", _A_MINUTE)

    def _not_done(self, status: int, data: bytes) -> GrindError:
        with_ = f"the token from {self._token.source}" if self._token else "no token"
        return RefusedError(
            f"GitHub does not do it with {with_} ({status}): {_message(data)}",
            remedy="use a token that may write commit statuses and pull requests",
        )

    def _refused(self, status: int, data: bytes) -> GrindError:
        with_ = f"the token from {self._token.source}" if self._token else "no token"
        remedy = (
            "gh auth login, or set GRIND_GITHUB_TOKEN to a token that may read Actions"
            if self._token is None or status == 401
            else "use a token that may read Actions and Contents of this repository"
        )
        what = {
            401: f"GitHub does not accept {with_}",
            403: f"GitHub does not allow it with {with_}: {_message(data)}",
            404: f"GitHub shows no such repository with {with_}",
        }[status]
        return RefusedError(what, remedy=remedy)


def _wait(after: str, response: httpx.Response) -> float:
    """Return the seconds that `retry-after` says: a number of them, or a date."""
    seconds = _number(after)
    if seconds is None:
        now = _date(response)
        try:
            until = parsedate_to_datetime(after).timestamp()
        except ValueError:
            return _A_MINUTE
        seconds = until - now if now is not None else _A_MINUTE
    return _bounded(seconds)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), _AN_HOUR)


def _date(response: httpx.Response) -> float | None:
    """Return the server's own time, so that a wrong clock here does not matter."""
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _message(data: bytes) -> str:
    import msgspec

    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "without a reason"
    message = told.get("message") if isinstance(told, dict) else None
    return one_line(message)[:300] if isinstance(message, str) else "without a reason"
