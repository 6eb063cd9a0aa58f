"""What `grind status` says is next."""

from __future__ import annotations

from msgspec.structs import replace

from grind.core import events as e
from grind.core.gate import Answer, Decision
from grind.core.release import Release, State
from grind.core.standing import brief_of_release, next_step

OK = Decision(answer=Answer.OK, reason="proven", remedy="")
LINES = "install Node.js 18, or in grind.toml:\n[[verdict]]\nuses = 'actions/setup-node@*'"


def after(decision: Decision, remote: str | None = "origin") -> tuple[str, str]:
    return next_step(decision, None, remote, landed=False, going="")


def test_what_is_proven_is_landed_where_it_can_be() -> None:
    assert after(OK) == ('grind land -m "…"', "the tree is proven")
    command, why = after(OK, remote=None)
    assert command == "git remote add origin URL"
    assert "no remote" in why


def test_it_is_a_command_whatever_the_remedy_is() -> None:
    partial = Decision(answer=Answer.PARTIAL, reason="a step is refused", remedy=LINES)
    assert after(partial) == ("grind plan", "a step is refused")
    missing = Decision(answer=Answer.MISSING, reason="no receipt", remedy="grind check")
    assert after(missing) == ("grind check", "no receipt")


def test_what_may_fail_is_not_what_a_green_run_came_to() -> None:
    failed = e.StepEnded(
        job="j",
        step=0,
        name="may fail",
        verdict="executed",
        outcome="failure",
        conclusion="failure",
        gating=False,
    )
    ended = e.RunEnded(
        run="r", state="green", exit_code=0, executed=2, failed=0, refused=0, duration=1.5
    )
    release = Release(state=State.GREEN, ended=ended, failed=(failed,))
    assert brief_of_release(release).told == "2 steps in 1.5 s"
    red = replace(release, state=State.RED, failed=(replace(failed, gating=True),))
    assert brief_of_release(red).told == "j: may fail"
