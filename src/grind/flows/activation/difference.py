"""What switching would change, asked of the host: closures, units, files of the version."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from msgspec.structs import replace

from grind.core.errors import GrindError
from grind.core.hostevents import ActivatePlanned
from grind.core.nixtext import (
    VERSION_FILES,
    ClosureDiff,
    UnitChanges,
    closure_diff,
    only_version_paths,
    package_of,
    read_dry_activate,
    read_path_info,
)
from grind.core.texts import one_line
from grind.flows.activation.build import NIX
from grind.flows.activation.supervisor import BASH, Supervisor
from grind.ports import Completed, Host

_QUERY_SECONDS = 300.0
_FILES_AT_MOST = 20000

# Prints every file under the paths with a digest of its content, in which names of store paths have lost
# their hashes: a mere rebuild changes those. Constant text; the paths are arguments.
_LISTING = """\
set -o pipefail
store=$1
shift
for path; do
  if [[ -f $path ]]; then
    sed -E "s#$store/[a-z0-9]{32}-#$store/#g" <"$path" | sha256sum
    continue
  fi
  cd -- "$path" || exit
  find . -type l -printf 'link %p %l\\n' | sed -E "s#$store/[a-z0-9]{32}-#$store/#g"
  find . -type f -printf 'mode %p %m\\n'
  while IFS= read -r -d '' file; do
    printf 'file %s ' "$file"
    sed -E "s#$store/[a-z0-9]{32}-#$store/#g" <"$file" | sha256sum
  done < <(find . -type f -print0)
done
"""


class Difference(NamedTuple):
    """What would change."""

    closure: ClosureDiff
    units: UnitChanges
    failed: tuple[str, ...]
    """Units that have failed already."""
    only_revision: bool
    notes: tuple[str, ...]
    """What could not be found out, in sentences."""


async def find_difference(supervisor: Supervisor, old: str, new: str) -> Difference:
    """Ask what switching from `old` to `new` would do. Changes nothing.

    Raises GrindError when the units that have failed already cannot be known: without them, exit
    code 4 of a switch cannot be judged.
    """
    host = supervisor.host
    told, closures, dry, failed = await asyncio.gather(
        host.run((*NIX, "store", "diff-closures", old, new), seconds=_QUERY_SECONDS),
        asyncio.gather(*(_closure(host, path) for path in (old, new))),
        supervisor.dry(new),
        failed_units(host),
    )
    notes: list[str] = []
    closure = ClosureDiff(added=(), removed=(), bytes=0)
    only = False
    if isinstance(closures[0], str) or isinstance(closures[1], str):
        notes += [f"closures were not compared: {one}" for one in closures if isinstance(one, str)][
            :1
        ]
    else:
        text = told.out.decode("utf-8", "replace") if told.exit_code == 0 else ""
        if told.exit_code:
            notes.append(f"`nix store diff-closures` failed: {_said(told)}")
        closure = closure_diff(closures[0], closures[1], text)
        only = only_version_paths(closure) and await _same_but_versions(
            host, set(closures[0]) - set(closures[1]), set(closures[1]) - set(closures[0])
        )
    if dry.exit_code:
        notes.append(f"dry-activate exited {dry.exit_code}, so units are not known: {_said(dry)}")
    units = read_dry_activate(dry.err.decode("utf-8", "replace"))
    return Difference(closure, units, failed, only, tuple(notes))


async def failed_units(host: Host) -> tuple[str, ...]:
    """Return the units that have failed. Raises GrindError when systemd does not say."""
    said = await host.run(
        ("systemctl", "list-units", "--state=failed", "--no-legend", "--plain", "--no-pager")
    )
    if said.exit_code:
        raise GrindError(
            f"{host.name} does not say which units have failed already ({_said(said)}); nothing was "
            "touched",
            remedy="systemctl --failed, on the host",
        )
    lines = said.out.decode("utf-8", "replace").splitlines()
    return tuple(line.split()[0] for line in lines if line.split())


async def _closure(host: Host, path: str) -> dict[str, int] | str:
    said = await host.run(
        (*NIX, "path-info", "--json", "--recursive", "--size", path), seconds=_QUERY_SECONDS
    )
    if said.exit_code:
        return _said(said)
    try:
        return read_path_info(said.out)
    except ValueError as error:
        return f"`nix path-info` printed something unknown: {error}"


async def _same_but_versions(host: Host, old: set[str], new: set[str]) -> bool:
    """Whether the paths that differ hold the same files, but for those of the version."""
    before, after = (sorted(paths, key=package_of) for paths in (old, new))
    if not before:
        return False
    store = before[0].rpartition("/")[0]
    first, second = await asyncio.gather(
        *(_listing(host, store, paths) for paths in (before, after))
    )
    return first is not None and first == second


async def _listing(host: Host, store: str, paths: list[str]) -> list[str] | None:
    said = await host.run((*BASH, "-c", _LISTING, "bash", store, *paths), seconds=_QUERY_SECONDS)
    lines = said.out.decode("utf-8", "surrogateescape").splitlines()
    if said.exit_code or len(lines) > _FILES_AT_MOST:
        return None
    names = {f"./{name}" for name in VERSION_FILES} | {
        f"./{name.removeprefix('etc/')}" for name in VERSION_FILES if name.startswith("etc/")
    }
    kept = [line for line in lines if not (len(words := line.split(" ")) > 1 and words[1] in names)]
    return sorted(kept)


def _said(said: Completed) -> str:
    return one_line(said.err.decode("utf-8", "replace").strip()[-300:]) or f"exit {said.exit_code}"


def with_difference(head: ActivatePlanned, difference: Difference) -> ActivatePlanned:
    """Return what is planned, with what would change: the closure, the units, the notes."""
    units = difference.units
    return replace(
        head,
        added=difference.closure.added,
        removed=difference.closure.removed,
        bytes=difference.closure.bytes,
        versions=difference.closure.told,
        stop=units.stop,
        start=units.start,
        restart=units.restart,
        reload=units.reload,
        not_stopped=units.not_stopped,
        other=units.other,
        failed=difference.failed,
        notes=(*head.notes, *difference.notes),
    )
