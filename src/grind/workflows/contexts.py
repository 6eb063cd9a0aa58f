"""The contexts of GitHub's expressions, as far as they are known.

What GitHub would know and grind does not is `UNKNOWN`: an expression that depends on it is refused
or deferred, and is never answered with null.
Source: https://docs.github.com/actions/reference/workflows-and-actions/contexts
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from grind.workflows.expressions import UNKNOWN, Object, from_python

_PUSH_PAYLOAD_UNKNOWN = (
    "commits",
    "compare",
    "enterprise",
    "installation",
    "organization",
    "pusher",
    "sender",
)
_GITHUB_UNKNOWN = (
    "actor_id",
    "repository_id",
    "repository_owner_id",
    "retention_days",
    "run_number",
    "token",
    "workflow_sha",
)


class Situation(Struct, frozen=True, kw_only=True):
    """The event that the plan answers, as CI would see it."""

    event: str
    ref: str
    """Full ref, such as refs/heads/main."""
    sha: str
    before: str
    message: str
    repository: str
    """`owner/name`; the name alone decides the workspace's folder."""
    default_branch: str
    actor: str
    server_url: str = "https://github.com"
    host_os: str = "Linux"
    host_arch: str = "X64"

    @property
    def ref_name(self) -> str:
        """The short name of the ref, as `github.ref_name`."""
        for prefix in ("refs/heads/", "refs/tags/", "refs/pull/"):
            if self.ref.startswith(prefix):
                return self.ref[len(prefix) :]
        return self.ref

    @property
    def ref_type(self) -> str:
        """`tag` or `branch`."""
        return "tag" if self.ref.startswith("refs/tags/") else "branch"


def payload(situation: Situation) -> dict[str, Any]:
    """Return `github.event` as far as it is known; a key that is missing here is null on GitHub
    for this event, and UNKNOWN where GitHub would have a value."""
    owner, _, name = situation.repository.partition("/")
    repository = {
        "name": name,
        "full_name": situation.repository,
        "default_branch": situation.default_branch,
        "owner": {"login": owner, "name": owner},
        "html_url": f"{situation.server_url}/{situation.repository}",
        "fork": UNKNOWN,
        "private": UNKNOWN,
        "visibility": UNKNOWN,
        "id": UNKNOWN,
    }
    if situation.event != "push":
        return {"repository": repository, "*": UNKNOWN}
    event: dict[str, Any] = {
        "ref": situation.ref,
        "before": situation.before,
        "after": situation.sha,
        "base_ref": None,
        "created": set(situation.before) == {"0"},
        "deleted": False,
        "forced": False,
        "repository": repository,
        "head_commit": {
            "id": situation.sha,
            "message": situation.message or UNKNOWN,
            "author": UNKNOWN,
            "committer": UNKNOWN,
            "timestamp": UNKNOWN,
            "url": UNKNOWN,
            "tree_id": UNKNOWN,
            "distinct": True,
            "added": UNKNOWN,
            "modified": UNKNOWN,
            "removed": UNKNOWN,
        },
    }
    return event | dict.fromkeys(_PUSH_PAYLOAD_UNKNOWN, UNKNOWN)


def event_value(situation: Situation) -> Any:
    """Return `github.event` as a value of the expression language, to be shared between jobs."""
    event = payload(situation)
    return UNKNOWN if "*" in event else from_python(_with_more(event))


def known_payload(value: Any) -> Any:
    """Return the payload without what is unknown, for the file at `GITHUB_EVENT_PATH`."""
    if isinstance(value, dict):
        return {k: known_payload(v) for k, v in value.items() if v is not UNKNOWN}
    return value


def github(
    situation: Situation, *, workflow: str, workflow_path: str, job: str, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the `github` context; `extra` adds what only a running job knows."""
    values: dict[str, Any] = {
        "action": UNKNOWN,
        "action_path": UNKNOWN,
        "action_ref": "",
        "action_repository": "",
        "actor": situation.actor or UNKNOWN,
        "api_url": "https://api.github.com",
        "base_ref": "",
        "event": extra["event"] if "event" in extra else event_value(situation),
        "event_name": situation.event,
        "event_path": UNKNOWN,
        "graphql_url": "https://api.github.com/graphql",
        "head_ref": "",
        "job": job,
        "ref": situation.ref,
        "ref_name": situation.ref_name,
        "ref_protected": UNKNOWN,
        "ref_type": situation.ref_type,
        "repository": situation.repository,
        "repository_owner": situation.repository.partition("/")[0],
        "repositoryUrl": f"git://github.com/{situation.repository}.git",
        "run_attempt": "1",
        "run_id": UNKNOWN,
        "secret_source": UNKNOWN,
        "server_url": situation.server_url,
        "sha": situation.sha,
        "triggering_actor": situation.actor or UNKNOWN,
        "workflow": workflow,
        "workflow_ref": f"{situation.repository}/{workflow_path}@{situation.ref}",
        "workspace": UNKNOWN,
    } | dict.fromkeys(_GITHUB_UNKNOWN, UNKNOWN)
    if situation.event.startswith("pull_request"):
        values |= dict.fromkeys(("base_ref", "head_ref"), UNKNOWN)
    return values | dict(extra)


def github_at(
    situation: Situation, workflow: str, path: str, job: str, event: Any
) -> dict[str, Any]:
    """Return `github` with `github.event` as a value that is there already."""
    extra = {"event": event}
    return github(situation, workflow=workflow, workflow_path=path, job=job, extra=extra)


def _with_more(event: dict[str, Any]) -> dict[str, Any]:
    """GitHub says more of a repository than is known here: what is absent is not null."""
    repository = event["repository"]
    owner = Object(repository["owner"].items(), complete=False)
    return event | {"repository": Object((repository | {"owner": owner}).items(), complete=False)}


def variables() -> Object:
    """Return the `vars` context: which there are, and what they hold, only GitHub knows."""
    return Object(complete=False)


def inputs(situation: Situation) -> Any:
    """Return the `inputs` context: nothing but for events that somebody fills a form for."""
    return UNKNOWN if situation.event in ("workflow_dispatch", "workflow_call") else {}


def runner(situation: Situation, extra: Mapping[str, Any], *, hosted: bool) -> dict[str, Any]:
    """Return the `runner` context; folders are unknown until the job has its host."""
    return {
        "name": "grind",
        "os": situation.host_os,
        "arch": situation.host_arch,
        "temp": UNKNOWN,
        "tool_cache": UNKNOWN,
        "debug": "",
        "environment": "github-hosted" if hosted else "self-hosted",
    } | dict(extra)


def strategy(
    *, index: int, total: int, fail_fast: bool, max_parallel: int | None
) -> dict[str, Any]:
    """Return the `strategy` context of one job of a matrix."""
    return {
        "fail-fast": fail_fast,
        "job-index": float(index),
        "job-total": float(total),
        "max-parallel": float(max_parallel if max_parallel is not None else total),
    }
