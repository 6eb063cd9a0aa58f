"""Setup actions: which interpreter or toolchain of the host answers the version that is asked.

Each handler takes the action's inputs and the facts, and returns a judgement. A version that the
host lacks is refused with its remedy; nothing is ever downloaded for it. Inputs that a handler
does not know refuse the step: they may change what the real action does.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows.facts import Facts, Judgement, pending, refused, settle
from grind.workflows.scripts import provide, script
from grind.workflows.versions import ANY, Version, answers, parse_version

Inputs = Mapping[str, str]


class Request(NamedTuple):
    """A version as asked, and where it was asked for."""

    text: str
    source: str


class Candidate(NamedTuple):
    """Something on the host that may answer; `fields` is a line of its `find-*.sh`."""

    version: Version
    fields: tuple[str, ...]


def found(facts: Facts, language: str, column: int) -> list[Candidate] | None:
    """Ask the host for its candidates; None while it has not answered."""
    answer = facts.ask(find_question(language))
    if answer is None:
        return None
    candidates = []
    for line in answer.out.splitlines():
        fields = tuple(line.split("\t"))
        version = parse_version(fields[column]) if len(fields) > column else None
        if version is not None:
            candidates.append(Candidate(version, fields))
    return candidates


def find_question(language: str) -> tuple[str, ...]:
    """The question that lists what the host has of a language."""
    return ("bash", "--noprofile", "--norc", "-c", script(f"find-{language}.sh"), "find")


def choose(candidates: list[Candidate], request: str) -> Candidate | str | None:
    """The newest candidate that answers; the first one on the PATH when anything would do.

    Returns a text when the request is not understood.
    """
    fitting = []
    for candidate in candidates:
        verdict = answers(candidate.version, request)
        if verdict is None:
            return f"the version {request!r} is not understood"
        if verdict:
            fitting.append(candidate)
    if not candidates and answers(Version((1,)), request) is None:
        return f"the version {request!r} is not understood"
    return max(fitting, key=lambda candidate: candidate.version.parts, default=None)


def satisfied(reason: str, name: str, env: Inputs, outputs: Inputs) -> Judgement:
    """The host has it: a bundled script gives it to the job."""
    recipe = Recipe(kind="provide", script=provide(name), env=dict(env), outputs=dict(outputs))
    return Judgement(Verdict.SATISFIED, StepClass.PROVISION, reason, recipe=recipe)


def lacks(what: str, request: Request, candidates: list[Candidate], uses: str) -> Judgement:
    """The host has no such version: refused, with what it has and what would settle it."""
    have = ", ".join(sorted({str(c.version) for c in candidates})) or "none"
    return refused(
        f"{what} {request.text} is not on the host (it has: {have})",
        f"install {what} {request.text} on the host, or in grind.toml:\n{settle(uses)}",
    )


def first_request(
    inputs: Inputs,
    facts: Facts,
    version_input: str,
    file_input: str,
    readers: Mapping[str, Callable[[str], str | None]],
    defaults: tuple[str, ...] = (),
) -> Request | Judgement | None:
    """What version is asked for: by input, by file, by a default file that exists; else None."""
    text = inputs.get(version_input, "").strip()
    if text:
        return Request(text, version_input)
    path = inputs.get(file_input, "").strip()
    names = (path,) if path else defaults
    for name in names:
        content = facts.read(name)
        if content is None:
            if path:
                return refused(f"{file_input} names {path}, which the snapshot does not have")
            continue
        base = name.rpartition("/")[2]
        reader = readers.get(base) or next(
            (r for suffix, r in readers.items() if suffix[:1] == "*" and base.endswith(suffix[1:])),
            _first_line,
        )
        version = reader(content)
        if version:
            return Request(version, name)
        if path:
            return refused(f"{path} names no version that is understood")
    return None


def _first_line(content: str) -> str | None:
    for line in content.splitlines():
        text = line.partition("#")[0].strip()
        if text:
            return text
    return None


def tool_versions(*names: str) -> Callable[[str], str | None]:
    """A reader of `.tool-versions` for a tool under any of its plugin names."""

    def read(content: str) -> str | None:
        for line in content.splitlines():
            words = line.partition("#")[0].split()
            if len(words) > 1 and words[0] in names:
                return words[1]
        return None

    return read


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
    candidates = found(facts, "python", 1)
    if candidates is None:
        return pending()
    bits = "32" if inputs.get("architecture") in ("x86", "x32") else "64"
    candidates = [c for c in candidates if c.fields[3] == bits]
    chosen: list[Candidate] = []
    for text in (request.text if request else "").split("\n") or [""]:
        one = _one_python(text.strip(), candidates, inputs)
        if isinstance(one, str):
            return refused(one, settle(uses))
        if one is None:
            return lacks("Python", Request(text.strip(), ""), candidates, uses)
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
    candidates = found(facts, "node", 0)
    if candidates is None:
        return pending()
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
        return lacks("Node.js", request or Request("", ""), candidates, uses)
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
    candidates = found(facts, "go", 0)
    if candidates is None:
        return pending()
    text = request.text if request else ""
    if text == "oldstable":
        return refused("which release `oldstable` is, only the network knows", settle(uses))
    # A `go 1.21` line is a minimum for the language, but the action installs that very release.
    chosen = choose(candidates, text) if request else (candidates[0] if candidates else None)
    if isinstance(chosen, str):
        return refused(chosen, settle(uses))
    if chosen is None:
        return lacks("Go", request or Request("", ""), candidates, uses)
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


# --- Java, Ruby, .NET -----------------------------------------------------------------------------


def java(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """actions/setup-java: any OpenJDK build of the version; the vendor is said, not compared."""
    if inputs.get("jdkFile") or inputs.get("distribution", "").lower() == "jdkfile":
        return refused("a JDK from a file is not set up here", settle(uses))
    files = {
        ".java-version": _first_line,
        ".tool-versions": tool_versions("java"),
        ".sdkmanrc": lambda text: (re.search(r"^java=([\d.]+)", text, re.M) or [None, None])[1],
    }
    request = first_request(inputs, facts, "java-version", "java-version-file", files)
    if isinstance(request, Judgement):
        return request
    candidates = found(facts, "java", 0)
    if candidates is None:
        return pending()
    if request is None:
        return refused("no Java version is asked for")
    package = inputs.get("java-package", "jdk") or "jdk"
    if package not in ("jdk", "jre"):
        return refused(f"the Java package {package!r} is not looked for on the host", settle(uses))
    if inputs.get("distribution", "").startswith("graalvm"):
        return refused("GraalVM is not looked for on the host", settle(uses))
    pool = [c for c in candidates if c.fields[2] == "1" or package == "jre"]
    chosen: list[Candidate] = []
    for text in request.text.split("\n"):
        wanted = re.sub(r"^1\.8\b", "8", re.sub(r"^[a-z]+-", "", text.strip()))
        one = choose(pool, wanted.removesuffix("-ea"))
        if isinstance(one, str):
            return refused(one, settle(uses))
        if one is None:
            return lacks("Java", Request(text.strip(), ""), candidates, uses)
        chosen.append(one)
    main = chosen[-1]
    env = {"GRIND_JAVA_HOME": main.fields[3]}
    for one in chosen:
        env[f"GRIND_JAVA_HOME_{one.version.parts[0]}"] = one.fields[3]
    outputs = {
        "distribution": inputs.get("distribution", ""),
        "version": str(main.version),
        "path": main.fields[3],
        "cache-hit": "false" if inputs.get("cache") else "",
    }
    reason = f"Java {main.version} of {main.fields[1]} ({main.fields[3]})"
    return satisfied(reason, "java.sh", env, outputs)


def _gemfile_ruby(content: str) -> str | None:
    match = re.search(r"""^\s*ruby\s+["']([\d.]+)["']""", content, re.MULTILINE)
    return match[1] if match else None


def ruby(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """ruby/setup-ruby."""
    asked = inputs.get("ruby-version", "").strip() or "default"
    if asked == "default":
        files = {
            ".ruby-version": _first_line,
            ".tool-versions": tool_versions("ruby"),
            "Gemfile": _gemfile_ruby,
        }
        request = first_request({}, facts, "", "", files, tuple(files))
    elif "/" in asked or asked.startswith("."):
        reader = tool_versions("ruby") if asked.endswith(".tool-versions") else _first_line
        request = first_request({"f": asked}, facts, "", "f", {asked.rpartition("/")[2]: reader})
    else:
        request = Request(asked, "ruby-version")
    if isinstance(request, Judgement):
        return request
    if request is None:
        return refused("no Ruby version is asked for")
    candidates = found(facts, "ruby", 1)
    if candidates is None:
        return pending()
    match = re.fullmatch(r"(?:(ruby|jruby|truffleruby|mruby)-?)?(.*)", request.text)
    engine = (match[1] if match else None) or "ruby"
    pool = [c for c in candidates if c.fields[0] == engine]
    chosen = choose(pool, (match[2] if match else request.text) or "*")
    if isinstance(chosen, str):
        return refused(chosen, settle(uses))
    if chosen is None:
        return lacks("Ruby", request, candidates, uses)
    env = {
        "GRIND_RUBY": chosen.fields[2],
        "GRIND_BUNDLER_CACHE": inputs.get("bundler-cache", "false") or "false",
        "GRIND_BUNDLER": inputs.get("bundler", ""),
        "GRIND_WORKING_DIRECTORY": inputs.get("working-directory", ".") or ".",
    }
    reason = f"Ruby {chosen.version} ({chosen.fields[2]}), gems in a folder of the job"
    return satisfied(reason, "ruby.sh", env, {})


def dotnet(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """actions/setup-dotnet."""
    global_json = inputs.get("global-json-file", "").strip()
    text = inputs.get("dotnet-version", "").strip()
    if global_json or not text:
        content = facts.read(global_json or "global.json")
        match = re.search(r'"version"\s*:\s*"([^"]+)"', content or "")
        if match is None and not text:
            return refused("no .NET version is asked for")
        text = text or (match[1] if match else "")
    candidates = found(facts, "dotnet", 0)
    if candidates is None:
        return pending()
    for one in text.split("\n"):
        chosen = choose(candidates, one.strip())
        if isinstance(chosen, str):
            return refused(chosen, settle(uses))
        if chosen is None:
            return lacks(".NET SDK", Request(one.strip(), ""), candidates, uses)
    last = choose(candidates, text.split("\n")[-1].strip())
    version = str(last.version) if isinstance(last, Candidate) else ""
    env = {"GRIND_DOTNET": last.fields[1] if isinstance(last, Candidate) else ""}
    outputs = {"dotnet-version": version, "cache-hit": ""}
    return satisfied(f".NET SDK {version}", "dotnet.sh", env, outputs)
