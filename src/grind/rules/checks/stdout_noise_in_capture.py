"""stdout-noise-in-capture: a warning that becomes part of a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.findings import HIGH, MEDIUM, WARNING, Hit, Rule
from grind.rules.shell.model import Compound, Node, Pipe, Simple, Site
from grind.rules.shell.programs import Call
from grind.rules.units import Unit, View

_NOISE = re.compile(
    r"^\W*(warn(ing)?|error|err|info|note|debug|notice|fatal|building|checking|fetching|downloading|installing"
    r"|waiting|retrying|using|skipping|cloning|updating|creating|starting|looking|trying|running|loading|deploying"
    r"|cannot|could not|can't|failed|missing)\b|^\s*(==>|-->|=>|\[[\w+*!-]+\]|>>|::(warning|error|notice)|⚠|❌|ℹ)",
    re.IGNORECASE,
)
_LOGGERS = re.compile(
    r"^(_?log\w*|warn\w*|info|debug|error|err|msg|note|notice|say|status|print_(info|warning|error))$"
)
_SILENT = frozenset(
    (
        "local export declare readonly set shopt cd return exit true : test shift trap unset"
        " read sleep mkdir rm touch mv cp chmod exec source . printf echo pushd popd eval break"
        " continue [ [[ wait kill ln git"
    ).split()
)


def check(view: View) -> Iterator[Hit]:
    """Diagnostics on stdout of a function whose stdout is somebody's value."""
    for unit in view.running():
        if not unit.functions:
            continue
        for name in sorted(_captured(unit)):
            yield from _noise(unit, name, unit.functions[name])


def _captured(unit: Unit) -> set[str]:
    """Functions whose whole output is taken by `$( )` somewhere."""
    found: set[str] = set()
    for body in unit.script.substitutions.values():
        for node in body[1]:
            first = node.stages[0] if isinstance(node, Pipe) else node
            if isinstance(first, Simple) and first.words:
                name = first.words[0].raw
                if name in unit.functions and not (isinstance(node, Pipe) and len(node.stages) > 1):
                    found.add(name)
    return found


def _noise(unit: Unit, name: str, function: Compound) -> Iterator[Hit]:
    writers = [c for c in unit.calls if function.start <= c.head.start < function.end and not c.via]
    writers = [c for c in writers if _to_stdout(c.site, function)]
    results = [
        c
        for c in writers
        if not _is_noise(unit, c) and c.name not in _SILENT - {"echo", "printf", "git"}
    ]
    if not results:
        return
    for call in writers:
        if _is_noise(unit, call):
            message = (
                f"`{name}` is called as `$({name} …)`: this line goes to stdout and becomes part of the "
                "value; send it to stderr with `>&2`"
            )
            span = (call.site.command.start, call.site.command.end)
            sure = HIGH if call.name in ("echo", "printf") else MEDIUM
            yield unit.hit("stdout-noise-in-capture", span, message, WARNING, sure)


def _is_noise(unit: Unit, call: Call) -> bool:
    if call.name in ("echo", "printf"):
        texts = [w for w in call.arguments if not re.match(r"-[neE]+$", w.raw)]
        return (
            bool(texts)
            and bool(_NOISE.search(texts[0].text))
            and " " in " ".join(w.text for w in texts)
        )
    function = unit.functions.get(call.name)
    return function is not None and bool(_LOGGERS.match(call.name)) and _writes(unit, function)


def _writes(unit: Unit, function: Compound) -> bool:
    """Whether a logging function writes to stdout."""
    for call in unit.calls:
        if function.start <= call.head.start < function.end and call.name in (
            "echo",
            "printf",
            "cat",
        ):
            return _to_stdout(call.site, function)
    return False


def _to_stdout(site: Site, function: Compound) -> bool:
    """Whether what this command prints leaves the function through stdout."""
    if _leaves(site.command) or _leaves(function):
        return False
    position = len(site.trail) - 1
    for owner, nodes, index in reversed(site.trail):
        if owner is function:
            return not _body_redirected(function)
        if isinstance(owner, Compound) and owner.kind in ("substitution", "function"):
            return False
        if isinstance(owner, Pipe) and index < len(nodes) - 1:
            return False
        if owner is not None and _leaves(owner):
            return False
        position -= 1
    return False


def _body_redirected(function: Compound) -> bool:
    return any(_leaves(node) for _, body in function.blocks for node in body)


def _leaves(node: Node) -> bool:
    """Whether stdout is redirected here."""
    for redirect in node.redirects:
        if redirect.op in (">", ">>", ">|", "&>", "&>>", ">&") and redirect.fd in ("", "1"):
            return True
    return False


RULE = Rule(
    id="stdout-noise-in-capture",
    severity=WARNING,
    what="A function prints diagnostics on stdout, and a caller takes its stdout as a value.",
    why="The warning becomes part of the path, the version, the identifier.",
    seen="A helper printed its warning on stdout inside `$( )`; it became part of a store path (F19).",
    bad='build() { echo "warning: dirty tree"; nix build --print-out-paths; }\nout=$(build)',
    good='build() { echo "warning: dirty tree" >&2; nix build --print-out-paths; }\nout=$(build)',
    check=check,
)
