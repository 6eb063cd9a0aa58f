"""setup-python, setup-node and setup-go (see `setups`)."""

from __future__ import annotations

import json
import re
import tomllib

from grind.workflows.facts import Facts, Judgement, refused, settle
from grind.workflows.setupnix import answered
from grind.workflows.setups import (
    Candidate,
    Inputs,
    Lack,
    Request,
    choose,
    first_request,
    lacks,
    read_candidates,
    satisfied,
    tool_versions,
)
from grind.workflows.versions import ANY, Version

# --- Python ---------------------------------------------------------------------------------------


def _requires_python(content: str) -> str | None:
    try:
        data = tomllib.loads(content)
    except tomllib.TOMLDecodeError:
        return None
    value = data.get("project", {}).get("requires-python")
    if value is None:
        value = data.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python")
    return value if isinstance(value, str) else None


_PYTHON_FILES = {
    "pyproject.toml": _requires_python,
    ".tool-versions": tool_versions("python"),
}


def python(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """actions/setup-python."""
    if inputs.get("pip-install"):
        return refused("the input `pip-install` is not carried out here yet", settle(uses))
    request = first_request(
        inputs,
        facts,
        "python-version",
        "python-version-file",
        _PYTHON_FILES,
        (".python-version",),
    )
    if isinstance(request, Judgement):
        return request

    def judge(out: str) -> Judgement | Lack:
        return _python(uses, inputs, request, read_candidates(out, 1, 5))

    return answered(facts, "python", judge)


def _python(
    uses: str, inputs: Inputs, request: Request | None, candidates: list[Candidate]
) -> Judgement | Lack:
    bits = "32" if inputs.get("architecture") in ("x86", "x32") else "64"
    candidates = [c for c in candidates if c.fields[3] == bits]
    chosen: list[Candidate] = []
    for text in (request.text if request else "").split("\n") or [""]:
        one = _one_python(text.strip(), candidates, inputs)
        if isinstance(one, str):
            return refused(one, settle(uses))
        if one is None:
            return lacks("Python", text, candidates, uses)
        chosen.append(one)
    main = chosen[-1]
    version = str(main.version)
    env = {
        "GRIND_PYTHON": main.fields[4],
        "GRIND_PYTHON_VERSION": version,
        "GRIND_PYTHON_ALSO": "\n".join(c.fields[4] for c in chosen[:-1]),
        "GRIND_UPDATE_ENVIRONMENT": inputs.get("update-environment", "true") or "true",
    }
    outputs = {"python-version": version, "cache-hit": "false" if inputs.get("cache") else ""}
    asked = f" for {request.text.strip()!r}" if request else ""
    reason = f"Python {version}{asked} in a private environment of the job ({main.fields[4]})"
    return satisfied(reason, "python.sh", env, outputs)


def _one_python(text: str, candidates: list[Candidate], inputs: Inputs) -> Candidate | str | None:
    match = re.fullmatch(r"(pypy|graalpy)-?([\d.x]*)(?:-v?[\w.]+)?(-nightly)?", text)
    kind = match[1] if match else "cpython"
    wanted = match[2] if match else text
    threads = "0"
    if re.fullmatch(r"[\d.]+t(?:-dev)?", wanted):
        wanted = wanted.replace("t", "", 1)
        threads = "1"
    if inputs.get("freethreaded", "").lower() == "true":
        threads = "1"
    pool = [c for c in candidates if c.fields[0] == kind and c.fields[2] == threads]
    allow = inputs.get("allow-prereleases", "").lower() == "true"
    if wanted.endswith("-dev"):
        # `3.14-dev` is the newest build of 3.14, a prerelease or not.
        wanted, allow = wanted.removesuffix("-dev"), True
    wanted = re.sub(r"-0$|\.0-0$", "", wanted) if wanted.startswith("~") else wanted
    if allow:
        pool = [Candidate(Version(c.version.parts), c.fields) for c in pool]
    if not wanted:
        return pool[0] if pool else None
    return choose(pool, wanted)


# --- Node -----------------------------------------------------------------------------------------


def _package_node(content: str) -> str | None:
    try:
        data = json.loads(content)
    except ValueError:
        return None
    for path in (("volta", "node"), ("engines", "node")):
        value = data
        for key in path:
            value = value.get(key, {}) if isinstance(value, dict) else {}
        if isinstance(value, str):
            return value
    return None


_NODE_FILES = {"package.json": _package_node, ".tool-versions": tool_versions("nodejs", "node")}


def node(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """actions/setup-node."""
    request = first_request(inputs, facts, "node-version", "node-version-file", _NODE_FILES)
    if isinstance(request, Judgement):
        return request

    def judge(out: str) -> Judgement | Lack:
        return _node(uses, inputs, request, read_candidates(out, 0, 3))

    return answered(facts, "node", judge)


def _node(
    uses: str, inputs: Inputs, request: Request | None, candidates: list[Candidate]
) -> Judgement | Lack:
    text = request.text if request else ""
    wanted = text
    pool = candidates
    if text.lower().startswith("lts/") or text.lower() == "lts":
        name = text.partition("/")[2].lower()
        if name.startswith("-"):
            return refused(f"which line {text!r} is, only the network knows", settle(uses))
        pool = [c for c in pool if c.fields[1] != "-" and name in ("", "*", c.fields[1].lower())]
        wanted = "*"
    if not request:
        chosen: Candidate | str | None = pool[0] if pool else None
    else:
        chosen = choose(pool, wanted)
    if isinstance(chosen, str):
        return refused(chosen, settle(uses))
    if chosen is None:
        return lacks("Node.js", text, candidates, uses)
    version = str(chosen.version)
    env = {
        "GRIND_NODE": chosen.fields[2],
        "GRIND_REGISTRY": inputs.get("registry-url", ""),
        "GRIND_SCOPE": inputs.get("scope", ""),
    }
    outputs = {"node-version": f"v{version}", "cache-hit": "false" if inputs.get("cache") else ""}
    asked = f" for {text!r}" if text else ""
    newest = "; CI takes the newest there is" if text in ANY and text else ""
    return satisfied(
        f"Node.js {version}{asked} ({chosen.fields[2]}){newest}", "node.sh", env, outputs
    )


# --- Go -------------------------------------------------------------------------------------------


def _go_mod(content: str) -> str | None:
    toolchain = re.search(r"^toolchain\s+go([\d.]+\w*)\s*$", content, re.MULTILINE)
    directive = re.search(r"^go\s+([\d.]+\w*)\s*$", content, re.MULTILINE)
    match = toolchain or directive
    return match[1] if match else None


_GO_FILES = {
    "go.mod": _go_mod,
    "go.work": _go_mod,
    ".tool-versions": tool_versions("golang", "go"),
}


def go(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """actions/setup-go."""
    request = first_request(inputs, facts, "go-version", "go-version-file", _GO_FILES)
    if isinstance(request, Judgement):
        return request

    def judge(out: str) -> Judgement | Lack:
        return _go(uses, request, read_candidates(out, 0, 2))

    return answered(facts, "go", judge)


def _go(uses: str, request: Request | None, candidates: list[Candidate]) -> Judgement | Lack:
    text = request.text if request else ""
    if text == "oldstable":
        return refused("which release `oldstable` is, only the network knows", settle(uses))
    # A `go 1.21` line is a minimum for the language, but the action installs that very release.
    chosen = choose(candidates, text) if request else (candidates[0] if candidates else None)
    if isinstance(chosen, str):
        return refused(chosen, settle(uses))
    if chosen is None:
        return lacks("Go", text, candidates, uses)
    version = str(chosen.version)
    outputs = {"go-version": version, "cache-hit": ""}
    newest = "; CI takes the newest there is" if text in ANY and text else ""
    asked = f" for {text!r}" if text else ""
    return satisfied(
        f"Go {version}{asked} ({chosen.fields[1]}){newest}",
        "go.sh",
        {"GRIND_GO": chosen.fields[1]},
        outputs,
    )
