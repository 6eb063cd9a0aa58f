"""A stand-in for GitHub's API, for the demo and nothing else: it is not GitHub, and holds one
repository whose runs the demo tells it.

It answers on a loopback port what `grind watch` asks, in GitHub's own form (demoforge_shapes.py): a
test holds every answer to GitHub's published description. A run may be late: then it appears only
some time after somebody has asked for the runs of its commit for the first time.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from grind.commands import demoforge_shapes as shapes
from grind.commands.demoforge_shapes import Job, Run

_SIZE = 30
"""Items of a page when nothing else is asked for, as at GitHub."""


class Reply(NamedTuple):
    """What is answered: a body in JSON, or bytes as they are."""

    status: int
    body: Any = None
    raw: bytes = b""
    location: str = ""


_NOT_FOUND = Reply(404, {"message": "Not Found", "documentation_url": "https://docs.github.com"})


class DemoForge:
    """The stand-in: `start` it, tell it of runs, and `stop` it."""

    address = "127.0.0.1"

    def __init__(self, owner: str, name: str) -> None:
        self._root = f"/repos/{owner}/{name}"
        self._full_name = f"{owner}/{name}"
        self._runs: list[Run] = []
        self._asked: dict[str, float] = {}
        """When the runs of a commit were asked for first: seconds since the epoch."""
        self._lock = threading.Lock()
        self._server: ThreadingTCPServer | None = None
        self.url = ""

    def start(self) -> str:
        """Listen; return why that cannot be, or nothing when it answers."""
        try:
            # not HTTPServer, which asks the name service for the name of its address
            self._server = ThreadingTCPServer((self.address, 0), _handler(self))
        except OSError as error:
            return f"no port can be had here ({error.strerror or error})"
        self._server.daemon_threads = True
        self.url = f"http://{self.address}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return ""

    def stop(self) -> None:
        """Let go of the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def run(self, path: str, sha: str, *jobs: Job, late: float | None = None) -> Run:
        """Have a run of the workflow `path`, over as soon as it is there; `late` is the seconds
        after the first question for it at which it appears."""
        with self._lock:
            number = len(self._runs) + 1
            made = Run(1000 + number, number, path, sha, jobs, int(time.time()), late)
            self._runs.append(made)
        return made

    def answer(self, target: str) -> Reply:
        """Answer a GET of this path and query."""
        split = urlsplit(target)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        with self._lock:
            return self._answer(split.path, query)

    def _answer(self, whole: str, query: dict[str, str]) -> Reply:
        if not whole.startswith(f"{self._root}/"):
            return self._stored_log(whole)
        path = whole.removeprefix(self._root)
        there = [run for run in self._runs if self._is_there(run)]
        if path == "/actions/runs":
            return self._listed(there, query)
        if path == "/actions/workflows":
            rows = [shapes.workflow(self._at, one) for one in sorted({r.path for r in self._runs})]
            return _page("workflows", rows, query)
        if re.fullmatch(r"/rules/branches/[^/]+", path):
            return Reply(200, [])
        if match := re.fullmatch(r"/commits/([0-9a-f]+)/check-suites", path):
            suites = [shapes.suite(self._at, run) for run in there if run.sha == match[1]]
            return _page("check_suites", suites, query)
        if match := re.fullmatch(r"/git/commits/([0-9a-f]+)", path):
            known = any(run.sha == match[1] for run in self._runs)
            return Reply(200, shapes.commit(self._at, match[1])) if known else _NOT_FOUND
        if match := re.fullmatch(r"/actions/runs/(\d+)(/jobs)?", path):
            run = next((one for one in there if one.id == int(match[1])), None)
            if run is None:
                return _NOT_FOUND
            if not match[2]:
                return Reply(200, shapes.run(self._at, run))
            jobs = [shapes.job(self._at, run, place) for place in range(len(run.jobs))]
            return _page("jobs", jobs, query)
        if match := re.fullmatch(r"/actions/jobs/(\d+)/logs", path):
            return Reply(302, location=f"{self.url}/logs/{match[1]}")
        return _NOT_FOUND  # what this token may not see: a branch's protection, the activity

    @property
    def _at(self) -> shapes.Place:
        return shapes.Place(self.url, self._full_name)

    def _is_there(self, run: Run) -> bool:
        if run.late is None:
            return True
        asked = self._asked.get(run.sha)
        return asked is not None and time.time() >= asked + run.late

    def _listed(self, there: list[Run], query: dict[str, str]) -> Reply:
        found = list(reversed(there))
        if wanted := query.get("head_sha", ""):
            self._asked.setdefault(wanted, time.time())
            found = [run for run in found if run.sha == wanted]
        if suite := query.get("check_suite_id", ""):
            found = [run for run in found if str(run.suite) == suite]
        if query.get("branch", shapes.BRANCH) != shapes.BRANCH:
            found = []
        return _page("workflow_runs", [shapes.run(self._at, run) for run in found], query)

    def _stored_log(self, path: str) -> Reply:
        """The store that a link to a log leads to; at GitHub it is another server."""
        for run in self._runs:
            for place, job in enumerate(run.jobs):
                if path == f"/logs/{run.job_id(place)}":
                    return Reply(200, raw=shapes.stamped(run, job.log))
        return _NOT_FOUND


def _page(key: str, rows: list[dict[str, Any]], query: dict[str, str]) -> Reply:
    size, page = int(query.get("per_page", _SIZE)), int(query.get("page", 1))
    return Reply(200, {"total_count": len(rows), key: rows[(page - 1) * size : page * size]})


def _handler(forge: DemoForge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            reply = forge.answer(self.path)
            body = reply.raw if reply.body is None else json.dumps(reply.body).encode()
            etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
            same = reply.status == 200 and self.headers.get("If-None-Match") == etag
            self.send_response_only(304 if same else reply.status)
            self.send_header("Date", formatdate(usegmt=True))
            if reply.status == 200:
                self.send_header("ETag", etag)
            if reply.location:
                self.send_header("Location", reply.location)
            if not same:
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not same:
                self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing: the demo has the screen."""

    return Handler
