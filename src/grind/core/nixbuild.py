"""Why a build failed, as far as its output says it in a way that can be known."""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.core.activateconfig import ActivateConfig


class Diagnosis(NamedTuple):
    """What is known, and what to do; both empty when nothing is."""

    text: str
    remedy: str = ""


_MEMORY = re.compile(
    r"out of memory|cannot allocate memory|xrealloc|xmalloc|std::bad_alloc|memory exhausted"
    r"|signal 9 \(killed\)",
    re.I,
)
_KNOWN = (
    (
        re.compile(r"does not provide attribute|attribute '[^']*' (?:missing|in selection path)"),
        "there is no such attribute in what the repository builds",
        "see `flake` (or `attribute`) of [activate] in grind.toml, and `nix flake show`",
    ),
    (
        re.compile(r"experimental (?:Nix )?feature '[^']*' is disabled"),
        "the host's Nix has experimental features switched off, in a way that the command line cannot change",
        'nix.settings.experimental-features = [ "nix-command" "flakes" ];',
    ),
    (
        re.compile(r"No space left on device"),
        "the disk of the host is full",
        "nix-collect-garbage on the host, or a larger disk",
    ),
    (
        re.compile(r"cannot update (?:unlocked|flake input)|requires lock file changes", re.I),
        "flake.lock does not have all inputs of flake.nix",
        "nix flake lock, and commit it with the change",
    ),
    (
        re.compile(r"nix: (?:command )?not found"),
        "the host has no nix on its PATH",
        "grind doctor",
    ),
)


def diagnosis(output: str, exit_code: int, config: ActivateConfig) -> Diagnosis:
    """Return what the end of a build's output is known to mean."""
    if _MEMORY.search(output) or exit_code in (137, 251):
        limit = f", which is limited to {config.memory} here" if config.memory else ""
        return Diagnosis(
            f"the build ran out of memory{limit}",
            "raise `memory` in [activate], or build with fewer jobs (nix.settings.max-jobs, cores)",
        )
    for pattern, text, remedy in _KNOWN:
        if pattern.search(output):
            return Diagnosis(text, remedy)
    return Diagnosis("")
