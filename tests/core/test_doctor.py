"""A host's facts, judged: a bare host is told of everything it lacks, a good one of nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.doctor import NEEDED, Diagnosis, HostFinding, judge_host
from grind.core.hostfacts import parse_facts, version_of

GOOD = {
    "bash": "5.2.15(1)-release",
    "machine": "x86_64",
    "user": "1000",
    "os": "nixos 24.05",
    "kernel": "6.6.1",
    "boot": "b",
    "uptime": "90000.1",
    "git": "git version 2.44.0",
    "nix": "nix (Nix) 2.18.2",
    "features": "nix-command flakes",
    "state": "/home/ada/.local/state/grind",
    "state-writable": "1",
    "disk-free": str(50 << 20),
    "inodes-free": "1000000",
    "MemTotal": str(16 << 20),
    "MemAvailable": str(8 << 20),
    "SwapTotal": "0",
    "processors": "4",
    "systemd": "1",
    "linger": "1",
    "user-bus": "1",
    "memory-controller": "1",
    **{
        f"has {name}": f"/bin/{name}"
        for name in (*NEEDED, "git", "nix", "setsid", "systemctl", "systemd-run")
    },
}


def judged(
    skew: float = 0.0, tools: dict[str, str] | None = None, **facts: str | None
) -> dict[str, HostFinding]:
    changed = {name.replace("__", " ").replace("_", "-"): value for name, value in facts.items()}
    whole = {name: value for name, value in (GOOD | changed).items() if value is not None}
    return {one.name: one for one in judge_host(whole, skew=skew, tools=tools or {})}


def test_a_good_host_has_nothing_to_be_said_about() -> None:
    assert {one.level for one in judged().values()} == {"ok"}
    assert Diagnosis(host="box", findings=tuple(judged().values())).fit


def test_a_host_with_nothing_is_told_all_of_it() -> None:
    findings = judge_host({}, skew=0.0, tools={})
    missing = {one.name for one in findings if one.level == "missing"}
    assert missing == {"bash", "coreutils", "setsid", "git", "state", "proc"}
    assert all(one.remedy for one in findings if one.level in ("missing", "warning"))
    assert not Diagnosis(host="box", findings=findings).fit


@pytest.mark.parametrize(
    ("facts", "name", "level"),
    [
        ({"bash": "4.3.48(1)-release"}, "bash", "missing"),
        ({"bash": "4.4.20(1)-release"}, "bash", "ok"),
        ({"has__git": None}, "git", "missing"),
        ({"git": "git version 2.11.0"}, "git", "missing"),
        ({"has__nix": None}, "nix", "note"),
        ({"features": "nix-command"}, "nix", "note"),
        ({"disk_free": "5000"}, "disk", "missing"),
        ({"disk_free": str(1 << 20)}, "disk", "warning"),
        ({"inodes_free": "12"}, "inodes", "warning"),
        ({"state_writable": None}, "state", "missing"),
        ({"MemAvailable": "2048"}, "memory", "warning"),
        ({"linger": None}, "units", "note"),
        ({"linger": None, "user": "0"}, "units", "ok"),
        ({"user_bus": None}, "units", "note"),
        ({"memory_controller": None}, "units", "note"),
        ({"has__systemctl": None}, "units", "note"),
        ({"systemd": None}, "units", "note"),
        ({"has__python3": "/usr/bin/python3"}, "python", "note"),
        ({"stuck": "2"}, "leftovers", "warning"),
        ({"cut": "1"}, "answer", "warning"),
        ({"lock__activation": "held\n12\nT\nada\n\ngrind"}, "lock", "note"),
        ({"lock__activation": "stale\n12\nT\nada\n\ngrind"}, "lock", "warning"),
    ],
)
def test_one_thing(facts: dict[str, str | None], name: str, level: str) -> None:
    # MemTotal and its kin keep their capitals: only underscores are turned.
    assert judged(**facts)[name].level == level


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "all jobs together"),
        ({"user": "0", "linger": None}, "system units; `memory` holds all jobs together"),
        ({"has__systemctl": None}, "each job by itself"),
        ({"memory_controller": None}, "`memory` holds nothing"),
        ({"user": "0", "memory_controller": None}, "`memory` holds nothing"),
        ({"linger": None}, "`memory` holds nothing"),
        ({"has__systemd-run": None}, "`memory` holds nothing"),
        ({"systemd": None}, "`memory` holds nothing"),
    ],
)
def test_what_holds_the_memory(facts: dict[str, str | None], words: str) -> None:
    """What is said is what the runner does: see `units.sh`."""
    found = judged(**facts)["units"]
    assert words in found.told
    assert (found.level == "ok") == ("together" in words)
    assert bool(found.remedy) == ("together" not in words)


def test_on_this_machine_itself_nothing_holds_the_memory() -> None:
    findings = judge_host(GOOD, skew=0.0, tools={}, here=True)
    [found] = [one for one in findings if one.name == "units"]
    assert "`memory` of grind.toml limits nothing here" in found.told
    assert "--scope -p MemoryMax" in found.remedy


@pytest.mark.parametrize(
    ("skew", "level", "words"),
    [
        (0.0, "ok", "as here"),
        (-4.9, "ok", "as here"),
        (60.0, "note", "1.0 min ahead of"),
        (-3600.0, "warning", "1.0 h behind"),
    ],
)
def test_clocks(skew: float, level: str, words: str) -> None:
    found = judged(skew)["clock"]
    assert (found.level, words in found.told) == (level, True)


def test_a_stale_lock_names_its_token() -> None:
    found = judged(
        lock__activation="stale\n1700000000\nT-1\nada@laptop\n10.0.0.7\ngrind activate\n"
    )
    assert "--free-lock T-1" in found["lock"].remedy
    assert "grind activate by ada@laptop from 10.0.0.7" in found["lock"].told


def test_tools_that_the_plan_uses() -> None:
    assert judged(tools={"node --version": "v20.1"})["tool"].level == "ok"
    assert judged(tools={"node --version": ""})["tool"].level == "note"
    missing = judged(tools={"uv --version": "uv: command not found"})["tool"]
    assert (missing.level, missing.told) == ("note", "uv --version: no answer, and the plan asks")
    script = "Print every Python on this host: implementation, version, path."
    told = judged(tools={script: "cpython 3.11.7 /usr/bin/python3"})["tool"].told
    assert told == "every Python on this host: cpython 3.11.7 /usr/bin/python3"


@given(st.dictionaries(st.text("abc -", min_size=1), st.text("xyz\n ")), st.integers(0, 200))
def test_an_answer_that_is_cut_off_is_known_as_such(facts: dict[str, str], cut: int) -> None:
    whole = "".join(f"{name}\0{value}\0" for name, value in facts.items()).encode()
    assert parse_facts(whole + b"end\x001\0") == facts
    part = parse_facts(whole[:cut])
    assert part.pop("cut") == "1"
    assert set(part) <= set(facts)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.text(max_size=9)))
def test_no_fact_is_too_odd(facts: dict[str, str]) -> None:
    assert judge_host(GOOD | facts, skew=0.0, tools={})


def test_versions() -> None:
    assert version_of("git version 2.39.5 (x)") == (2, 39, 5)
    assert version_of("none") == ()
