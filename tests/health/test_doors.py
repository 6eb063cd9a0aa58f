"""ASGI and WSGI: over a real uvicorn where a server matters, by the specification elsewhere."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from grind_health import Check, DeploymentContext, Health, asgi, failed, wsgi
from tests.health.serving import uvicorn_service

HEALTH = Health(DeploymentContext(instance_role="grind"))


async def inner_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Say what came through."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = f"inner {scope['method']} {scope['path']}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def test_alone_on_uvicorn() -> None:
    with uvicorn_service(asgi.HealthApp(HEALTH)) as service:
        for path in ("/health", "/health/", "/health?x=1", "/health/ready", "/health/live/"):
            reply = service.ask(path)
            assert reply.status == 200
            assert reply.document["instance_role"] == "grind"
        for path in ("/", "/healthy", "/health/other", "//health", "/health/live/x"):
            assert service.ask(path).status == 404
        head = service.ask("/health", "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(HEALTH.live().body))
        assert service.ask("/other", "HEAD").status == 404
        refused = service.ask("/health", "DELETE")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_around_another_application_on_uvicorn() -> None:
    """Start-up passes through, too: uvicorn would not serve otherwise."""
    with uvicorn_service(asgi.HealthMiddleware(inner_asgi, HEALTH, path="/up")) as service:
        assert service.ask("/up").document["status"] == "pass"
        assert service.ask("/health").body == b"inner GET /health"
        assert service.ask("/health", "POST").body == b"inner POST /health"


def test_a_hanging_check_on_uvicorn_leaves_the_service_alive() -> None:
    gate = threading.Event()
    health = Health(
        DeploymentContext(),
        checks=[Check("db", gate.wait, timeout=0.05), Check("q", lambda: failed("full"))],
    )
    try:
        with uvicorn_service(asgi.HealthApp(health)) as service:
            reply = service.ask("/health")
            assert reply.status == 503
            assert reply.document["checks"]["db"][0]["output"] == "no answer within 0.05 s"
            assert reply.document["checks"]["q"][0]["output"] == "full"
            assert service.ask("/health/live").status == 200
            head = service.ask("/health", "HEAD")
            assert (head.status, head.body) == (503, b"")
    finally:
        gate.set()


def call(app: Any, scope: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("path", "root", "status"),
    [
        ("/health", "", 200),
        ("/api/health", "/api", 200),  # `path` includes `root_path`
        ("/health", "/api", 200),  # servers and proxies that leave it out
        ("/api/health", "", 404),
        ("/apihealth", "/api", 404),
        ("/api", "/api", 404),
    ],
)
def test_mounted(path: str, root: str, status: int) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": root}
    assert call(asgi.HealthApp(HEALTH), scope)[0]["status"] == status


def test_mounted_at_its_own_path() -> None:
    app = asgi.HealthApp(HEALTH, path="")
    for path in ("/health", "/health/", "/health/live"):
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "/health"}
        assert call(app, scope)[0]["status"] == 200


def test_messages_are_fresh_each_time() -> None:
    """What changes the headers on their way out must not change the next answer."""
    scope = {"type": "http", "method": "GET", "path": "/health"}
    first = call(asgi.HealthApp(HEALTH), scope)
    first[0]["headers"].append((b"x", b"y"))
    second = call(asgi.HealthApp(HEALTH), scope)
    assert (b"x", b"y") not in second[0]["headers"]


def test_other_connections() -> None:
    app = asgi.HealthApp(HEALTH)
    closed = call(app, {"type": "websocket", "path": "/health"})
    assert closed == [{"type": "websocket.close", "code": 1000}]
    with pytest.raises(RuntimeError, match="carrier-pigeon"):
        call(app, {"type": "carrier-pigeon"})


@pytest.mark.parametrize("path", ["health", "/health/", "/", "health/"])
@pytest.mark.parametrize("door", [asgi.HealthApp, wsgi.HealthApp])
def test_a_path_written_wrongly_is_refused(door: Any, path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        door(HEALTH, path=path)


def ask_wsgi(app: Any, path: str, method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    from wsgiref.util import setup_testing_defaults
    from wsgiref.validate import validator

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": ""}
    started: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started.append((status, dict(headers)))
        return lambda data: None

    result = validator(app)(environ, start_response)
    try:
        body = b"".join(result)
    finally:
        result.close()
    [(status, headers)] = started
    return status, headers, body


def test_wsgi_alone() -> None:
    app = wsgi.HealthApp(HEALTH)
    status, headers, body = ask_wsgi(app, "/health/")
    assert (status, headers["content-type"]) == ("200 OK", "application/health+json")
    assert b'"instance_role":"grind"' in body
    assert ask_wsgi(app, "/health", "HEAD")[::2] == ("200 OK", b"")
    assert ask_wsgi(app, "/health", "PUT")[0] == "405 Method Not Allowed"
    assert ask_wsgi(app, "/else")[::2] == ("404 Not Found", b"not found\n")
    assert ask_wsgi(app, "/else", "HEAD")[::2] == ("404 Not Found", b"")


def test_wsgi_around_another_application() -> None:
    def inner(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    failing = Health(DeploymentContext(), checks=[Check("db", lambda: False)])
    app = wsgi.HealthMiddleware(inner, failing, path="/up")
    assert ask_wsgi(app, "/health")[2] == b"/health"
    assert ask_wsgi(app, "/up")[0] == "503 Service Unavailable"
    assert ask_wsgi(app, "/up/live")[0] == "200 OK"


def test_wsgi_with_an_async_check() -> None:
    async def check() -> None:
        await asyncio.sleep(0)

    app = wsgi.HealthApp(Health(DeploymentContext(), checks=[Check("db", check)]))
    assert ask_wsgi(app, "/health")[0] == "200 OK"
