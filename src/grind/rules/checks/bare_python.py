"""bare-python: Python that happens to be on somebody's PATH."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from grind.rules.findings import (
    ERROR,
    HIGH,
    LOW,
    MEDIUM,
    NOTE,
    WARNING,
    Claim,
    Edit,
    Hit,
    Rule,
    lower,
)
from grind.rules.shell.programs import Call
from grind.rules.treefacts import TreeFacts
from grind.rules.units import Unit, View

_PYTHON = re.compile(r"python(\d+(\.\d+)?)?$")
_ACTIVATES = re.compile(r"(^|/)activate$|venv|\.nix-profile|nix-daemon\.sh")
_SUPPLIES = re.compile(r"venv|virtualenv|nix|pyenv|conda", re.IGNORECASE)
_SHELLS = ("devenv.nix", "shell.nix", "flake.nix")
_GRIND_PY = re.compile(r"(^|[\s/#])grind\s(.*\s)?py(\s+--\S+)*$")
"""Forms that stand in place of the interpreter, as `grind py` and `nix run .#grind -- py` do; any
other form stands before it."""
_VERBS = frozenset(("list", "promote", "demote"))
_MOVES = frozenset(("cd", "pushd", "popd"))


def check(view: View) -> Iterator[Hit]:
    """Every call of a bare interpreter whose surroundings do not supply one."""
    for unit in view.units:
        supplied = _supplied_from(unit)
        for call in unit.calls:
            if _is_bare(call, unit) and call.head.start < supplied:
                yield _hit(view, unit, call)


def _is_bare(call: Call, unit: Unit) -> bool:
    return (
        bool(_PYTHON.match(call.name))
        and call.head.literal == call.name
        and not call.context.python
        and call.context.machine != "container"
        and call.name not in unit.functions
    )


def _supplied_from(unit: Unit) -> int:
    """From where on this text has an interpreter of its own on the PATH."""
    for call in unit.calls:
        if call.name in ("source", ".") and call.arguments:
            if _ACTIVATES.search(call.arguments[0].text):
                return call.head.start
        elif call.name == "workon" or (
            call.name in ("conda", "pyenv", "use")
            and call.arguments
            and call.arguments[0].text in ("activate", "shell", "flake", "nix")
        ):
            return call.head.start
    for start, value in unit.assigned.get("PATH", ()):
        if value is not None and _SUPPLIES.search(value.raw):
            return start
    return len(unit.text) + 1


def _guarded(unit: Unit, call: Call) -> bool:
    """Whether the text asks for the interpreter before it uses it."""
    for other in unit.calls_before(call.head.start):
        asks = other.name in ("which", "type", "hash") or (
            other.name == "command" and any(w.text in ("-v", "-V") for w in other.arguments)
        )
        if asks and any(w.text == call.name for w in other.arguments):
            return True
    return False


def _hit(view: View, unit: Unit, call: Call) -> Hit:
    severity, confidence = _weight(view, call)
    if severity != NOTE and _guarded(unit, call):
        severity, confidence = lower(severity), LOW
    where = (
        "on the remote host"
        if call.context.machine == "remote"
        else "on the PATH of whoever runs this"
    )
    quiet = [r for r in call.site.command.redirects if r.target is not None]
    hushed = any(r.fd == "2" and r.target and r.target.raw == "/dev/null" for r in quiet)
    extra = "; its errors are thrown away, so a missing interpreter stays silent" if hushed else ""
    message = f"bare `{call.name}`: it is whatever is {where}, on NixOS nothing{extra}"
    edits = _fix(view, unit, call)
    span = (call.head.start, call.head.end)
    local = call.context.machine == "local" and call.context.host != "hook"
    claim = Claim("nearby", view.source.path) if local and severity != NOTE else None
    return unit.hit("bare-python", span, message, severity, confidence, edits, claim=claim)


def judge(hit: Hit, facts: TreeFacts) -> Hit:
    """What lies below a shell of its own (devenv.nix, shell.nix) is probably run in it."""
    folder = hit.claim.path.rpartition("/")[0] if hit.claim is not None else ""
    while folder:
        if any(facts.has(f"{folder}/{name}") for name in _SHELLS):
            return msgspec.structs.replace(hit, severity=NOTE, confidence=LOW, edits=())
        folder = folder.rpartition("/")[0]
    return hit


def _weight(view: View, call: Call) -> tuple[str, str]:
    context = call.context
    if context.machine == "remote" or context.host == "hook":
        return ERROR, HIGH
    if not view.policy.strict_python:
        return NOTE, LOW
    if context.machine == "ci":
        return WARNING, MEDIUM
    return ERROR, HIGH


def _fix(view: View, unit: Unit, call: Call) -> tuple[Edit, ...]:
    form = view.policy.python_form
    local = call.context.machine in ("local", "ci")
    moved = any(c.name in _MOVES for c in unit.calls_before(call.head.start))
    elsewhere = bool(call.context.cwd) or call.context.host == "nix"
    if not form or not local or moved or elsewhere or call.name not in ("python", "python3"):
        return ()
    at = unit.offset(call.head.start)
    end = at + len(call.name)
    if view.source.text[at:end] != call.name:
        return ()
    if not _GRIND_PY.search(form):
        return (Edit(at, at, form + " "),)
    return (Edit(at, end, form),) if _is_script(call) else ()


def _is_script(call: Call) -> bool:
    """Whether `grind py` takes what the interpreter is given: a script by its name, code, or standard
    input by `-`; no option of Python's own, and no name that is a verb there."""
    first = call.arguments[0].literal if call.arguments else None
    if first == "-c":
        return len(call.arguments) > 1
    return first == "-" or bool(first and not first.startswith("-") and first not in _VERBS)


RULE = Rule(
    id="bare-python",
    severity=ERROR,
    what="A command runs `python3` from the PATH, where nothing in sight supplies it.",
    why="The interpreter is then a property of the machine: another version here, none on a NixOS host.",
    seen="A hook called `python3` with errors thrown away; on a host without it, it did the wrong thing "
    "in silence (F21).",
    bad="python3 scripts/report.py",
    good="nix shell --inputs-from . nixpkgs#python3 --command python3 scripts/report.py",
    check=check,
    judge=judge,
)
