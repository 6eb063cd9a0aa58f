"""What a host has and lacks, judged: each finding with its remedy. Pure; the facts are an argument.

The facts are what adapters/hostscripts/doctor.sh tells: names and values, some of which are missing
on a host that has almost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from grind.core.hostfacts import number_in, version_of

DOCTOR_SCHEMA = "grind.doctor/1"
Level: TypeAlias = Literal["ok", "note", "warning", "missing"]
"""`missing`: grind cannot work there without it. `warning`: something will go wrong some day."""

BASH = (4, 4)
"""The oldest bash that the runner works with."""
GIT = (2, 20)
NEEDED = ("cat", "chmod", "cp", "env", "ln", "mkdir", "mv", "rm", "rmdir", "sort", "stat")
"""Coreutils that the runner and the host's scripts call."""
LITTLE_DISK = 2 << 20
"""KiB of free disk below which a build is likely to fill it …"""
NO_DISK = 100 << 10
"""… and below which nothing can be kept."""
FEW_INODES = 20_000
LITTLE_MEMORY = 1 << 20
"""KiB of available memory below which a build may take the host down."""
SKEW = 5.0
"""Seconds between the clocks that are worth a word …"""
MUCH_SKEW = 120.0
"""… and that make times in logs and receipts misleading."""


class HostFinding(Struct, frozen=True, kw_only=True):
    """One thing about a host."""

    name: str
    level: Level
    told: str
    remedy: str = ""


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All that was found out about a host."""

    host: str
    ssh: str = ""
    """What ssh is told to reach it; empty for this machine."""
    reachable: bool = True
    findings: tuple[HostFinding, ...] = ()

    @property
    def fit(self) -> bool:
        """Whether grind can work there."""
        return self.reachable and all(finding.level != "missing" for finding in self.findings)


def judge_host(
    facts: Mapping[str, str], *, skew: float, tools: Mapping[str, str], here: bool = False
) -> tuple[HostFinding, ...]:
    """Judge a host.

    `skew` is by how many seconds its clock is ahead of ours; `tools` are the questions that the
    plan asks of it, with the first line of each answer (empty for none); `here` says that it is this
    machine, reached without ssh.
    """
    return (
        *_system(facts),
        *_programs(facts),
        *_nix(facts),
        *_room(facts),
        *_clock(skew),
        *_outliving(facts, here=here),
        *_python(facts),
        *_tools(tools),
        *_left(facts),
    )


def _finding(name: str, level: Level, told: str, remedy: str = "") -> HostFinding:
    return HostFinding(name=name, level=level, told=told, remedy=remedy)


def _system(facts: Mapping[str, str]) -> Iterator[HostFinding]:
    if "cut" in facts:
        yield _finding(
            "answer",
            "warning",
            "the host stopped in the middle of its answer: what follows is not all",
            "run it again; see what the login shell of the account prints or limits",
        )
    system = " · ".join(
        filter(None, (facts.get("os", ""), facts.get("kernel", ""), facts.get("machine", "")))
    )
    up = facts.get("uptime", "")
    days = f", up {float(up) / 86400:.1f} days" if up.replace(".", "", 1).isdigit() else ""
    yield _finding("system", "ok", (system or "unknown") + days)
    if not facts.get("boot"):
        yield _finding(
            "proc",
            "missing",
            "there is no /proc: runs could not be told from each other's leftovers",
            "use a Linux host with /proc mounted",
        )


def _programs(facts: Mapping[str, str]) -> Iterator[HostFinding]:
    bash = facts.get("bash", "")
    good = version_of(bash) >= BASH
    wanted = ".".join(map(str, BASH))
    yield _finding(
        "bash",
        "ok" if good else "missing",
        bash or "not found",
        "" if good else f"the runner needs bash {wanted} or newer first on the PATH",
    )
    lacking = [name for name in NEEDED if f"has {name}" not in facts]
    if lacking:
        yield _finding(
            "coreutils",
            "missing",
            f"not on the PATH of a command over ssh: {', '.join(lacking)}",
            "put GNU coreutils on it (NixOS: environment.systemPackages = [ pkgs.coreutils ]); "
            "sshd's SetEnv or the account's shell decides the PATH",
        )
    if "has setsid" not in facts:
        yield _finding(
            "setsid",
            "missing",
            "setsid is not there: a run would end with the connection",
            "install util-linux",
        )
    git = facts.get("git", "")
    if "has git" not in facts:
        yield _finding(
            "git",
            "missing",
            "not found: neither snapshots nor checkouts can be had",
            "install git for this account (NixOS: programs.git.enable = true, or "
            "environment.systemPackages = [ pkgs.git ])",
        )
    elif version_of(git) < GIT:
        yield _finding("git", "missing", git, f"git {'.'.join(map(str, GIT))} or newer is needed")
    else:
        yield _finding("git", "ok", git.removeprefix("git version "))


def _nix(facts: Mapping[str, str]) -> Iterator[HostFinding]:
    if "has nix" not in facts:
        yield _finding("nix", "note", "not there; needed only where the plan or activation uses it")
        return
    features = facts.get("features", "").split()
    lacking = [name for name in ("nix-command", "flakes") if name not in features]
    told = facts.get("nix", "").removeprefix("nix (Nix) ") or facts["has nix"]
    if lacking:
        yield _finding(
            "nix",
            "note",
            f"{told}; {' and '.join(lacking)} off: grind passes them on every call of its own, "
            "steps of the workflow must do so themselves",
            'nix.settings.experimental-features = [ "nix-command" "flakes" ]',
        )
    else:
        yield _finding("nix", "ok", f"{told}, with {' and '.join(('nix-command', 'flakes'))}")


def _room(facts: Mapping[str, str]) -> Iterator[HostFinding]:
    state = facts.get("state", "")
    if "state-writable" not in facts:
        yield _finding(
            "state",
            "missing",
            f"{state} cannot be written",
            "give the account a home that it can write to, or set XDG_STATE_HOME for it",
        )
    free = number_in(facts, "disk-free")
    if free is not None:
        level: Level = "missing" if free < NO_DISK else "warning" if free < LITTLE_DISK else "ok"
        remedy = "" if level == "ok" else "free some: `nix-collect-garbage`, old runs, logs"
        yield _finding("disk", level, f"{_size(free)} free for {state}", remedy)
    inodes = number_in(facts, "inodes-free")
    # Some file systems count none, and say 0 of 0.
    if inodes is not None and 0 < inodes < FEW_INODES:
        yield _finding("inodes", "warning", f"{inodes} left", "remove old checkouts")
    total, available = number_in(facts, "MemTotal"), number_in(facts, "MemAvailable")
    if total is not None and available is not None:
        little = available < LITTLE_MEMORY
        swap = "" if number_in(facts, "SwapTotal") else ", no swap"
        yield _finding(
            "memory",
            "warning" if little else "ok",
            f"{_size(available)} of {_size(total)} available{swap}, "
            f"{facts.get('processors', '?')} processors",
            "build elsewhere, or give `memory` and `jobs` in [hosts.NAME] limits" if little else "",
        )


def _clock(skew: float) -> Iterator[HostFinding]:
    size = abs(skew)
    where = "ahead of" if skew > 0 else "behind"
    told = "as here" if size < SKEW else f"{_span(size)} {where} this machine's"
    level: Level = "warning" if size >= MUCH_SKEW else "note" if size >= SKEW else "ok"
    remedy = "" if level == "ok" else "let it follow NTP (NixOS: services.timesyncd.enable = true)"
    yield _finding("clock", level, told, remedy)


def _outliving(facts: Mapping[str, str], *, here: bool) -> Iterator[HostFinding]:
    """How a run is kept apart from the connection, and what holds its memory."""
    lingers = "linger" in facts and "user-bus" in facts
    if here:
        yield _finding(
            "units",
            "ok",
            "jobs on this machine have no systemd unit of their own: `memory` of grind.toml limits nothing here",
            "where a limit is wanted: systemd-run --user --scope -p MemoryMax=8G grind check",
        )
    elif "systemd" not in facts or "has systemd-run" not in facts:
        yield _finding(
            "units",
            "note",
            "no systemd: runs get a session of their own, and `memory` holds nothing",
            "limit the account by the host's own means, or give fewer `jobs`",
        )
    elif facts.get("user") == "0":
        yield _memory_held(facts, "system units")
    elif lingers:
        yield _memory_held(facts, "user units, lingering is on")
    else:
        yield _finding(
            "units",
            "note",
            "no unit may be started that outlives the login: runs get a session of their own, "
            "`memory` holds nothing, and logind's KillUserProcesses would end them",
            "loginctl enable-linger USER (NixOS: users.users.NAME.linger = true)",
        )


def _memory_held(facts: Mapping[str, str], units: str) -> HostFinding:
    """Judge what becomes of `memory` where there are units: all jobs together, each, or nothing."""
    if "memory-controller" not in facts:
        return _finding(
            "units",
            "note",
            f"{units}; `memory` holds nothing: their control groups have no memory controller",
            "boot with cgroup v2 and its memory controller (systemd.unified_cgroup_hierarchy=1, "
            "cgroup_enable=memory)",
        )
    if "has systemctl" not in facts:
        return _finding(
            "units",
            "note",
            f"{units}; `memory` holds each job by itself: no systemctl, so no slice for all",
            "put systemctl on the PATH of a command over ssh, beside systemd-run",
        )
    return _finding("units", "ok", f"{units}; `memory` holds all jobs together")


def _python(facts: Mapping[str, str]) -> Iterator[HostFinding]:
    found = facts.get("has python3")
    if found is None:
        yield _finding("python", "ok", "no bare python3, and none is needed")
    else:
        yield _finding(
            "python",
            "note",
            f"{found} is on the PATH; a NixOS host has none, so a step that calls it bare proves "
            "little there",
            "grind lint finds such calls; `grind py` pins them",
        )


_SHELLS_WORDS = re.compile(r": (?:command not found|No such file or directory)$")
"""What a shell answers in a program's place."""
_COMMENT = re.compile(r"(?:Print )?([^:\n]+): .*\.$")
"""The first line of a question that is a script: what it prints, and in which columns."""


def _tools(tools: Mapping[str, str]) -> Iterator[HostFinding]:
    for question, answer in tools.items():
        if answer and not _SHELLS_WORDS.search(answer):
            asked = _COMMENT.match(question)
            told = f"{asked[1][0].lower()}{asked[1][1:]}" if asked else question
            yield _finding("tool", "ok", f"{told}: {answer}")
        else:
            yield _finding(
                "tool",
                "note",
                f"{question}: no answer, and the plan asks",
                "`grind plan` shows which steps want it, and what would settle them",
            )


def _left(facts: Mapping[str, str]) -> Iterator[HostFinding]:
    runs = ", ".join(
        f"{number_in(facts, name) or 0} {told}"
        for name, told in (
            ("runs", "runs kept"),
            ("lanes-live", "jobs running now"),
            ("checkouts", "checkouts"),
        )
    )
    yield _finding("runs", "ok", runs)
    stuck = number_in(facts, "stuck") or 0
    if stuck:
        yield _finding(
            "leftovers",
            "warning",
            f"{stuck} folders that a step made undeletable (as another user) are left",
            "remove `*.stuck.*` below the state folder's `jobs` as root",
        )
    for name, value in facts.items():
        if name.startswith("lock "):
            yield _lock(name.removeprefix("lock "), value)


def _lock(name: str, value: str) -> HostFinding:
    state, since, token, who, origin, what = [*value.split("\n", 5), "", "", "", "", "", ""][:6]
    where = f" from {origin}" if origin else ""
    told = f"{name}: {what.strip()} by {who}{where}, since {_stamp(since)}"
    if state == "held":
        return _finding("lock", "note", told)
    return _finding(
        "lock",
        "warning",
        f"{told}; that process is gone without having let go",
        f"look at what it was doing, then `grind doctor --free-lock {token}`",
    )


def _stamp(since: str) -> str:
    from datetime import UTC, datetime

    return (
        datetime.fromtimestamp(float(since), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if since.isdigit()
        else "?"
    )


def _size(kib: int) -> str:
    return f"{kib / (1 << 20):.1f} GiB" if kib >= 1 << 20 else f"{kib / 1024:.0f} MiB"


def _span(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
