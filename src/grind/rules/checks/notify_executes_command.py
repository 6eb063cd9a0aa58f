"""notify-executes-command: text for people that runs what it only meant to name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.pipelines import is_work
from grind.rules.findings import ERROR, HIGH, MEDIUM, Hit, Rule
from grind.rules.shell.model import COMMAND, Part
from grind.rules.shell.programs import Call, calls_at
from grind.rules.shell.words import split_heredoc
from grind.rules.units import Unit, View

_READERS = frozenset(
    (
        "echo printf gh hub glab curl http notify-send mail mailx sendmail slack slack-notify"
        " wall logger say git cat tee ntfy telegram-send apprise xmessage zenity osascript"
    ).split()
)
_TEXT_OPTIONS = re.compile(
    r"^(-b|-n|-t|-m|-d|-F|--body|--notes|--title|--message|--data\S*|--json|--form)"
)
_STATE = {
    "systemctl": ("restart", "stop", "start", "reload", "enable", "disable", "daemon-reload", "kill"),
    "service": (), "nixos-rebuild": (), "reboot": (), "shutdown": (), "poweroff": (), "rm": (), "rmdir": (),
    "git": ("push", "reset", "revert", "clean", "merge", "rebase", "checkout", "pull", "commit", "switch"),
    "kubectl": ("delete", "apply", "rollout", "scale", "drain", "patch"),
    "helm": ("upgrade", "install", "rollback", "uninstall"),
    "docker": ("rm", "stop", "restart", "kill", "compose", "system"),
    "terraform": ("apply", "destroy"), "kill": (), "pkill": (), "killall": (), "mv": (), "dd": (), "mkfs": (),
    "rollback": (), "deploy": (), "supervisorctl": ("restart", "stop", "start"), "pm2": (),
    "nix-env": ("--rollback",), "colmena": (), "deploy-rs": (), "ansible-playbook": (),
    "cargo": ("publish", "install"), "npm": ("publish",), "chown": (), "chmod": (), "iptables": (),
}  # fmt: skip
_PRODUCERS = frozenset(
    (
        "date hostname whoami uname pwd basename dirname cat wc id nproc tput printf echo sed"
        " awk cut head tail grep egrep jq yq tr sort uniq ls find du df stat realpath readlink"
        " which command uptime env printenv expr seq bc cksum md5sum sha256sum sha1sum shasum"
        " base64 xxd od hexdump dig nslookup host ip ifconfig getent arch lsb_release sw_vers"
        " nix-store nix-instantiate ps pgrep pidof free lscpu tty logname groups mktemp file"
        " strings gcc cc clang ghc dmesg sysctl"
    ).split()
)
_TOOLS = frozenset(
    (
        "git curl wget nix docker kubectl gcloud aws az rustc go npm node python python3 perl"
        " ruby brew cmake java javac opam stack cabal rpm dpkg openssl gpg"
    ).split()
)
_DOING = frozenset(
    "install ci run build start test publish push up down apply add upgrade update init".split()
)
_HINT = re.compile(
    r"\b(ensure|that|run|running|use|using|with|try|execute|see|via|call|type|command|invoke|do|by|please|and|or|then|to"
    r"|rerun|roll back|rollback)\s*:?\s*$",
    re.IGNORECASE,
)


def check(view: View) -> Iterator[Hit]:
    """Command substitutions inside double-quoted text, or here-documents, that people will read."""
    for unit in view.units:
        for call in unit.calls:
            if call.name not in _READERS or call.via:
                continue
            for part, before in _texts(unit, call):
                found = _judge(unit, call, part, before)
                if found:
                    span = (part.start, part.end)
                    yield unit.hit("notify-executes-command", span, *found)


def _texts(unit: Unit, call: Call) -> Iterator[tuple[Part, str]]:
    """Substitutions in the texts of a call, each with the text before it."""
    if call.name not in ("cat", "tee"):
        for at, word in enumerate(call.words):
            if call.name in ("git", "gh", "curl", "http", "glab", "hub") and not _is_text(call, at):
                continue
            for part in word.parts:
                if part.kind == COMMAND and part.quote == '"':
                    yield part, unit.text[word.start : part.start]
    for redirect in call.site.command.redirects:
        if redirect.body is not None and not redirect.quoted and call.name != "curl":
            if call.name in ("cat", "tee") and not _for_people(unit, call):
                continue
            start = redirect.body[0]
            for part in split_heredoc(unit.script, *redirect.body):
                if part.kind == COMMAND:
                    yield part, unit.text[start : part.start]


def _is_text(call: Call, at: int) -> bool:
    text = call.words[at].text
    before = call.words[at - 1].text if at else ""
    return bool(_TEXT_OPTIONS.match(before)) or text.startswith(("--body=", "--notes=", "--title="))


def _for_people(unit: Unit, call: Call) -> bool:
    """Whether what `cat` writes goes to a page people read."""
    raw = unit.raw(call.site.command.start, call.site.command.end)
    command = raw + unit.text[call.site.command.end : call.site.command.end + 120]
    return bool(
        re.search(
            r"STEP_SUMMARY|\.md\b|notes|NOTES|body|BODY|message|motd|\bmail|CHANGELOG|\bgh\b",
            command,
        )
    )


def _judge(unit: Unit, call: Call, part: Part, before: str) -> tuple[str, str, str] | None:
    inner = _inner_calls(unit, part)
    backtick = unit.text[part.start] == "`"
    shown = unit.raw(part.start, part.end)
    shown = shown if len(shown) <= 50 else shown[:47] + "…"
    if any(_changes_state(c) for c in inner):
        return f"this text runs {shown} while it is made: it only meant to name it", ERROR, HIGH
    if not backtick or not inner:
        return None
    first = inner[0]
    if first.name in _PRODUCERS or first.name in unit.functions or not first.name:
        return None
    work = is_work(first) and len(before.split()) > 2  # prose, and a check or a build named in it
    asked = _HINT.search(before) and _does_something(first)
    if first.name in _TOOLS and not asked and not work:
        return None
    markdown = call.name in ("gh", "glab", "cat", "mail", "tee") or "SUMMARY" in unit.text
    if _HINT.search(before) or markdown or work:
        return (
            f"backticks in double quotes run {shown}: write \\` or use single quotes",
            ERROR,
            MEDIUM,
        )
    return None


def _does_something(call: Call) -> bool:
    """A tool asked to do something, and not asked for a value."""
    words = [w.text for w in call.arguments]
    return bool(words) and words[0] in _DOING and not any("version" in w for w in words)


def _inner_calls(unit: Unit, part: Part) -> list[Call]:
    return [
        call
        for site in unit.sites
        if part.start < site.command.start < part.end and site.command.words
        for call in calls_at(site, unit.context)
    ]


def _changes_state(call: Call) -> bool:
    if call.name not in _STATE:
        return bool(re.search(r"(^|[/_-])(deploy|rollback|restart)(\.sh)?$", call.name))
    wanted = _STATE[call.name]
    words = [w.text for w in call.arguments]
    if call.name == "docker" and words[:1] == ["compose"]:
        return any(w in ("up", "down", "restart", "stop", "rm") for w in words)
    if call.name == "kubectl" and words[:2] == ["rollout", "status"]:
        return False
    return not wanted or any(w in wanted for w in words[:3])


RULE = Rule(
    id="notify-executes-command",
    severity=ERROR,
    what="A message, a release note or a summary contains a command in backticks or `$( )`, unescaped.",
    why="Inside double quotes, and in an unquoted here-document, the shell runs it while making the text.",
    seen="A 'publish rollback notes' step had commands in backticks in a double-quoted string: the notes "
    "step executed a rollback and a restart (F2).",
    bad='echo "To go back, run `nixos-rebuild switch --rollback`" >> "$GITHUB_STEP_SUMMARY"',
    good="echo 'To go back, run `nixos-rebuild switch --rollback`' >> \"$GITHUB_STEP_SUMMARY\"",
    check=check,
)
