"""`grind init`: writes a commented grind.toml from what the repository shows."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core.errors import ExitCode, RefusedError

if TYPE_CHECKING:
    from grind.core.evidence import Evidence
    from grind.wiring import Session

SCHEMA = "grind.init/1"
HELP = (
    "write a commented grind.toml from what the repository shows; asks nothing, overwrites nothing"
)
EXAMPLES = """\
  grind init             write grind.toml, if there is anything that it would have to say
  grind init --diff      show what it would say beside the file that is there
  grind init --json      the same as one document; nothing is written

Every line says where it comes from. What needs your yes is written as a proposal,
behind `# |`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--diff", action="store_true", help="show the difference to the file that is there"
    )
    add_json(parser, f"print what was found as one JSON document (schema {SCHEMA}); write nothing")


def run(args: argparse.Namespace) -> int:
    """Write the file, or say why there is no need."""
    from grind.core.config import FILE
    from grind.core.proposal import propose
    from grind.wiring import Session
    from grind.wiring.init import write_once

    session = Session(os.getcwd(), os.environ, "local")
    evidence = _evidence(session)
    text = propose(evidence)
    if args.json:
        return _json(evidence, text)
    path = os.path.join(session.repository.top or ".", FILE)
    if args.diff:
        return _diff(path, text)
    if evidence.silent:
        sys.stdout.write(_silent(evidence))
        return int(ExitCode.DONE)
    if os.path.lexists(path) or not write_once(path, text):
        raise RefusedError(f"{path} is there already", remedy="grind init --diff")
    sys.stdout.write(_told(path, evidence))
    return int(ExitCode.DONE)


def _evidence(session: Session) -> Evidence:
    from grind.flows.basis import Options
    from grind.flows.evidence import gather
    from grind.flows.prepare import prepare
    from grind.rules.entrypoints import tasks_of
    from grind.wiring.init import ssh_aliases

    repository = session.repository
    prepared = asyncio.run(prepare(repository, session.host, Options(), session.labels))
    remote = prepared.basis.target.remote
    main_from = f"git: what {remote}/HEAD says" if remote is not None else "no remote"
    return gather(repository, prepared, tasks_of, lambda: ssh_aliases(session.environ), main_from)


def _json(evidence: Evidence, text: str) -> int:
    import msgspec

    found = {
        name: [one._asdict() for one in value] if isinstance(value, tuple) else value
        for name, value in evidence._asdict().items()
    }
    document = {"schema": SCHEMA, "needed": not evidence.silent, "text": text, "evidence": found}
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    return int(ExitCode.DONE)


def _diff(path: str, text: str) -> int:
    import difflib

    from grind.core.texts import clean

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            there = file.read()
    except FileNotFoundError:
        there = ""
    lines = difflib.unified_diff(
        there.splitlines(keepends=True), text.splitlines(keepends=True), "grind.toml", "grind init"
    )
    sys.stdout.write(clean("".join(lines)) or "grind.toml says all of it already\n")
    return int(ExitCode.DONE)


def _silent(evidence: Evidence) -> str:
    jobs = len(evidence.jobs)
    if not evidence.workflows:
        return (
            "no workflows here: grind has nothing to read yet (.github/workflows/*.yml)\n"
            "nothing was written\n"
        )
    return (
        f"no grind.toml is needed: everything that CI runs for a push ({jobs} job{'s' * (jobs != 1)}) "
        "can be run or is left out by design\nnothing was written; next: grind check\n"
    )


def _told(path: str, evidence: Evidence) -> str:
    from grind.ui.words import count

    parts = [
        (len(evidence.refused), "refused step", "to settle"),
        (sum(recipe.safe for recipe in evidence.recipes), "check", "taken up"),
        (sum(not recipe.safe for recipe in evidence.recipes), "check", "proposed"),
        (len(evidence.aliases), "host", "proposed"),
        (len(evidence.systems), "NixOS system", "found"),
        (len(evidence.routes), "health route", "found"),
    ]
    told = ", ".join(f"{count(n, what)} {how}" for n, what, how in parts if n)
    return f"wrote {path}: {told}\nproposals stand behind `# |`; next: grind plan\n"
