"""Real servers on loopback that answer as they are told to, and as badly as that may be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Script = Callable[[socket.socket], None]
"""What a server does with a connection whose request it has read."""


def answer(body: bytes | str = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer with its length."""
    data = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": "application/health+json", "Content-Length": str(len(data))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + data


def says(data: bytes) -> Script:
    """Answers with these bytes, and closes."""

    def script(connection: socket.socket) -> None:
        connection.sendall(data)

    return script


def says_and_stays(data: bytes) -> Script:
    """Answers with these bytes, and keeps the connection."""

    def script(connection: socket.socket) -> None:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            connection.recv(1)

    return script


def silent(connection: socket.socket) -> None:
    """Never answers."""
    with contextlib.suppress(OSError):
        connection.recv(1)


def resets(connection: socket.socket) -> None:
    """Breaks the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def drips(data: bytes, pause: float = 0.05) -> Script:
    """Answers a byte at a time."""

    def script(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return script


def floods(head: bytes) -> Script:
    """Never stops answering."""

    def script(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(b"x" * 65536)

    return script


class Service:
    """One listening socket; the script may be changed while it runs."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, path: str = "/health", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._context else 'http'}://{host}:{self.port}{path}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                self._answer(connection)
        finally:
            connection.close()

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        self.requests.append(request)
        self.script(connection)


@contextlib.contextmanager
def serving(script: Script, context: ssl.SSLContext | None = None) -> Iterator[Service]:
    """A service for the length of a block."""
    service = Service(script, context)
    try:
        yield service
    finally:
        service.close()


class Authority:
    """A throw-away certificate authority, made with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=throw-away", "-days", "2"),
            *("-keyout", self._key, "-out", self.file),
        )

    def context(self, name: str, days: int = 2) -> ssl.SSLContext:
        """What a server needs to be `name` (`DNS:…` or `IP:…`)."""
        stem = name.replace(":", "-")
        key, request, made = (self.folder / f"{stem}.{end}" for end in ("key", "csr", "pem"))
        extension = self.folder / f"{stem}.ext"
        extension.write_text(f"subjectAltName={name}\n")
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=service", "-keyout", key, "-out", request),
        )
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key),
            *("-CAcreateserial", "-days", str(days), "-extfile", extension, "-out", made),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, key)
        return context

    @staticmethod
    def _openssl(*arguments: str | Path) -> None:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
