"""The verdict on `actions/checkout`, which is built in: what of it can be done here exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows.facts import Facts, Judgement, pending, refused

_OWN = re.compile(
    r"\$\{\{\s*(?:github\.(?:sha|ref|ref_name|head_ref|workflow_sha|"
    r"event\.(?:pull_request\.head\.(?:sha|ref)|after|inputs\.\w+|head_commit\.id))"
    r"(?:\s*\|\|\s*)?)+\s*\}\}",
    re.IGNORECASE,
)
_REPOSITORY = re.compile(r"\$\{\{\s*github\.repository\s*\}\}", re.IGNORECASE)


def checkout(uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """actions/checkout: the snapshot, as deep as asked. Anything else is refused.

    The recipe's `env` holds the inputs that matter, by their names: `path`, `fetch-depth`,
    `fetch-tags`, `submodules`, `clean`, `lfs`, `sparse-checkout`, `filter`.
    """
    del uses
    problem = _elsewhere(inputs, facts) or _shape(inputs)
    if problem is not None:
        return refused(problem, "check out the commit that is proven, or leave the job to CI")
    lfs = inputs.get("lfs", "").lower() == "true"
    if lfs and "filter=lfs" in (facts.read(".gitattributes") or ""):
        answer = facts.ask(("git", "lfs", "version"))
        if answer is None:
            return pending()
        if answer.exit_code != 0:
            return refused("`lfs: true` needs git-lfs on the host", "install git-lfs on the host")
    env = {
        "path": inputs.get("path", "").strip(),
        "fetch-depth": inputs.get("fetch-depth", "").strip() or "1",
        "fetch-tags": inputs.get("fetch-tags", "").lower() or "false",
        "submodules": inputs.get("submodules", "").lower() or "false",
        "clean": inputs.get("clean", "").lower() or "true",
        "lfs": "true" if lfs else "false",
    }
    recipe = Recipe(kind="checkout", env=env)
    return Judgement(Verdict.EXECUTED, StepClass.PROVISION, "built in: the snapshot", recipe=recipe)


def _elsewhere(inputs: Mapping[str, str], facts: Facts) -> str | None:
    repository = inputs.get("repository", "").strip()
    own = repository.lower() in ("", facts.repository.lower())
    if not own and not _REPOSITORY.fullmatch(repository):
        return f"it checks out another repository ({repository})"
    ref = inputs.get("ref", "").strip()
    if ref and ref not in facts.refs and not _OWN.fullmatch(ref):
        return f"it checks out another ref ({ref})"
    if inputs.get("github-server-url", "").strip() not in (
        "",
        "https://github.com",
        "${{ github.server_url }}",
    ):
        return "it checks out from another server"
    return None


def _shape(inputs: Mapping[str, str]) -> str | None:
    if inputs.get("sparse-checkout", "").strip():
        return "a sparse checkout is not made here: the job would see files that CI does not"
    if not re.fullmatch(r"\d*", inputs.get("fetch-depth", "").strip()):
        return f"`fetch-depth` is no number: {inputs['fetch-depth']}"
    path = inputs.get("path", "").strip()
    if path.startswith("/") or ".." in path.split("/") or "${{" in path:
        return f"`path` is not inside of the workspace: {path}"
    for name in ("submodules", "clean", "lfs", "fetch-tags"):
        if inputs.get(name, "").lower() not in ("", "true", "false", "recursive"):
            return f"`{name}` is neither true nor false: {inputs[name]}"
    return None
