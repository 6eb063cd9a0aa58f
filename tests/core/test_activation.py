"""The record of a supervisor, read; and what a switch's exit code means, the same there and here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.adapters.supervisor.program import PARTS, program
from grind.core.activation import (
    SWITCH_CODES,
    Phase,
    Spec,
    read_record,
    stand,
    told_switch,
    unfinished,
)
from grind.core.hostevents import ActivateEnded, ActivateIntent

SHELL = Path(__file__).parents[2] / "src" / "grind" / "adapters" / "supervisor"
PLAIN = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def line(phase: str, *pairs: str, at: str = "5.25") -> str:
    return "\t".join(("20260101-000000-aaaaaa", at, phase, *pairs, ";"))


def test_record_is_read() -> None:
    record = read_record(line("switched", "rc=4", "failed=a.service b.service", "newly=b.service"))
    assert record is not None
    assert (record.phase, record.at, record.get("rc"), record.get("nothing")) == (
        Phase.SWITCHED,
        5.25,
        "4",
        "",
    )


@given(st.integers(0, 80))
def test_torn_line_is_never_taken_for_a_record(cut: int) -> None:
    whole = line("acknowledged", "generation=7")
    read = read_record(whole[:cut])
    assert read is None or whole[:cut] == whole


def test_words_of_a_newer_supervisor_are_passed_over() -> None:
    assert read_record(line("dreaming")) is None
    assert read_record("") is None
    assert read_record(line("begun", at="soon")) is None


def test_standing_of_one_that_went_back() -> None:
    found = stand(
        record
        for text in (
            line("begun", "old=/s/a", "new=/s/b", "generation=3", "who=ada@laptop"),
            line("set", "generation=4"),
            line("switched", "rc=0", "failed=", "newly="),
            line("waiting", "seconds=30"),
            line("warning", "text=a", at="6"),
            line("going-back", "reason=probes are red", "generation=4", "rc=0", "newly="),
            line("rolled-back", "reason=probes are red", "generation=3", at="9"),
        )
        if (record := read_record(text)) is not None
    )
    assert (found.phase, found.over, found.made, found.generation) == (
        Phase.ROLLED_BACK,
        True,
        "4",
        "3",
    )
    assert (found.reason, found.switch_rc, found.warnings) == ("probes are red", 0, ("a",))


@given(st.lists(st.sampled_from(list(Phase)), max_size=8))
def test_any_order_of_phases_can_be_read(phases: list[Phase]) -> None:
    records = [read_record(line(str(phase), "rc=-", "generation=")) for phase in phases]
    found = stand(record for record in records if record is not None)
    said = [phase for phase in phases if phase is not Phase.WARNING]
    assert found.phase is (said[-1] if said else None)


@given(PLAIN, PLAIN, st.lists(PLAIN, max_size=4))
def test_spec_survives_the_shell(old: str, switch: str, units: list[str]) -> None:
    """What the supervisor reads is what was said, whatever it is."""
    spec = Spec(
        id="20260101-000000-aaaaaa", kind="commands", old=old, new="b", deadline=5, limit=6,
        switch=switch, baseline=tuple(units),
    )  # fmt: skip
    code = (SHELL / "base.sh").read_text() + (
        "\ng_take_spec /dev/stdin || exit 9\n"
        'printf "%s\\0" "$g_old" "$g_switch" "$g_deadline" "${g_baseline[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", code], input=spec.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split("\0")[:-1] == [old, switch, "5", *units]


def test_spec_that_was_cut_off_is_not_taken() -> None:
    spec = Spec(id="20260101-000000-aaaaaa", kind="commands", old="a", new="b", deadline=5, limit=6)
    whole = spec.encode()
    code = (SHELL / "base.sh").read_text() + "\ng_take_spec /dev/stdin || exit 9\n"
    for cut in range(0, len(whole), 7):
        done = subprocess.run(
            ["bash", "-c", code], input=whole[:cut], capture_output=True, check=False
        )
        assert done.returncode == 9, cut


def test_spec_refuses_a_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Spec(id="a", kind="nixos", old="a\0b", new="b", deadline=5, limit=6).encode()


@pytest.mark.parametrize("code", [0, 1, 2, 4, 100, 3, 124, 255])
def test_exit_codes_mean_the_same_there_and_here(code: int) -> None:
    """The shell goes back from everything but 0, and but 4 with nothing newly failed."""
    parts = "".join((SHELL / part).read_text() for part in PARTS if part != "verbs.sh")
    code_text = (
        f"{parts}\ng_failed_units() {{ g_failed=(a b); }}\ng_named_units() {{ g_named=(a); }}\n"
        f'g_baseline=(a b) g_limit=5 g_rc={code} g_why=\ng_judge\nprintf %s "$g_why"\n'
    )
    why = subprocess.run(["bash", "-c", code_text], capture_output=True, check=True).stdout.decode()
    assert bool(why) is (code not in (0, 4))
    if code in SWITCH_CODES and why:
        assert f"({code})" in why
    assert told_switch(code, (), ("a", "b"))


@pytest.mark.parametrize(
    ("named", "known", "told"),
    [
        (
            "a c",
            "g_failed=(a)",
            "units failed (4): c",
        ),  # it is being restarted, so it has not "failed"
        ("", "g_failed=()", "it cannot be known which"),
        ("a", "return 1", "it cannot be known which"),
        ("a", "g_failed=(a)", ""),
    ],
)
def test_4_is_taken_for_an_old_failure_only_when_that_is_certain(
    named: str, known: str, told: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text(
        f"warning: the following units failed: {', '.join(named.split())}\n" if named else ""
    )
    parts = "".join((SHELL / part).read_text() for part in PARTS if part != "verbs.sh")
    script = (
        f"{parts}\ng_failed_units() {{ {known}; }}\ng_baseline=(a b) g_limit=5 g_rc=4 g_why= g_log=$1\n"
        'g_judge\nprintf %s "$g_why"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", str(log)], capture_output=True, text=True, check=True
    )
    assert told in done.stdout
    assert bool(told) is bool(done.stdout)


def test_units_that_fail_newly_are_named() -> None:
    assert told_switch(4, ("b",), ("a", "b")) == "switched, but units failed: b"
    assert told_switch(4, (), ("a",)).endswith("failed before: a")
    assert told_switch(None) == "the switch did not end"


def test_every_phase_of_the_shell_is_known() -> None:
    text = program().decode()
    said = set()
    for part in text.split("g_record ")[1:]:
        word = part.split()[0].strip("\"';")
        if not word.startswith("#") and word.replace("-", "").isalpha():
            said.add(word)
    assert said == {str(phase) for phase in Phase}


def test_program_is_one_that_bash_reads() -> None:
    done = subprocess.run(["bash", "-n"], input=program(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert program().startswith(b"#!/usr/bin/env bash\n")


def intent(name: str) -> ActivateIntent:
    return ActivateIntent(activation=name, host="h", old="a", new="b", generation="1", deadline=9)


def end(name: str) -> ActivateEnded:
    return ActivateEnded(activation=name, host="h", state="activated", exit_code=0)


def test_what_was_cut_off_is_found_in_a_journal() -> None:
    assert unfinished([]) is None
    assert unfinished([intent("a")]) == intent("a")
    assert unfinished([intent("a"), end("b")]) == intent("a")
    assert unfinished([intent("a"), end("a")]) is None
