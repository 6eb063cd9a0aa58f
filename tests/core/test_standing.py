"""What `grind status` says is next."""

from __future__ import annotations

from grind.core.gate import Answer, Decision
from grind.core.standing import next_step

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
