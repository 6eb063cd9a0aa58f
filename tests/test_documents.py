"""The documents tell the truth: their TOML loads, their commands exist, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from grind.cli import Commands
from grind.core.config import load
from grind.core.release import TABLE, State
from grind.ui.arguments import parser_for

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


LINE = re.compile(r"^\$? ?(grind [a-z].*)$", re.MULTILINE)
BLOCK = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def typed(page: Path) -> list[list[str]]:
    """The command lines of grind that a page shows, as words; comments and what follows a pipe are not."""
    found = []
    for block in BLOCK.findall(page.read_text()):
        for line in LINE.findall(block):
            bare = re.split(r"\s(?:\||>|<<|&&|2>)", re.sub(r"(?:^|\s)#.*", "", line))[0]
            found.append(shlex.split(bare)[1:])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_is_typed_is_understood(page: Path) -> None:
    """Options that a page shows exist, and go together."""
    commands = Commands()
    for name, *words in typed(page):
        if name in ("help", "py") or not words:  # what follows `py SCRIPT` is the script's
            continue
        module = commands.load(name)
        if hasattr(module, "parser"):
            parser = module.parser()
        else:
            parser = parser_for(name, module.HELP)
            module.add_arguments(parser)
        parser.parse_args(words)
