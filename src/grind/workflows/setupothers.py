"""setup-java, setup-ruby and setup-dotnet (see `setups`)."""

from __future__ import annotations

import re

from grind.workflows.facts import Facts, Judgement, refused, settle
from grind.workflows.setupnix import answered
from grind.workflows.setups import (
    Candidate,
    Inputs,
    Lack,
    Request,
    choose,
    first_line,
    first_request,
    lacks,
    read_candidates,
    satisfied,
    tool_versions,
)


def java(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """actions/setup-java: any OpenJDK build of the version; the vendor is said, not compared."""
    if inputs.get("jdkFile") or inputs.get("distribution", "").lower() == "jdkfile":
        return refused("a JDK from a file is not set up here", settle(uses))
    files = {
        ".java-version": first_line,
        ".tool-versions": tool_versions("java"),
        ".sdkmanrc": lambda text: (re.search(r"^java=([\d.]+)", text, re.M) or [None, None])[1],
    }
    request = first_request(inputs, facts, "java-version", "java-version-file", files)
    if isinstance(request, Judgement):
        return request
    if request is None:
        return refused("no Java version is asked for")
    asked = request.text
    package = inputs.get("java-package", "jdk") or "jdk"
    if package not in ("jdk", "jre"):
        return refused(f"the Java package {package!r} is not looked for on the host", settle(uses))
    if inputs.get("distribution", "").startswith("graalvm"):
        return refused("GraalVM is not looked for on the host", settle(uses))

    def judge(out: str) -> Judgement | Lack:
        return _java(uses, inputs, package, asked, read_candidates(out, 0, 4))

    return answered(facts, "java", judge)


def _java(
    uses: str, inputs: Inputs, package: str, asked: str, candidates: list[Candidate]
) -> Judgement | Lack:
    pool = [c for c in candidates if c.fields[2] == "1" or package == "jre"]
    chosen: list[Candidate] = []
    for text in asked.split("\n"):
        wanted = re.sub(r"^1\.8\b", "8", re.sub(r"^[a-z]+-", "", text.strip()))
        one = choose(pool, wanted.removesuffix("-ea"))
        if isinstance(one, str):
            return refused(one, settle(uses))
        if one is None:
            return lacks("Java", text, candidates, uses)
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
            ".ruby-version": first_line,
            ".tool-versions": tool_versions("ruby"),
            "Gemfile": _gemfile_ruby,
        }
        request = first_request({}, facts, "", "", files, tuple(files))
    elif "/" in asked or asked.startswith("."):
        reader = tool_versions("ruby") if asked.endswith(".tool-versions") else first_line
        request = first_request({"f": asked}, facts, "", "f", {asked.rpartition("/")[2]: reader})
    else:
        request = Request(asked, "ruby-version")
    if isinstance(request, Judgement):
        return request
    if request is None:
        return refused("no Ruby version is asked for")
    text = request.text

    def judge(out: str) -> Judgement | Lack:
        return _ruby(uses, inputs, text, read_candidates(out, 1, 3))

    return answered(facts, "ruby", judge)


def _ruby(uses: str, inputs: Inputs, text: str, candidates: list[Candidate]) -> Judgement | Lack:
    match = re.fullmatch(r"(?:(ruby|jruby|truffleruby|mruby)-?)?(.*)", text)
    engine = (match[1] if match else None) or "ruby"
    pool = [c for c in candidates if c.fields[0] == engine]
    chosen = choose(pool, (match[2] if match else text) or "*")
    if isinstance(chosen, str):
        return refused(chosen, settle(uses))
    if chosen is None:
        return lacks("Ruby", text, candidates, uses)
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

    def judge(out: str) -> Judgement | Lack:
        return _dotnet(uses, text, read_candidates(out, 0, 2))

    return answered(facts, "dotnet", judge)


def _dotnet(uses: str, text: str, candidates: list[Candidate]) -> Judgement | Lack:
    for one in text.split("\n"):
        chosen = choose(candidates, one.strip())
        if isinstance(chosen, str):
            return refused(chosen, settle(uses))
        if chosen is None:
            return lacks(".NET SDK", one, candidates, uses)
    last = choose(candidates, text.split("\n")[-1].strip())
    version = str(last.version) if isinstance(last, Candidate) else ""
    env = {"GRIND_DOTNET": last.fields[1] if isinstance(last, Candidate) else ""}
    outputs = {"dotnet-version": version, "cache-hit": ""}
    return satisfied(f".NET SDK {version}", "dotnet.sh", env, outputs)
