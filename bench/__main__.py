"""`python -m bench`: grind beside what users would pick instead, in one table.

A bench is a module of this package with `rows() -> Iterator[Row | Skipped]`; one that takes long names its
`PARTS`, and then it is `rows(parts)`, so that one row can be measured alone. Exits with 1 when a goal was
missed or a bench did not work.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
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
    parser.add_argument("--only", action="append", choices=BENCHES, help="may be repeated")
    parser.add_argument("--part", action="append", help="only that part of a bench that has parts")
    parser.add_argument("--json", action="store_true", help="one document instead of the table")
    options = parser.parse_args(argv)
    names = options.only or BENCHES
    if options.part:
        there = sorted({part for name in names for part in parts_of(name)})
        for part in set(options.part) - set(there):
            parser.error(f"no part {part!r} here; there are: {', '.join(there) or 'none'}")
        names = [name for name in names if set(options.part) & set(parts_of(name))]
    found: list[Row] = []
    skipped: list[Skipped] = []
    broken: list[str] = []
    if not options.json:
        print(table.head(), flush=True)
    for name in names:
        try:
            for row in rows(name, options.part):
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


def rows(name: str, asked: Sequence[str] | None = None) -> Iterator[Row | Skipped]:
    """Run one bench, or the `asked` parts of it. Raises whatever keeps it from having a figure."""
    bench = import_module(f"bench.{name}")
    parts = parts_of(name)
    if not parts:
        yield from bench.rows()
    else:
        yield from bench.rows([part for part in parts if not asked or part in asked])


def parts_of(name: str) -> tuple[str, ...]:
    """Return the names of the parts that a bench can be asked for."""
    return tuple(getattr(import_module(f"bench.{name}"), "PARTS", ()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
