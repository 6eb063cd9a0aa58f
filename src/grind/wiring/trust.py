"""The user's yeses, and whether there is somebody to ask for one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from grind.adapters.trust import TrustStore, Yes, trust_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.core.config import Config
    from grind.core.trust import Standing


def trust_store(environ: Mapping[str, str]) -> TrustStore:
    """Return where this user's yeses are kept."""
    return TrustStore(trust_folder(environ))


def standing_of(
    config: Config, environ: Mapping[str, str], common_dir: str
) -> tuple[Standing, Yes | None]:
    """Return how the configuration of a repository stands with this user, and the last yes."""
    from grind.core.trust import standing

    yes = trust_store(environ).given(common_dir)
    digest, text = (yes.digest, yes.text) if yes is not None else (None, None)
    return standing(config, digest, text), yes


def somebody_there() -> bool:
    """Whether a person sees what is written and can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
