"""`grind demo`: the whole loop on a sample repository, on this machine, in under a minute.

Everything is real: a git repository with a bare remote, a workflow file, bash, and grind itself run
as its own commands. What each command is expected to answer is checked as it goes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from grind.commands import demo_activation, demo_host, demo_watch
from grind.core.errors import ExitCode, GrindError

HELP = "watch the whole loop on a sample repository on this machine; nothing is left behind"
EXAMPLES = """\
  grind demo
  grind demo --keep /tmp/sample    and keep the repository to play with
"""

WORKFLOW = """\
name: CI
on:
  push:
    branches: [main]
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Tools
        run: ./tools.sh
      - name: Syntax
        run: |
          for file in *.sh tests/*.sh; do bash -n "$file"; done
  test:
    needs: lint
    strategy:
      matrix:
        greeting: [Hello, Hei]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Tests
        env:
          GREETING: ${{ matrix.greeting }}
        run: ./tests/run.sh
  deploy:
    needs: test
    runs-on: ubuntu-latest
    environment: production
    steps:
      - run: ./deploy.sh
"""

_GREET = """\
#!/usr/bin/env bash
# Greets everybody that is named.
greeting=${GREETING:-Hello}
for name in "$@"; do
  echo "$greeting, $name!"
done
"""

_TESTS = """\
#!/usr/bin/env bash
# Every line says what was asked and what was got; the first difference ends it.
set -eu
cd "$(dirname "$0")/.."
is() {
  got=$(bash ./greet.sh "${@:2}")
  if [ "$got" = "$1" ]; then echo "ok: $got"; else
    echo "FAILED: greet.sh ${*:2}" >&2; echo "  wanted: $1" >&2; echo "  got:    $got" >&2; exit 1
  fi
}
is "$GREETING, Ada!" Ada
is "$GREETING, Grace Hopper!" "Grace Hopper"
"""

_DEPLOY = "#!/usr/bin/env bash\necho 'this would deploy'; exit 1\n"
_BROKEN = _GREET.replace('"$@"', "$@").replace("Greets everybody", "Kindly greets everybody")
_REPAIRED = _GREET.replace("Greets everybody", "Kindly greets everybody")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--keep", metavar="FOLDER", help="make the sample here, and leave it there")


def run(args: argparse.Namespace) -> int:
    """Play the loop; exit 1 when a command does not answer as it should."""
    if args.keep is not None:
        folder = Path(args.keep).absolute()
        if folder.exists():
            raise GrindError(f"{folder} exists already", remedy="name a folder that does not exist")
        folder.mkdir(parents=True)
        Demo(folder, sys.stdout).play()
        sys.stdout.write(f"\nthe sample is in {folder / 'greet'}\n")
        return int(ExitCode.DONE)
    with tempfile.TemporaryDirectory(prefix="grind-demo-") as temporary:
        Demo(Path(temporary), sys.stdout).play()
    return int(ExitCode.DONE)


class Demo:
    """One play: a sample repository in a folder, and the commands typed in it."""

    def __init__(self, folder: Path, out: TextIO) -> None:
        self._out = out
        self._folder = folder
        self._work = folder / "greet"
        self._remote = folder / "remote.git"
        self._colour = out.isatty() and not os.environ.get("NO_COLOR")
        kept = ("PATH", "LANG", "LC_ALL", "TERM", "NO_COLOR", "COLUMNS", "PYTHONPATH")
        self._env = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(folder),
            "GRIND_STATE_DIR": str(folder / "state"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "A Newcomer",
            "GIT_AUTHOR_EMAIL": "newcomer@example.org",
            "GIT_COMMITTER_NAME": "A Newcomer",
            "GIT_COMMITTER_EMAIL": "newcomer@example.org",
        }

    def play(self) -> None:
        """Play all of it."""
        started = time.monotonic()
        self.say("A sample repository: a script, its tests, a workflow, and a bare remote.")
        self._make()
        self.say("What would CI run? Every step with a verdict; the deploy job is never executed.")
        self.grind("plan")
        self.say("A change that looks harmless: the quotes around $@ get lost.")
        self._write("greet.sh", _BROKEN)
        self.grind("check", expect=ExitCode.STEP_FAILED)
        self.say("Red, before anybody else saw it. Nothing was pushed. The repair:")
        self._write("greet.sh", _REPAIRED)
        self.grind("check")
        self.say("Proven. But now somebody edits a file, and tries to land that:")
        self._write("README.md", "# greet\n\nUnproven words.\n")
        self.grind("land", "-m", "Greet kindly", expect=ExitCode.REFUSED)
        self.say("Refused: there is no proof of that tree. Without the edit it is the proven one:")
        (self._work / "README.md").unlink()
        self.grind("land", "-m", "Greet kindly")
        self.git("log", "--oneline", "--graph", "main", at=self._remote)
        self.say("Landed, once. The same tree again is green at once, from the receipt:")
        self.grind("check")
        self.grind("status")
        demo_watch.play(self, self._work, self._env)
        self._write("tests/run.sh", _TESTS + demo_host.SLOW, executable=True)
        demo_host.play(self, self._folder / "ssh", self._work, self._env)
        demo_activation.play(self, self._folder / "activation", self._out.write)
        self.say(f"That was the loop, in {time.monotonic() - started:.0f} s. In your repository:")
        self._out.write("  grind plan    what CI would run\n  grind check   prove it\n")
        self._out.write('  grind land -m "…"   push exactly that, once\n')

    def _make(self) -> None:
        self.git("init", "-q", "--bare", "-b", "main", str(self._remote), at=None)
        self.git("init", "-q", "-b", "main", str(self._work), at=None)
        self._write(".github/workflows/ci.yml", WORKFLOW)
        self._write("greet.sh", _GREET)
        self._write("tests/run.sh", _TESTS, executable=True)
        self._write("tools.sh", demo_watch.TOOLS, executable=True)
        self._write("grind.toml", demo_watch.CONFIG)
        self._write("deploy.sh", _DEPLOY, executable=True)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Greet")
        self.git("remote", "add", "origin", str(self._remote))
        self.git("push", "-q", "-u", "origin", "main")

    def say(self, text: str) -> None:
        """Tell the reader what comes."""
        bold, plain = ("\x1b[1m", "\x1b[0m") if self._colour else ("", "")
        self._out.write(f"\n{bold}» {text}{plain}\n")
        self._out.flush()

    def grind(self, *argv: str, expect: ExitCode = ExitCode.DONE, at: Path | None = None) -> None:
        """Type a command, and hold it to its answer."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in argv)
        self._out.write(f"$ grind {shown}\n")
        self._out.flush()
        code = subprocess.run(
            [sys.executable, "-m", "grind", *argv],
            cwd=at or self._work,
            env=self._env,
            stderr=subprocess.STDOUT,  # in order with what it answers, also through a pipe
            check=False,
        ).returncode
        if code != expect:
            raise GrindError(
                f"the demo did not go as it should: `grind {shown}` answered {code}, not {expect}",
                remedy="`grind demo --keep FOLDER` leaves it to look at; please report it",
                code=ExitCode.STEP_FAILED,
            )
        self._out.write(f"[exit {code}]\n" if code else "")

    def write(self, text: str) -> None:
        """Write as it stands."""
        self._out.write(text)
        self._out.flush()

    def asked(self, *argv: str, at: Path) -> str:
        """Return what a command says, unseen."""
        return subprocess.run(
            [sys.executable, "-m", "grind", *argv],
            cwd=at,
            env=self._env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def git(self, *argv: str, at: Path | str | None = "work") -> None:
        """Run git."""
        where = self._work if at == "work" else at
        prefix = ["-C", str(where)] if where is not None else []
        subprocess.run(["git", *prefix, *argv], env=self._env, check=True)

    def _write(self, path: str, text: str, *, executable: bool = False) -> None:
        file = self._work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if executable:
            file.chmod(0o755)
