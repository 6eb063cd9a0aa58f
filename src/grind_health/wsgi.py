"""`/health` for WSGI: an application of its own, and a middleware around another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from grind_health.health import Answer, Health, not_allowed, not_found, routes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_STATUS_LINES = {
    200: "200 OK",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    503: "503 Service Unavailable",
}


class HealthMiddleware:
    """Answers `path`, `path`/live and `path`/ready; passes everything else on untouched.

    Async checks run on an event loop of their own in a thread.
    """

    def __init__(self, app: WSGIApp, health: Health, path: str = "/health") -> None:
        self.app = app
        self._health = health
        self._routes = routes(path)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, by PEP 3333."""
        live = self._routes.get(environ.get("PATH_INFO", ""))
        if live is None:
            return self.app(environ, start_response)
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            answer = not_allowed()
        else:
            answer = self._health.live() if live else self._health.ready()
        return _send(answer, method, start_response)


class HealthApp(HealthMiddleware):
    """An application that answers nothing but health."""

    def __init__(self, health: Health, path: str = "/health") -> None:
        super().__init__(_nothing_else, health, path)


def _send(answer: Answer, method: str, start_response: StartResponse) -> Iterable[bytes]:
    start_response(_STATUS_LINES[answer.status], list(answer.headers))
    return [] if method == "HEAD" else [answer.body]


def _nothing_else(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    return _send(not_found(), environ["REQUEST_METHOD"], start_response)
