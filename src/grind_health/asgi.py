"""`/health` for ASGI: an application of its own, and a middleware around another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from grind_health.health import Health, not_allowed, not_found, routes

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class HealthMiddleware:
    """Answers `path`, `path`/live and `path`/ready; passes everything else on untouched.

    Put it outermost: before authentication, host checks and redirects.
    """

    def __init__(self, app: ASGIApp, health: Health, path: str = "/health") -> None:
        self.app = app
        self._health = health
        self._routes = routes(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, by the ASGI specification."""
        live = None
        if scope["type"] == "http":
            path = _below_root(scope) if scope.get("root_path") else scope["path"]
            live = self._routes.get(path)
        if live is None:
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            answer = not_allowed()
        else:
            answer = self._health.at_once(live) or await self._health.ready_async()
        # Fresh messages each time: what stands between here and the server may change them.
        headers = [*answer.raw_headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


class HealthApp(HealthMiddleware):
    """An application that answers nothing but health: to serve alone, or as a raw ASGI route."""

    def __init__(self, health: Health, path: str = "/health") -> None:
        super().__init__(_nothing_else, health, path)


def _below_root(scope: Scope) -> str:
    """Return the path below where the application is mounted (`path` includes `root_path`)."""
    path: str = scope["path"]
    root: str = scope["root_path"]
    return path[len(root) :] if path == root or path.startswith(f"{root}/") else path


async def _nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        answer = not_found()
        headers = [*answer.raw_headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    elif scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        # The specification asks for it: the server then knows that this is not spoken here.
        raise RuntimeError(f"ASGI type {scope['type']!r} is not spoken here")
