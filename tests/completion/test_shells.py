"""The scripts in the real shells, with the real command behind them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import part

SRC = Path(__file__).parents[2] / "src"


@pytest.fixture
def grind(tmp_path: Path) -> Path:
    """A program `grind`, in a folder for the PATH, and a repository to stand in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "grind"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grind "$@"\n')
    program.chmod(0o755)
    workflows = tmp_path / "repo" / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    (workflows / "two words.yml").write_text("on: push\n")
    (workflows / "$(touch owned).yml").write_text("on: push\n")
    return program


def run(shell: str, script: str, grind: Path, *more: str) -> str:
    env = {
        "PATH": f"{grind.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(SRC),
        "HOME": str(grind.parent),
        "TERM": "dumb",
    }
    done = subprocess.run(
        [part(shell), *more, "-c", script],
        env=env,
        cwd=grind.parents[1] / "repo",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def bash(grind: Path, *words: str) -> list[str]:
    """Ask as readline does: its words are parted at `=` as well."""
    line = " ".join(f"'{word}'" for word in words)
    script = (
        f"source <(grind completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        '_grind; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return run("bash", script, grind, "--norc", "--noprofile").splitlines()


def test_bash(grind: Path) -> None:
    assert bash(grind, "grind", "pl") == ["plan"]
    assert bash(grind, "grind", "check", "--fa") == ["--fast", "--failed"]
    assert "two\\ words.yml" in bash(grind, "grind", "check", "--workflow", "")


def test_bash_parts_words_at_an_equals_sign(grind: Path) -> None:
    assert "two\\ words.yml" in bash(grind, "grind", "check", "--workflow", "=", "t")
    assert "two\\ words.yml" in bash(grind, "grind", "check", "--workflow", "=")


def test_a_hostile_file_name_is_quoted_and_not_run(grind: Path) -> None:
    found = bash(grind, "grind", "check", "--workflow", "")
    assert "\\$\\(touch\\ owned\\).yml" in found
    assert not (grind.parents[1] / "repo" / "owned").exists()


def test_zsh_reads_its_script(grind: Path) -> None:
    script = (
        "autoload -U compinit; compinit -u; source <(grind completion zsh)\n"
        'print -- "$_comps[grind]"'
    )
    assert run("zsh", script, grind, "-f").strip() == "_grind"


def test_fish(grind: Path) -> None:
    script = "grind completion fish | source; complete -C 'grind check --fa'"
    found = run("fish", script, grind, "--no-config")
    assert [line.partition("\t")[0] for line in found.splitlines()] == ["--failed", "--fast"]
    script = "grind completion fish | source; complete -C 'grind check --workflow tw'"
    assert "two words.yml" in run("fish", script, grind, "--no-config").replace("\\", "")
