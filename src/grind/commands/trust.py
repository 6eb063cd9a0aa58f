"""`grind trust`: say yes to exactly the hosts and commands that grind.toml names."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from grind.adapters.trust import Yes
    from grind.core.trust import Standing
    from grind.wiring import Session

HELP = """say yes to exactly the hosts and commands that grind.toml names

A cloned repository brings its own grind.toml. Before a host in it is reached, or a command in it
acts outside of a job's checkout, you must have said yes to exactly that text. When it changes, you
are asked again, and shown what changed. [[check]]s and workflow steps on this machine need no yes."""
EXAMPLES = """\
  grind trust                    show it, and say yes
  grind trust --show             how it stands; changes nothing
  grind trust --digest 1a2b3c4d5e6f7a8b    yes without a terminal, to what has this digest
  grind trust --revoke           take it back
  grind trust --list             every repository that you said yes for
"""
TRUST_SCHEMA = "grind.trust/1"
_SHORTEST = 12
"""Digits of a digest that are enough to mean one text and no other."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--show", action="store_true", help="show how it stands, change nothing")
    what.add_argument(
        "--digest", metavar="HEX", help="say yes to the text with this digest, and to no other"
    )
    what.add_argument("--revoke", action="store_true", help="take the yes for this repository back")
    what.add_argument("--list", action="store_true", help="list the repositories with a yes")
    add_json(parser, "print one JSON document (schema grind.trust/1)")


def run(args: argparse.Namespace) -> int:
    """Give, show or revoke."""
    from grind.wiring.trust import trust_store

    if args.list:
        return _list(trust_store(os.environ).all(), as_json=args.json)
    from grind.flows.basis import config_of
    from grind.wiring import Session
    from grind.wiring.trust import standing_of

    session = Session(os.getcwd(), os.environ)
    repository = session.repository.common_dir
    if args.revoke:
        gone = trust_store(os.environ).revoke(repository)
        _say(args, {"revoked": gone}, "taken back" if gone else "there was no yes to take back")
        return int(ExitCode.DONE)
    config, _ = config_of(session.repository, session.repository.snapshot())
    standing, yes = standing_of(config, os.environ, repository)
    if not args.show and not standing.trusted:
        _give(session, standing, args.digest)
        standing, yes = standing_of(config, os.environ, repository)
    elif args.digest is not None:
        _require_digest(standing, args.digest)
    _show(args, standing, yes)
    return int(ExitCode.DONE)


def _give(session: Session, standing: Standing, digest: str | None) -> None:
    from grind.commands.trusting import ask
    from grind.flows.trust import require_yes
    from grind.wiring.trust import trust_store

    if digest is None:
        require_yes(standing, "do what it says with these", ask)
    else:
        _require_digest(standing, digest)
    now = standing.relevant
    repository = session.repository.common_dir
    trust_store(os.environ).give(repository, now.digest, now.text, session.clock.now())


def _require_digest(standing: Standing, digest: str) -> None:
    """Hold the yes to what was read, not to what is there by now."""
    from grind.flows.trust import refusal, remedy

    if len(digest) < _SHORTEST or set(digest.lower()) - set("0123456789abcdef"):
        raise GrindError(
            f"not a digest: at least {_SHORTEST} hexadecimal digits are needed",
            remedy="grind trust --show",
        )
    if not standing.relevant.digest.startswith(digest.lower()):
        raise GrindError(
            "the digest is not that of today's grind.toml. "
            + refusal(standing, "take it for a yes"),
            remedy=remedy(standing),
            code=ExitCode.REFUSED,
        )


def _show(args: argparse.Namespace, standing: Standing, yes: Yes | None) -> None:
    from grind.commands.trusting import told
    from grind.core.texts import one_line
    from grind.flows.trust import remedy

    now = standing.relevant
    document = {
        "trusted": standing.trusted,
        "digest": now.digest,
        "text": now.text.splitlines(),
        "changes": list(standing.changes) if not standing.trusted else [],
        "since": yes.at if yes is not None and standing.trusted else None,
    }
    if not now.text:
        text = "nothing in grind.toml needs a yes: it names no host and no command of that kind"
    elif not standing.trusted:
        text = told(standing) + remedy(standing)
    else:
        since = f", since {_day(yes.at)}" if yes is not None else ""
        lines = "".join(f"  {one_line(line)}\n" for line in now.text.splitlines())
        text = f"{lines}trusted{since} (digest {now.digest[:16]})"
    _say(args, document, text)


def _list(all_of_them: list[Yes], *, as_json: bool) -> int:
    if as_json:
        rows = [
            {"repository": yes.repository, "digest": yes.digest, "at": yes.at}
            for yes in all_of_them
        ]
        sys.stdout.write(json.dumps({"schema": TRUST_SCHEMA, "repositories": rows}) + "\n")
        return int(ExitCode.DONE)
    from grind.core.texts import one_line

    for yes in all_of_them:
        there = "" if os.path.isdir(yes.repository) else "  (gone)"
        sys.stdout.write(f"{_day(yes.at)}  {yes.digest[:16]}  {one_line(yes.repository)}{there}\n")
    return int(ExitCode.DONE)


def _day(at: float) -> str:
    import time

    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _say(args: argparse.Namespace, document: dict[str, object], text: str) -> None:
    if args.json:
        sys.stdout.write(json.dumps({"schema": TRUST_SCHEMA} | document) + "\n")
    else:
        sys.stdout.write(text + "\n")
