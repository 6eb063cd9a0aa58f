"""What Nix and NixOS print, read: dry-activate, path-info, diff-closures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from grind.core.texts import clean


class UnitChanges(Struct, frozen=True, kw_only=True):
    """What `dry-activate` says a switch would do to units. It informs and never decides: it does not
    see packages, `/etc`, users or the kernel."""

    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    not_stopped: tuple[str, ...] = ()
    """Changed, and told not to be stopped: they go on as they were."""
    other: tuple[str, ...] = ()
    """Lines that are none of these, as they were printed."""

    @property
    def any(self) -> bool:
        """Whether a unit would be touched."""
        return bool(self.stop or self.start or self.restart or self.reload)


_UNITS = re.compile(
    r"(?:would )?(?P<not>NOT )?(?P<verb>stop|start|restart|reload)(?:ping|ing|ting)?"
    r" the following(?: (?:changed|new))? (?:units|user units|mount units):\s*(?P<units>.*)"
)
_QUIET = re.compile(r"would activate the configuration\.{3}|activating the configuration\.{3}|")


def read_dry_activate(text: str) -> UnitChanges:
    """Read what `switch-to-configuration dry-activate` wrote to its standard error.

    Source: nixpkgs, switch-to-configuration(-ng): `would stop|start|restart|reload the following
    units: a, b` and `would NOT stop the following changed units: …`.
    """
    found: dict[str, list[str]] = {}
    other: list[str] = []
    for raw in clean(text).splitlines():
        line = raw.strip()
        match = _UNITS.fullmatch(line)
        if match is not None:
            key = "not_stopped" if match["not"] else match["verb"]
            units = (unit.strip() for unit in match["units"].split(","))
            found.setdefault(key, []).extend(unit for unit in units if unit)
        elif not _QUIET.fullmatch(line):
            other.append(line)
    lists: dict[str, Any] = {key: tuple(dict.fromkeys(units)) for key, units in found.items()}
    return UnitChanges(**lists, other=tuple(other))


def read_path_info(data: bytes) -> dict[str, int]:
    """Return store path → size in bytes from `nix path-info --json -r`.

    Older versions print a list of objects with `path`, newer ones (2.19) an object by path, in which
    a path that is not valid is null. Raises ValueError when it is none of these.
    """
    document = json.loads(data)
    if isinstance(document, list):
        pairs = [(one.get("path"), one) for one in document if isinstance(one, dict)]
    elif isinstance(document, dict):
        inner = document.get("info", document)
        pairs = list(inner.items()) if isinstance(inner, dict) else []
    else:
        raise ValueError("neither a list nor an object")
    sizes: dict[str, int] = {}
    for path, one in pairs:
        if not isinstance(path, str) or not isinstance(one, Mapping):
            raise ValueError(f"no store path: {path!r}")
        size = one.get("narSize")
        sizes[path] = size if isinstance(size, int) else 0
    if not sizes:
        raise ValueError("no store path in it")
    return sizes


def package_of(path: str) -> str:
    """Return the name of a store path without its hash: `openssl-3.0.13`."""
    name = path.rsplit("/", 1)[-1]
    return name[33:] if len(name) > 33 and name[32] == "-" else name


class ClosureDiff(Struct, frozen=True, kw_only=True):
    """How the closure of the built system differs from that of the running one."""

    added: tuple[str, ...]
    """Store paths, without the folder of the store."""
    removed: tuple[str, ...]
    bytes: int
    """How much larger the new closure is; negative when it is smaller."""
    told: tuple[str, ...] = ()
    """What `nix store diff-closures` says of versions, a line each."""


def closure_diff(old: Mapping[str, int], new: Mapping[str, int], told: str = "") -> ClosureDiff:
    """Compare two closures, each store path → size."""
    return ClosureDiff(
        added=tuple(sorted(path.rsplit("/", 1)[-1] for path in new.keys() - old.keys())),
        removed=tuple(sorted(path.rsplit("/", 1)[-1] for path in old.keys() - new.keys())),
        bytes=sum(new.values()) - sum(old.values()),
        told=tuple(line.strip() for line in clean(told).splitlines() if line.strip()),
    )


VERSION_FILES = (
    "nixos-version",
    "etc/os-release",
    "etc/lsb-release",
    "etc/issue",
    "sw/bin/nixos-version",
)
"""Files of a system that hold the revision or version it was built from."""
_VERSION_PACKAGES = re.compile(
    r"(nixos-system-.*|etc|etc-os-release|os-release|lsb-release|etc-lsb-release|issue|etc-issue|nixos-version|system-path|"
    r"etc-nixos-version|nixos-manual-html|nixos-help)"
)


def only_version_paths(diff: ClosureDiff) -> bool:
    """Whether the paths that differ are, by their names and in pairs, those that a version goes
    into. A first sieve: the files themselves must be compared, too."""
    added = sorted(package_of(path) for path in diff.added)
    removed = sorted(package_of(path) for path in diff.removed)
    return len(added) == len(removed) and all(
        _VERSION_PACKAGES.fullmatch(name) for name in (*added, *removed)
    )
