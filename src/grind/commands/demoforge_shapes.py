"""What the demo's stand-in for GitHub answers, in GitHub's form: its REST API's description, version
2022-11-28, names the fields, and a test holds these bodies to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

Json = dict[str, Any]

BRANCH = "main"
_ADDRESSES = """archive assignees blobs branches collaborators comments commits compare contents
contributors deployments downloads events forks git_commits git_refs git_tags hooks issue_comment
issue_events issues keys labels languages merges milestones notifications pulls releases stargazers
statuses subscribers subscription tags teams trees"""
_OF_AN_OWNER = """avatar events followers following gists html organizations received_events repos
starred subscriptions"""
_OF_A_RUN = "jobs logs check_suite cancel rerun artifacts workflow"


class Step(NamedTuple):
    """A step of a job."""

    name: str
    conclusion: str = "success"


class Job(NamedTuple):
    """A job: skipped when it has no step, and red when a step failed."""

    name: str
    steps: tuple[Step, ...] = ()
    log: tuple[str, ...] = ()
    """Its lines, without the time that GitHub writes before each."""

    @property
    def conclusion(self) -> str:
        """How it ended."""
        if not self.steps:
            return "skipped"
        return "failure" if any(s.conclusion == "failure" for s in self.steps) else "success"


class Run(NamedTuple):
    """A run of a workflow, over from the second on in which it began."""

    id: int
    number: int
    path: str
    sha: str
    jobs: tuple[Job, ...]
    at: int
    """When it began and ended: whole seconds since the epoch, as GitHub tells them."""
    late: float | None
    """Seconds after the first question for it at which it appears; None for at once."""

    @property
    def suite(self) -> int:
        """The id of its check suite."""
        return self.id + 500_000

    @property
    def conclusion(self) -> str:
        """How it ended."""
        return "failure" if any(job.conclusion == "failure" for job in self.jobs) else "success"

    def job_id(self, place: int) -> int:
        """The id of its job at `place`."""
        return self.id * 100 + place


class Place(NamedTuple):
    """Where the stand-in answers, and the repository that it holds."""

    url: str
    full_name: str

    @property
    def api(self) -> str:
        """The repository's address."""
        return f"{self.url}/repos/{self.full_name}"

    @property
    def page(self) -> str:
        """Where a person would look, if the stand-in had pages."""
        return f"https://stand-in.invalid/{self.full_name}"


def stamped(run: Run, lines: tuple[str, ...]) -> bytes:
    """Return a log as GitHub keeps it: each line with its time."""
    stamp = _time(run.at).removesuffix("Z") + ".0000000Z "
    return "".join(f"{stamp}{line}\n" for line in lines).encode()


def run(at: Place, one: Run) -> Json:
    """`workflow-run`."""
    api = f"{at.api}/actions/runs/{one.id}"
    return {
        **_names(one.id, "RUN"),
        **_addresses(_OF_A_RUN, api),
        "path": one.path,
        "event": "push",
        "head_sha": one.sha,
        "head_branch": BRANCH,
        "head_commit": None,
        "head_repository": _repository(at),
        "repository": _repository(at),
        "run_number": one.number,
        "run_attempt": 1,
        "display_title": f"Run {one.number}",
        "status": "completed",
        "conclusion": one.conclusion,
        "workflow_id": 1,
        "check_suite_id": one.suite,
        "url": api,
        "html_url": f"{at.page}/actions/runs/{one.id}",
        "created_at": _time(one.at),
        "updated_at": _time(one.at),
        "pull_requests": [],
    }


def job(at: Place, one: Run, place: int) -> Json:
    """`job`."""
    made = one.jobs[place]
    number, when = one.job_id(place), _time(one.at)
    return {
        **_names(number, "JOB"),
        "run_id": one.id,
        "run_attempt": 1,
        "run_url": f"{at.api}/actions/runs/{one.id}",
        "head_sha": one.sha,
        "head_branch": BRANCH,
        "workflow_name": "CI",
        "name": made.name,
        "status": "completed",
        "conclusion": made.conclusion,
        "created_at": when,
        "started_at": when,
        "completed_at": when,
        "url": f"{at.api}/actions/jobs/{number}",
        "html_url": f"{at.page}/actions/runs/{one.id}/job/{number}",
        "check_run_url": f"{at.api}/check-runs/{number}",
        "labels": ["ubuntu-latest"],
        "runner_id": None,
        "runner_name": None,
        "runner_group_id": None,
        "runner_group_name": None,
        "steps": [
            {
                "number": n,
                "name": step.name,
                "status": "completed",
                "conclusion": step.conclusion,
                "started_at": when,
                "completed_at": when,
            }
            for n, step in enumerate(made.steps, 1)
        ],
    }


def suite(at: Place, one: Run) -> Json:
    """`check-suite`."""
    api = f"{at.api}/check-suites/{one.suite}"
    who = {"name": "A Newcomer", "email": "newcomer@example.org"}
    return {
        **_names(one.suite, "SUITE"),
        "head_branch": BRANCH,
        "head_sha": one.sha,
        "status": "completed",
        "conclusion": one.conclusion,
        "url": api,
        "before": None,
        "after": one.sha,
        "created_at": _time(one.at),
        "updated_at": _time(one.at),
        "app": _app(at, _time(one.at)),
        "head_commit": {
            "id": one.sha,
            "tree_id": one.sha,
            "message": f"Run {one.number}",
            "timestamp": _time(one.at),
            "author": who,
            "committer": who,
        },
        "repository": _repository(at),
        "latest_check_runs_count": len(one.jobs),
        "check_runs_url": f"{api}/check-runs",
        "pull_requests": [],
    }


def commit(at: Place, sha: str) -> Json:
    """`git-commit`."""
    who = {"name": "A Newcomer", "email": "newcomer@example.org", "date": _time(0)}
    return {
        "sha": sha,
        "node_id": f"COMMIT_{sha[:12]}",
        "url": f"{at.api}/git/commits/{sha}",
        "html_url": f"{at.page}/commit/{sha}",
        "author": who,
        "committer": who,
        "tree": {"sha": sha, "url": f"{at.api}/git/trees/{sha}"},
        "message": "",
        "parents": [],
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


def workflow(at: Place, path: str) -> Json:
    """`workflow`."""
    api = f"{at.api}/actions/workflows/1"
    return {
        **_names(1, "WORKFLOW"),
        "name": "CI",
        "path": path,
        "state": "active",
        "url": api,
        "html_url": f"{at.page}/blob/{BRANCH}/{path}",
        "badge_url": f"{at.page}/workflows/CI/badge.svg",
        "created_at": _time(0),
        "updated_at": _time(0),
    }


def _app(at: Place, when: str) -> Json:
    return {
        **_names(15368, "APP"),
        "slug": "github-actions",
        "owner": _owner(at),
        "name": "GitHub Actions",
        "description": "",
        "external_url": at.page,
        "html_url": at.page,
        "created_at": when,
        "updated_at": when,
        "permissions": {},
        "events": [],
    }


def _repository(at: Place) -> Json:
    return {
        **_names(1, "REPOSITORY"),
        **_addresses(_ADDRESSES, at.api),
        "name": at.full_name.partition("/")[2],
        "full_name": at.full_name,
        "owner": _owner(at),
        "description": "the demo's sample",
        "private": False,
        "fork": False,
        "url": at.api,
        "html_url": at.page,
    }


def _owner(at: Place) -> Json:
    name = at.full_name.partition("/")[0]
    return {
        **_names(1, "OWNER"),
        **_addresses(_OF_AN_OWNER, f"{at.url}/users/{name}"),
        "login": name,
        "gravatar_id": None,
        "site_admin": False,
        "type": "User",
        "url": f"{at.url}/users/{name}",
    }


def _names(number: int, kind: str) -> Json:
    return {"id": number, "node_id": f"{kind}_{number}"}


def _addresses(names: str, base: str) -> Json:
    return {f"{name}_url": f"{base}/{name}" for name in names.split()}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
