"""The documents tell the truth: their TOML loads, their commands exist, their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grind.cli import Commands
from grind.core.config import load
from grind.core.release import TABLE, State

ROOT = Path(__file__).parent.parent
TOP = (ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md")
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]


def test_there_are_pages() -> None:
    assert len(PAGES) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_toml_loads(page: Path) -> None:
    for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        load("grind.toml", block.encode())


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_commands_that_are_shown_exist(page: Path) -> None:
    names = set(Commands().names) | {"help"}
    shown = set(re.findall(r"^\$? ?grind ([a-z]+)", page.read_text(), re.MULTILINE))
    assert shown <= names


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_release_diagram_names_every_state() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    block = text[text.index("## The release's states") : text.index("## Invariants")]
    assert {state.value for state in State} <= set(re.findall(r"[a-z]+", block))
    assert {event.partition(":")[0] for row in TABLE.values() for event in row} <= set(
        re.findall(r"[a-z]+\.[a-z]+", block)
    )
