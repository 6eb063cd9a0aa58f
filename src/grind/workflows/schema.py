"""What may stand where in a workflow file: one table of rules.

The facts are those of GitHub's own schema (`workflow-v1.0.json` in `actions/languageservices` and
`actions/runner`, as of August 2026), including which contexts and functions an expression may use
at each key. A rule inherits the contexts of the keys around it, as GitHub's reader does.
"""

from __future__ import annotations

from typing import Final

from grind.workflows.rule import (
    COMMON,
    NAMES,
    NULL,
    STATUS,
    Rule,
    Shape,
    either,
    flag,
    list_of,
    mapping,
    name,
    number,
    open_map,
    scalar,
    text,
    word,
)

_GLOBAL: Final = ("github", "inputs", "vars")
_NEEDS: Final = (*_GLOBAL, "needs")
_MATRIX: Final = (*_NEEDS, "strategy", "matrix")
_RUNNER: Final = (*_MATRIX, "steps", "job", "runner", "env")
_RUNNER_SECRETS: Final = (*_RUNNER, "secrets")
_STEP: Final = (*_RUNNER_SECRETS, "hashFiles()")

_TYPED: Final = ("types",)
_BRANCHED: Final = ("types", "branches", "branches-ignore")

EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "branch_protection_rule": _TYPED,
    "check_run": _TYPED,
    "check_suite": _TYPED,
    "create": (),
    "delete": (),
    "deployment": (),
    "deployment_status": (),
    "discussion": _TYPED,
    "discussion_comment": _TYPED,
    "fork": (),
    "gollum": (),
    "image_version": ("types", "names", "versions"),
    "issue_comment": _TYPED,
    "issues": _TYPED,
    "label": _TYPED,
    "member": _TYPED,
    "merge_group": _BRANCHED,
    "milestone": _TYPED,
    "page_build": (),
    "project": _TYPED,
    "project_card": _TYPED,
    "project_column": _TYPED,
    "public": (),
    "pull_request": (*_BRANCHED, "paths", "paths-ignore"),
    "pull_request_comment": _TYPED,
    "pull_request_review": _TYPED,
    "pull_request_review_comment": _TYPED,
    "pull_request_target": (*_BRANCHED, "paths", "paths-ignore"),
    "push": ("branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore"),
    "registry_package": _TYPED,
    "release": _TYPED,
    "repository_dispatch": _TYPED,
    "schedule": (),
    "status": (),
    "watch": _TYPED,
    "workflow_call": ("inputs", "secrets", "outputs"),
    "workflow_dispatch": ("inputs",),
    "workflow_run": (*_BRANCHED, "workflows"),
}
"""Every event that can start a workflow, with the keys it may have."""

_REF_FILTERS: Final = (
    "branches",
    "branches-ignore",
    "tags",
    "tags-ignore",
    "paths",
    "paths-ignore",
)


def idle_filters(event: str) -> tuple[str, ...]:
    """Return the filters that GitHub takes for an event and never looks at (ADR 13).

    Those of `push`, on events of a repository that have no filter by name or path. For all other
    events, and for events that are not known, there are none.
    """
    keys = EVENTS.get(event)
    if keys is None or event == "schedule" or not set(keys) <= {"types"}:
        return ()
    return (*_REF_FILTERS, "types") if not keys else _REF_FILTERS


PERMISSIONS: Final = (
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "code-quality",
    "contents",
    "copilot-requests",
    "deployments",
    "discussions",
    "drives",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
    "vulnerability-alerts",
)


_STEP_KEYS: Final = {"name": "step-name", "id": "name", "continue-on-error": "step-flag"}
_STEP_SHAPES: Final = (
    Shape(
        _STEP_KEYS
        | {
            "if": "step-if",
            "timeout-minutes": "step-number",
            "run": "step-text",
            "env": "step-env",
            "working-directory": "step-text",
            "shell": "name",
            "background": "flag",
        },
        when="run",
        what="step with 'run'",
    ),
    Shape(
        _STEP_KEYS
        | {
            "if": "step-if",
            "timeout-minutes": "step-number",
            "uses": "name",
            "with": "step-env",
            "env": "step-env",
            "background": "flag",
        },
        when="uses",
        what="step with 'uses'",
    ),
    Shape(_STEP_KEYS | {"wait": "names"}, when="wait", what="step with 'wait'"),
    Shape(_STEP_KEYS | {"wait-all": "null-or-flag"}, when="wait-all", what="step with 'wait-all'"),
    Shape(_STEP_KEYS | {"cancel": "name"}, when="cancel", what="step with 'cancel'"),
    Shape({"parallel": "steps"}, when="parallel", what="step with 'parallel'"),
)
_CONTAINER_KEYS: Final = {
    "image": "text",
    "options": "text",
    "env": "container-env",
    "ports": "name-list",
    "volumes": "name-list",
    "credentials": "credentials",
}
_CALL_KEYS: Final = {
    "name": "matrix-text",
    "uses": "name",
    "with": "call-with",
    "secrets": "call-secrets",
    "needs": "names",
    "if": "job-if",
    "permissions": "permissions",
    "concurrency": "job-concurrency",
    "strategy": "strategy",
}
_JOB_KEYS: Final = {
    "needs": "names",
    "if": "job-if",
    "strategy": "strategy",
    "name": "matrix-text",
    "runs-on": "runs-on",
    "timeout-minutes": "matrix-number",
    "cancel-timeout-minutes": "matrix-number",
    "continue-on-error": "matrix-flag",
    "container": "container",
    "services": "services",
    "env": "job-env",
    "environment": "environment",
    "permissions": "permissions",
    "concurrency": "job-concurrency",
    "outputs": "job-outputs",
    "defaults": "job-defaults",
    "steps": "steps",
    "snapshot": "snapshot",
}
_CONCURRENCY: Final = Rule(
    "a mapping",
    shapes=(Shape({"group": "name", "cancel-in-progress": "flag", "queue": "queue"}, ("group",)),),
)

WORKFLOW: Final[dict[str, Rule]] = COMMON | {
    "workflow": mapping(
        {
            "on": "on",
            "name": "text",
            "description": "text",
            "run-name": "run-name",
            "defaults": "defaults",
            "env": "workflow-env",
            "permissions": "permissions",
            "concurrency": "workflow-concurrency",
            "jobs": "jobs",
        },
        required=("on", "jobs"),
    ),
    "run-name": text(*_GLOBAL),
    "on": either(
        Rule("an event", text=True, words=tuple(EVENTS)),
        list_of("event"),
        mapping({event: f"on-{event}" for event in EVENTS}),
    ),
    "event": Rule("an event", text=True, words=tuple(EVENTS)),
    **{
        f"on-{event}": either(
            mapping(
                {key: f"filter-{key}" for key in keys} | dict.fromkeys(idle_filters(event), "any")
            ),
            NULL,
        )
        for event, keys in EVENTS.items()
    },
    # GitHub takes a single text, a list, or nothing at all for every filter.
    **{f"filter-{key}": either(NAMES, NULL) for keys in EVENTS.values() for key in keys},
    "on-schedule": list_of("schedule"),
    "schedule": mapping({"cron": "name", "timezone": "name"}, required=("cron",)),
    "on-workflow_call": either(
        mapping(
            {"inputs": "call-inputs", "secrets": "call-secret-names", "outputs": "call-outputs"}
        ),
        NULL,
    ),
    "call-inputs": open_map("call-input"),
    "call-input": mapping(
        {
            "description": "text",
            "type": "call-input-type",
            "required": "flag",
            "default": "call-default",
        },
        required=("type",),
    ),
    "call-input-type": word("string", "boolean", "number"),
    "call-default": scalar(*_GLOBAL),
    "call-secret-names": open_map("call-secret-name"),
    "call-secret-name": either(mapping({"description": "text", "required": "flag"}), NULL),
    "call-outputs": open_map("call-output"),
    "call-output": mapping({"description": "text", "value": "call-value"}, required=("value",)),
    "call-value": text(*_GLOBAL, "jobs"),
    # GitHub's own test data says that keys it does not know are ignored here.
    "on-workflow_dispatch": either(mapping({"inputs": "dispatch-inputs"}, value="any"), NULL),
    "dispatch-inputs": either(open_map("dispatch-input"), NULL),
    "dispatch-input": either(
        mapping(
            {
                "description": "text",
                "type": "dispatch-input-type",
                "required": "flag",
                "default": "scalar",
                "options": "text-list",
                "deprecationMessage": "text",
            }
        ),
        NULL,
    ),
    "dispatch-input-type": word("string", "boolean", "number", "choice", "environment"),
    "permissions": either(
        Rule("read-all or write-all", text=True, words=("read-all", "write-all")),
        mapping(
            dict.fromkeys(PERMISSIONS, "level")
            | dict.fromkeys(("id-token", "copilot-requests"), "level-write")
            | dict.fromkeys(("models", "vulnerability-alerts"), "level-read")
        ),
    ),
    "level": word("read", "write", "none"),
    "level-write": word("write", "none"),
    "level-read": word("read", "none"),
    "defaults": mapping({"run": "defaults-run"}),
    "defaults-run": mapping({"shell": "name", "working-directory": "name"}),
    "workflow-env": open_map("text", *_GLOBAL, "secrets"),
    "workflow-concurrency": either(text(), _CONCURRENCY, contexts=_GLOBAL),
    "jobs": open_map("job"),
    "job": Rule(
        "a mapping",
        shapes=(
            Shape(_CALL_KEYS, when="uses", what="job that calls a reusable workflow ('uses')"),
            Shape(_JOB_KEYS, ("runs-on",), what="job"),
        ),
    ),
    "call-with": open_map("scalar", *_MATRIX),
    "call-secrets": either(Rule("inherit", text=True, words=("inherit",)), open_map("call-secret")),
    "call-secret": scalar(*_MATRIX, "secrets"),
    "job-if": text(*_NEEDS, *STATUS)._replace(condition=True),
    "strategy": mapping(
        {"fail-fast": "flag", "max-parallel": "number", "matrix": "matrix"}, *_NEEDS
    ),
    "matrix": mapping(
        {"include": "matrix-entries", "exclude": "matrix-entries"}, value="matrix-axis"
    ),
    "matrix-axis": list_of("any"),
    "matrix-entries": list_of("matrix-entry"),
    "matrix-entry": open_map("any"),
    "matrix-text": text(*_MATRIX),
    "matrix-number": number(*_MATRIX),
    "matrix-flag": flag(*_MATRIX),
    "runs-on": either(NAMES, mapping({"group": "name", "labels": "names"}), contexts=_MATRIX),
    "container": either(text(), mapping(_CONTAINER_KEYS), contexts=_MATRIX),
    "services": open_map("service", *_MATRIX),
    "service": either(text(), mapping(_CONTAINER_KEYS | {"entrypoint": "text", "command": "text"})),
    "container-env": open_map("runner-text"),
    "runner-text": text(*_RUNNER_SECRETS),
    "credentials": mapping({"username": "name", "password": "name"}, *_GLOBAL, "secrets", "env"),
    "job-env": open_map("text", *_MATRIX, "secrets"),
    "environment": either(
        text(),
        mapping(
            {"name": "text", "url": "environment-url", "deployment": "flag"}, required=("name",)
        ),
        contexts=_MATRIX,
    ),
    "environment-url": text(*_RUNNER),
    "job-concurrency": either(name(), _CONCURRENCY, contexts=_MATRIX),
    "queue": word("single", "max"),
    "job-outputs": open_map("runner-text"),
    "job-defaults": mapping({"run": "job-defaults-run"}),
    "job-defaults-run": mapping({"shell": "name", "working-directory": "name"}, *_MATRIX, "env"),
    "snapshot": either(
        name(),
        mapping(
            {"image-name": "name", "if": "snapshot-if", "version": "name"},
            required=("image-name",),
        ),
        contexts=_MATRIX,
    ),
    "snapshot-if": text(*_RUNNER, *STATUS, "hashFiles()")._replace(condition=True),
    "steps": list_of("step"),
    "step": Rule("a mapping", shapes=_STEP_SHAPES),
    "step-if": text(*_RUNNER, *STATUS, "hashFiles()")._replace(condition=True),
    "step-text": text(*_STEP),
    "step-name": text(*_STEP),
    "step-flag": flag(*_STEP),
    "step-number": number(*_STEP),
    "step-env": open_map("text", *_STEP),
}
"""The rules of a workflow file; it begins with `workflow`."""
