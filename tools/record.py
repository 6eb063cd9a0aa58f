"""Records a terminal session for the README: the demo's own sample, typed for real, as an SVG.

    .venv/bin/python tools/record.py        writes docs/images/loop.svg

What is shown is what grind printed; times in it are those of the machine that recorded.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "loop.svg"
WIDTH = 96


def main() -> int:
    """Play, and write the picture."""
    with tempfile.TemporaryDirectory(prefix="grind-record-") as scratch:
        text = play(Path(scratch))
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi(text.replace(scratch, "~")))
    picture = console.export_svg(title="grind", clear=True)
    # Nothing is asked of anybody else's server.
    picture = re.sub(r"@font-face\s*\{.*?\}", "", picture, flags=re.S)
    picture = picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(picture)
    print(f"wrote {TARGET.relative_to(ROOT)}")
    return 0


def play(folder: Path) -> str:
    """Type the commands; return what was typed and answered, with colours."""
    from grind.commands import demo

    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "FORCE_COLOR": "1",
        "COLUMNS": str(WIDTH),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    work = folder / "greet"
    shown: list[str] = []

    def run(*argv: str, where: Path | None = work) -> None:
        subprocess.run(argv, cwd=where, env=env, check=True, stdout=subprocess.DEVNULL)

    def write(name: str, text: str) -> None:
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def grind(*argv: str) -> None:
        words = " ".join(f'"{word}"' if " " in word else word for word in argv)
        shown.append(f"\x1b[1m$ grind {words}\x1b[0m")
        command = [sys.executable, "-m", "grind", *argv]
        done = subprocess.run(
            command, cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        shown.append(f"{done.stdout.rstrip()}\n")

    work.mkdir()
    run("git", "init", "-q", "--bare", "-b", "main", str(folder / "remote.git"), where=None)
    run("git", "init", "-q", "-b", "main")
    write(".github/workflows/ci.yml", demo._WORKFLOW)
    write("greet.sh", demo._GREET)
    write("tests/run.sh", demo._TESTS)
    run("git", "add", "-A")
    run("git", "commit", "-q", "-m", "Greet")
    run("git", "remote", "add", "origin", "../remote.git")
    run("git", "push", "-q", "-u", "origin", "main")
    write("greet.sh", demo._BROKEN)
    grind("check")
    write("greet.sh", demo._REPAIRED)
    grind("check")
    grind("land", "-m", "Greet kindly")
    return "\n".join(shown)


if __name__ == "__main__":
    sys.exit(main())
