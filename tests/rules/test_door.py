"""The door gives the answer of `grind lint` again: it is what linting anew says, whatever was done to
the working copy in between; and what is not certain goes to Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grind.adapters.lint_door import _row
from tests.e2e.world import SRC, Done, World

BAD = "#!/bin/bash\nset -euo pipefail\npython3 a.py\n"
GOOD = "#!/bin/bash\nset -euo pipefail\npythonX a.py\n"
MAIN = '#!/bin/sh\necho "$@" >> {log}\nexec {python} -m grind "$@"\n'
HARD = ("with blank.sh", "-dash.sh", "quo'te.sh", "new\nline.sh", "é.sh", "$HOME;`x`.sh")


class Doored(World):
    """One with grind as it is installed, in which it shows whether Python was asked. The package is a
    copy, so that it can be replaced."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.log = root / "log"
        self.package = root / "lib"
        shutil.copytree(SRC, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.env |= {"PYTHONPATH": str(self.package), "PYTHONDONTWRITEBYTECODE": "1"}
        self.env["XDG_CACHE_HOME"] = str(root / "cache")
        place = root / "bin"
        place.mkdir()
        (place / "grind").write_bytes((SRC / "grind" / "door.sh").read_bytes())
        (place / "grind-python").write_text(MAIN.format(log=self.log, python=sys.executable))
        for name in ("grind", "grind-python"):
            (place / name).chmod(0o755)
        self.door = place / "grind"
        self.folder = self.repo

    def begin_with(self) -> None:
        """A repository with a bit of everything, long enough ago to be trusted."""
        self.start(
            {
                "a.sh": BAD,
                "d/b.sh": BAD,
                "d/e/c.sh": "#!/bin/bash\nset -euo pipefail\nbash d/e/made.sh\n",
                "known.sh": "#!/bin/bash\nset -euo pipefail\npython3 known.py\n",
                ".gitignore": "out/\n*.tmp.sh\nquiet/.gitignore\n",
                "quiet/.gitignore": "hidden.sh\n",
                "grind.toml": '[lint]\nbaseline = "base.json"\n',
                **dict.fromkeys(HARD, BAD),
            },
            remote=False,
        )
        self.write({"new.sh": BAD, "x.tmp.sh": BAD, "quiet/hidden.sh": BAD, "tool": BAD, "n": "x"})
        (self.repo / "plain").write_text("nothing\n")
        (self.repo / "plain").chmod(0o755)
        (self.repo / "link.sh").symlink_to("a.sh")
        (self.repo / "away").symlink_to("nowhere")
        self.git("-C", "d", "init", "-q", "inner")
        done = self.grind("lint", "--write-baseline", "base.json", "known.sh")
        assert done.code == 0, done
        self.age()

    def age(self) -> None:
        """Let what was just written be a moment old: it is not trusted before."""
        time.sleep(0.15)

    def lint(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> tuple[bool, Done]:
        """Lint through the door; say whether Python was asked."""
        self.log.write_bytes(b"")
        at = cwd or self.repo
        done = self._run([str(self.door), "lint", *args], at, {"PWD": str(at)} | (env or {}), None)
        return bool(self.log.read_bytes()), done

    def anew(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Done:
        """Lint without anything remembered."""
        return self.grind("lint", "--no-cache", *args, cwd=cwd, env=env)


@pytest.fixture
def world(tmp_path: Path) -> Doored:
    made = Doored(tmp_path)
    made.begin_with()
    return made


def at_once(world: Doored, *args: str, **more: Mapping[str, str]) -> Done:
    """Let the door learn an answer, and see that it gives it."""
    world.lint(*args, **more)  # type: ignore[arg-type]
    asked, done = world.lint(*args, **more)  # type: ignore[arg-type]
    assert not asked
    assert done.err == ""
    return done


def _again_later(change: Callable[[Path], object], name: str) -> Callable[[Doored], None]:
    """Change a file and put back the time that it had."""

    def step(world: Doored) -> None:
        path = world.repo / name
        before = path.stat()
        change(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return step


def _renamed_over(world: Doored) -> None:
    other = world.repo / "aside"
    other.write_text(GOOD)
    shutil.copystat(world.repo / "a.sh", other)
    other.replace(world.repo / "a.sh")


def _through_a_hard_link(world: Doored) -> None:
    other = world.root / "elsewhere"
    os.link(world.repo / "a.sh", other)
    other.write_text(GOOD)


def _quietly_added(world: Doored) -> None:
    """With the folder's time put back."""
    before = (world.repo / "d").stat()
    world.write({"d/more.sh": BAD})
    os.utime(world.repo / "d", ns=(before.st_atime_ns, before.st_mtime_ns))


def _text(name: str, text: str) -> Callable[[Doored], None]:
    return lambda world: world.write({name: text})


def _home(name: str, text: str) -> Callable[[Doored], None]:
    def step(world: Doored) -> None:
        path = world.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return step


def _excluded(world: Doored) -> None:
    with open(world.repo / ".git" / "info" / "exclude", "a") as file:
        file.write("new.sh\n")


def _excluded_for_all(world: Doored) -> None:
    world.write({"ignored-by-name": "new.sh\n"})
    world.git("config", "core.excludesFile", "ignored-by-name")


def _clock_set_back(world: Doored) -> None:
    """As far as this can be had without setting it: every time says that it was long ago."""
    (world.repo / "a.sh").write_text(GOOD)
    for path in (world.repo / "a.sh", world.repo):
        os.utime(path, (1, 1))


def _replaced_code(world: Doored) -> None:
    path = world.package / "grind" / "rules" / "__init__.py"
    path.write_text(path.read_text() + "\n")


CHANGES: dict[str, Callable[[Doored], object]] = {
    "edit": _text("a.sh", GOOD),
    "edit of the same size and time": _again_later(lambda p: p.write_text(GOOD), "a.sh"),
    "another file of that name": _renamed_over,
    "edit through a hard link": _through_a_hard_link,
    "edit with the clock set back": _clock_set_back,
    "a hard name": _text("new\nline.sh", GOOD),
    "mode of a new file": lambda w: (w.repo / "tool").chmod(0o755),
    "first line of a program": _again_later(lambda p: p.write_text(BAD), "plain"),
    "new file": _text("d/e/new.sh", BAD),
    "new file, time of the folder put back": _quietly_added,
    "new folder": _text("f/g/h.sh", BAD),
    "deleted": lambda w: (w.repo / "a.sh").unlink(),
    "a link in its place": lambda w: (
        (w.repo / "a.sh").unlink(),
        (w.repo / "a.sh").symlink_to("new.sh"),
    ),
    "what a link leads to": lambda w: (
        (w.repo / "away").unlink(),
        (w.repo / "away").symlink_to("d"),
    ),
    "moved": lambda w: (w.repo / "a.sh").rename(w.repo / "z.sh"),
    "ignored less": _text(".gitignore", "out/\nquiet/.gitignore\n"),
    "ignored list that is ignored": _again_later(
        lambda p: p.write_text("hidden.xx\n"), "quiet/.gitignore"
    ),
    "configuration": _text("grind.toml", '[lint]\ndisable = ["bare-python"]\n'),
    "broken configuration": _text("grind.toml", "[lint\n"),
    "baseline": _again_later(
        lambda p: p.write_text(p.read_text().replace("known", "knowm")), "base.json"
    ),
    "tracked": lambda w: w.git("add", "new.sh", "n"),
    "no longer tracked": lambda w: w.git("rm", "-q", "--cached", "a.sh"),
    "what a script calls": _text("d/e/made.sh", "x"),
    "the first of a folder that is not ignored": _text("quiet/new.sh", BAD),
    "ignored by the repository's own list": _excluded,
    "ignored by the user's list": _home(".config/git/ignore", "new.sh\n"),
    "ignored by a list that is named": _excluded_for_all,
    "settings of the user": _home(".gitconfig", "[core]\n\texcludesFile = ~/list\n"),
    "another grind": _replaced_code,
}
SAME = {
    "in a repository inside": _text("d/inner/x.sh", BAD),
    "in what is ignored": _text("out/y.sh", BAD),
    "git looks": lambda w: w.git("log", "-1"),
}
"""What leaves the answer as it was; the door may give it."""


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(world: Doored, name: str) -> None:
    before = at_once(world)
    assert "bare-python" in before.out
    CHANGES[name](world)
    asked, told = world.lint()
    assert asked, "the old answer was given"
    anew = world.anew()
    assert (told.code, told.out) == (anew.code, anew.out)
    world.age()
    last = at_once(world) if told.code in (0, 1) else told
    assert (last.code, last.out) == (told.code, told.out)


def test_changes_change_the_answer(world: Doored) -> None:
    """The table above would show nothing if its changes were none."""
    first = world.anew().out
    small = {"mode of a new file", "first line of a program", "what a script calls", "baseline"}
    for name in sorted(small | {"ignored list that is ignored", "new folder", "deleted"}):
        CHANGES[name](world)
        then = world.anew().out
        assert then != first, name
        first = then


@pytest.mark.parametrize("name", SAME)
def test_what_changes_nothing_gives_the_same(world: Doored, name: str) -> None:
    before = at_once(world)
    SAME[name](world)
    _, told = world.lint()
    assert (told.code, told.out) == (before.code, before.out) == world.anew()[:2]


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("--json",), {}),
        (("--format", "sarif"), {}),
        (("--format=github",), {}),
        (("--notes", "--fail-on", "note"), {}),
        (("--fail-on", "error", "known.sh"), {}),
        (("d", "a.sh"), {}),
        (("-dash.sh",), {}),
        ((), {"NO_COLOR": "1"}),
        ((), {"LC_ALL": "C"}),
        ((), {"PYTHONIOENCODING": "ascii"}),
        ((), {"GIT_CONFIG_GLOBAL": "/dev/null"}),
        ((), {"LANG": "x'y\\z$(date)"}),
    ],
)
def test_each_command_line_has_its_own(
    world: Doored, args: tuple[str, ...], env: dict[str, str]
) -> None:
    at_once(world)
    line = ("--", *args) if args[:1] == ("-dash.sh",) else args
    first = world.lint(*line, env=env)
    assert first[0]
    asked, told = world.lint(*line, env=env)
    anew = world.grind("lint", "--no-cache", *line, env=env)
    assert not asked
    assert (told.code, told.out) == (anew.code, anew.out)
    assert world.lint()[0] is False


@pytest.mark.parametrize(
    "env",
    [
        {"GIT_DIR": ".git"},
        {"GIT_CONFIG_COUNT": "0"},
        {"GIT_CEILING_DIRECTORIES": "/"},
        {"GIT_INDEX_FILE": "/dev/null"},
        {"NO_COLOR": "a\nb"},
    ],
)
def test_what_is_not_certain_goes_to_python(world: Doored, env: dict[str, str]) -> None:
    at_once(world)
    for _ in range(2):
        assert world.lint(env=env)[0]


@pytest.mark.parametrize(
    "args", [("--no-cache",), ("--changed", "HEAD"), ("--diff",), ("--rev", "HEAD")]
)
def test_what_hangs_on_more_than_files_is_not_kept(world: Doored, args: tuple[str, ...]) -> None:
    for _ in range(3):
        assert world.lint(*args)[0]


@pytest.mark.parametrize("suffix", ["list", "want", "out", "answers"])
@pytest.mark.parametrize("how", ["gone", "empty"])
def test_what_is_torn_is_made_anew(world: Doored, suffix: str, how: str) -> None:
    told = at_once(world)
    for path in (world.kept / "door" / "lint").glob(f"*{suffix}"):
        path.unlink() if how == "gone" else path.write_bytes(b"")
    if (suffix, how) == ("out", "empty"):
        return  # written aside and replaced: a file that is there is whole
    asked, again = world.lint()
    assert asked
    assert (again.code, again.out) == (told.code, told.out)


def test_from_a_folder_and_through_a_link(world: Doored) -> None:
    inside = world.repo / "d"
    world.lint(cwd=inside)
    assert world.lint(cwd=inside) == (False, world.anew(cwd=inside))
    link = world.root / "entered"
    link.symlink_to(world.repo)
    world.lint(cwd=link)
    assert world.lint(cwd=link) == (False, world.anew(cwd=link))
    other = Doored(world.root / "second") if (world.root / "second").mkdir() is None else world
    other.begin_with()
    link.unlink()
    link.symlink_to(other.repo)
    (other.repo / "a.sh").unlink()
    assert world.lint(cwd=link)[1][:2] == world.anew(cwd=link)[:2]


def test_a_linked_working_copy_has_its_own(world: Doored) -> None:
    at_once(world)
    world.git("worktree", "add", "-q", str(world.root / "linked"))
    world.repo = world.root / "linked"
    (world.repo / "grind.toml").unlink()
    world.age()
    told = at_once(world)
    assert (told.code, told.out) == world.anew()[:2]
    world.write({"a.sh": GOOD})
    asked, told = world.lint()
    assert asked
    assert (told.code, told.out) == world.anew()[:2]


def test_what_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("x")
    at = path.stat().st_ctime_ns
    assert _row(str(path), at + 10_000_000) is None
    assert _row(str(path), at + 3_000_000_000) is not None
    os.utime(path, ns=(at, at // 1_000_000_000 * 1_000_000_000))
    assert _row(str(path), path.stat().st_ctime_ns + 100_000_000) is None
    os.utime(path, (1, 4_000_000_000))
    assert _row(str(path), at + 3_000_000_000) is None


def test_a_file_that_changes_while_it_is_read_is_not_trusted(world: Doored) -> None:
    """Whatever is written after the command began may not be what was read."""
    marker = "from grind.adapters import lint_door\n_keep = lint_door.keep\n"
    late = (
        "def keep(asked, *args, **more):\n"
        f"    open({str(world.repo / 'a.sh')!r}, 'w').write({GOOD!r})\n"
        "    import time; time.sleep(0.2)\n"
        "    return _keep(asked, *args, **more)\n"
        "lint_door.keep = keep\nfrom grind.__main__ import main\nraise SystemExit(main())\n"
    )
    code = f"import sys\nsys.argv = ['grind', 'lint']\n{marker}{late}"
    env = world.env | {"PWD": str(world.repo)}
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=world.repo, env=env, capture_output=True, check=False)
    assert done.returncode == 1, done
    asked, told = world.lint()
    assert asked
    assert (told.code, told.out) == world.anew()[:2]


def test_only_so_many_are_kept(world: Doored) -> None:
    for number in range(23):
        world.lint(*["--notes"] * number)
    kept = list((world.kept / "door" / "lint").iterdir())
    assert len(kept) == 20 * 3 + 2
    assert world.lint(*["--notes"] * 22)[0] is False
    assert world.lint()[0] is True
