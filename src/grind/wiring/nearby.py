"""Names for completion."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.adapters.nearby import Nearby


def nearby(cwd: str, environ: Mapping[str, str]) -> Nearby:
    """Return what looks names up in the repository at hand."""
    from grind.adapters.nearby import Nearby

    return Nearby(cwd, environ)
