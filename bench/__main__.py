"""`python -m bench`: grind beside what users would pick instead, in one table.

A bench is a module of this package with `rows() -> Iterator[Row | Skipped]`; one that takes long has PARTS, and
its `rows` takes the names of some, so that they can be measured alone. Exits with 1 when a goal was
missed or a bench did not work.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module

from bench import table
from bench.table import Row, Skipped

BENCHES = (
    "receipt",
    "gate",
    "steps",
    "check",
    "plan",
    "snapshot",
    "startup",
    "runner",
    "ssh",
    "reader",
    "expressions",
    "stats",
    "init",
    "status",
    "lint",
    "health",
    "report",
    "py",
    "activate",
)


def main(argv: list[str]) -> int:
    """Run the benches and print a row as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", action="append", type=_chosen, metavar="NAME[:PART]", help="may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="one document instead of the table")
    options = parser.parse_args(argv)
    found: list[Row] = []
    skipped: list[Skipped] = []
    broken: list[str] = []
    if not options.json:
        print(table.head(), flush=True)
    for name in options.only or BENCHES:
        try:
            for row in rows(name):
                if isinstance(row, Skipped):
                    skipped.append(row)
                else:
                    found.append(row)
                if not options.json:
                    print(table.line(row.cells()), flush=True)
        except Exception:  # the other benches still have something to say
            traceback.print_exc()
            broken.append(name)
    missed = sum(row.verdict == "missed" for row in found)
    facts = table.circumstances() | {"missed": missed, "skipped": len(skipped), "broken": broken}
    if options.json:
        rows_told = [row.document() for row in found] + [row._asdict() for row in skipped]
        print(json.dumps(facts | {"rows": rows_told}, indent=2))
    else:
        print("\n" + ", ".join(f"{name} {value}" for name, value in facts.items()))
    return int(bool(missed or broken))


def _chosen(text: str) -> str:
    name, sign, part = text.partition(":")
    if name not in BENCHES:
        raise argparse.ArgumentTypeError(f"no such bench: {name}; there are {', '.join(BENCHES)}")
    parts = getattr(import_module(f"bench.{name}"), "PARTS", {}) if sign else {}
    if sign and part not in parts:
        raise argparse.ArgumentTypeError(f"{name} has no part {part!r}; it has {', '.join(parts)}")
    return text


def rows(name: str) -> Iterator[Row | Skipped]:
    """Run one bench, or one part of it. Raises whatever keeps it from having a figure."""
    name, _, part = name.partition(":")
    bench = import_module(f"bench.{name}")
    yield from bench.rows((part,)) if part else bench.rows()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
