"""The `[[check]]`s of grind.toml as jobs."""

from __future__ import annotations

import pytest

from tests.workflows.plans import checks_of

THREE = """
[[check]]
name = "a"
run = "make a"
[[check]]
name = "b"
run = "make b"
needs = ["a"]
inputs = ["src/**"]
[[check]]
name = "c"
run = "make c"
needs = ["b"]
"""


def test_a_check_that_need_not_run_stands_in_nobodys_way() -> None:
    plan = checks_of(THREE, ("README.md",))
    assert [(job.id, job.active, job.needs) for job in plan.jobs] == [
        ("a", True, ()),
        ("b", False, ("a",)),
        ("c", True, ("a",)),
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "needed"),
    [
        ("src/**", "src/a/b.py", True),
        ("src/*", "src/a/b.py", True),
        ("src/", "src/a.py", True),
        ("src", "src/a.py", True),
        ("src/**/x.py", "src/x.py", True),
        ("**/x.py", "x.py", True),
        ("*.py", "deep/x.py", True),
        ("src/**", "srcs/a.py", False),
        ("*.md", "a.py", False),
        ("[z-a", "a.py", True),  # not understood: rather a check too many
    ],
)
def test_inputs(pattern: str, path: str, needed: bool) -> None:
    config = f'[[check]]\nname = "a"\nrun = "x"\ninputs = ["{pattern}"]'
    assert checks_of(config, (path,)).jobs[0].active is needed


@pytest.mark.parametrize("changed", [None, ()])
def test_without_anything_to_compare_every_check_runs(changed: tuple[str, ...] | None) -> None:
    assert all(job.active for job in checks_of(THREE, changed).jobs)


@pytest.mark.parametrize(
    ("text", "gating"),
    [
        ('run = "make | tee log"', False),
        ('run = "make | tee log"\nshell = "bash"', True),
        ('run = "pytest | tee log"\nmin_tests = 1', True),
        ('run = "make"', True),
    ],
)
def test_a_check_that_cannot_fail_does_not_gate(text: str, gating: bool) -> None:
    step = checks_of(f'[[check]]\nname = "a"\n{text}').jobs[0].steps[1]
    assert step.gating is gating
    assert bool(step.gating_reason) is not gating
