"""`[[probe]]`: a health check that compares values, as grind.toml says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta, Struct

from grind.core.configtypes import Count, Duration, Name, Text, Unit

Scalar: TypeAlias = str | bool | int | float
Kind: TypeAlias = Literal["http", "tcp", "command", "unit"]


class Probe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[probe]]`: what is asked, from where, and what must be answered.

    Exactly one of `http`, `tcp`, `command` and `unit` says what is asked.
    """

    name: Name
    """Unique; `grind probe NAME` asks it alone."""
    http: Text | None = None
    """The address to GET: "http://127.0.0.1:8000/health". `{container}` stands for the address of
    `container`."""
    tcp: Text | None = None
    """`host:port` that must take a connection."""
    command: tuple[Text, ...] = ()
    """Program and arguments; it must exit with 0. `json` and `body` look at its standard output."""
    unit: Unit | None = None
    """The systemd unit that must be active, without being restarted meanwhile."""
    place: Literal["client", "host", "container"] = "host"
    """Where it is asked from: where grind runs, the host, or inside of `container` on the host."""
    host: Name | None = None
    """Another host to ask from, by its name, in place of the one that is probed."""
    container: Name | None = None
    """A NixOS container of the host."""
    roles: tuple[Name, ...] = ()
    """Roles of hosts that this probe is for; empty for all."""
    status: Annotated[int, Meta(ge=200)] = 200
    """The status that is right; no other is."""
    redirects: Annotated[int, Meta(ge=0)] = 0
    """How many redirects may be followed. A redirect is not health: by default none."""
    send: dict[Text, str] = {}
    """Header lines to send along, such as `host`. Nothing secret: the file is not."""
    header: dict[Text, str] = {}
    """Headers that the answer must have, and their values."""
    json: dict[Text, Scalar | tuple[Scalar, ...]] = {}
    """Path in the JSON answer → the value it must have, or a list of those it may have."""
    body: Text | None = None
    """A regular expression that must be found in the answer."""
    role: Text | None = None
    """The instance role that must answer. `unknown` is never right."""
    role_path: Text = "instance_role"
    """Where the answer says its role."""
    revision: Literal["commit", "tree", "either"] | None = None
    """Which identity of what is deployed must answer: the commit's or its tree's."""
    revision_path: Text = "revision"
    """Where the answer says its revision."""
    max_age: Duration | None = None
    """How long ago what answers may have been started."""
    fresh: bool = False
    """Whether what answers must have been started since the activation that is probed began."""
    started_path: Text = "started_at"
    """Where the answer says when it was started (RFC 3339)."""
    deadline: Duration
    """How long the probe may take to become green, all looks together."""
    interval: Duration = 2.0
    """Seconds between two looks; 2 by default."""
    greens: Count = 3
    """How many looks in a row must be green; 3 by default."""
    timeout: Duration = 5.0
    """How long a single look may take; 5 seconds by default."""

    @property
    def kind(self) -> Kind:
        """What is asked."""
        if self.http is not None:
            return "http"
        if self.tcp is not None:
            return "tcp"
        return "command" if self.command else "unit"

    @property
    def asked(self) -> str:
        """What is asked, on a line."""
        if self.http is not None:
            return f"GET {self.http}"
        if self.tcp is not None:
            return f"connect to {self.tcp}"
        return " ".join(self.command) if self.command else f"unit {self.unit}"

    @property
    def reads_json(self) -> bool:
        """Whether the answer must be JSON."""
        wanted = (self.role, self.revision, self.max_age)
        return bool(self.json) or self.fresh or any(one is not None for one in wanted)

    def is_for(self, role: str | None) -> bool:
        """Whether hosts of that role are probed with it; a host without a role is of none."""
        return not self.roles or role in self.roles

    def at(self, host: str) -> str:
        """Where it is asked from, when `host` is the one that is probed."""
        if self.place == "client":
            return "client"
        name = self.host or host
        return f"{self.container} on {name}" if self.place == "container" else name


class ProbeContext(NamedTuple):
    """What the probes are about."""

    commit: str | None = None
    """The commit that must answer where a probe asks for one."""
    tree: str | None = None
    """Its tree."""
    same: tuple[str, ...] = ()
    """Other commits of exactly that tree: the snapshot's, from before it was committed."""
    since: float | None = None
    """When the activation began, by the host's clock; None outside of one."""
    waiting: bool = False
    """Whether somebody else is deploying: what is missing may still come, so nothing is final."""
    places: Mapping[str, str] = {}
    """Probe → where it stands, `grind.toml:12:1`, for what is told of it."""
    deadline: float | None = None
    """Seconds that take the place of a probe's own deadline when they are more."""


class VerifyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[verify]`: where the landed revision must answer live, once CI is clean."""

    host: Name | None = None
    """The host that is deployed to; by default the one that is probed."""
    role: Name | None = None
    """The role whose probes are asked; by default the host's."""
    deadline: Duration = 600.0
    """How long a deployment may take until the new revision answers; ten minutes by default."""
