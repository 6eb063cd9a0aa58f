"""missing-pipefail-risk: `set -e` that does not see the left half of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from grind.rules.checks.pipelines import (
    calls_of,
    handles_status,
    in_condition,
    last_call,
    options_unknown,
    pipes,
)
from grind.rules.findings import MEDIUM, WARNING, Hit, Rule
from grind.rules.shell.programs import Call
from grind.rules.units import View

_SOURCES = frozenset(
    (
        "curl wget pg_dump pg_dumpall mysqldump mongodump mariadb-dump tar zcat gpg cpio gh"
        " restic borg"
    ).split()
)
_WITH = {"git": ("archive", "bundle"), "docker": ("save", "export"), "nix-store": ("--export", "--dump"),
         "nix": ("copy",), "aws": ("s3",), "podman": ("save", "export"), "kubectl": ("kustomize",),
         "kustomize": ("build",), "helm": ("template",), "sops": ("-d", "--decrypt"), "zfs": ("send",),
         "btrfs": ("send",)}  # fmt: skip
_SINKS = frozenset(
    (
        "sh bash zsh tar gzip gunzip zstd xz bzip2 psql mysql mariadb sqlite3 dd pg_restore"
        " mongorestore cpio gpg apt-key nix-store docker podman kubectl ssh tee zfs btrfs pigz"
        " lz4 age openssl python python3 node ruby perl patch base64"
    ).split()
)


def check(view: View) -> Iterator[Hit]:
    """Pipelines from something that can fail halfway into something that keeps what it got."""
    for unit in view.running():
        for pipe, _ in pipes(unit):
            if not unit.option("errexit", pipe.start) or unit.option("pipefail", pipe.start):
                continue
            source = next((c for c in calls_of(unit, pipe.stages[0]) if _can_break(c)), None)
            sink = last_call(unit, pipe.stages[-1])
            if source is None or sink is None or sink.name not in _SINKS:
                continue
            if options_unknown(unit, pipe.start):
                continue
            if handles_status(unit, pipe) or in_condition(unit, pipe):
                continue
            message = (
                f"`{source.name}` may fail halfway and `{sink.name}` will keep what it got: `set -e` "
                "looks at the last command of a pipeline only; add `set -o pipefail`"
            )
            span = (pipe.start, pipe.end)
            yield unit.hit("missing-pipefail-risk", span, message, WARNING, MEDIUM)


def _can_break(call: Call) -> bool:
    texts = [w.text for w in call.arguments]
    if call.name == "tar":
        return any((t.startswith("-") and "c" in t) or t.startswith("c") for t in texts[:1])
    if call.name in _WITH:
        return any(t in _WITH[call.name] for t in texts[:3])
    return call.name in _SOURCES


RULE = Rule(
    id="missing-pipefail-risk",
    severity=WARNING,
    what="A script stops on errors, but a download or a dump at the left of a pipe may fail unseen.",
    why="`set -e` without `pipefail` sees the last command only: half a dump becomes a backup.",
    seen="The default shell of a CI step is `bash -e` without pipefail; a broken download went on (F13's kin).",
    bad="set -e\npg_dump app | gzip > app.sql.gz",
    good="set -eo pipefail\npg_dump app | gzip > app.sql.gz",
    check=check,
)
