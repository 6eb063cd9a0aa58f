"""`grind_health` beside a bare ASGI app that returns a constant, under the same real uvicorn.

One process serves all contenders, each on a port of its own, and they take short turns in changing
order, so that what else the machine does, and how an interpreter happens to lie in memory, hits all
alike. Figures are medians of turns, in requests per second and (quieter on a busy machine) per
second of the server's own CPU time.
"""

from __future__ import annotations

import os
import random
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple

from bench.table import Row
from bench.timing import BenchError, Stopwatch, median

GOAL = 0.9
CONNECTIONS = 8
PIPELINED = 16  # requests on the way per connection: keeps the client cheaper than the server
CONTENDERS = {
    # name: (application, path, whether the goal is for it)
    "bare app": ("bare", "/health", False),
    "bare app, same body": ("bare_same_body", "/health", False),
    "live": ("plain", "/health/live", True),
    "ready, no checks": ("plain", "/health", True),
    "middleware, other path": ("around_bare", "/else", True),
    "ready, one async check": ("async_check", "/health", False),
    "ready, one sync check": ("sync_check", "/health", False),
}
SERVERS = (("httptools", "uvloop"), ("h11", "asyncio"))
SECONDS = 0.06
"""Per contender and round."""
ROUNDS = 101


def applications() -> dict[str, Any]:
    """Build every application; called in the server's process."""
    from grind_health import DeploymentContext, Health
    from grind_health.asgi import HealthApp, HealthMiddleware

    def constant(body: bytes, media_type: bytes) -> Any:
        headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]

        async def app(scope: Any, _receive: Any, send: Any) -> None:
            assert scope["type"] == "http"
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        return app

    async def ask() -> bool:
        return True

    context = DeploymentContext.from_environment("BENCH", service="bench", version="1.0")
    plain, with_async, with_sync = Health(context), Health(context), Health(context)
    with_async.check("async")(ask)
    with_sync.check("sync")(lambda: True)
    bare = constant(b'{"status": "pass"}\n', b"application/json")
    return {
        "bare": bare,
        "bare_same_body": constant(plain.live().body, b"application/health+json"),
        "plain": HealthApp(plain),
        "around_bare": HealthMiddleware(bare, plain),
        "async_check": HealthApp(with_async),
        "sync_check": HealthApp(with_sync),
    }


async def serve(http: str, loop: str, fds: list[int]) -> None:
    """Serve every contender, each on an inherited socket, until the process is ended."""
    import asyncio

    import uvicorn

    built = applications()
    servers = []
    for (application, _, _), fd in zip(CONTENDERS.values(), fds, strict=True):
        config = uvicorn.Config(
            built[application],
            http=http,  # type: ignore[arg-type]
            loop=loop,  # type: ignore[arg-type]
            lifespan="off",
            access_log=False,
            log_level="error",
        )
        servers.append(uvicorn.Server(config).serve(sockets=[socket.socket(fileno=fd)]))
    await asyncio.gather(*servers)


class Server(NamedTuple):
    """The running server: where each contender is, and which process to ask for its CPU time."""

    addresses: dict[str, tuple[str, int]]
    pid: int

    def cpu_seconds(self) -> float:
        """Return user and system time so far, of all threads (schedstat: nanoseconds)."""
        tasks = f"/proc/{self.pid}/task"
        total = 0
        for thread in os.listdir(tasks):
            # A thread of a check may end between being listed, opened and read.
            with (
                suppress(FileNotFoundError, ProcessLookupError),
                open(f"{tasks}/{thread}/schedstat") as file,
            ):
                total += int(file.read().split()[0])
        return total / 1e9


@contextmanager
def running(http: str, loop: str) -> Iterator[Server]:
    """Serve all contenders in a process of its own."""
    with ExitStack() as stack:
        listeners = {
            name: stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
            for name in CONTENDERS
        }
        fds = [listener.fileno() for listener in listeners.values()]
        command = [sys.executable, "-m", "bench.health", http, loop, *map(str, fds)]
        process = subprocess.Popen(command, pass_fds=fds)
        try:
            addresses = {name: listener.getsockname() for name, listener in listeners.items()}
            yield Server(addresses, process.pid)
        finally:
            process.kill()  # nothing to finish: several servers in one process share its signals
            process.wait()


def load(server: Server, name: str, seconds: float) -> tuple[float, float]:
    """Ask as fast as the server answers. Returns requests per second, by the wall and by its CPU.

    Raises BenchError if anything but 200 comes back: a fast error is not fast.
    """
    path = CONTENDERS[name][1]
    request = f"GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()
    poll = select.epoll()
    sockets = {}
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(server.addresses[name])
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
    waiting = dict.fromkeys(sockets, 0)
    done, tails = 0, dict.fromkeys(sockets, b"")
    cpu, watch = server.cpu_seconds(), Stopwatch()
    for fd, connection in sockets.items():
        connection.sendall(request * PIPELINED)
        waiting[fd] = PIPELINED
    while any(waiting.values()):
        for fd, _ in poll.poll():
            data = tails[fd] + sockets[fd].recv(1 << 18)
            answered = data.count(b"HTTP/1.1 200 ")
            if data.count(b"HTTP/1.1 ") != answered or data == tails[fd]:
                raise BenchError(f"{path}: unexpected answer {data[:200]!r}")
            tails[fd] = data[data.rindex(b"HTTP/1.1 200 ") + 13 :][-12:] if answered else data[-12:]
            done += answered
            waiting[fd] -= answered
            if waiting[fd] == 0 and watch.seconds() < seconds:
                sockets[fd].sendall(request * PIPELINED)
                waiting[fd] = PIPELINED
    elapsed, cpu = watch.seconds(), server.cpu_seconds() - cpu
    poll.close()
    for connection in sockets.values():
        connection.close()
    return done / elapsed, done / cpu


def measure(http: str, loop: str, seconds: float, rounds: int) -> dict[str, tuple[float, float]]:
    """Return for each contender the medians of requests per second, by the wall and by CPU."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTENDERS}
    order = list(CONTENDERS)
    with running(http, loop) as server:
        for name in order:
            load(server, name, 0.2)  # warm
        for _ in range(rounds):
            for name in order:
                results[name].append(load(server, name, seconds))
            random.shuffle(order)
    return {
        name: (median([wall for wall, _ in runs]), median([spent for _, spent in runs]))
        for name, runs in results.items()
    }


def rows() -> Iterator[Row]:
    """Measure under both servers; the goal is for the wall clock."""
    for http, loop in SERVERS:
        medians = measure(http, loop, SECONDS, ROUNDS)
        wall, cpu = medians["bare app"]
        beside = f"bare app, {http} + {loop}"
        for name, (_, _, has_goal) in CONTENDERS.items():
            if name == "bare app":
                continue
            its_wall, its_cpu = medians[name]
            goal = GOAL if has_goal else None
            yield Row("health", name, its_wall, beside, wall, goal, "/s")
            if has_goal:
                yield Row("health", f"{name}, per CPU second", its_cpu, beside, cpu, None, "/s")


def main(argv: list[str]) -> None:
    """Be the server: HTTP LOOP FD…"""
    http, loop, *fds = argv
    run = import_module("uvloop" if loop == "uvloop" else "asyncio").run
    run(serve(http, loop, [int(fd) for fd in fds]))


if __name__ == "__main__":
    main(sys.argv[1:])
