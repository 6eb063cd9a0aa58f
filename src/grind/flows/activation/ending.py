"""How an activation ended, in words and as a result."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.activation import Phase, Standing, told_switch
from grind.core.errors import ExitCode
from grind.core.hostevents import ActivateEnded
from grind.core.texts import clean
from grind.flows.activation.inputs import ActivateInputs, Looked

_LINES = 20


class Judged(NamedTuple):
    """How an activation ended, and what was seen of the host's health last."""

    standing: Standing
    looked: Looked | None
    log: str = ""
    """The end of what was printed on the host while it was switched."""


def told_phase(standing: Standing) -> str:
    """Return what the phase means, for a person."""
    match standing.phase:
        case Phase.SWITCHED | Phase.WAITING:
            return told_switch(standing.switch_rc, standing.newly, standing.failed)
        case Phase.GOING_BACK | Phase.REFUSED | Phase.KEPT:
            return standing.reason
        case Phase.ROLLBACK_FAILED:
            return standing.failure
        case _:
            return ""


def ended_of(inputs: ActivateInputs, judged: Judged) -> ActivateEnded:
    """Return the result: 0 only when acknowledged and healthy."""
    standing, looked, log = judged
    healthy = looked.healthy if looked is not None else None
    state, code, reason = "rollback-failed", ExitCode.ROLLBACK_FAILED, standing.failure
    by_hand: tuple[str, ...] = ()
    match standing.phase:
        case Phase.ACKNOWLEDGED:
            state, code, reason = "activated", ExitCode.DONE, ""
            if standing.purpose == "rollback":
                state = "rolled-back"
        case Phase.ROLLED_BACK if standing.purpose == "rollback":
            reason = f"the rollback did not succeed, and the host is as it was: {standing.reason}"
            by_hand = back_by_hand(
                inputs.config.profile, standing.kind, standing.new, made(standing)
            )
        case Phase.ROLLED_BACK:
            state, code, reason = "rolled-back", ExitCode.ROLLED_BACK, standing.reason
            if healthy is False and looked is not None:
                state, code = "rollback-failed", ExitCode.ROLLBACK_FAILED
                reason += "; it is back on the recorded system, but not healthy: " + "; ".join(
                    looked.red
                )
                by_hand = _look_by_hand(standing)
        case Phase.REFUSED:
            state, code, reason = "refused", ExitCode.REFUSED, standing.reason
        case Phase.KEPT:
            state, code, reason = "kept", ExitCode.ROLLBACK_FAILED, standing.reason
            by_hand = _look_by_hand(standing)
        case _:
            reason = f"{standing.reason}; and going back failed: {standing.failure}"
            by_hand = back_by_hand(
                inputs.config.profile, standing.kind, standing.old, standing.generation
            )
    return ActivateEnded(
        activation=standing.id,
        host=inputs.host.name,
        state=state,
        exit_code=int(code),
        reason=reason,
        old=standing.old,
        new=standing.new,
        generation=standing.made if standing.phase is Phase.ACKNOWLEDGED else standing.generation,
        by_hand=by_hand,
        log=_end_of(log) if code else (),
        healthy=healthy,
        duration=standing.at - standing.begun,
    )


def _end_of(log: str) -> tuple[str, ...]:
    lines = [line.rstrip() for line in clean(log).splitlines() if line.strip()]
    return tuple(lines[-_LINES:])


def _look_by_hand(standing: Standing) -> tuple[str, ...]:
    return (
        "systemctl --failed; journalctl -b -p err",
        f"grind status --host; the host runs {standing.new if standing.phase is Phase.KEPT else standing.old}",
    )


def made(standing: Standing) -> str:
    """Return the generation that was to be, when it is known."""
    return standing.made if standing.made != standing.generation else ""


def back_by_hand(profile: str, kind: str, system: str, number: str) -> tuple[str, ...]:
    """Return what to type on the host to bring it to that system when grind could not."""
    if kind == "commands":
        return (
            f"make the host run {system} again: what `back` of [activate] does, with GRIND_TO={system}",
        )
    to_set = f"--switch-generation {number}" if number else f"--set {system}"
    return (
        f"sudo nix-env -p {profile} {to_set}",
        f"sudo {system}/bin/switch-to-configuration switch",
    )
