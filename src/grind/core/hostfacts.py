"""What the doctor's script tells of a host (adapters/hostscripts/doctor.sh), read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping


def parse_facts(data: bytes) -> dict[str, str]:
    """Read what the script tells. A last pair that is cut off is left out; so is the end's mark,
    and `cut` says when that did not come."""
    words = data.decode("utf-8", "replace").split("\0")[:-1]
    facts = dict(zip(words[::2], words[1::2], strict=False))
    if facts.pop("end", "") != "1":
        facts["cut"] = "1"
    return facts


RECORDED = ("os", "kernel", "machine", "processors", "MemTotal", "bash", "git", "nix")
"""What a receipt keeps of its host."""


def recorded(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts that a receipt keeps: recorded for its reader, compared with nothing."""
    return {name: facts[name] for name in RECORDED if facts.get(name)}


def version_of(text: str) -> tuple[int, ...]:
    """Return the first dotted number in a text: `git version 2.39.5` → (2, 39, 5)."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def number_in(facts: Mapping[str, str], name: str) -> int | None:
    """Return a fact that is a number; None when it is not there, or is none."""
    value = facts.get(name, "")
    return int(value) if value.isdigit() and value.isascii() else None
