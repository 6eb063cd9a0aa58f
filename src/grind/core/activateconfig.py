"""`[activate]` of `grind.toml`: how a host is brought to what the repository says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct

from grind.core.configtypes import AbsolutePath, Count, Duration, Text
from grind.core.tomlplace import Path
from grind.core.typed import Finding

FlakeAttribute = Annotated[
    str,
    Meta(
        pattern=r"^\.(/[A-Za-z0-9._/+-]*)?#[A-Za-z0-9._\"+'-]+$",
        extra={
            "expected": 'a flake of this repository and what of it: ".#nixosConfigurations.NAME" or "./nix#NAME"'
        },
    ),
]
Memory = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]*[KMGT]$", extra={"expected": 'an amount of memory: "8G", "512M"'}),
]


class ActivateConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[activate]`: what `grind activate` builds and switches to.

    On NixOS: `flake`, or `file`. On other hosts: `build`, `switch`, `back` and `current`."""

    flake: FlakeAttribute | None = None
    """The system, as a flake attribute: ".#nixosConfigurations.NAME"; a NixOS configuration's
    toplevel is found in it, any other attribute is taken as it is."""
    file: Text | None = None
    """The system without flakes: a Nix file of this repository …"""
    attribute: Text | None = None
    """… and the attribute in it that is the system. Without, `file` is a NixOS configuration, built
    with the host's `<nixpkgs>`."""
    profile: AbsolutePath = "/nix/var/nix/profiles/system"
    """The profile that holds the host's generations."""
    running: AbsolutePath = "/run/current-system"
    """The link that says which system runs."""
    booted: AbsolutePath = "/run/booted-system"
    """The link that says which system was booted."""
    build: Text | None = None
    """Command, run in a checkout of the snapshot: builds, and writes one line that names what was
    built (a path, a digest) to the file in GRIND_BUILT."""
    switch: Text | None = None
    """Command: makes the host run GRIND_TO."""
    back: Text | None = None
    """Command: makes the host run GRIND_TO again, which it ran before; leaves GRIND_FROM."""
    current: Text | None = None
    """Command: prints one line that names what the host runs, in the words of GRIND_BUILT."""
    memory: Memory | None = None
    """What the build may use: "8G". As a systemd scope where the user may make one, else as a limit on
    each process's address space."""
    min_memory: Count = 256
    """MiB of memory that must be available on the host before the build."""
    min_disk: Count = 1024
    """MiB that must be free where the build goes (the Nix store), before it."""
    build_within: Duration = 7200.0
    """How long the build may take; two hours by default."""
    switch_within: Duration = 600.0
    """How long one switch may take; ten minutes by default."""
    acknowledge_within: Duration | None = None
    """How long the host waits for the acknowledgement after the switch, then goes back by itself; by
    default the probes' deadlines and half a minute."""
    state: AbsolutePath | None = None
    """Folder on the host for the supervisor's record; by default /var/lib/grind/activation for root,
    else ~/.local/state/grind/activation."""
    supervisor: AbsolutePath | None = None
    """A supervisor that an administrator has put into a folder of root's, for users who may run just
    that with sudo. Without, it is put into the Nix store."""

    @property
    def kind(self) -> str:
        """`nixos`, `commands`, or empty when nothing is said."""
        if self.flake is not None or self.file is not None:
            return "nixos"
        return "commands" if self.switch is not None else ""


COMMANDS = ("build", "switch", "back", "current")


def activate_findings(document: dict[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong between the keys of `[activate]`."""
    table = document.get("activate")
    if not isinstance(table, dict):
        return
    at: Path = ("activate",)
    nix = [key for key in ("flake", "file") if key in table]
    given = [key for key in COMMANDS if key in table]
    if len(nix) == 2:
        yield Finding(
            (*at, "file"), "`flake` and `file` are two answers to one question", "", False
        )
    if nix and given:
        yield Finding(
            (*at, given[0]),
            f"`{nix[0]}` is for NixOS and `{given[0]}` for other hosts",
            "the one or the other",
            False,
        )
    if not nix and not given:
        yield Finding(
            at,
            "says nothing to build",
            "`flake` (or `file`) on NixOS; `build`, `switch`, `back` and `current` elsewhere",
            False,
        )
    for key in COMMANDS if given and not nix else ():
        if key not in table:
            yield Finding(at, f"`{key}` is missing", "all of build, switch, back, current", False)
    if "attribute" in table and "file" not in table:
        yield Finding((*at, "attribute"), "means nothing without `file`", "`file` beside it", False)
    path = table.get("file")
    if isinstance(path, str) and (path.startswith("/") or ".." in path.split("/")):
        yield Finding(
            (*at, "file"),
            f"{path!r} is outside",
            "a path inside the repository, relative to its root",
        )
    flake = table.get("flake")
    if isinstance(flake, str) and ".." in flake.partition("#")[0].split("/"):
        yield Finding((*at, "flake"), f"{flake!r} is outside", "a flake inside the repository")


def attribute_of(flake: str) -> tuple[str, str]:
    """Return a flake's folder (relative, empty for the top) and the attribute that is the system.

    `.#NAME` means a NixOS configuration, as for nixos-rebuild.
    """
    folder, _, attribute = flake.partition("#")
    folder = folder.removeprefix(".").strip("/")
    parts = attribute.split(".")
    if len(parts) == 1:
        return folder, f"nixosConfigurations.{attribute}.config.system.build.toplevel"
    if parts[0] == "nixosConfigurations" and len(parts) == 2:
        return folder, f"{attribute}.config.system.build.toplevel"
    return folder, attribute
