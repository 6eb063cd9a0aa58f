"""Golden readings: one construct a workflow, its tree and its problems as text.

After a change that is meant, `python -m tests.workflows.test_golden` writes the texts anew; read
the difference before committing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from grind.workflows.availability import check_expressions
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Map, Mark, Scalar, Seq

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))


def render(name: str) -> str:
    """Give a reading as text: a line a field, those that have their default left out."""
    reading = read_workflow(f"{name}.yml", (FOLDER / f"{name}.yml").read_bytes())
    problems = [*reading.problems]
    lines: list[str] = []
    if reading.workflow is not None:
        lines += lines_of("workflow", reading.workflow, 0)
        problems += check_expressions(reading.workflow)
    return "\n".join([*lines, *(str(problem) for problem in problems)]) + "\n"


def lines_of(label: str, node: object, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(node, Scalar):
        block = f" block {node.block}" if node.block is not None else ""
        shown = f"{node.value!r}" + (f" from {node.text!r}" if node.value != node.text else "")
        yield f"{indent}{label}: {shown} @{place(node.mark)}{block}"
    elif isinstance(node, Map):
        yield f"{indent}{label}: map @{place(node.mark)}"
        for key, value in node.entries:
            yield from lines_of(f"[{key.text}]", value, depth + 1)
    elif isinstance(node, Seq):
        yield f"{indent}{label}: seq @{place(node.mark)}"
        for index, value in enumerate(node.items):
            yield from lines_of(f"[{index}]", value, depth + 1)
    elif isinstance(node, Mark):
        yield f"{indent}{label} @{place(node)}"
    elif isinstance(node, tuple):
        yield f"{indent}{label}: {len(node)}"
        for index, value in enumerate(node):
            yield from lines_of(f"{index}", value, depth + 1)
    elif isinstance(node, Struct):
        yield f"{indent}{label}: {type(node).__name__}"
        for field in node.__struct_fields__:
            value = getattr(node, field)
            if field not in ("root", "path") and value not in (None, ()):
                yield from fields_of(field, value, depth + 1)
    else:
        yield f"{indent}{label}: {node!r}"


def fields_of(field: str, value: object, depth: int) -> Iterator[str]:
    if isinstance(value, Struct) and not any(
        getattr(value, inner) is not None for inner in value.__struct_fields__
    ):
        return
    yield from lines_of(field, value, depth)


def place(mark: Mark) -> str:
    return f"{mark.line}:{mark.column}"


@pytest.mark.parametrize("name", NAMES)
def test_reads_as_agreed(name: str) -> None:
    assert render(name) == (FOLDER / f"{name}.txt").read_text()


def test_every_faulty_workflow_has_problems_and_no_other_has() -> None:
    faulty = {name for name in NAMES if f"\n{name}.yml:" in "\n" + render(name)}
    assert faulty == {name for name in NAMES if name.startswith("bad-")}
    assert len(NAMES) >= 30


if __name__ == "__main__":
    for each in NAMES:
        (FOLDER / f"{each}.txt").write_text(render(each))
