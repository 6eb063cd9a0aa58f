"""`grind py list`, `promote` and `demote`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from grind.core import promotion, pythonuse
from grind.core.errors import GrindError, RefusedError

if TYPE_CHECKING:
    from grind.core.promotion import Plan
    from grind.wiring import Session
    from grind.wiring.python import Workshop

SCHEMA = "grind.py/1"
LISTED = 20
"""Scripts that `list` shows."""


def run(words: tuple[str, ...], *, json: bool) -> int:
    """Do what the verb says; `--json` and `--name` may also stand behind it."""
    from grind.commands.py import say
    from grind.wiring import Session
    from grind.wiring.python import workshop

    verb, (rest, name, asked) = words[0], _options(words[1:])
    json = json or asked
    if name and verb != "promote":
        raise GrindError("--name is for `promote`", remedy="grind py promote SCRIPT --name N")
    if len(rest) != (0 if verb == "list" else 1):
        wants = "takes no script" if verb == "list" else "wants one script"
        raise GrindError(f"`grind py {verb}` {wants}", remedy="grind py --help")
    session = Session(os.getcwd(), os.environ)
    shop = workshop(session, fresh=False, say=say)
    if verb == "list":
        return _list(shop, json=json)
    if verb == "promote":
        return _promote(session, shop, rest[0], name, json=json)
    return _demote(shop, rest[0], json=json)


def _options(words: tuple[str, ...]) -> tuple[list[str], str, bool]:
    rest: list[str] = []
    name, json = "", False
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--json":
            json = True
        elif word == "--name" and left:
            name = left.pop(0)
        elif word.startswith("--name="):
            name = word.partition("=")[2]
        elif word.startswith("-") and word != "-":
            raise GrindError(f"unknown argument {word!r}", remedy="grind py --help")
        else:
            rest.append(word)
    return rest, name, json


def _say(document: dict[str, object], text: Callable[[], str], *, json: bool) -> int:
    if json:
        import msgspec

        sys.stdout.write(msgspec.json.encode({"schema": SCHEMA, **document}).decode() + "\n")
    else:
        sys.stdout.write(text())
    return 0


def _list(shop: Workshop, *, json: bool) -> int:
    from grind.ui import py_text

    apps = shop.promoted.read()
    keys = {app.key for app in apps.apps.values()}
    paths = {app.path for app in apps.apps.values()}
    found = shop.usage.read().values()
    used = [u for u in found if u.key not in keys and u.shown not in paths]
    used.sort(key=lambda one: (-one.times, one.shown))
    document: dict[str, object] = {
        "apps": [{"name": name, "script": app.path} for name, app in sorted(apps.apps.items())],
        "scripts": [{"kind": u.kind, "shown": u.shown, "times": u.times} for u in used],
    }
    threshold = shop.config.promote_after
    return _say(
        document, lambda: py_text.listed(apps, used[:LISTED], len(used), threshold), json=json
    )


def _promote(session: Session, shop: Workshop, told: str, name: str, *, json: bool) -> int:
    from grind.ui import py_text
    from grind.wiring.python import prove

    plan = _plan(shop, told, name)
    if not shop.ground.nix or shop.ground.flake is None:
        raise RefusedError(
            "a promoted script is a flake app, and here is "
            + ("no Nix" if not shop.ground.nix else "no flake.nix that would give it Python"),
            remedy="promote it on a machine and in a repository that have both",
        )
    named = () if plan.app.own else (plan.app.path,)
    shop.promoted.write(plan.apps, plan.scripts, named, lambda: prove(shop, session, plan))
    document: dict[str, object] = {
        "name": plan.name,
        "script": plan.app.path,
        "known": plan.known,
        "expose": list(promotion.exposing(plan.apps)),
    }
    return _say(document, lambda: py_text.promoted(plan), json=json)


def _plan(shop: Workshop, told: str, name: str) -> Plan:
    from grind.commands.py import inside

    if told == "-":
        source, path = sys.stdin.buffer.read(), ""
        if not name:
            raise GrindError("a script from standard input has no name", remedy="--name N")
    else:
        try:
            with open(told, "rb") as file:
                source = file.read()
        except OSError as error:
            raise GrindError(f"{told} cannot be read: {error.strerror}") from None
        path = inside(shop.top, told)
    if not source.strip():
        raise GrindError(f"{told} is empty: there is nothing to promote")
    return promotion.plan(
        shop.promoted.read(),
        shop.ground.flake or ".",
        path=path,
        source=source,
        key=pythonuse.key_of(source),
        name=name or promotion.name_for(told),
    )


def _demote(shop: Workshop, told: str, *, json: bool) -> int:
    from grind.commands.py import inside
    from grind.ui import py_text

    apps = shop.promoted.read()
    name = promotion.find(apps, told, inside(shop.top, told))
    app = apps.apps[name]
    content = shop.promoted.script(app.path)
    # What grind has written goes, unless somebody has worked on it since.
    gone = app.own and content is not None and pythonuse.key_of(content) == app.key
    shop.promoted.remove(promotion.without(apps, name), (app.path,) if gone else ())
    document: dict[str, object] = {"name": name, "script": app.path, "removed": gone}
    return _say(document, lambda: py_text.demoted(name, app, gone=gone), json=json)
