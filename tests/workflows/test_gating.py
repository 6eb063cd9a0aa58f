"""Whether a step can fail: a table, and real bash as the judge."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grind.workflows.gating import can_fail
from grind.workflows.shellread import read_shell

NON_GATING = [
    ("", "cargo clippy | tee log; echo done", "piped into `tee log` without pipefail"),
    ("sh", "a | tee b", "piped into"),
    ("", "pytest || true", "followed by `|| true`"),
    ("", "pytest ||:", "followed by `|| :`"),
    ("", "pytest || echo failed", "followed by `|| echo failed`"),
    ("", "set +e\npytest\nexit 0", "its status is not looked at"),
    ("", "set +o errexit\npytest\necho", "its status is not looked at"),
    ("bash {0}", "pytest\necho hi", "its status is not looked at"),
    ("bash", "set +o pipefail\na | tee b", "piped into"),
    ("", "if pytest; then echo ok; else echo bad; fi", "only a condition"),
    ("", "echo $(pytest)", "in a `$( )` of `echo`"),
    ("", "export X=$(pytest)", "is lost"),
    ("", "f() { pytest; }\nf || true", "followed by"),
    ("", "pytest &", "in the background"),
    ("", "for i in a b; do pytest $i || true; done", "followed by"),
    ("", "pytest 2>&1 | tee a | tail -5", "piped into"),
    ("", "a | tee y\nc | tee x && echo", "without pipefail"),
]
GATING = [
    ("", "pytest"),
    ("", ""),
    ("", "echo hi"),
    ("", "cargo clippy 2>&1 | grep -v x"),
    ("bash", "cargo clippy | tee log; echo done"),
    ("bash -eo pipefail {0}", "a | tee b"),
    ("", "set -o pipefail\na | tee b"),
    ("", "set -euo pipefail\na | tee b"),
    ("", "pytest; exit 0"),
    ("", "set +e\npytest"),
    ("", "set +e\npytest\nexit $?"),
    ("", "set +e\npytest\nrc=$?\nexit $rc"),
    ("", "a | tee b\nexit ${PIPESTATUS[0]}"),
    ("", "a | tee b\ntest ${PIPESTATUS[0]} -eq 0"),
    ("", 'a | tee b\nif [ "${PIPESTATUS[0]}" -ne 0 ]; then exit 1; fi'),
    ("", "if pytest; then echo ok; else exit 1; fi"),
    ("", "X=$(pytest); echo $X"),
    ("", "f() { pytest; }\nf"),
    ("", "(set -o pipefail; a | tee b)"),
    ("", "! pytest"),
    ("", 'bash -c "pytest | tee x"'),
    ("", "mkdir -p x\npytest | tee x/log"),
    ("python", "import sys"),
    ("pwsh", "pytest | tee x"),
    ("", "( pytest | tee x"),
    ("", "pytest || true\nmake"),
    ("", "a || exit 1"),
    ("", "trap 'exit 1' ERR\na | tee b"),
]


@pytest.mark.parametrize(("shell", "text", "why"), NON_GATING)
def test_cannot_fail(shell: str, text: str, why: str) -> None:
    found = can_fail(text, shell)
    assert not found.gating
    assert why in found.reason
    assert "(line " in found.reason


@pytest.mark.parametrize(("shell", "text"), GATING)
def test_can_fail(shell: str, text: str) -> None:
    assert can_fail(text, shell).gating


def test_masked_commands_are_named_though_another_gates() -> None:
    found = can_fail("pytest | tee log\nmake\n")
    assert found.gating
    assert found.masked == ("`pytest` (line 1): piped into `tee log` without pipefail",)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs `pa`, `pb`, `pc` that say they ran and exit with $pa, $pb, $pc."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("pa", "pb", "pc"):
        path = folder / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"$RAN"\nexit "${name}"\n')
        path.chmod(0o755)
    return folder


LEAF = st.sampled_from(
    ["pa 1", "pb 2", "pc 3", "true", "echo x", "tee /dev/null </dev/null", "echo $(pa 4)",
     "X=$(pb 5)", "exit 0", "exit 1", "set +e", "set -e", "set -o pipefail", "[ -n '' ]"]
)  # fmt: skip


def joined(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(children, children)
    return st.one_of(
        two.map(lambda p: f"{p[0]} | tee /dev/null"),
        two.map(lambda p: f"{p[0]} | {p[1]}"),
        two.map(lambda p: f"{p[0]} && {p[1]}"),
        two.map(lambda p: f"{p[0]} || {p[1]}"),
        two.map(lambda p: f"{p[0]}\n{p[1]}"),
        two.map(lambda p: f"{p[0]}; {p[1]}"),
        two.map(lambda p: f"if {p[0]}; then {p[1]}; fi"),
        two.map(lambda p: f"if {p[0]}\nthen {p[1]}\nelse pa 6 || true; fi"),
        two.map(lambda p: f"f() {{ {p[0]}; }}; f || {p[1]}"),
        children.map(lambda p: f"( {p} )"),
        children.map(lambda p: f"{{ {p}; }}"),
        children.map(lambda p: f"for i in 1 2; do {p}; done"),
        children.map(lambda p: f"{p} || true"),
        children.map(lambda p: f"! {p}"),
        children.map(lambda p: f"{p} > /dev/null 2>&1"),
        children.map(lambda p: f"case x in x) {p};; *) pb 7;; esac"),
    )


SHELLS = {"": ["-e"], "bash": ["-eo", "pipefail"], "bash {0}": []}


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.recursive(LEAF, joined, max_leaves=7), st.sampled_from(sorted(SHELLS)))
def test_real_bash_agrees(programs: Path, tmp_path: Path, text: str, shell: str) -> None:
    """A text called non-gating never fails, and every command that ran was read."""
    found = can_fail(text, shell)
    script = read_shell(text)
    known = {command.argv for command in script.commands}
    path = tmp_path / "step"
    path.write_text(text)
    ran = tmp_path / "ran"
    for codes in itertools.product("01", repeat=3):
        ran.write_text("")
        env = {
            "PATH": f"{programs}:{os.defpath}",
            "RAN": str(ran),
            **dict(zip(("pa", "pb", "pc"), codes, strict=True)),
        }
        done = subprocess.run(
            ["bash", *SHELLS[shell], str(path)], env=env, capture_output=True, check=False
        )
        if not found.gating:
            assert done.returncode == 0, (text, codes)
        if script.complete:
            executed = {tuple(line.split()) for line in ran.read_text().splitlines()}
            assert executed <= known, (text, executed - known)


def test_a_function_that_is_defined_twice_may_fail() -> None:
    text = "f() { pa 1; }; f || pa 1 && f() { exit 1; }; f || true"
    assert can_fail(text).gating
