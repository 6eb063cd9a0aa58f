"""The dangerous part: tell the supervisor to switch, look at the host, acknowledge or let it go back.

Only the supervisor changes the host and only it decides; here its record is followed. Whatever is cut
off here, the host brings itself to an end: acknowledged, or back on what was recorded.
"""

from __future__ import annotations

import asyncio

from grind.core import events as e
from grind.core.activation import Phase, Spec, Standing
from grind.core.errors import GrindError, RefusedError, UnreachableError
from grind.core.hostevents import (
    ActivateEnded,
    ActivateIntent,
    ActivatePhase,
    ActivateProbed,
    ActivateWord,
)
from grind.flows.activation.ending import Judged, ended_of, told_phase
from grind.flows.activation.inputs import ActivateInputs, Expected, Looked
from grind.flows.activation.supervisor import Supervisor, Told

_PATIENCE = 120.0
"""Seconds beyond the host's own deadlines for which a host that does not answer is asked again."""
_PAUSE = 1.0


async def switch(
    inputs: ActivateInputs,
    supervisor: Supervisor,
    spec: Spec,
    old_revision: str | None = None,
    ill: tuple[str, ...] = (),
) -> ActivateEnded:
    """Begin, and follow to the end. `old_revision` is what must answer after going back, if known;
    `ill` are the probes that are red already.

    Raises RefusedError when the supervisor does not begin, UnreachableError when the host was lost
    and it is not known how it stands.
    """
    inputs.record(
        ActivateIntent(
            activation=spec.id,
            host=inputs.host.name,
            old=spec.old,
            new=spec.new,
            generation=spec.generation,
            deadline=spec.deadline,
            ill=ill,
        )
    )
    await _start(inputs, supervisor, spec)
    return await follow(inputs, supervisor, spec.id, old_revision, ill)


async def _start(inputs: ActivateInputs, supervisor: Supervisor, spec: Spec) -> None:
    """Begin once, also when the connection breaks on the way: the host is asked whether it did."""
    try:
        await supervisor.start(spec)
    except UnreachableError:
        again = await _reached(inputs, supervisor, 0.0)
        if await again.tell(spec.id, wait=0) is None:
            try:
                await again.start(spec)
            except RefusedError:  # the first word may have been slower than the second question
                if await again.tell(spec.id, wait=0) is None:
                    raise


async def follow(
    inputs: ActivateInputs,
    supervisor: Supervisor,
    activation: str,
    old_revision: str | None,
    ill: tuple[str, ...] = (),
) -> ActivateEnded:
    """Follow an activation that has begun to its end, and look at the host where that is asked."""
    run = _Following(inputs, supervisor, activation, old_revision, ill)
    try:
        judged = await run.run()
    except asyncio.CancelledError:
        # Ctrl-C: the host is told to go back now, and that is waited for.
        judged = await asyncio.shield(run.interrupted())
        inputs.record(ended_of(inputs, judged))
        raise
    return ended_of(inputs, judged)


class _Following:
    def __init__(
        self,
        inputs: ActivateInputs,
        supervisor: Supervisor,
        activation: str,
        old_revision: str | None,
        ill: tuple[str, ...],
    ) -> None:
        self._in = inputs
        self._supervisor = supervisor
        self._id = activation
        self._old_revision = old_revision
        self._ill = ill
        self._size = 0
        self._told: Phase | None = None
        self._standing = Standing()
        self._word = ""
        self._warned = 0

    async def run(self) -> Judged:
        looked: Looked | None = None
        while True:
            told = await self._tell()
            self._announce(told.standing)
            if told.standing.over:
                break
            if not told.working:
                await self._repair()
            elif told.standing.phase is Phase.WAITING and not self._word:
                looked = await self._look(told.standing)
                await self._say(looked)
        log = ""
        if told.standing.phase in (Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED):
            log = await self._log(told.standing)
        if told.standing.phase is Phase.ROLLED_BACK:
            looked = await self._look_back()
        return Judged(told.standing, looked, log)

    async def _log(self, standing: Standing) -> str:
        """Return what was printed, when the switch or going back has failed, not the probes."""
        if standing.switched_at is not None and standing.phase is Phase.ROLLED_BACK:
            return ""
        try:
            return await self._supervisor.log(self._id)
        except UnreachableError:
            return ""

    async def interrupted(self) -> Judged:
        """Go back, because whoever wanted it has changed their mind."""
        if not self._word:
            await self._give("red", "interrupted by the operator")
        while True:
            told = await self._tell()
            self._announce(told.standing)
            if told.standing.over:
                return Judged(told.standing, None)
            if not told.working:
                await self._repair()

    async def _tell(self) -> Told:
        began = self._in.clock.now()
        while True:
            try:
                told = await self._supervisor.tell(self._id, self._size)
            except UnreachableError:
                self._supervisor = await _reached(self._in, self._supervisor, began)
                continue
            if told is None:
                raise GrindError(
                    f"{self._in.host.name} knows nothing of the activation {self._id}",
                    remedy="grind status --host",
                )
            self._size = told.size
            self._standing = told.standing
            return told

    def _announce(self, standing: Standing) -> None:
        for warning in standing.warnings[self._warned :]:
            self._in.record(e.Note("warning", warning))
        self._warned = len(standing.warnings)
        if standing.phase is None or standing.phase is self._told:
            return
        self._told = standing.phase
        self._in.record(
            ActivatePhase(activation=self._id, phase=standing.phase, text=told_phase(standing))
        )

    async def _repair(self) -> None:
        """No supervisor works, and there is no end: killed, or rebooted. It is brought to its end."""
        await self._supervisor.repair(self._id, self._in.config.switch_within)

    async def _look(self, standing: Standing) -> Looked:
        revision, tree = standing.revision or None, standing.tree or None
        expected = Expected("switch", revision, tree, standing.begun)
        if standing.purpose == "rollback":
            expected = Expected("back", revision, None, None)
        looked = await self._in.probe(expected)
        self._probed(expected.after, looked)
        return looked

    async def _look_back(self) -> Looked | None:
        """Ask what was green before the switch; None when that is nothing."""
        if self._ill:
            told = ", ".join(self._ill)
            self._in.record(
                e.Note("warning", f"red before the switch already, so not asked after it: {told}")
            )
        if len(self._ill) >= self._in.probes:
            return None
        looked = await self._in.probe(
            Expected("back", self._old_revision, None, None, without=self._ill)
        )
        self._probed("back", looked)
        return looked

    def _probed(self, after: str, looked: Looked) -> None:
        self._in.record(
            ActivateProbed(
                activation=self._id,
                after=after,
                healthy=looked.healthy,
                red=looked.red,
                seconds=looked.seconds,
            )
        )

    async def _say(self, looked: Looked) -> None:
        if looked.healthy:
            await self._give("ack", "")
        else:
            red = "; ".join(looked.red) or "no probe was made"
            await self._give("red", f"probes are red: {red}"[:1000])

    async def _give(self, word: str, reason: str) -> None:
        """Give the word: an acknowledgement over a fresh connection, and nothing else will do; that
        it shall go back, over any. When the host's deadline is over, it needs no word any more."""
        self._word = word
        self._in.record(ActivateWord(activation=self._id, word=word, reason=reason))
        until = self._in.clock.now() + self._in.deadline
        while not await self._given(word, reason):
            if self._in.clock.now() > until:
                return  # the record says what the host made of it
            await self._in.clock.sleep(_PAUSE)

    async def _given(self, word: str, reason: str) -> bool:
        try:
            if word == "red":
                await self._supervisor.word(word, self._id, reason)
                return True
        except UnreachableError:
            pass  # then over another one
        try:
            fresh = await self._in.fresh()
            try:
                await self._supervisor.on(fresh).word(word, self._id, reason)
            finally:
                await fresh.close()
        except UnreachableError:
            return False
        return True


async def _reached(inputs: ActivateInputs, supervisor: Supervisor, began: float) -> Supervisor:
    """Wait until the host answers again. Raises UnreachableError when it does not for longer than
    everything that it may be doing by itself could take."""
    config = inputs.config
    began = began or inputs.clock.now()
    limit = inputs.deadline + 2 * config.switch_within + _PATIENCE
    while True:
        try:
            fresh = await inputs.fresh()
            again = supervisor.on(fresh)
            await again.call("history", "", "", "")
            return again
        except UnreachableError as error:
            if inputs.clock.now() - began > limit:
                raise UnreachableError(
                    f"{inputs.host.name} does not answer any more ({error.message}); unless it "
                    "was acknowledged, it goes back by itself when its deadline is over",
                    remedy="grind status --host, when it can be reached again",
                ) from None
            await inputs.clock.sleep(_PAUSE)
