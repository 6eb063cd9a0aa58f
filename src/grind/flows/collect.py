"""Remove old runs and checkouts from a host, by age, then by size."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.errors import GrindError
from grind.core.room import Kept, oldest_that_fits
from grind.ports import Clock, Host

SECONDS = 300.0
FEWEST_RUNS = 1
"""How many runs stay when room is needed."""


class Keeping(NamedTuple):
    """What may stay."""

    max_age: float
    """Seconds."""
    runs: int
    """The newest runs stay, however old."""
    kib: int | None = None
    """Room for all of it together; None for as much as there is."""


class Collected(NamedTuple):
    """What is left; `before` is None where no limit of size made anybody look."""

    before: int | None
    after: int | None
    """KiB."""


async def collect(
    host: Host, keeping: Keeping, clock: Clock, *, name: str, sizes: bytes
) -> Collected:
    """Remove what is too old, and then the oldest of the rest until it fits. What runs stays.

    `sizes` is the text of sizes.sh, `name` what it is called. Raises GrindError, UnreachableError.
    """
    await host.collect(max_age=keeping.max_age, keep=keeping.runs)
    if keeping.kib is None:
        return Collected(None, None)
    before = await _sizes(host, name, sizes)
    age = oldest_that_fits(before, keeping.kib, clock.now())
    if age is None:
        return Collected(_sum(before), _sum(before))
    await host.collect(max_age=age, keep=FEWEST_RUNS)
    return Collected(_sum(before), _sum(await _sizes(host, name, sizes)))


def _sum(kept: list[Kept]) -> int:
    return sum(one.kib for one in kept)


async def _sizes(host: Host, name: str, script: bytes) -> list[Kept]:
    path = await host.keep(name, script)
    done = await host.run(("bash", "--noprofile", "--norc", path), seconds=SECONDS)
    words = done.out.decode("ascii", "replace").split("\0")
    if words[-2:] != ["end", ""]:
        raise GrindError(
            f"{host.name} does not say how much room its runs take", remedy="grind doctor"
        )
    return [
        Kept(int(kib), float(used)) for kib, used in zip(words[:-2:2], words[1:-2:2], strict=True)
    ]
