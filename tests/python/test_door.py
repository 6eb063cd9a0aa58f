"""The door: what it gives again is what Python would give, and every doubt goes to Python."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.python.conftest import WITH_PYTHON, PythonWorld

ENVIRONMENT = (
    "import os, sys; print(sorted((k, v) for k, v in os.environ.items() if k != '_'), sys.argv)"
)
MAIN = '#!/bin/sh\necho main "$@" >> {log}\nexec {main} "$@"\n'


class Watched(PythonWorld):
    """One in which it shows whether Python was asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.log = root / "log"
        kept = self.main.with_name("kept")
        self.main.rename(kept)
        self.main.write_text(MAIN.format(log=self.log, main=kept))
        self.main.chmod(0o755)
        self.main = kept

    def asked(
        self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> tuple[bool, str]:
        """Run through the door; return whether Python was asked, and what was said."""
        self.log.write_bytes(b"")
        done = self.py(*args, stdin=stdin, door=True, env=env)
        return bool(self.log.read_bytes()), done.out

    def age(self) -> None:
        """Let all that is there have been written long ago."""
        at = time.time() - 1000
        for path in [*self.repo.rglob("*"), *self.repo.glob(".git/index")]:
            if path.is_file() and "/grind/door" not in str(path):
                os.utime(path, (at, at))

    def warm(self, *args: str) -> None:
        """Run until the door knows it."""
        self.py(*args)  # Nix lets git refresh the index
        self.age()
        for _ in range(2):
            self.py(*args)


@pytest.fixture
def world(tmp_path: Path) -> Watched:
    made = Watched(tmp_path)
    made.start({"x.py": "print('one')\n", "y.py": "print('why')\n"}).flake(shell=WITH_PYTHON)
    return made


def test_a_known_script_needs_no_python_in_between(world: Watched) -> None:
    world.warm("-c", ENVIRONMENT)
    slow = world.py("-c", ENVIRONMENT, "a", "b c")
    asked, said = world.asked("-c", ENVIRONMENT, "a", "b c")
    assert not asked
    assert said == slow.out
    world.warm("x.py")
    assert world.asked("x.py") == (False, "one\n")
    assert world.asked("-c", ENVIRONMENT, "a", "b c") == (False, slow.out)
    used = {row["shown"]: row["times"] for row in world.py("list", "--json").document["scripts"]}
    assert used["x.py"] == 4


def test_the_environment_is_as_python_would_make_it(world: Watched) -> None:
    world.warm("-c", ENVIRONMENT)
    world.py("-c", ENVIRONMENT)
    hard = {"GREETING": "mine", "A'B": "x", "X": "a\nb'c$d`e\\"}
    slow = world.py("-c", ENVIRONMENT, env=hard)
    assert world.asked("-c", ENVIRONMENT, env=hard) == (False, slow.out)


def rewrite(world: Watched) -> None:
    (world.repo / "x.py").write_text("print('two')\n")


def lock(world: Watched) -> None:
    path = world.repo / "flake.lock"
    path.write_text(path.read_text() + "\n")


def configure(world: Watched) -> None:
    (world.repo / "grind.toml").write_text("[python]\npromote_after = 9\n")


def track(world: Watched) -> None:
    (world.repo / "new.nix").write_text("{ }\n")
    world.git("add", "new.nix")


def older(world: Watched) -> None:
    os.utime(world.repo / "flake.nix", (5, 5))


def no_usage(world: Watched) -> None:
    next(world.state.rglob("usage.ndjson")).unlink()


def gone(world: Watched) -> None:
    shutil.rmtree(world.repo / ".git/grind/door")


@pytest.mark.parametrize("change", [rewrite, lock, configure, track, older, no_usage, gone])
def test_whatever_changes_goes_to_python(world: Watched, change: Callable[[Watched], None]) -> None:
    world.warm("x.py")
    assert not world.asked("x.py")[0]
    change(world)
    assert world.asked("x.py")[0]


@pytest.mark.parametrize(
    "words",
    [
        ("--why", "x.py"),
        ("y.py",),
        ("-c", "print(2)"),
        ("list",),
        ("./x.py",),
        ("-",),
        (),
        ("--help",),
    ],
)
def test_whatever_is_not_known_goes_to_python(world: Watched, words: tuple[str, ...]) -> None:
    world.warm("x.py")
    assert world.asked(*words)[0]


def test_another_home_or_repository_goes_to_python(world: Watched) -> None:
    world.warm("x.py")
    assert world.asked("x.py", env={"HOME": str(world.outside)})[0]
    assert world.asked("x.py", env={"GIT_DIR": str(world.repo / ".git")})[0]
    assert world.asked("x.py", env={"GRIND_STATE_DIR": str(world.outside / "state")})[0]


def test_what_was_written_a_moment_ago_is_not_trusted(world: Watched) -> None:
    world.warm("x.py")
    rewrite(world)
    for _ in range(3):
        assert world.asked("x.py") == (True, "two\n")
    world.age()
    assert world.asked("x.py") == (True, "two\n")
    assert world.asked("x.py") == (False, "two\n")


def test_a_promoted_script_and_what_it_is_made_from(world: Watched) -> None:
    world.write({"s/x.py": "import h\nprint(h.A)\n", "s/h.py": "A = 1\n"})
    world.git("add", "-A")
    assert world.py("promote", "s/x.py").code == 0
    world.warm("s/x.py")
    assert world.asked("s/x.py") == (False, "1\n")
    (world.repo / "s/h.py").write_text("A = 2\n")
    assert world.asked("s/x.py") == (True, "2\n")


def test_a_linked_worktree_has_answers_of_its_own(world: Watched) -> None:
    world.commit("all")
    world.git("worktree", "add", "-q", str(world.root / "linked"), "-b", "side")
    first, world.repo = world.repo, world.root / "linked"
    world.warm("x.py")
    at = time.time() - 1000
    os.utime(first / ".git/worktrees/linked/index", (at, at))
    world.py("x.py")
    assert world.asked("x.py") == (False, "one\n")
    assert not (first / ".git/grind/door").exists()


def test_everything_else_of_grind_goes_through_it(world: Watched) -> None:
    done = world.ran([str(world.door), "--version"])
    assert done.out.startswith("grind ")
    plain = world.door.with_name("grind-python")
    plain.write_bytes(world.main.read_bytes())
    assert world.ran([str(world.door), "--version"]).out == done.out
    assert world.ran([str(world.door), "expr", "1 == 1"]).out == world.grind("expr", "1 == 1").out
    assert world.ran([str(world.door), "nonsense"]).code == 2


def test_what_is_not_needed_any_more_is_let_go(world: Watched) -> None:
    world.warm("x.py")
    door = world.repo / ".git/grind/door"
    before = {path.name for path in door.iterdir() if path.name.isdigit()}
    rewrite(world)
    world.age()
    for _ in range(3):  # another content is another script, counted from one
        world.py("x.py")
    after = {path.name for path in door.iterdir() if path.name.isdigit()}
    text = (door / "answers").read_text()
    assert after
    assert before != after
    assert all(name in text for name in after)
    state = next(world.state.rglob("usage.ndjson")).parent
    for number in range(20):
        note = state / f"{number:024x}.shell.json"
        note.write_bytes(b"{}")
        (state / f"{number:024x}.shell").symlink_to("nowhere")
        os.utime(note, (number, number))
    world.py("x.py")
    assert len(list(state.glob("*.shell.json"))) == 8
    assert len([p for p in state.iterdir() if p.name.endswith(".shell")]) <= 8
    assert world.py("x.py").out == "two\n"
