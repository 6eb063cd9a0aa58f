"""What may stand where in a workflow file: one table of rules.

The facts are those of GitHub's own schema (`workflow-v1.0.json` in `actions/languageservices` and
`actions/runner`, as of August 2026), including which contexts and functions an expression may use
at each key. A rule inherits the contexts of the keys around it, as GitHub's reader does.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Shape(NamedTuple):
    """One form a mapping may take: known keys, or `value` for keys that anybody may choose."""

    keys: dict[str, str]
    required: tuple[str, ...] = ()
    value: str = ""
    """The rule of every key that is not in `keys`; empty when there may be no such key."""
    when: str = ""
    """The key whose presence chooses this shape among several."""
    what: str = "mapping"
    """What a person calls it."""


class Rule(NamedTuple):
    """What one node may be. Literals that are no strings are turned into strings where needed."""

    expected: str
    null: bool = False
    boolean: bool = False
    number: bool = False
    text: bool = False
    empty: bool = False
    """Whether a text may be empty (and so also be absent: null)."""
    words: tuple[str, ...] = ()
    """The only texts allowed, when there are any."""
    item: str = ""
    """The rule of a sequence's items; empty when it may be no sequence."""
    shapes: tuple[Shape, ...] = ()
    contexts: tuple[str, ...] = ()
    """Contexts and special functions (with `()`) that expressions may use here and below."""
    condition: bool = False
    """An `if`: an expression with or without `${{ }}`."""


_GLOBAL: Final = ("github", "inputs", "vars")
_NEEDS: Final = (*_GLOBAL, "needs")
_MATRIX: Final = (*_NEEDS, "strategy", "matrix")
_RUNNER: Final = (*_MATRIX, "steps", "job", "runner", "env")
_RUNNER_SECRETS: Final = (*_RUNNER, "secrets")
_STEP: Final = (*_RUNNER_SECRETS, "hashFiles()")
_STATUS: Final = ("always()", "failure()", "cancelled()", "success()")

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


def _text(*contexts: str) -> Rule:
    return Rule("text", null=True, text=True, empty=True, contexts=contexts)


def _name(*contexts: str) -> Rule:
    return Rule("text that is not empty", text=True, contexts=contexts)


def _flag(*contexts: str) -> Rule:
    return Rule("true or false", boolean=True, contexts=contexts)


def _number(*contexts: str) -> Rule:
    return Rule("a number", number=True, contexts=contexts)


def _scalar(*contexts: str) -> Rule:
    return _text(*contexts)._replace(boolean=True, number=True)


def _word(*words: str) -> Rule:
    expected = "one of " + ", ".join(words) if len(words) > 1 else words[0]
    return Rule(expected, text=True, words=words)


def _list(item: str, *contexts: str) -> Rule:
    return Rule("a list", item=item, contexts=contexts)


def _map(
    keys: dict[str, str], *contexts: str, required: tuple[str, ...] = (), value: str = ""
) -> Rule:
    return Rule("a mapping", shapes=(Shape(keys, required, value),), contexts=contexts)


def _open(value: str, *contexts: str) -> Rule:
    return _map({}, *contexts, value=value)


def _either(first: Rule, *others: Rule, contexts: tuple[str, ...] = ()) -> Rule:
    """Join rules that differ in kind (text, list, mapping)."""
    joined = first
    for other in others:
        joined = Rule(
            f"{joined.expected}, or {other.expected}",
            joined.null or other.null,
            joined.boolean or other.boolean,
            joined.number or other.number,
            joined.text or other.text,
            joined.empty or other.empty,
            joined.words or other.words,
            joined.item or other.item,
            joined.shapes + other.shapes,
        )
    return joined._replace(contexts=contexts)


_NULL: Final = Rule("nothing", null=True)
_NAMES: Final = _either(_name(), _list("name"))
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

COMMON: Final[dict[str, Rule]] = {
    "any": Rule("anything", True, True, True, True, True, (), "any", (Shape({}, value="any"),)),
    "text": _text(),
    "name": _name(),
    "flag": _flag(),
    "null-or-flag": _either(_flag(), _NULL),
    "number": _number(),
    "scalar": _scalar(),
    "names": _NAMES,
    "name-list": _list("name"),
    "text-list": _list("text"),
}
"""Rules that workflows and actions share."""

WORKFLOW: Final[dict[str, Rule]] = COMMON | {
    "workflow": _map(
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
    "run-name": _text(*_GLOBAL),
    "on": _either(
        Rule("an event", text=True, words=tuple(EVENTS)),
        _list("event"),
        _map({event: f"on-{event}" for event in EVENTS}),
    ),
    "event": Rule("an event", text=True, words=tuple(EVENTS)),
    **{
        f"on-{event}": _either(_map({key: f"filter-{key}" for key in keys}), _NULL)
        for event, keys in EVENTS.items()
    },
    # GitHub takes a single text, a list, or nothing at all for every filter.
    **{f"filter-{key}": _either(_NAMES, _NULL) for keys in EVENTS.values() for key in keys},
    "on-schedule": _list("schedule"),
    "schedule": _map({"cron": "name", "timezone": "name"}, required=("cron",)),
    "on-workflow_call": _either(
        _map({"inputs": "call-inputs", "secrets": "call-secret-names", "outputs": "call-outputs"}),
        _NULL,
    ),
    "call-inputs": _open("call-input"),
    "call-input": _map(
        {
            "description": "text",
            "type": "call-input-type",
            "required": "flag",
            "default": "call-default",
        },
        required=("type",),
    ),
    "call-input-type": _word("string", "boolean", "number"),
    "call-default": _scalar(*_GLOBAL),
    "call-secret-names": _open("call-secret-name"),
    "call-secret-name": _either(_map({"description": "text", "required": "flag"}), _NULL),
    "call-outputs": _open("call-output"),
    "call-output": _map({"description": "text", "value": "call-value"}, required=("value",)),
    "call-value": _text(*_GLOBAL, "jobs"),
    "on-workflow_dispatch": _either(_map({"inputs": "dispatch-inputs"}), _NULL),
    "dispatch-inputs": _either(_open("dispatch-input"), _NULL),
    "dispatch-input": _either(
        _map(
            {
                "description": "text",
                "type": "dispatch-input-type",
                "required": "flag",
                "default": "scalar",
                "options": "text-list",
                "deprecationMessage": "text",
            }
        ),
        _NULL,
    ),
    "dispatch-input-type": _word("string", "boolean", "number", "choice", "environment"),
    "permissions": _either(
        Rule("read-all or write-all", text=True, words=("read-all", "write-all")),
        _map(
            dict.fromkeys(PERMISSIONS, "level")
            | dict.fromkeys(("id-token", "copilot-requests"), "level-write")
            | dict.fromkeys(("models", "vulnerability-alerts"), "level-read")
        ),
    ),
    "level": _word("read", "write", "none"),
    "level-write": _word("write", "none"),
    "level-read": _word("read", "none"),
    "defaults": _map({"run": "defaults-run"}),
    "defaults-run": _map({"shell": "name", "working-directory": "name"}),
    "workflow-env": _open("text", *_GLOBAL, "secrets"),
    "workflow-concurrency": _either(_text(), _CONCURRENCY, contexts=_GLOBAL),
    "jobs": _open("job"),
    "job": Rule(
        "a mapping",
        shapes=(
            Shape(_CALL_KEYS, when="uses", what="job that calls a reusable workflow ('uses')"),
            Shape(_JOB_KEYS, ("runs-on",), what="job"),
        ),
    ),
    "call-with": _open("scalar", *_MATRIX),
    "call-secrets": _either(Rule("inherit", text=True, words=("inherit",)), _open("call-secret")),
    "call-secret": _scalar(*_MATRIX, "secrets"),
    "job-if": _text(*_NEEDS, *_STATUS)._replace(condition=True),
    "strategy": _map({"fail-fast": "flag", "max-parallel": "number", "matrix": "matrix"}, *_NEEDS),
    "matrix": _map({"include": "matrix-entries", "exclude": "matrix-entries"}, value="matrix-axis"),
    "matrix-axis": _list("any"),
    "matrix-entries": _list("matrix-entry"),
    "matrix-entry": _open("any"),
    "matrix-text": _text(*_MATRIX),
    "matrix-number": _number(*_MATRIX),
    "matrix-flag": _flag(*_MATRIX),
    "runs-on": _either(_NAMES, _map({"group": "name", "labels": "names"}), contexts=_MATRIX),
    "container": _either(_text(), _map(_CONTAINER_KEYS), contexts=_MATRIX),
    "services": _open("service", *_MATRIX),
    "service": _either(_text(), _map(_CONTAINER_KEYS | {"entrypoint": "text", "command": "text"})),
    "container-env": _open("runner-text"),
    "runner-text": _text(*_RUNNER_SECRETS),
    "credentials": _map({"username": "name", "password": "name"}, *_GLOBAL, "secrets", "env"),
    "job-env": _open("text", *_MATRIX, "secrets"),
    "environment": _either(
        _text(),
        _map({"name": "text", "url": "environment-url", "deployment": "flag"}, required=("name",)),
        contexts=_MATRIX,
    ),
    "environment-url": _text(*_RUNNER),
    "job-concurrency": _either(_name(), _CONCURRENCY, contexts=_MATRIX),
    "queue": _word("single", "max"),
    "job-outputs": _open("runner-text"),
    "job-defaults": _map({"run": "job-defaults-run"}),
    "job-defaults-run": _map({"shell": "name", "working-directory": "name"}, *_MATRIX, "env"),
    "snapshot": _either(
        _name(),
        _map(
            {"image-name": "name", "if": "snapshot-if", "version": "name"},
            required=("image-name",),
        ),
        contexts=_MATRIX,
    ),
    "snapshot-if": _text(*_RUNNER, *_STATUS, "hashFiles()")._replace(condition=True),
    "steps": _list("step"),
    "step": Rule("a mapping", shapes=_STEP_SHAPES),
    "step-if": _text(*_RUNNER, *_STATUS, "hashFiles()")._replace(condition=True),
    "step-text": _text(*_STEP),
    "step-name": _text(*_STEP),
    "step-flag": _flag(*_STEP),
    "step-number": _number(*_STEP),
    "step-env": _open("text", *_STEP),
}
"""The rules of a workflow file; it begins with `workflow`."""
