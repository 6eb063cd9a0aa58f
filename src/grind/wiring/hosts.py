"""The hosts of one command: which one is meant, how to reach it, and what is known of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from grind.core.configrules import LOCAL
from grind.core.errors import ExitCode, GrindError, UnreachableError
from grind.core.hosts import Chosen, chosen_host
from grind.core.lend import lend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.adapters.clock import SystemClock
    from grind.adapters.knownhosts import Known, KnownHosts
    from grind.core.config import Config
    from grind.ports import Host, HostIdentity


class Hosts:
    """`asked` is what `--host` named, or None. `slug` names the repository among others."""

    def __init__(
        self, environ: Mapping[str, str], slug: str, clock: SystemClock, asked: str | None
    ) -> None:
        self._environ = environ
        self._slug = slug
        self.clock = clock
        self._asked = asked
        self._here: dict[str, bool] = {}

    def chosen(self, config: Config) -> Chosen:
        """Return the host that is meant. Raises GrindError when grind.toml has none of that name."""
        return chosen_host(config, self._asked)

    def is_here(self, host: Chosen) -> bool:
        """Whether it is this machine: `local`, or an alias that leads back here."""
        ssh = host.config.ssh
        if ssh is None:
            return True
        if ssh not in self._here:
            from grind.adapters.thismachine import names_this_machine

            self._here[ssh] = names_this_machine(ssh, self._environ)
        return self._here[ssh]

    def open(self, host: Chosen, *, fresh: bool = False) -> Host:
        """Return a host to talk to. It is for one event loop, and is closed there. A `fresh` one
        uses no connection that stands already."""
        if self.is_here(host):
            return self._local(host)
        from grind.wiring.sshhost import host_of

        said = host.config
        return host_of(
            said.ssh or "",
            self._environ,
            name=host.name,
            slug=self.slug_there(),
            env=said.env,
            fixed=said.set,
            path=said.path,
            memory=said.memory or "",
            fresh=fresh,
            workspace=said.workspace or "",
        )

    def slug_there(self) -> str:
        """Name the repository's folder on another host: of this repository, on this machine, and
        no other."""
        import hashlib

        digest = hashlib.sha256(self._known_here().id.encode()).hexdigest()[:8]
        return f"{self._slug}-{digest}"

    def _local(self, host: Chosen) -> Host:
        from pathlib import Path

        from grind.adapters.files import private_folder
        from grind.adapters.localhost import LocalHost
        from grind.adapters.places import state_folder

        root = private_folder(os.path.realpath(state_folder(self._environ)))
        return LocalHost(
            Path(root) / self._slug,
            self.lent(host),
            self.clock,
            name=host.name,
            outer=self._environ.get("RUNNER_TRACKING_ID", ""),
        )

    def lent(self, host: Chosen) -> dict[str, str]:
        """Return what this machine, under this name, lends to its jobs."""
        lent = lend(
            self._environ,
            home=self._environ.get("HOME", ""),
            extra=host.config.env,
            folders=host.config.path,
        )
        return lent | host.config.set

    def state_here(self) -> str:
        """Return grind's state folder on this machine, of all repositories."""
        from grind.adapters.places import state_folder

        return os.path.realpath(state_folder(self._environ))

    async def state_on(self, host: Host) -> str:
        """Return grind's state folder on a host, of all repositories; empty when it does not
        answer."""
        from grind.adapters.ssh.host import SshHost

        if not isinstance(host, SshHost):
            return self.state_here()
        try:
            return os.path.dirname(await host.state())
        except UnreachableError:
            return ""

    def check_place(self, host: Chosen) -> None:
        """Raise GrindError when steps on this machine would not run as they do on a runner."""
        from grind.adapters.places import state_folder, unfit_for_steps
        from grind.core.errors import GrindError

        if not self.is_here(host):
            return
        why = unfit_for_steps(os.path.realpath(state_folder(self._environ)))
        if why:
            raise GrindError(
                f"steps cannot run in grind's state folder: {why}",
                remedy="set GRIND_STATE_DIR to a folder without blanks, `*`, `?`, `[` or `:`",
            )

    def doctor_script(self) -> bytes:
        """Return the script that gathers a host's facts."""
        from grind.adapters.hostscripts import DOCTOR, script

        return script(DOCTOR)

    def sizes_script(self) -> tuple[str, bytes]:
        """Return the script that tells how much room runs take: its name and text."""
        from grind.adapters.hostscripts import SIZES, script

        return SIZES, script(SIZES)

    def known(self, host: Chosen) -> Known:
        """Return what is known of a host, from memory; one that was never asked is asked now.

        Not within an event loop. Raises UnreachableError.
        """
        if self.is_here(host):
            return self._known_here()
        known = self.remembered(host)
        if known is None:
            import asyncio

            known = asyncio.run(self._ask(host))
            self._memory().put(host.config.ssh or "", known)
        return known

    def remembered(self, host: Chosen) -> Known | None:
        """Return what a host last told of itself, without asking it."""
        return (
            self._known_here() if self.is_here(host) else self._memory().get(host.config.ssh or "")
        )

    async def _ask(self, host: Chosen) -> Known:
        from grind.adapters.knownhosts import ask_host

        there = self.open(host)
        try:
            return await ask_host(there)
        finally:
            await there.close()

    def recognise(self, host: Chosen, identity: HostIdentity) -> None:
        """Renew the memory with what the host says now.

        Raises:
            GrindError: it is a machine of another kind than before, and what was planned for the
                one does not hold for the other.
        """
        if self.is_here(host):
            return
        before = self._memory().get(host.config.ssh or "")
        if before is None or before.identity == identity:
            return
        import msgspec

        self._memory().put(
            host.config.ssh or "", msgspec.structs.replace(before, identity=identity)
        )
        if before.identity.architecture != identity.architecture:
            raise GrindError(
                f"{host.name} is another machine than it was: {identity.architecture} in place of "
                f"{before.identity.architecture}",
                remedy="run the same command again: it plans for the machine that is there now",
                code=ExitCode.PAUSED,
            )

    def _known_here(self) -> Known:
        from pathlib import Path

        from grind.adapters.identity import local_identity
        from grind.adapters.knownhosts import Known
        from grind.adapters.places import state_folder

        identity = local_identity(Path(state_folder(self._environ)) / self._slug)
        return Known(identity=identity, processors=len(os.sched_getaffinity(0)))

    def _memory(self) -> KnownHosts:
        from grind.adapters.knownhosts import KnownHosts
        from grind.adapters.places import state_folder

        return KnownHosts(os.path.join(state_folder(self._environ), "hosts"))


def hosts_of_all_repositories(environ: Mapping[str, str]) -> list[tuple[str, Hosts]]:
    """Return this machine once for every repository that has a folder of state on it."""
    from grind.adapters.clock import SystemClock
    from grind.adapters.places import state_folder

    root = os.path.realpath(state_folder(environ))
    names = sorted(os.listdir(root)) if os.path.isdir(root) else []
    slugs = [name for name in names if os.path.isdir(os.path.join(root, name, "runs"))]
    return [(slug, Hosts(environ, slug, SystemClock(), LOCAL)) for slug in slugs]


def hosts_without_repository(environ: Mapping[str, str]) -> Hosts:
    """Return the hosts where there is no repository: this machine."""
    from grind.adapters.clock import SystemClock

    return Hosts(environ, "outside", SystemClock(), LOCAL)
