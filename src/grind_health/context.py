"""Which deployment answers: the values of `/health` that stay the same while the process lives."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import NamedTuple

from grind_health import facts

UNKNOWN = "unknown"

# OpenTelemetry's name for each field of the context that has one. Stable: service.*,
# host.name, deployment.environment.name. In development, so they may yet change:
# vcs.ref.head.revision, process.creation.time. There is none for a role or for a NixOS system:
# those two families carry a prefix of their own, as the conventions ask.
OPENTELEMETRY_NAMES: Mapping[str, str] = {
    "service": "service.name",
    "version": "service.version",
    "instance_id": "service.instance.id",
    "environment": "deployment.environment.name",
    "host_name": "host.name",
    "revision": "vcs.ref.head.revision",
    "started_at": "process.creation.time",
    "instance_role": "grind.instance.role",
    "system_path": "nixos.system.path",
    "system_generation": "nixos.system.generation",
}


class DeploymentContext(NamedTuple):
    """Which deployment this process belongs to. Every value is public: it is what `/health` says.

    `started_at` is Unix time in seconds. `host_name` is the kernel's, `hostname` is the variable
    `HOSTNAME`. What is not known is None, save for the two flat fields, which say "unknown".
    """

    instance_role: str = UNKNOWN
    hostname: str = UNKNOWN
    service: str | None = None
    version: str | None = None
    revision: str | None = None
    environment: str | None = None
    instance_id: str | None = None
    started_at: float | None = None
    host_name: str | None = None
    system_path: str | None = None
    system_generation: int | None = None
    prefix: str = ""

    @classmethod
    def from_environment(
        cls,
        prefix: str,
        *,
        environ: Mapping[str, str] | None = None,
        service: str | None = None,
        version: str | None = None,
        revision: str | None = None,
        environment: str | None = None,
        instance_id: str | None = None,
        started_at: float | None = None,
        system: facts.System | None = None,
    ) -> DeploymentContext:
        """Read the context of this process; call it once, where the application is built.

        `<PREFIX>_INSTANCE_ROLE` and `HOSTNAME` give the two flat fields. `<PREFIX>_SERVICE`,
        `_VERSION`, `_REVISION`, `_ENVIRONMENT` and `_INSTANCE_ID` give the others, unless the
        argument of that name does: what the program knows of itself is nearer the truth than
        what a unit file says of it. Blank counts as unset, and white space around is dropped.
        An instance that was given no id makes a random one.

        Raises ValueError if `prefix` is not the beginning of a variable's name.
        """
        if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", prefix):
            raise ValueError(f"prefix {prefix!r}: expected capitals and digits, such as CHOIROS")
        variables = os.environ if environ is None else environ

        def read(name: str) -> str | None:
            return _clean(variables.get(name, ""))

        running = facts.running_system() if system is None else system
        began = facts.process_started_at(time.time()) if started_at is None else started_at
        return cls(
            instance_role=read(f"{prefix}_INSTANCE_ROLE") or UNKNOWN,
            hostname=read("HOSTNAME") or UNKNOWN,
            service=_clean(service or "") or read(f"{prefix}_SERVICE"),
            version=_clean(version or "") or read(f"{prefix}_VERSION"),
            revision=_clean(revision or "") or read(f"{prefix}_REVISION"),
            environment=_clean(environment or "") or read(f"{prefix}_ENVIRONMENT"),
            instance_id=_clean(instance_id or "")
            or read(f"{prefix}_INSTANCE_ID")
            or os.urandom(16).hex(),
            started_at=began,
            host_name=facts.kernel_hostname(),
            system_path=running.path,
            system_generation=running.generation,
            prefix=prefix,
        )

    def missing(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return, for each of `names` that has no value, what would supply it.

        Raises ValueError for a name that is no field of the context.
        """
        for name in names:
            if name not in self._fields or name == "prefix":
                raise ValueError(f"{name!r} is no field of DeploymentContext")
        return {
            name: f"{_variable(self.prefix, name)} is not set"
            for name in names
            if getattr(self, name) in (None, UNKNOWN)
        }

    def attributes(self) -> dict[str, str | int]:
        """Return what is known under OpenTelemetry's names (`OPENTELEMETRY_NAMES`)."""
        return {
            name: timestamp(value) if field == "started_at" else value
            for field, name in OPENTELEMETRY_NAMES.items()
            if (value := getattr(self, field)) not in (None, UNKNOWN)
        }

    def document(self) -> dict[str, object]:
        """Return the members that never change: the flat ones, the draft's, the mapping."""
        members: dict[str, object] = {
            "version": self.version,
            "releaseId": self.revision,
            "serviceId": self.service,
            "service": self.service,
            "revision": self.revision,
            "environment": self.environment,
            "instance_id": self.instance_id,
            "started_at": None if self.started_at is None else timestamp(self.started_at),
            "system_path": self.system_path,
            "system_generation": self.system_generation,
        }
        return {
            "instance_role": self.instance_role,
            "hostname": self.hostname,
            **{name: value for name, value in members.items() if value is not None},
            "attributes": self.attributes(),
        }


def timestamp(seconds: float) -> str:
    """Render Unix time as RFC 3339 in UTC with milliseconds, rounded down."""
    whole = int(seconds // 1)
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        + f".{int((seconds - whole) * 1000):03d}Z"
    )


def _clean(value: str) -> str | None:
    """Drop white space around; blank is unset; bytes that are not UTF-8 become U+FFFD."""
    return value.strip().encode("utf-8", "surrogatepass").decode("utf-8", "replace") or None


def _variable(prefix: str, field: str) -> str:
    """Name what gives a field its value: a variable, or for what is not one, the field."""
    if field == "hostname":
        return "HOSTNAME"
    if field in ("started_at", "host_name", "system_path", "system_generation"):
        return field
    return f"{prefix}_{field.upper()}" if prefix else field
