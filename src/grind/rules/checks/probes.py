"""Health checks made with curl or wget: what they ask, what they would notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from grind.rules.shell.model import HOLE, Compound, Pipe, Word
from grind.rules.shell.options import has, values
from grind.rules.shell.programs import Call
from grind.rules.units import Unit

_ROUTE = re.compile(
    r"/(-/)?(api/)?(v\d+/)?(_?health\w*|health-check|readyz?|readiness|livez?|liveness|alive|ping|_?status|heartbeat"
    r"|up|isalive|actuator/health)/?(\?|$|['\"#])",
    re.IGNORECASE,
)
_LOCAL = re.compile(r"^(https?://)?(localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)[:/]", re.IGNORECASE)
_LABEL = re.compile(r"health|smoke|verif|probe|wait for|alive|ready|liveness", re.IGNORECASE)
_CURL_VALUES = frozenset(
    (
        "-o -w -H -X -d -u -A -e -m -b -c -T -F -K -E -x -r --output --write-out --header"
        " --request --data --user --max-time --connect-timeout --retry --retry-delay"
        " --retry-max-time --cacert --cert --key --resolve --user-agent --unix-socket --cookie"
        " --data-raw --proxy --form --url --config --interface"
    ).split()
)
_WGET_VALUES = frozenset(
    ("-O -o -t -T -w -U -P --tries --timeout --output-document --header --user --password").split()
)


class Probe(NamedTuple):
    """One request that is meant to say whether something lives."""

    call: Call
    url: Word
    route: bool
    """Its path is one that health checks have."""
    fails: bool
    """`-f`: a status of 400 or more fails it."""
    follows: bool
    discarded: bool
    """The body goes nowhere."""
    code: bool
    """The status code is printed (`-w '%{http_code}'`)."""
    retries: bool
    looped: bool
    reader: Call | None
    """What reads its output through a pipe."""
    captured: bool
    """Its output becomes a value."""
    in_test: bool
    """It stands in the condition of an if, or at the left of `||`/`&&`."""


def probes(unit: Unit) -> Iterator[Probe]:
    """The health checks of a text."""
    for call in unit.calls:
        if call.name in ("curl", "wget"):
            probe = _probe(unit, call)
            if probe is not None:
                yield probe


def _probe(unit: Unit, call: Call) -> Probe | None:
    valued = _CURL_VALUES if call.name == "curl" else _WGET_VALUES
    url = _url(call, valued)
    if url is None or _sends(call):
        return None
    target = _output(call)
    piped = _pipe_after(call)
    discarded = target == "/dev/null" or _to_null(call)
    code = any(
        "http_code" in w.text or "response_code" in w.text
        for w in values(call, "-w", "--write-out")
    )
    shown = unit.raw(url.start, url.end).strip("\"'")
    route = bool(_ROUTE.search(shown))
    if not route and not (discarded or code):
        return None
    if not route and not (_LOCAL.match(shown) or _LABEL.search(unit.context.label)):
        return None
    if target not in ("", "/dev/null", "-") and not code:
        return None  # a download
    spider = call.name == "wget" and has(call, "", "--spider")
    return Probe(
        call,
        url,
        route,
        has(call, "f", "--fail", "--fail-with-body", "--fail-early")
        if call.name == "curl"
        else True,
        has(call, "L", "--location") if call.name == "curl" else True,
        discarded or spider,
        code,
        has(call, "", "--retry") or (call.name == "wget" and has(call, "t", "--tries")),
        call.site.inside("while", "until", "for") or _in_function(call),
        piped,
        call.site.inside("substitution"),
        _tested(call),
    )


def _url(call: Call, valued: frozenset[str]) -> Word | None:
    skip = False
    for word in call.arguments:
        text = word.text
        if skip:
            skip = False
        elif text.startswith("-"):
            clustered = len(text) > 2 and text[1] != "-" and "-" + text[-1] in valued
            skip = text in valued or clustered
        elif text.strip(HOLE) or len(text) > 0:
            return word
    return None


def _sends(call: Call) -> bool:
    """A request that changes something, or asks a question of its own."""
    method = values(call, "-X", "--request")
    if method and method[0].text.removeprefix("-X") not in ("GET", "HEAD"):
        return True
    return has(
        call, "", "--data", "--data-raw", "--json", "--form", "--upload-file", "--data-binary"
    ) or bool(values(call, "-d", "-F", "-T"))


def _output(call: Call) -> str:
    names = ("-o", "--output") if call.name == "curl" else ("-O", "--output-document")
    found = values(call, *names)
    if found:
        return re.sub(
            r"^(--output=|--output-document=|-o(?=/)|-O(?=/)|-[a-zA-Z]*[oO](?=/dev/null))",
            "",
            found[0].text,
        )
    if call.name == "curl" and has(call, "O", "--remote-name"):
        return "file"
    if call.name == "wget" and not has(call, "", "--spider", "--quiet") and not has(call, "q"):
        return "file"
    for redirect in call.site.command.redirects:
        if redirect.op in (">", ">>", "&>") and redirect.fd in ("", "1") and redirect.target:
            return redirect.target.text
    return ""


def _to_null(call: Call) -> bool:
    for redirect in call.site.command.redirects:
        if redirect.target and redirect.target.text == "/dev/null" and redirect.fd in ("", "1"):
            return True
    return any(
        r.target and r.target.text == "/dev/null" and r.fd in ("", "1")
        for owner in call.site.owners()
        for r in owner.redirects
    )


def _pipe_after(call: Call) -> Call | None:
    from grind.rules.shell.model import Simple, Site
    from grind.rules.shell.programs import calls_at

    for owner, nodes, index in reversed(call.site.trail):
        if isinstance(owner, Pipe) and index + 1 < len(nodes):
            following = nodes[index + 1]
            if isinstance(following, Simple) and following.words:
                return calls_at(Site(following, ()), call.context)[-1]
            return None
    return None


def _in_function(call: Call) -> bool:
    return call.site.inside("function")


def _tested(call: Call) -> bool:
    from grind.rules.shell.model import Chain

    for owner, nodes, index in reversed(call.site.trail):
        if isinstance(owner, Chain) and index < len(nodes) - 1:
            return True
        if isinstance(owner, Compound) and owner.kind == "if":
            return any(role == "cond" and body is nodes for role, body in owner.blocks)
    return False
