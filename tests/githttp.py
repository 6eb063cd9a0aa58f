"""A git server over http on the loopback device: git's own http-backend behind a few lines of CGI."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class GitHttp:
    """Serves the bare repositories under a folder; with a password, to those who have it only."""

    def __init__(self, root: Path, password: str = "") -> None:
        self.root = root
        self.password = password
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_git(self) -> None:
                outer.asked.append(self.path)
                length = int(self.headers.get("Content-Length", "0"))
                data = self.rfile.read(length) if length else self._chunks()
                if not outer.allows(self.headers.get("Authorization", "")):
                    self.answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
                    return
                status, headers, body = outer.backend(self.command, self.path, self.headers, data)
                self.answer(status, headers, body)

            do_GET = do_POST = handle_git  # noqa: N815 - the names that http.server wants

            def _chunks(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "") != "chunked":
                    return b""
                data = b""
                while size := int(self.rfile.readline(), 16):
                    data += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return data

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def allows(self, header: str) -> bool:
        told = base64.b64decode(header.removeprefix("Basic ") or b"").decode()
        return not self.password or told.partition(":")[2] == self.password

    def backend(
        self, method: str, target: str, headers: Any, data: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        split = urlsplit(target)
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.root),
            "REMOTE_USER": "ada",
            "REQUEST_METHOD": method,
            "PATH_INFO": split.path,
            "QUERY_STRING": split.query,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(data)),
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=data, env=env, capture_output=True, check=False
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(fields.pop("Status", "200").split()[0])
        return status, fields, body

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
