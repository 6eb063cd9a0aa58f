"""The loop's phases, and what a journal says is done of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grind.core.loop import (
    Loop,
    LoopEnded,
    LoopStarted,
    Phase,
    PhaseEnded,
    PhaseStarted,
    fold_loop,
    phases,
)

STARTED = LoopStarted(release="r", tree="t", phases=tuple(map(str, Phase)))


@given(st.sampled_from(Phase), st.sampled_from(Phase))
def test_phases_come_in_one_order(first: Phase, last: Phase) -> None:
    chosen = phases(first, last)
    if last.is_before(first):
        assert chosen == ()
    else:
        assert (chosen[0], chosen[-1]) == (first, last)
        assert list(chosen) == [phase for phase in Phase if phase in chosen]


def test_what_is_done() -> None:
    events: list[object] = [STARTED, PhaseStarted("check"), PhaseEnded(phase="check", state="done")]
    loop = fold_loop(events)
    assert (loop.cut_off, loop.done, loop.running) == (True, ("check",), "")
    loop = fold_loop([*events, PhaseStarted("land")])
    assert loop.running == "land"
    landed = PhaseEnded(phase="land", state="done", commit="c")
    loop = fold_loop([*events, PhaseStarted("land"), landed, LoopEnded(exit_code=0)])
    assert (loop.cut_off, loop.commit, loop.done) == (False, "c", ("check", "land"))


def test_what_failed_is_not_done() -> None:
    failed = PhaseEnded(phase="check", state="failed", exit_code=1)
    assert fold_loop([STARTED, PhaseStarted("check"), failed]).done == ()


def test_taken_up_again_what_was_done_stays_done() -> None:
    again = LoopStarted(release="r", tree="t", phases=(), resumed=True)
    done = PhaseEnded(phase="land", state="done", commit="c")
    loop = fold_loop([STARTED, done, PhaseStarted("watch"), again])
    assert (loop.done, loop.commit, loop.running) == (("land",), "c", "")


def test_a_journal_without_a_loop() -> None:
    assert fold_loop([]) == Loop()
    assert not fold_loop([object()]).cut_off
