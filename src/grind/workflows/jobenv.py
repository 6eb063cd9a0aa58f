"""The environment of a job: what a runner sets, what the host lends, what the workflow says. Pure.

Source: https://docs.github.com/actions/reference/workflows-and-actions/variables
Nothing else of the host leaks in: no agent socket, no token, no GIT_* and no virtual environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from grind.core.plan import JobPlan
from grind.workflows import contexts
from grind.workflows.contexts import Situation
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError
from grind.workflows.memo import Memo
from grind.workflows.scope import Scope, env_object, never_known, secrets_in

RUNNER_NAMES = frozenset(
    (
        "GITHUB_ACTION",
        "GITHUB_ACTIONS",
        "GITHUB_ACTOR",
        "GITHUB_API_URL",
        "GITHUB_BASE_REF",
        "GITHUB_ENV",
        "GITHUB_EVENT_NAME",
        "GITHUB_EVENT_PATH",
        "GITHUB_GRAPHQL_URL",
        "GITHUB_HEAD_REF",
        "GITHUB_JOB",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_REF",
        "GITHUB_REF_NAME",
        "GITHUB_REF_PROTECTED",
        "GITHUB_REF_TYPE",
        "GITHUB_REPOSITORY",
        "GITHUB_REPOSITORY_OWNER",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_NUMBER",
        "GITHUB_SERVER_URL",
        "GITHUB_SHA",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_WORKFLOW",
        "GITHUB_WORKFLOW_REF",
        "GITHUB_WORKFLOW_SHA",
        "GITHUB_WORKSPACE",
        "RUNNER_ARCH",
        "RUNNER_ENVIRONMENT",
        "RUNNER_NAME",
        "RUNNER_OS",
        "RUNNER_TEMP",
        "RUNNER_TOOL_CACHE",
    )
)
"""Variables that the runner sets over whatever a workflow says."""


def layered(
    plan: JobPlan, known: Mapping[str, Any], *, planning: bool = False, memo: Memo | None = None
) -> tuple[dict[str, Any], str]:
    """Return the `env:` of workflow and job, evaluated, and why it cannot be, if it cannot.

    The job's lies over the workflow's; a value does not see its own siblings. A value that holds a
    secret is UNKNOWN, and its variable empty, as for a fork. Any other that is not known would make
    every step another one than CI's: `known` are the job's contexts. While `planning`, what needed
    jobs will say is still open.
    """
    env: dict[str, Any] = {}
    for layer in (plan.workflow_env, plan.env):
        outer = env_object(env, complete=True)
        scope = Scope({**known, "env": outer, "secrets": UNKNOWN}, memo=memo).with_stand_ins()
        for name, template in layer.items():
            if not name or "=" in name or "\0" in name + template:
                return env, f"env: {name!r} is nothing that a program can be given"
            try:
                env[name] = scope.text(template)
            except UnknownValueError as error:
                open_ = planning and not never_known(error)
                if not open_ and not secrets_in((template,)):
                    return env, f"env: {name}: {error}"
                env[name] = UNKNOWN
            except ExpressionError as error:
                return env, f"env: {name}: {error}"
    return env, ""


def layered_nodes(layers: Iterable[Mapping[str, str]], scope: Scope) -> dict[str, Any]:
    """Return layers of `env:` laid over each other, with what is not known as UNKNOWN."""
    env: dict[str, Any] = {}
    for layer in layers:
        inner = scope.having(env=env_object(env, complete=True)).with_stand_ins()
        for name, template in layer.items():
            try:
                env[name] = inner.text(template)
            except ExpressionError:
                env[name] = UNKNOWN
    return env


def job_environment(
    plan: JobPlan,
    situation: Situation,
    paths: Mapping[str, str],
    lent: Mapping[str, str],
    own: Mapping[str, Any],
) -> dict[str, str]:
    """Return the whole environment of a job before its first step.

    `paths` has workspace, home, temp, tool_cache and events; `own` is the evaluated `env:` of
    workflow and job, in which what is unknown (a secret) is left empty, as for a fork.
    """
    env = dict(lent)
    env |= {"HOME": paths["home"], "TMPDIR": paths["temp"], "CI": "true"}
    env |= {name: value if isinstance(value, str) else "" for name, value in own.items()}
    return env | _runner_environment(plan, situation, paths)


def _runner_environment(
    plan: JobPlan, situation: Situation, paths: Mapping[str, str]
) -> dict[str, str]:
    """What the runner sets last, so that no workflow can overwrite it."""
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": situation.actor,
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_BASE_REF": "",
        "GITHUB_EVENT_NAME": situation.event,
        "GITHUB_EVENT_PATH": f"{paths['events']}/event.json",
        "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
        "GITHUB_HEAD_REF": "",
        "GITHUB_JOB": plan.id,
        "GITHUB_REF": situation.ref,
        "GITHUB_REF_NAME": situation.ref_name,
        "GITHUB_REF_PROTECTED": "false",
        "GITHUB_REF_TYPE": situation.ref_type,
        "GITHUB_REPOSITORY": situation.repository,
        "GITHUB_REPOSITORY_OWNER": situation.repository.partition("/")[0],
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_NUMBER": "1",
        "GITHUB_SERVER_URL": situation.server_url,
        "GITHUB_SHA": situation.sha,
        "GITHUB_WORKFLOW": plan.workflow_name,
        "GITHUB_WORKFLOW_REF": f"{situation.repository}/{plan.workflow}@{situation.ref}",
        "GITHUB_WORKFLOW_SHA": situation.sha,
        "GITHUB_WORKSPACE": paths["workspace"],
        "RUNNER_ARCH": situation.host_arch,
        "RUNNER_ENVIRONMENT": "github-hosted",
        "RUNNER_NAME": "grind",
        "RUNNER_OS": situation.host_os,
        "RUNNER_TEMP": paths["temp"],
        "RUNNER_TOOL_CACHE": paths["tool_cache"],
        "GRIND_ARTIFACTS": paths["artifacts"],
        "GRIND_CACHE": paths["cache"],
    }


def event_file(situation: Situation) -> bytes:
    """Return the JSON for the file at GITHUB_EVENT_PATH, as far as it is known."""
    known = contexts.known_payload(contexts.payload(situation))
    return json.dumps(known, indent=2, sort_keys=True).encode()
