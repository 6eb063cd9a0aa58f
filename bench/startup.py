"""What starting costs beside a bare interpreter: `--version`, `--help`, and what each way of reading
arguments adds before and after the libraries that a command needs.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator

from bench.table import Row
from bench.timing import medians, program

ROUNDS = 31
BOUND = 3.0
"""For `--version` and `--help`."""

BARE = "bare python"
ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("names", nargs="*")
parser.add_argument("--json", action="store_true")
parser.add_argument("--fast", action="store_true")
parser.parse_args(["--fast"])
"""
CLICK = """
import click
@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", is_flag=True)
@click.option("--fast", is_flag=True)
def check(names, json, fast): pass
check(["--fast"], standalone_mode=False)
"""
BY_HAND = "import sys\nfast = '--fast' in sys.argv[1:]"
MSGSPEC = "import msgspec\n"


def programs() -> dict[str, list[str]]:
    """Return what is compared, by name; click only where it is installed."""
    texts = {
        BARE: "pass",
        "arguments by hand": BY_HAND,
        "argparse": ARGPARSE,
        "click": CLICK,
        "msgspec": MSGSPEC,
        "msgspec, by hand": MSGSPEC + BY_HAND,
        "msgspec, argparse": MSGSPEC + ARGPARSE,
        "msgspec, click": MSGSPEC + CLICK,
    }
    if importlib.util.find_spec("click") is None:
        texts = {name: text for name, text in texts.items() if "click" not in name}
    return {name: [sys.executable, "-c", text] for name, text in texts.items()} | {
        "grind --version": [sys.executable, "-m", "grind", "--version"],
        "grind --help": [sys.executable, "-m", "grind", "--help"],
        "grind completion": [sys.executable, "-m", "grind", "completion", "--words", "check", "--"],
    }


def rows() -> Iterator[Row]:
    """Measure all of them in turns."""
    found = medians({name: program(argv) for name, argv in programs().items()}, ROUNDS)
    for name in found:
        if name != BARE:
            goal = BOUND if name.startswith("grind") else None
            yield Row("startup", name, found[name], BARE, found[BARE], goal)
