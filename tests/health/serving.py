"""Real servers on loopback for the tests of `grind_health`."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SRC = Path(__file__).parents[2] / "src"


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)


class Service(NamedTuple):
    port: int

    def ask(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask over a connection of its own; redirects are not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()


@contextmanager
def uvicorn_service(app: Any) -> Iterator[Service]:
    """Serve an ASGI application with uvicorn in a thread, so that the test can reach inside it."""
    import socket

    import uvicorn

    config = uvicorn.Config(app, log_level="error", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Service(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def example_service(kind: str, target: str, folder: Path, **variables: str) -> Iterator[Service]:
    """Serve `module:attribute` from `folder` in a process of its own (see `serve.py`)."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CHOIROS_", "PYTHON", "DJANGO_")) and name != "HOSTNAME"
    }
    environ |= variables | {"PYTHONPATH": os.pathsep.join([str(folder), str(SRC)])}
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("serve.py"))]
    with subprocess.Popen(
        [*command, kind, target], env=environ, cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("port "), f"{target} did not start: {line!r}"
            yield Service(int(line.split()[1]))
        finally:
            process.terminate()
            process.wait()
