"""What starting costs, as ratios to a bare interpreter, taken in turns: `--version`, `--help`,
and what each way of reading arguments adds before and after the libraries that a command needs.
"""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time

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
    }


def seconds(argv: list[str]) -> float:
    """Run one program to its end."""
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def medians() -> dict[str, float]:
    """Return each program's median, taken in turns so that a busy moment hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in programs()}
    for _ in range(ROUNDS):
        for name, argv in programs().items():
            taken[name].append(seconds(argv))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> int:
    """Print the table; fail above the bound."""
    found = medians()
    bare = found[BARE]
    print(f"{'start-up':<20} {'ms':>6} {'ratio':>6}")
    for name, median in found.items():
        print(f"{name:<20} {median * 1000:6.1f} {median / bare:6.2f}")
    worst = max(found[name] / bare for name in ("grind --version", "grind --help"))
    print(f"--version and --help: ratio {worst:.2f} (bound {BOUND})")
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
