"""health-single-shot, health-no-value, health-vacuous-route: health checks that prove little."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.probes import Probe, probes
from grind.rules.findings import LOW, MEDIUM, NOTE, WARNING, Hit, Rule
from grind.rules.shell.programs import Call
from grind.rules.units import Unit, View

_STARTS = {
    "systemctl": ("restart", "start", "reload"), "service": (), "nixos-rebuild": ("switch", "test"),
    "docker": ("compose", "run", "restart", "start"), "docker-compose": ("up", "restart"), "pm2": (), "colmena": (),
    "kubectl": ("apply", "rollout"), "helm": ("upgrade", "install"), "sleep": (), "supervisorctl": (), "deploy": (),
    "podman": ("run", "restart", "start"), "ssh": (), "nomad": (), "fly": ("deploy",), "flyctl": ("deploy",),
}  # fmt: skip
_LABEL = re.compile(r"health|smoke|verif|probe|alive|live check|post-?deploy", re.IGNORECASE)
_LAX_CODE = re.compile(
    r"\[23\]|\(2\|3\)|2\|3|3\d\d|[23]\.\.|30[0-9x]|[^45]\d?\[?45|-lt\s+[45]00|<\s*[45]00|!=?\s*\"?[45]"
)
_COMPARES = re.compile(r"==|!=|select|test\(|contains|-e\b|any|all|error|halt")
_PARSES = frozenset(
    ("jq", "grep", "rg", "python", "python3", "json_pp", "yq", "gron", "head", "cat", "tee")
)


def single_shot(view: View) -> Iterator[Hit]:
    """One try, right after something was started."""
    for unit in view.running():
        for probe in probes(unit):
            if probe.looped or probe.retries or unit.context.host == "nix":
                continue
            after = _started_before(unit, probe)
            if after or (_LABEL.search(unit.context.label) and unit.context.host == "workflow"):
                what = f"right after `{after}`" if after else "in a step that verifies"
                message = (
                    f"one try {what}: too early is red, lucky is green; retry within a deadline and want "
                    "several greens in a row"
                )
                yield _hit(unit, probe, "health-single-shot", message, WARNING, MEDIUM)


def _started_before(unit: Unit, probe: Probe) -> str:
    found = ""
    for call in unit.calls_before(probe.call.head.start):
        wanted = _STARTS.get(call.name)
        texts = [w.text for w in call.arguments]
        if wanted is None or (wanted and not any(t in wanted for t in texts[:4])):
            continue
        if (
            call.name == "docker"
            and texts[:1] == ["compose"]
            and not {"up", "restart", "start"} & set(texts)
        ):
            continue
        if call.name in ("ssh", "docker", "podman") and call.site is probe.call.site:
            continue
        if call.name == "ssh":
            continue
        if call.site.inside("while", "until", "for", "substitution"):
            return ""  # a wait of its own stands before
        found = f"{call.name} {texts[0]}".replace("\x01", "…") if texts else call.name
    return found


def vacuous(view: View) -> Iterator[Hit]:
    """Green on a redirect, or on any page at all."""
    for unit in view.running():
        for probe in probes(unit):
            reason = _vacuous(unit, probe)
            if not reason:
                continue
            waiting = probe.looped or probe.retries
            severity = NOTE if waiting or unit.context.host in ("nix", "npm") else WARNING
            yield _hit(
                unit, probe, "health-vacuous-route", reason, severity, LOW if waiting else MEDIUM
            )


def _vacuous(unit: Unit, probe: Probe) -> str:
    if probe.code:
        near = _after(unit, probe)
        if _LAX_CODE.search(near):
            return "a redirect counts as healthy here: want exactly the right status, and values from the body"
        if probe.follows and probe.call.name == "curl":
            return "`-L` follows a redirect to any page that answers: the status is that page's"
        return ""
    if probe.reader is not None or probe.captured:
        return ""
    if probe.follows and probe.fails and probe.discarded:
        return "redirects are followed and the body is thrown away: a login page is as green as the service"
    if probe.fails and probe.discarded:
        return "`-f` accepts a redirect, and nothing looks at the body: any route that answers is green"
    if probe.fails and not probe.discarded and probe.route and _alone(probe):
        return "`-f` accepts a redirect, and nothing compares the body: a login page is as green as the service"
    return ""


def _alone(probe: Probe) -> bool:
    """Printed at most."""
    return not probe.call.site.command.redirects or probe.discarded


def _after(unit: Unit, probe: Probe) -> str:
    """The text that may compare the code."""
    start = probe.call.site.command.start
    line = unit.text.rfind("\n", 0, start) + 1
    return unit.text[max(line, start - 120) : start + 500].split("%{http_code}", 1)[-1]


def no_value(view: View) -> Iterator[Hit]:
    """The body is fetched, and no value in it is compared."""
    for unit in view.running():
        for probe in probes(unit):
            if not probe.route or probe.code or probe.looped:
                continue
            reason = _valueless(unit, probe)
            if reason:
                severity = NOTE if unit.context.host in ("nix", "npm") else WARNING
                yield _hit(unit, probe, "health-no-value", reason, severity, MEDIUM)


def _valueless(unit: Unit, probe: Probe) -> str:
    reader = probe.reader
    if reader is not None:
        return _reads_nothing(unit, reader) if not probe.captured else ""
    if probe.captured or probe.fails or probe.in_test:
        return ""
    if probe.call.site.command.redirects and not probe.discarded:
        return ""
    return "curl exits 0 whatever the server answers, and nothing looks at the answer"


def _reads_nothing(unit: Unit, reader: Call) -> str:
    if reader.name not in _PARSES:
        return ""
    text = unit.text[reader.head.start : reader.site.command.end]
    rest = unit.text[reader.site.command.end : reader.site.command.end + 80].split("\n")[0]
    if reader.name in ("grep", "rg"):
        words = [w.text for w in reader.arguments if not w.text.startswith("-")]
        if words and re.fullmatch(r"[\"']?[\w-]+[\"']?:?", words[0]) and not _is_value(words[0]):
            return f"`{words[0]}` in the answer says that the key is there, not that its value is right"
        return ""
    if reader.name in ("jq", "yq"):
        if _COMPARES.search(text) or "|" in rest:
            return ""
        return "the answer is shown, and nothing is compared: `unknown` passes as well as the right value"
    if reader.name in ("head", "cat", "tee", "json_pp") or "json.tool" in text:
        return "" if "|" in rest else "the answer is shown, and nothing is compared"
    return ""


def _is_value(word: str) -> bool:
    bare = word.strip("\"':").lower()
    return bare in (
        "ok",
        "up",
        "pass",
        "healthy",
        "true",
        "pong",
        "ready",
        "alive",
        "success",
        "green",
        "running",
    )


def _hit(unit: Unit, probe: Probe, rule: str, message: str, severity: str, confidence: str) -> Hit:
    command = probe.call.site.command
    span = (probe.call.head.start, min(command.end, max(probe.url.end, probe.call.head.end)))
    return unit.hit(rule, span, message, severity, confidence)


SINGLE_SHOT = Rule(
    id="health-single-shot",
    severity=WARNING,
    what="A health check tries once, right after something was started.",
    why="Services need seconds to minutes; one try is red too early or green by luck.",
    seen="`sleep 3` and one `curl`; services needed up to 90 s (F7).",
    bad="systemctl restart app\ncurl -f http://localhost/health",
    good="systemctl restart app\ngrind probe --deadline 120s --greens 3",
    check=single_shot,
)
VACUOUS = Rule(
    id="health-vacuous-route",
    severity=WARNING,
    what="A health check is satisfied by a redirect, or by any page that answers.",
    why="`curl -f` fails from status 400 on: a 303 to a login page is a success.",
    seen="`curl -fsS` on a route that did not exist: redirected to a login page, green for days (F6).",
    bad="curl -fsS https://app.example/health > /dev/null",
    good="test \"$(curl -s -o body -w '%{http_code}' https://app.example/health)\" = 200 && jq -e '.status == \"pass\"' body",
    check=vacuous,
)
NO_VALUE = Rule(
    id="health-no-value",
    severity=WARNING,
    what="A health check fetches an answer and compares no value of it.",
    why="The key may be there and say `unknown`.",
    seen="`instance_role` was in the answer, and was `unknown` on every host (F10).",
    bad="curl -s https://app.example/health | jq .instance_role",
    good="curl -s https://app.example/health | jq -e '.instance_role == \"web\"'",
    check=no_value,
)
