"""A stateful stand-in of GitHub's REST API: a real HTTP server on the loopback device, with a clock
that the test drives, whose every request and answer is held to GitHub's own description.

What it knows of GitHub beyond the description is written where it is done: lists that lag and
flicker, an empty `head_sha` that filters nothing, a 304 that is free for those with a token,
limits, links to logs that expire.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.github.clock import DrivenClock, iso
from tests.github.openapi import Contract, ContractError, Json

OWNER, NAME = "octo", "app"
ROOT = f"/repos/{OWNER}/{NAME}"
TOKEN = "ghp_" + "s3cret" * 6
LINK_SECONDS = 60
ACTIONS = 15368


class Step(NamedTuple):
    """A step that takes `seconds`; without a conclusion it succeeds."""

    name: str
    seconds: float = 5.0
    conclusion: str = "success"


class Job(NamedTuple):
    """A job of one attempt, with times in seconds from the attempt's begin."""

    name: str
    steps: tuple[Step, ...] = (
        Step("Set up job", 1),
        Step("Run make test"),
        Step("Complete job", 1),
    )
    conclusion: str = "success"
    begins: float = 5.0
    log: bytes = b""
    log_after: float = 0.0
    """Seconds after the job's end at which its log can be had."""

    @property
    def ends(self) -> float:
        return self.begins + (0 if self.conclusion == "skipped" else self._steps_end)

    @property
    def _steps_end(self) -> float:
        return sum(step.seconds for step in self.steps)


class Attempt(NamedTuple):
    """One attempt of a run."""

    begins: float
    """By the clock."""
    jobs: tuple[Job, ...]
    conclusion: str
    ends: float
    waits: float = 0.0
    """Seconds of the attempt that are spent in the status `waiting`."""


class Run:
    """A run of a workflow; what it is follows from the time."""

    def __init__(self, id_: int, number: int, path: str, sha: str, created: float) -> None:
        self.id = id_
        self.number = number
        self.path = path
        self.sha = sha
        self.created = created
        self.branch = "main"
        self.event = "push"
        self.suite = id_ + 500_000
        self.listed_from = created
        self.unlisted: tuple[tuple[float, float], ...] = ()
        """Times in which lists that are filtered by commit do not have it, though it is there."""
        self.attempts: list[Attempt] = []
        self.deleted_at = float("inf")

    def attempt(self, now: float) -> tuple[int, Attempt]:
        """The newest attempt that has begun, and its number."""
        begun = [n for n, one in enumerate(self.attempts) if one.begins <= now] or [0]
        return begun[-1] + 1, self.attempts[begun[-1]]

    def is_listed(self, now: float) -> bool:
        hidden = any(first <= now < last for first, last in self.unlisted)
        return self.is_there(now) and now >= self.listed_from and not hidden

    def is_there(self, now: float) -> bool:
        return self.created <= now < self.deleted_at

    def rerun(self, after: float, *jobs: Job, conclusion: str = "success") -> None:
        """Somebody starts the run again, `after` seconds after its creation."""
        begins = self.created + after
        self.attempts.append(Attempt(begins, jobs, conclusion, begins + _length(jobs)))

    def state(self, now: float) -> tuple[str, str | None, float]:
        """Status, conclusion, and the time of the last change."""
        _, attempt = self.attempt(now)
        if now >= attempt.ends:
            return "completed", attempt.conclusion, attempt.ends
        if now < attempt.begins + attempt.waits:
            return "waiting", None, attempt.begins
        first = min((job.begins for job in attempt.jobs), default=0.0) + attempt.begins
        return ("queued", None, attempt.begins) if now < first else ("in_progress", None, first)


class Request(NamedTuple):
    """What was asked, and what became of it."""

    at: float
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int
    counted: bool
    """Whether it counted against the limit."""
    poll: int
    """How often the watcher had waited before."""
    method: str = "get"
    body: Any = None


class Reply(NamedTuple):
    """What is answered."""

    status: int
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    raw: bytes | None = None
    cut: bool = False
    """Whether the connection breaks in the middle of the answer."""


class Fault(NamedTuple):
    """An answer instead of the right one, for requests whose path has `part` in it."""

    part: str
    reply: Reply
    first: float
    last: float


def error(status: int, message: str, **headers: str) -> Reply:
    """An error in GitHub's form."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"message": message, "documentation_url": "https://docs"}, named)


class GitHub:
    """The state of one repository at GitHub."""

    def __init__(self, contract: Contract, clock: DrivenClock) -> None:
        self.contract = contract
        self.clock = clock
        self.runs: list[Run] = []
        self.commits: set[str] = set()
        self.activity: list[tuple[str, str, str, float]] = []
        self.workflows: dict[str, str] = {}
        self.rules: list[str] = []
        self.protected: list[str] = []
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.private = False
        self.read_only = False
        """Whether the token may only read."""
        self.statuses: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self.moved_to: str | None = None
        self.remaining = 5000
        self.reset = clock.now() + 3600
        self.page_limit = 100
        self.path_form = "{path}"
        self.blob_url = ""
        self.blobs: dict[str, tuple[float, bytes]] = {}
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}

    # --- what tests do ---------------------------------------------------------------------------

    def push(self, *shas: str, branch: str = "main", before: str = "0" * 40) -> None:
        """Somebody pushes commits, the newest last."""
        self.commits.update(shas)
        self.activity.insert(0, (before, shas[-1], f"refs/heads/{branch}", self.clock.now()))

    def run(
        self,
        path: str,
        sha: str,
        *jobs: Job,
        after: float = 0.0,
        conclusion: str = "success",
        waits: float = 0.0,
        **more: Any,
    ) -> Run:
        """GitHub creates a run, `after` seconds from now."""
        created = self.clock.now() + after
        number = self._numbers[path] = self._numbers.get(path, 0) + 1
        run = Run(1000 + len(self.runs), number, path, sha, created)
        run.listed_from = created
        for name, value in more.items():
            assert hasattr(run, name), name
            setattr(run, name, value)
        ends = created + waits + _length(jobs)
        run.attempts.append(Attempt(created, jobs, conclusion, ends, waits))
        self.runs.append(run)
        return run

    def fail(self, part: str, reply: Reply, first: float = 0.0, last: float = 1e9) -> None:
        """Answer so to requests with `part` in their path, between two times from now."""
        now = self.clock.now()
        self.faults.append(Fault(part, reply, now + first, now + last))

    @property
    def uncached(self) -> list[Request]:
        """The requests that counted."""
        return [request for request in self.requests if request.counted]

    # --- the door --------------------------------------------------------------------------------

    def answer(
        self, target: str, headers: dict[str, str], method: str = "get", data: bytes = b""
    ) -> Reply:
        """Answer one request; what breaks the contract is remembered and answered with a 599."""
        with self._lock:
            try:
                body = json.loads(data) if data else None
                return self._answer(target, headers, method, body)
            except Exception as problem:
                self.violations.append(f"{target}: {type(problem).__name__}: {problem}")
                return Reply(599, {"message": str(problem)})

    def _answer(self, target: str, headers: dict[str, str], method: str, body: Any) -> Reply:
        split = urlsplit(target)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        path = split.path.removeprefix("/api/v3")
        template, holes = self.contract.template(path)
        self.contract.check_request(
            template, {k: unquote(v) for k, v in holes.items()}, query, method, body
        )
        if headers.get("accept") != "application/vnd.github+json" or "user-agent" not in headers:
            raise ContractError("the headers that GitHub asks for are missing")
        token = headers.get("authorization", "").removeprefix("Bearer ")
        asked = {**query, "": body} if method != "get" else query
        reply = self._judge(template, path, holes, asked, headers, token, method)
        self.contract.check_answer(template, reply.status, reply.body, method)
        counted = reply.status != 304 or not token
        if counted and self.remaining > 0:
            self.remaining -= 1
        now, poll = self.clock.now(), len(self.clock.naps)
        self.requests.append(
            Request(now, path, query, headers, reply.status, counted, poll, method, body)
        )
        limits = {
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(int(self.reset)),
        }
        return reply._replace(headers=limits | reply.headers)

    def _judge(
        self,
        template: str,
        path: str,
        holes: dict[str, str],
        query: dict[str, str],
        headers: dict[str, str],
        token: str,
        method: str,
    ) -> Reply:
        now = self.clock.now()
        if now >= self.reset:
            self.remaining, self.reset = 5000, now + 3600
        for fault in self.faults:
            if fault.part in path and fault.first <= now < fault.last:
                return fault.reply
        if token and token != TOKEN:
            return error(401, "Bad credentials")
        if self.remaining <= 0:
            return error(403, "API rate limit exceeded for user ID 1.")
        if (holes["owner"], holes["repo"]) != (OWNER, NAME) or (self.private and not token):
            return error(404, "Not Found")
        if self.moved_to is not None:
            return Reply(301, {"message": "Moved Permanently"}, {"location": self.moved_to})
        name = template.removeprefix("/repos/{owner}/{repo}").lstrip("/")
        key = name if method == "get" else f"{method} {name}"
        handler: Callable[[dict[str, str], dict[str, Any]], Reply] = _HANDLERS[key].__get__(self)
        if method != "get" and (not token or self.read_only):
            return error(403, "Resource not accessible by personal access token")
        reply = handler(holes, query)
        if reply.status != 200:
            return reply
        etag = 'W/"' + hashlib.sha256(json.dumps(reply.body).encode()).hexdigest()[:32] + '"'
        if headers.get("if-none-match") == etag:
            return Reply(304, None, {"etag": etag})
        return reply._replace(headers={"etag": etag})

    # --- the paths -------------------------------------------------------------------------------

    def _runs(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        now = self.clock.now()
        found = [run for run in self.runs if run.is_there(now)]
        if "head_sha" in query:
            # an empty one filters nothing, and a short one matches nothing: both as at GitHub
            wanted = query["head_sha"]
            found = [r for r in found if (r.sha == wanted or not wanted) and r.is_listed(now)]
        if "branch" in query:
            found = [run for run in found if run.branch == query["branch"]]
        if "check_suite_id" in query:
            found = [run for run in found if run.suite == int(query["check_suite_id"])]
        found.sort(key=lambda run: (-run.created, -run.id))
        return self._page("workflow_runs", [self._run_json(run) for run in found], query)

    def _run(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        run = self._find(holes)
        return error(404, "Not Found") if run is None else Reply(200, self._run_json(run))

    def _jobs(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        run = self._find(holes)
        if run is None:
            return error(404, "Not Found")
        number, attempt = run.attempt(self.clock.now())
        return self._page("jobs", self._jobs_json(run, number, attempt), query)

    def _attempt_jobs(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        run, number = self._find(holes), int(holes["attempt_number"])
        if run is None or not 1 <= number <= len(run.attempts):
            return error(404, "Not Found")
        return self._page("jobs", self._jobs_json(run, number, run.attempts[number - 1]), query)

    def _logs(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        now = self.clock.now()
        for run in self.runs:
            for number, attempt in enumerate(run.attempts, 1):
                for place, job in enumerate(attempt.jobs):
                    if _job_id(run, number, place) != int(holes["job_id"]):
                        continue
                    if now < attempt.begins + job.ends + job.log_after:
                        return error(404, "Not Found")
                    name = f"/signed/{holes['job_id']}"
                    self.blobs[name] = (now + LINK_SECONDS, job.log)
                    return Reply(302, None, {"location": f"{self.blob_url}{name}?sig=abc"}, b"")
        return error(404, "Not Found")

    def _workflows(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        smallest = self.contract.smallest(self.contract.schema("workflow"))
        rows = [smallest | {"path": p, "state": s} for p, s in self.workflows.items()]
        return self._page("workflows", rows, query)

    def _activity(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        smallest = self.contract.smallest(self.contract.schema("activity"))
        rows = [
            smallest | {"before": before, "after": after, "ref": ref, "timestamp": iso(at)}
            for before, after, ref, at in self.activity
            if query.get("ref", ref) == ref
        ]
        return Reply(200, rows)

    def _suites(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        if holes["ref"] not in self.commits:
            return error(422, f"No commit found for SHA: {holes['ref']}")
        now = self.clock.now()
        smallest = self.contract.smallest(self.contract.schema("check-suite"))
        app = self._app("github-actions")
        rows = [
            smallest | {"id": run.suite, "head_sha": run.sha, "app": app}
            for run in self.runs
            if run.sha == holes["ref"] and run.is_there(now)
        ]
        rows.append(smallest | {"id": 1, "head_sha": holes["ref"], "app": self._app("other")})
        return self._page("check_suites", rows, query)

    def _post_status(self, holes: dict[str, str], query: dict[str, Any]) -> Reply:
        if holes["sha"] not in self.commits:
            return error(422, f"No commit found for SHA: {holes['sha']}")
        asked = query[""]
        self.statuses.append({"sha": holes["sha"], **asked})
        smallest = self.contract.smallest(self.contract.schema("status"))
        return Reply(201, smallest | {"state": asked["state"], "context": asked["context"]})

    def _pulls(self, holes: dict[str, str], query: dict[str, Any]) -> Reply:
        found = [
            pull
            for pull in self.pulls
            if query.get("head") == f"{OWNER}:{pull['head']}" and query.get("base") == pull["base"]
        ]
        return Reply(200, [self._pull_json(pull, "pull-request-simple") for pull in found])

    def _post_pull(self, holes: dict[str, str], query: dict[str, Any]) -> Reply:
        asked = query[""]
        if any(pull["head"] == asked["head"] for pull in self.pulls):
            return Reply(422, {"message": "Validation Failed", "documentation_url": "https://docs"})
        self.pulls.append({**asked, "number": 7 + len(self.pulls), "edits": 0})
        return Reply(201, self._pull_json(self.pulls[-1], "pull-request"))

    def _patch_pull(self, holes: dict[str, str], query: dict[str, Any]) -> Reply:
        for pull in self.pulls:
            if pull["number"] == int(holes["pull_number"]):
                pull |= query[""]
                pull["edits"] += 1
                return Reply(200, self._pull_json(pull, "pull-request"))
        return error(404, "Not Found")

    def _pull_json(self, pull: dict[str, Any], schema: str) -> Json:
        smallest = self.contract.smallest(self.contract.schema(schema))
        url = f"https://github.com/{OWNER}/{NAME}/pull/{pull['number']}"
        words = {"title": pull["title"], "body": pull.get("body")}
        result: Json = smallest | words | {"number": pull["number"], "html_url": url}
        return result

    def _app(self, slug: str) -> Json:
        schema = self.contract.schema("nullable-integration") | {"type": "object"}
        return self.contract.smallest(schema) | {"slug": slug}  # type: ignore[no-any-return]

    def _commit(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        if holes["commit_sha"] not in self.commits:
            return error(404, "Not Found")
        body = self.contract.smallest(self.contract.schema("git-commit"))
        return Reply(200, body | {"sha": holes["commit_sha"]})

    def _branch(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        body = self.contract.smallest(self.contract.schema("branch-with-protection"))
        checks = {"enforcement_level": "everyone", "contexts": self.protected, "checks": []}
        return Reply(200, body | {"protection": {"required_status_checks": checks}})

    def _rules(self, holes: dict[str, str], query: dict[str, str]) -> Reply:
        checks = [{"context": name} for name in self.rules]
        parameters = {
            "required_status_checks": checks,
            "strict_required_status_checks_policy": False,
        }
        source = {"ruleset_source_type": "Repository", "ruleset_source": NAME, "ruleset_id": 1}
        rows: list[Json] = [{"type": "deletion"} | source]
        if checks:
            rows.append({"type": "required_status_checks", "parameters": parameters} | source)
        return Reply(200, rows)

    # --- how things look -------------------------------------------------------------------------

    def _page(self, key: str, rows: list[Json], query: dict[str, str]) -> Reply:
        size = min(int(query.get("per_page", "30")), self.page_limit)
        start = (int(query.get("page", "1")) - 1) * size
        return Reply(200, {"total_count": len(rows), key: rows[start : start + size]})

    def _find(self, holes: dict[str, str]) -> Run | None:
        now = self.clock.now()
        wanted = int(holes["run_id"])
        return next((run for run in self.runs if run.id == wanted and run.is_there(now)), None)

    def _run_json(self, run: Run) -> Json:
        now = self.clock.now()
        number, _ = run.attempt(now)
        status, conclusion, updated = run.state(now)
        smallest = self.contract.smallest(self.contract.schema("workflow-run"))
        return smallest | {  # type: ignore[no-any-return]
            "id": run.id,
            "path": self.path_form.format(path=run.path),
            "event": run.event,
            "head_sha": run.sha,
            "head_branch": run.branch,
            "run_number": run.number,
            "run_attempt": number,
            "status": status,
            "conclusion": conclusion,
            "check_suite_id": run.suite,
            "html_url": f"https://github.com/{OWNER}/{NAME}/actions/runs/{run.id}",
            "created_at": iso(run.created),
            "updated_at": iso(updated),
        }

    def _jobs_json(self, run: Run, number: int, attempt: Attempt) -> list[Json]:
        now = self.clock.now()
        smallest = self.contract.smallest(self.contract.schema("job"))
        rows = []
        for place, job in enumerate(attempt.jobs):
            begins = attempt.begins + attempt.waits + job.begins
            ends = attempt.begins + attempt.waits + job.ends
            status = "queued" if now < begins else "in_progress" if now < ends else "completed"
            if attempt.waits and now < begins:
                status = "waiting"
            rows.append(
                smallest
                | {
                    "id": _job_id(run, number, place),
                    "run_id": run.id,
                    "run_attempt": number,
                    "head_sha": run.sha,
                    "name": job.name,
                    "status": status,
                    "conclusion": job.conclusion if status == "completed" else None,
                    "started_at": iso(begins),
                    "completed_at": iso(ends) if status == "completed" else None,
                    "html_url": f"https://github.com/{OWNER}/{NAME}/job/{place}",
                    "steps": _steps_json(job, begins, now),
                }
            )
        return rows


def _steps_json(job: Job, begins: float, now: float) -> list[Json]:
    rows: list[Json] = []
    for number, step in enumerate(() if job.conclusion == "skipped" else job.steps, 1):
        ends = begins + step.seconds
        status = "queued" if now < begins else "in_progress" if now < ends else "completed"
        rows.append(
            {
                "number": number,
                "name": step.name,
                "status": status,
                "conclusion": step.conclusion if status == "completed" else None,
                "started_at": iso(begins) if status != "queued" else None,
                "completed_at": iso(ends) if status == "completed" else None,
            }
        )
        begins = ends
    return rows


def _job_id(run: Run, attempt: int, place: int) -> int:
    return run.id * 10_000 + attempt * 1_000 + place


def _length(jobs: tuple[Job, ...]) -> float:
    return max((job.ends for job in jobs), default=1.0) + 2


_HANDLERS: dict[str, Any] = {
    "actions/runs": GitHub._runs,
    "actions/runs/{run_id}": GitHub._run,
    "actions/runs/{run_id}/jobs": GitHub._jobs,
    "actions/runs/{run_id}/attempts/{attempt_number}/jobs": GitHub._attempt_jobs,
    "actions/jobs/{job_id}/logs": GitHub._logs,
    "actions/workflows": GitHub._workflows,
    "activity": GitHub._activity,
    "branches/{branch}": GitHub._branch,
    "commits/{ref}/check-suites": GitHub._suites,
    "git/commits/{commit_sha}": GitHub._commit,
    "rules/branches/{branch}": GitHub._rules,
    "pulls": GitHub._pulls,
    "post pulls": GitHub._post_pull,
    "patch pulls/{pull_number}": GitHub._patch_pull,
    "post statuses/{sha}": GitHub._post_status,
}


# --- the servers ---------------------------------------------------------------------------------


class Server:
    """Two origins: the API, and the store of logs that it links to."""

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self.log_headers: list[dict[str, str]] = []
        """Headers of the requests that the store of logs got."""
        self._api = self._start(self._api_reply)
        self._blob = self._start(self._blob_reply)
        self.url = f"http://127.0.0.1:{self._api.server_port}"
        github.blob_url = f"http://127.0.0.1:{self._blob.server_port}"

    def _api_reply(self, target: str, headers: dict[str, str], method: str, data: bytes) -> Reply:
        return self.github.answer(target, headers, method, data)

    def _blob_reply(self, target: str, headers: dict[str, str], method: str, data: bytes) -> Reply:
        self.log_headers.append(headers)
        until, data = self.github.blobs.get(urlsplit(target).path, (0.0, b""))
        if self.github.clock.now() > until:
            return Reply(403, raw=b"<Error>AuthenticationFailed</Error>")
        return Reply(200, raw=data)

    def _start(
        self, reply: Callable[[str, dict[str, str], str, bytes], Reply]
    ) -> ThreadingHTTPServer:
        clock = self.github.clock

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                given = {name.lower(): value for name, value in self.headers.items()}
                data = self.rfile.read(int(given.get("content-length", "0")))
                _write(self, reply(self.path, given, self.command.lower(), data), clock.now())

            do_POST = do_PATCH = do_GET  # noqa: N815 - the names that http.server wants

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def close(self) -> None:
        for server in (self._api, self._blob):
            server.shutdown()
            server.server_close()


def _write(handler: BaseHTTPRequestHandler, reply: Reply, now: float) -> None:
    body = reply.raw
    if body is None:
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
    handler.send_response_only(reply.status)
    handler.send_header("Date", formatdate(now, usegmt=True))
    handler.send_header("Content-Type", "application/json; charset=utf-8")
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.status != 304:
        handler.send_header("Content-Length", str(len(body) + (100 if reply.cut else 0)))
    handler.end_headers()
    if reply.status != 304:
        handler.wfile.write(body)
    if reply.cut:
        handler.close_connection = True
