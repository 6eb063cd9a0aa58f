"""Golden plans: one construct a workflow, lowered on a host whose answers are fixed.

Beside `NAME.yml` may stand `NAME.toml` (its grind.toml), `NAME.paths` (what has changed) and `NAME/`
(other files of the repository). After
a change that is meant, `python -m tests.workflows.test_plans` writes the plans anew; read the
difference before committing it.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from grind.core.plandoc import document
from grind.workflows.availability import check_expressions
from grind.workflows.checks import check_jobs
from tests.workflows.plans import read, request_of, settled

FOLDER = Path(__file__).parent / "golden" / "plans"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
_EMPTY = ("", None, [], {}, ())


def render(name: str) -> str:
    """Give the `grind.plan/1` document of a golden workflow, what is empty left out of steps."""
    workflow = read((FOLDER / f"{name}.yml").read_text(), f".github/workflows/{name}.yml")
    config, paths = FOLDER / f"{name}.toml", FOLDER / f"{name}.paths"
    changed = tuple(paths.read_text().split()) if paths.exists() else None
    request = request_of(
        workflow,
        config=config.read_text() if config.exists() else "",
        paths=changed,
        files={
            str(path.relative_to(FOLDER / name)): path.read_text()
            for path in (FOLDER / name).rglob("*")
            if path.is_file()
        },
    )
    plan = settled(request)
    checks = check_jobs(request, changed)
    whole = document(msgspec.structs.replace(plan, jobs=(*checks.jobs, *plan.jobs)))
    for job in whole["jobs"]:
        job["steps"] = [
            {key: value for key, value in step.items() if value not in _EMPTY}
            for step in job["steps"]
        ]
    del whole["digest"]  # a word more in a step's setup would change them all
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_lowers_as_agreed(name: str) -> None:
    assert render(name) == (FOLDER / f"{name}.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_step_that_is_not_executed_says_why(name: str) -> None:
    for job in json.loads(render(name))["jobs"]:
        for one in (job, *job["steps"]):
            assert one["verdict"] == "executed" or one["reason"]


def test_there_are_enough() -> None:
    assert len(NAMES) >= 30


if __name__ == "__main__":
    for each in NAMES:
        source = (FOLDER / f"{each}.yml").read_text()
        found = check_expressions(read(source))
        if found and each != "env-unknown":
            print(each, *found, sep="\n  ")
        (FOLDER / f"{each}.json").write_text(render(each))
