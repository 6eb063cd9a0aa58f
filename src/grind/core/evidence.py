"""What a repository shows of itself, as `grind init` uses it: values, each with its source."""

from __future__ import annotations

from typing import NamedTuple


class Seen(NamedTuple):
    """One thing, and where it stands: `flake.nix:12`, `ssh configuration, line 3`."""

    what: str
    where: str


class JobSeen(NamedTuple):
    """A job that CI would run for a push to the main branch."""

    key: str
    told: str
    """What would become of it here, in a few words."""


class Refusal(NamedTuple):
    """A step or a job that this machine refuses, with the lines that settle it."""

    where: str
    name: str
    reason: str
    remedy: str


class Provided(NamedTuple):
    """A setup action, and the question to the host that satisfied it."""

    where: str
    name: str
    reason: str


class Recipe(NamedTuple):
    """A task of the repository that is a check and that no workflow runs."""

    name: str
    call: str
    where: str
    safe: bool
    """Whether all of it was read, and it only looks."""
    why: str = ""
    """What speaks against running it unasked."""


class Evidence(NamedTuple):
    """Everything that was found."""

    tree: str
    remote: str | None
    main: str
    main_from: str
    workflows: int
    jobs: tuple[JobSeen, ...] = ()
    inactive: int = 0
    """Jobs that a push to the main branch does not start."""
    provided: tuple[Provided, ...] = ()
    refused: tuple[Refusal, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    flakes: tuple[Seen, ...] = ()
    """Folders with a flake that has a devShell."""
    systems: tuple[Seen, ...] = ()
    """Flake attributes that are NixOS systems."""
    units: tuple[Seen, ...] = ()
    ports: tuple[Seen, ...] = ()
    routes: tuple[Seen, ...] = ()
    """Paths of health routes."""
    aliases: tuple[Seen, ...] = ()
    """Hosts of the user's ssh configuration that the repository names, or that are called as such."""

    @property
    def silent(self) -> bool:
        """Whether nothing was found that grind.toml would have to say: it does without."""
        return not (self.refused or self.recipes or self.systems or self.routes or self.aliases)
