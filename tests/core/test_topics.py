"""Every error has a code, and every code a page."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grind.cli import Commands, run
from grind.core.errors import GrindError
from grind.core.topics import TOPICS, topic_of, topic_of_error

SRC = Path(__file__).parents[2] / "src"


def raising() -> dict[str, Path]:
    """The modules that raise an expected error."""
    found = {}
    for path in sorted((SRC / "grind").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = ast.unparse(node.exc.func).rpartition(".")[2]
                if name.endswith("Error") and name not in _NOT_EXPECTED:
                    found[".".join(path.relative_to(SRC).with_suffix("").parts)] = path
    return found


_NOT_EXPECTED = {
    "ValueError", "TypeError", "FileNotFoundError", "RuntimeError", "AssertionError", "KeyError",
    "OSError", "ConnectionError", "TimeoutError", "NotImplementedError", "EOFError",
}  # fmt: skip


def test_every_module_that_raises_has_a_code() -> None:
    modules = raising()
    assert len(modules) > 50
    assert [name for name in modules if topic_of(name) not in TOPICS] == []


def test_the_longest_beginning_decides() -> None:
    assert topic_of("grind.adapters.git.landing") == "landing"
    assert topic_of("grind.adapters.git.remotes") == "repository"
    assert topic_of("grind.adapters.lint_tree") == "lint"
    assert topic_of("json.decoder") == ""


def test_an_error_has_the_code_of_where_it_was_raised() -> None:
    from grind.core.config import load

    with pytest.raises(GrindError) as caught:
        load("grind.toml", b"x = 1\n")
    assert topic_of_error(caught.value.__traceback__) == "grind-toml"
    with pytest.raises(GrindError) as here:
        raise GrindError("from a test")
    assert topic_of_error(here.value.__traceback__) == ""


def test_help_knows_the_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for topic, (title, text) in TOPICS.items():
        if topic not in Commands().names:  # a command of that name has a help of its own
            assert run(["help", topic]) == 0
            assert capsys.readouterr().out.startswith(f"{title}  [{topic}]")
        assert text.endswith(".")
