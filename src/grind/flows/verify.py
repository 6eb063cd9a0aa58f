"""After a clean run of CI: wait until the new revision answers where it was deployed to.

Somebody else deploys (CI, a timer on the host), so what is missing or old is waited for until the
deadline. Something answering is not enough: at least one probe has to compare the revision.
"""

from __future__ import annotations

from collections.abc import Sequence

from grind.core.health import ProbeContext, ProbeReport
from grind.core.probe import Probe
from grind.flows.probe import ProbeInputs, run_probes

NO_REVISION = (
    "no probe for it compares the revision, so nothing would tell the new one from the old"
)


def can_verify(probes: Sequence[Probe]) -> bool:
    """Whether these probes would know the new revision from the old one."""
    return any(probe.revision is not None for probe in probes)


async def verify(
    inputs: ProbeInputs, probes: Sequence[Probe], context: ProbeContext, deadline: float
) -> ProbeReport:
    """Ask the probes until all are green with the revision of `context`, or `deadline` seconds are
    over. `probes` must be able to tell (`can_verify`), else nothing is asked and it is not healthy."""
    chosen = tuple(probes) if can_verify(probes) else ()
    waiting = context._replace(waiting=True, deadline=deadline)
    return await run_probes(inputs, chosen, waiting, purpose="verify")
