"""The environment of a job: what a runner sets, what the host lends, what the workflow says. Pure.

Source: https://docs.github.com/actions/reference/workflows-and-actions/variables
Nothing else of the host leaks in: no agent socket, no token, no GIT_* and no virtual environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grind.core.plan import JobPlan
from grind.workflows import contexts
from grind.workflows.contexts import Situation

ALLOWED = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "NIX_PATH",
    "NIX_REMOTE",
    "RUSTUP_HOME",
    "PYENV_ROOT",
    "JAVA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
"""Variables of the host that every step sees, besides LC_*: where programs are, how text is
encoded, and how the network is reached. A proxy that carries a password is left out."""


def lend(
    environ: Mapping[str, str], *, home: str, extra: tuple[str, ...], folders: tuple[str, ...]
) -> dict[str, str]:
    """Return what a host lends to its jobs from its own environment.

    `extra` and `folders` come from grind.toml: more variables, more PATH folders. The PATH loses the
    folders of an active virtual environment.
    """
    lent = {
        name: value
        for name, value in environ.items()
        if (name in ALLOWED or name.startswith("LC_") or name in extra)
        and not (name.lower().endswith("_proxy") and "@" in value and name not in extra)
    }
    venv = environ.get("VIRTUAL_ENV")
    parts = [p for p in lent.get("PATH", "/usr/bin:/bin").split(":") if p]
    if venv:
        parts = [p for p in parts if not (p + "/").startswith(venv.rstrip("/") + "/")]
    lent["PATH"] = ":".join([*folders, *parts])
    for name, folder in (("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")):
        if home:
            lent.setdefault(name, f"{home}/{folder}")
    return lent


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
    short = situation.ref_name
    env = dict(lent)
    env |= {
        "HOME": paths["home"],
        "TMPDIR": paths["temp"],
        "CI": "true",
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
        "GITHUB_REF_NAME": short,
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
    env |= {name: value if isinstance(value, str) else "" for name, value in own.items()}
    return env


def event_file(situation: Situation) -> bytes:
    """Return the JSON for the file at GITHUB_EVENT_PATH, as far as it is known."""
    known = contexts.known_payload(contexts.payload(situation))
    return json.dumps(known, indent=2, sort_keys=True).encode()
