"""Builds adapters: the only place that does. Everything else gets them as arguments."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` is half of what completing a word would import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from grind.adapters.git.spawn import Running
    from grind.adapters.github.forge import GitHubForge
    from grind.adapters.journal import DiskJournal
    from grind.adapters.lock import Holder, Lock
    from grind.adapters.store import ReleaseFolder
    from grind.core.config import Config
    from grind.core.hosts import Chosen
    from grind.core.receipt import Receipt, Tool
    from grind.core.repository import Snapshot
    from grind.ports import Host, PushSeen
    from grind.wiring.hosts import Hosts


def find_ahead(cwd: str, environ: Mapping[str, str]) -> Running:
    """Let git look for the repository around a folder while other things are done. Raises
    GrindError."""
    from grind.adapters.git import layout

    return layout.start(cwd, environ)


_RELEASES_LOOKED_AT = 10
ELSEWHERE = "asked"
"""In place of a fingerprint of tools on another machine."""


class Session:
    """The adapters of one command, in one repository; `host` is what `--host` named, if anything."""

    def __init__(self, cwd: str, environ: Mapping[str, str], host: str | None = None) -> None:
        """Raises GrindError when `cwd` is in no git repository."""
        from grind.adapters.clock import SystemClock
        from grind.adapters.git.repository import GitRepository
        from grind.adapters.store import Store

        self.environ = environ
        self.repository = GitRepository(cwd, environ)
        self.store = Store(self.repository.common_dir)
        self.clock = SystemClock()
        self._asked = host
        self._hosts: Hosts | None = None

    @property
    def hosts(self) -> Hosts:
        """Where steps may run."""
        from grind.wiring.hosts import Hosts

        if self._hosts is None:
            slug = repository_slug(self.repository.common_dir)
            self._hosts = Hosts(self.environ, slug, self.clock, self._asked)
        return self._hosts

    def chosen(self, config: Config) -> Chosen:
        """Return the host that is meant. Raises GrindError when grind.toml has none of that name."""
        return self.hosts.chosen(config)

    def labels(self, config: Config) -> frozenset[str]:
        """Return the `runs-on` labels that the chosen host answers to. One that was never asked
        who it is is asked now. Raises UnreachableError."""
        host = self.chosen(config)
        return labels_of(host.config.labels, self.hosts.known(host).identity.architecture)

    def labels_remembered(self, config: Config) -> frozenset[str]:
        """Return the same as far as it is known, without asking anybody."""
        host = self.chosen(config)
        known = self.hosts.remembered(host)
        machine = known.identity.architecture if known is not None else ""
        return labels_of(host.config.labels, machine)

    def host(self, config: Config) -> Host:
        """Return the chosen host. It is for one event loop, and is closed there."""
        return self.hosts.open(self.chosen(config))

    def host_id(self, config: Config) -> str:
        """Return who the chosen host is, as receipts name it: identity and architecture; empty for
        one that was never asked."""
        known = self.hosts.remembered(self.chosen(config))
        return known.id if known is not None else ""

    def is_here(self, config: Config) -> bool:
        """Whether the chosen host is this machine."""
        return self.hosts.is_here(self.chosen(config))

    def lock(
        self,
        command: str,
        *,
        wait: float | None = 0.0,
        waiting: Callable[[Holder | None], None] = lambda _: None,
    ) -> Lock:
        """Return the lock of the repository: one run at a time. See `Lock`."""
        from grind.adapters.lock import Lock

        return Lock(self.store.lock_path, command, wait=wait, waiting=waiting)

    def watch_lock(self, folder: ReleaseFolder) -> Lock:
        """Return the lock of one commit's watch: its journal has one writer. Others go on."""
        from grind.adapters.lock import Lock

        return Lock(os.path.join(folder.path, "lock"), "grind watch", wait=0.0)

    async def forge(self, url: str, api: str | None = None) -> GitHubForge:
        """Return the forge that has the repository at `url`, with the user's token for it."""
        from grind.adapters.github.address import address_of
        from grind.adapters.github.forge import GitHubForge
        from grind.adapters.github.tokens import find_token

        address = address_of(url, self.environ, api)
        return GitHubForge(address, await find_token(address, self.environ))

    def landed(self, commit: str) -> PushSeen | None:
        """Return grind's own push of a commit, when one of the last releases made it."""
        from grind.flows.watchplan import landed_in

        for release in self.store.releases()[:_RELEASES_LOOKED_AT]:
            with self.journal(release) as journal:
                found = landed_in(journal.read(), commit)
            if found is not None:
                return found
        return None

    def journal(self, release: ReleaseFolder) -> DiskJournal:
        """Return the journal of a release."""
        from grind.adapters.journal import DiskJournal

        return DiskJournal(release.path, self.clock.now)

    def tools_print(self, config: Config, tools: Iterable[Tool]) -> str:
        """Return today's fingerprint of the programs that the plan asked about; of another machine
        none can be had cheaply, so there the questions themselves must be asked again."""
        if not self.is_here(config):
            return ELSEWHERE
        from grind.adapters.toolprint import tools_print

        return tools_print((tool.question for tool in tools), self.hosts.lent(self.chosen(config)))

    def still_print(self, config: Config, receipt: Receipt) -> str:
        """Return what a receipt's fingerprint must equal for its tools to be the same still;
        nothing equals that of another machine."""
        return self.tools_print(config, receipt.tools) if self.is_here(config) else "-"

    def ground(self, system: str | None) -> str:
        """Return the fingerprint of what decides where a push would go; empty when in doubt.

        `system` is where git keeps the configuration of the machine.
        """
        from grind import __version__
        from grind.adapters.hits import Doubt, ground

        if system is None:
            return ""
        layout = self.repository
        try:
            return ground(layout.git_dir, layout.common_dir, self.environ, __version__, system)
        except Doubt:
            return ""

    def quick_hit(self, snapshot: Snapshot) -> dict[str, object] | None:
        """Return what is remembered of the snapshot's tree, when nothing has changed since.

        None means that the long way must decide, not that nothing is proven. Only what was proven
        on this machine is remembered; without `--host local`, it must have been the default host.
        """
        from grind.adapters.hits import read_hit
        from grind.adapters.toolprint import tools_print
        from grind.core.lend import lend

        stored = self.store.hit(snapshot.tree)
        hit = read_hit(stored) if stored is not None else None
        if hit is None or hit["tree"] != snapshot.tree:
            return None
        if self._asked not in (None, "local") or (self._asked is None and not hit.get("default")):
            return None
        if hit["bound"] and hit["bound"] != snapshot.commit:
            return None
        if not 0 <= self.clock.now() - float(str(hit["created"])) <= float(str(hit["max_age"])):
            return None
        ground = self.ground(str(hit["system"]))
        if not ground or hit["ground"] != [ground, snapshot.head]:
            return None
        lent = lend(
            self.environ,
            home=self.environ.get("HOME", ""),
            extra=_texts(hit["environment"]),
            folders=_texts(hit["folders"]),
        )
        fixed = hit.get("set")
        lent |= fixed if isinstance(fixed, dict) else {}
        questions = hit["questions"]
        asked = [_texts(one) for one in questions] if isinstance(questions, list) else []
        return hit if tools_print(asked, lent) == hit["tools_print"] else None

    def remember(
        self, tree: str, head: str | None, receipt: Receipt, config: Config, system: str
    ) -> None:
        """Keep, beside a full receipt, what it hung on."""
        import msgspec

        from grind.adapters.hits import write_hit
        from grind.core.hosts import default_host

        ground = self.ground(system)
        host = self.chosen(config)
        if not ground or not receipt.full or not host.local:
            return
        data = write_hit(
            msgspec.structs.asdict(receipt)
            | {"tools": [{"question": list(tool.question)} for tool in receipt.tools]},
            ground_now=[ground, head],
            max_age=config.receipt.max_age,
            environment=host.config.env,
            folders=host.config.path,
            fixed=host.config.set,
            default=default_host(config) == host.name,
            system=system,
        )
        self.store.save_hit(tree, data)

    def parallel(self, config: Config) -> int:
        """Return how many jobs may run side by side on the chosen host."""
        host = self.chosen(config)
        asked = host.config.jobs or config.jobs
        if asked:
            return asked
        known = self.hosts.remembered(host)
        return known.processors if known is not None else 1


def labels_of(labels: Iterable[str], machine: str) -> frozenset[str]:
    """Return the `runs-on` labels of a host with these of its own and this processor."""
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(machine, machine)
    extra = {label.lower() for label in labels}
    # Every host has /proc and bash, so it is the one system.
    return frozenset({os.uname().sysname.lower(), arch.lower(), "self-hosted"} | extra)


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else ()


def repository_slug(common_dir: str) -> str:
    """Return a short name for a repository's folder of state: readable, and its own."""
    import re

    from grind.core.sha import sha256

    folder = os.path.dirname(common_dir.rstrip("/")) if common_dir.endswith(".git") else common_dir
    name = re.sub(r"[^0-9A-Za-z._-]+", "-", os.path.basename(folder))[:24].strip("-.") or "repo"
    digest = sha256(os.path.realpath(common_dir).encode("utf-8", "surrogateescape"))
    return f"{name}-{digest.hexdigest()[:8]}"
