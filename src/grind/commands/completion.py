"""`grind completion`: what a shell needs to complete grind's command lines."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "print the completion script for bash, zsh or fish"
EXAMPLES = """\
  bash   echo 'source <(grind completion bash)' >>~/.bashrc
  zsh    grind completion zsh >"${fpath[1]}/_grind"
  fish   grind completion fish >~/.config/fish/completions/grind.fish

It completes commands, options, and what the repository at hand has: jobs, checks,
workflows, releases, receipts, hosts.
"""
_QUERY = "--words"

_FILES = {"bash": "grind.bash", "zsh": "_grind", "fish": "grind.fish"}
"""The scripts, in the package's folder `completions`; a wheel has them in `share/` as well, where shells look."""


def run_line(argv: list[str]) -> int | None:
    """Answer a shell's question without argparse; everything else goes the usual way."""
    if argv[:1] == [_QUERY]:
        return _answer(argv[1:])
    return None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", nargs="?", choices=sorted(_FILES), help="which shell")


def run(args: argparse.Namespace) -> int:
    """Print a script."""
    from grind.core.errors import GrindError

    shell = args.shell or os.path.basename(os.environ.get("SHELL", ""))
    if shell not in _FILES:
        raise GrindError("which shell?", remedy="grind completion bash|zsh|fish")
    place = os.path.join(os.path.dirname(os.path.dirname(__file__)), "completions", _FILES[shell])
    with open(place, encoding="utf-8") as script:
        sys.stdout.write(script.read())
    return 0


def _answer(words: list[str]) -> int:
    """Print a candidate a line, US between it and what it means; RS alone asks for file names."""
    from grind.core.completion import FILES, complete
    from grind.ui.command_table import TABLE
    from grind.wiring.nearby import nearby

    near = nearby(os.getcwd(), os.environ)

    def lookup(kind: str) -> list[tuple[str, str]]:
        return [("\x1e", "")] if kind == FILES else near(kind)

    for word, told in complete(TABLE, words, lookup):
        line = word if word == "\x1e" else f"{_shown(word)}\x1f{_shown(told)}"
        sys.stdout.write(f"{line}\n")
    return 0


def _shown(text: str) -> str:
    """A name that holds a line's end or an escape sequence must not reach the shell as one."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
