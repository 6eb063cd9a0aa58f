"""`grind py`: Python under the repository's policy, pinned by its flake."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from grind.core.errors import GrindError

if TYPE_CHECKING:
    import argparse

    from grind.core.pythonuse import Used
    from grind.flows.python import Launch, Script
    from grind.wiring import Session
    from grind.wiring.python import Workshop

HELP = "run Python as the repository pins it, never what happens to be on the PATH"
EXAMPLES = """\
  grind py scripts/report.py --since 7d    a script and its arguments
  grind py -c 'print(6 * 7)'               code
  grind py - <<'PY'                        a script on standard input
  grind py list                            what is run often, and what is promoted
  grind py promote scripts/report.py       make it a command: nix run ./grind#report
  grind py demote report                   the reverse

Options of `grind py` stand before the script; everything behind it is the script's.
The order: the script's promoted app; Python in the flake's shell; nixpkgs' Python as flake.lock
pins it; [python] fallback in grind.toml where there is no Nix. See docs/python.md.
"""
_VERBS = ("list", "promote", "demote")


class Call(NamedTuple):
    """A command line, taken apart."""

    words: tuple[str, ...]
    """The script with its arguments, or a verb with its own."""
    host: str | None = None
    fresh: bool = False
    why: bool = False
    json: bool = False


def parser() -> argparse.ArgumentParser:
    """The command's arguments, for its help; the script's own are nobody else's, so that the line is
    taken apart by hand."""
    from grind.ui.arguments import parser_for

    made = parser_for("py", HELP, EXAMPLES)
    made.usage = "grind py [OPTIONS] SCRIPT|-c CODE|- [ARGS…] | list | promote SCRIPT | demote NAME"
    made.add_argument("--host", metavar="H", help="run it there: a [hosts.NAME] of grind.toml")
    made.add_argument(
        "--fresh", action="store_true", help="look at the flake's shell again, not only at its lock"
    )
    made.add_argument("--why", action="store_true", help="say what would run it, and run nothing")
    made.add_argument("--name", metavar="N", help="with promote: the command's name")
    made.add_argument("--json", action="store_true", help="with list, promote, demote and --why")
    return made


def run_line(argv: list[str]) -> int:
    """Run, list, promote or demote; the exit code of a script is its own. Raises GrindError."""
    if argv[:1] in (["-h"], ["--help"]):
        parser().print_help()
        return 0
    call = split(argv)
    if call.words[0] in _VERBS:
        from grind.commands import pyverbs

        return pyverbs.run(call.words, json=call.json)
    if call.json and not call.why:
        raise GrindError(
            "--json is for `list`, `promote`, `demote` and --why: a script's output is its own"
        )
    return run(call)


def split(argv: list[str]) -> Call:
    """Take a command line apart: options of `grind py` end where the script begins."""
    call = Call(())
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--fresh":
            call = call._replace(fresh=True)
        elif word == "--why":
            call = call._replace(why=True)
        elif word == "--json":
            call = call._replace(json=True)
        elif word == "--host" or word.startswith("--host="):
            host = word.partition("=")[2] if "=" in word else (rest.pop(0) if rest else "")
            if not host:
                raise _usage("--host wants a name")
            call = call._replace(host=host)
        elif word == "--":
            break
        elif word.startswith("-") and word not in ("-", "-c"):
            raise _usage(f"unknown argument {word!r}")
        else:
            rest.insert(0, word)
            break
    if not rest:
        raise _usage("SCRIPT, -c CODE or - is needed")
    if rest[0] == "-c" and len(rest) < 2:
        raise _usage("-c wants code")
    return call._replace(words=tuple(rest))


def _usage(what: str) -> GrindError:
    return GrindError(what, remedy="`grind py --help` tells what it takes")


def run(call: Call) -> int:
    """Run a script under the policy: this process becomes it."""
    from grind.wiring import Session
    from grind.wiring.python import workshop

    began_ns = time.time_ns()
    session = Session(os.getcwd(), os.environ)
    if call.host not in (None, "local"):
        from grind.commands import pyhost

        return pyhost.run(call)
    shop = workshop(session, fresh=call.fresh, say=say)
    script, stdin = read_script(call.words, shop)
    launch, files = launch_of(session, shop, script)
    if call.why:
        return tell_why(launch, json=call.json)
    used = count(shop, script) if not launch.decision.app else None
    if launch.direct and (used is None or used.times >= shop.config.promote_after):
        _tell_door(shop, script, launch, files, began_ns)
    return _become(launch, call.words, stdin)


def read_script(words: tuple[str, ...], shop: Workshop) -> tuple[Script, bytes | None]:
    """Return what is to be run, and what of standard input was read for it. Raises GrindError."""
    from grind.flows.python import Script

    first = words[0]
    if first == "-c":
        return Script("code", "-c", os.fsencode(words[1]), words[:2]), None
    if first == "-":
        if sys.stdin is None or sys.stdin.isatty():  # a person types: nothing to read ahead
            return Script("stdin", "-", b"", ("-",)), None
        data = sys.stdin.buffer.read()
        return Script("stdin", "-", data, ("-",)), data
    try:
        with open(first, "rb") as file:
            return Script("script", first, file.read(), (first,)), None
    except OSError as error:
        if first in shop.promoted.read().apps and "/" not in first:
            return Script("app", first, b"", (first,)), None
        raise GrindError(
            f"{first} cannot be read: {error.strerror}",
            remedy="SCRIPT is a file, from the folder that you are in, or a promoted command",
        ) from None


def launch_of(session: Session, shop: Workshop, script: Script) -> tuple[Launch, tuple[str, ...]]:
    """Return what runs the script, and the files that its app is made from."""
    from grind.core import pythonuse
    from grind.flows.python import choose
    from grind.wiring.python import app_digest

    apps = shop.promoted.read()
    name = script.label if script.kind == "app" else None
    if name is None and apps.apps:
        path = inside(shop.top, script.label) if script.kind == "script" else ""
        name = apps.of(path, pythonuse.key_of(script.source))
    ground = shop.ground
    files: tuple[str, ...] = ()
    if name is not None:
        app = apps.apps[name]
        digest, files = app_digest(shop, session, app.folder, app.file)
        ground = ground._replace(app_digest=digest)
    return choose(shop.supply, ground, script, name), files


def inside(top: str, path: str) -> str:
    """Return a file's path from the repository's top; empty when it lies elsewhere."""
    full = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    relative = os.path.relpath(full, os.path.realpath(top))
    return "" if relative.startswith("..") else relative


def count(shop: Workshop, script: Script) -> Used:
    """Count the run; at the threshold say, once, that the script could be promoted."""
    from grind.core import pythonuse

    threshold = shop.config.promote_after
    shown = script.label if script.kind == "script" else pythonuse.excerpt(script.source)
    if script.kind == "script":
        shown = inside(shop.top, script.label) or os.path.abspath(script.label)
    use = pythonuse.Use(pythonuse.key_of(script.source), script.kind, shown)
    used = shop.usage.add(use, lambda before: pythonuse.is_due(before, threshold))
    if used.told:
        from grind.core.texts import one_line

        what = shown if script.kind == "script" else "FILE, once it is in one"
        times = "once" if used.times == 1 else f"{used.times} times"
        say(f"run {times}; `grind py promote {one_line(what)}` makes it a command")
    return used


def _tell_door(
    shop: Workshop, script: Script, launch: Launch, files: tuple[str, ...], began_ns: int
) -> None:
    """Let the door run the script the next time, as far as it can know that nothing has changed."""
    from grind.adapters.door import Answer, seen
    from grind.core import pythonuse

    app = bool(launch.decision.app)
    text = os.fsdecode(script.source)
    if script.kind == "script":
        here = os.environ.get("PWD", "")
        if not (os.path.isabs(here) and os.path.samefile(here, ".")):
            return
        text = script.label if os.path.isabs(script.label) else f"{here}/{script.label}"
        files = (text, *files)
    answer = Answer(
        kind=script.kind,
        text=text,
        key="" if app else pythonuse.key_of(script.source),
        program=launch.argv[0],
        app=app,
        watched=seen(files),
    )
    digest = f"{shop.ground.digest} {launch.decision.way.value}"
    shop.door.tell(answer, digest, launch.delta, began_ns)


def say(what: str) -> None:
    """Say something beside the script's own output."""
    if sys.stderr is not None:
        sys.stderr.write(f"grind py: {what}\n")
        sys.stderr.flush()


def tell_why(launch: Launch, *, json: bool) -> int:
    """Say what would run it."""
    import msgspec

    decision = launch.decision
    if json:
        told = {"schema": "grind.py-why/1", "way": decision.way.value, "argv": launch.argv}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        from grind.core.texts import one_line

        sys.stdout.write(f"{decision.way.value}: {one_line(' '.join(launch.argv))}\n")
    return 0


def _become(launch: Launch, words: tuple[str, ...], stdin: bytes | None) -> NoReturn:
    from grind.adapters.here import become

    own = 2 if words[0] == "-c" else 1
    environ = launch.delta.over(os.environ)
    become((*launch.argv, *words[own:]), environ, stdin)
