"""The tutorials are played, word for word: files are written, commands typed, answers compared.

- ```` ```LANG title="FILE" ````: the file is written.
- ```` ```sh ````: the block is run; it must succeed.
- ```` ```console ````: after `$ ` stands a command, after it what it answers. `…` stands for anything, within a line
  or, alone on a line, for any lines. `$ echo $?` tells the exit code of the command before it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "tutorial").glob("*.md"))
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.M | re.S)


class Player:
    """Somebody who types what a page says, in one folder, from its top to its end."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder / "work"
        self.cwd.mkdir()
        (folder / "home").mkdir()
        programs = folder / "bin"
        programs.mkdir()
        grind = programs / "grind"
        grind.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grind "$@"\n')
        grind.chmod(0o755)
        self.code = 0
        self.ran = 0
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT / "src"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
        }

    def play(self, text: str) -> None:
        for language, title, body in BLOCK.findall(text):
            if title:
                (self.cwd / title).parent.mkdir(parents=True, exist_ok=True)
                (self.cwd / title).write_text(body)
            elif language == "sh":
                said = self.type(body)
                assert self.code == 0, f"{body}\n{said}"
            elif language == "console":
                self.converse(body)

    def converse(self, body: str) -> None:
        for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, _, wanted = part.partition("\n")
            if command == "echo $?":
                assert f"{self.code}\n" == wanted
                continue
            said = self.type(command)
            pattern = "".join(
                r"(?:.*\n)*?" if line == "…" else rf"{re.escape(line).replace('…', '.*')}\n"
                for line in wanted.splitlines()
            )
            assert re.fullmatch(pattern, said), f"$ {command}\n{said}\n--- wanted\n{wanted}"

    def type(self, command: str) -> str:
        """Run it; the folder that it ends in is the next one's."""
        self.ran += 1
        read, write = os.pipe()
        script = f'{command}\ncode=$?; pwd >&{write}; exit "$code"\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            pass_fds=(write,),
        )
        os.close(write)
        with os.fdopen(read) as ended:
            self.cwd = Path(ended.read().strip() or self.cwd)
        self.code = done.returncode
        return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tutorial_is_true(page: Path, tmp_path: Path) -> None:
    player = Player(tmp_path)
    player.play(page.read_text())
    assert player.ran > 5


def test_a_wrong_answer_is_noticed(tmp_path: Path) -> None:
    player = Player(tmp_path)
    player.play("```console\n$ echo one two\none …\n$ echo $?\n0\n```\n")
    for wrong in ("$ echo one\ntwo\n", "$ false\n$ echo $?\n0\n", "$ echo one; echo two\none\n"):
        with pytest.raises(AssertionError):
            player.play(f"```console\n{wrong}```\n")
    with pytest.raises(AssertionError):
        player.play("```sh\nfalse\n```\n")
