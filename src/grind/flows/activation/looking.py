"""Which of a probe's demands make sense at which moment of an activation."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from grind.core.probe import Probe
from grind.flows.activation.inputs import Expected


def fitted(probes: Sequence[Probe], expected: Expected) -> tuple[Probe, ...]:
    """Return the probes as they are to be asked now.

    After a switch they are asked as they stand. After going back, and on a host that was not
    switched, what answers need not have been started anew, and a revision can only be asked for
    where the host's record knows it. Where nothing was switched, one green look is enough; before a
    switch there is only one look, of whatever colour.
    """
    if expected.after == "switch":
        return tuple(probes)
    settled = (_settled(probe, expected) for probe in probes if probe.name not in expected.without)
    if expected.after != "before":
        return tuple(settled)
    return tuple(
        replace(probe, deadline=probe.timeout, interval=probe.timeout, greens=1)
        for probe in settled
    )


def _settled(probe: Probe, expected: Expected) -> Probe:
    revision = probe.revision
    if expected.commit is None or (revision != "commit" and expected.tree is None):
        revision = "commit" if expected.commit is not None and revision == "either" else None
    greens = 1 if expected.after == "nothing" else probe.greens
    return replace(probe, fresh=False, max_age=None, revision=revision, greens=greens)
