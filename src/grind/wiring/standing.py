"""The two ways in which `grind status` finds its facts: from briefs alone, or from their sources.

Both go through one flow, so they say the same. The first is taken while every brief that it needs is
there and good; it raises `Doubt` otherwise, and the second reads everything and leaves the briefs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, TypeVar

from grind.adapters.briefs import Briefs, stamp_of
from grind.adapters.git.repository import GitRepository
from grind.core.errors import GrindError
from grind.core.standing import ConfigBrief, ReceiptBrief, ReleaseBrief
from grind.flows.standing import Place, Stored, find_standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from grind.adapters.git.spawn import Running
    from grind.adapters.store import ReleaseFolder
    from grind.core.config import Config
    from grind.core.standing import Status
    from grind.flows.basis import Basis
    from grind.wiring import Session


_Kind = TypeVar("_Kind")


class Doubt(GrindError):  # noqa: N818 - nobody is told: the other way is always right
    """What is remembered does not do."""

    def __init__(self) -> None:
        super().__init__("what is remembered does not do")


class Remembered:
    """Facts from briefs (`grind.flows.standing.Ways`); none of them is looked for elsewhere."""

    def __init__(self, repository: GitRepository, environ: Mapping[str, str]) -> None:
        from grind.adapters.store import Store

        self._common_dir = repository.common_dir
        self._environ = environ
        self._store = Store(repository.common_dir)
        self._briefs = Briefs(self._store.root)

    def config(self, blob: str | None) -> ConfigBrief:
        """Return what is remembered of a grind.toml."""
        return _sure(self._briefs.config(blob))

    def receipt(self, tree: str) -> Stored | None:
        """Return what is remembered of a tree's receipt."""
        path = self._store.receipt_path(tree)
        if not os.path.lexists(path):
            return None
        return Stored(path, _sure(self._briefs.receipt(path, tree)))

    def place(self, config: ConfigBrief, receipt: ReceiptBrief | None) -> Place:
        """Return what is known of this machine; of another one nothing is remembered."""
        if config.ssh is not None:
            raise Doubt
        from grind.adapters.identity import architecture, stable_id
        from grind.adapters.places import state_folder
        from grind.adapters.toolprint import tools_print
        from grind.core.lend import lend
        from grind.wiring import labels_of, repository_slug

        machine = architecture()
        state = os.path.join(state_folder(self._environ), repository_slug(self._common_dir))
        home = self._environ.get("HOME", "")
        lent = lend(self._environ, home=home, extra=config.env, folders=config.path) | config.fixed
        return Place(
            labels_of(config.labels, machine),
            f"{stable_id(state)}/{machine}",
            tools_print(receipt.questions, lent) if receipt is not None else None,
        )

    def release(self) -> ReleaseBrief | None:
        """Return what is remembered of the last release."""
        latest = self._store.latest()
        if latest is None:
            return None
        return _sure(self._briefs.release(journal_of(latest), latest.id))

    def running(self) -> str:
        """Return nothing when nobody holds the lock; who does is not for here."""
        from grind.adapters.held import is_held

        if is_held(self._store.lock_path):
            raise Doubt
        return ""


def _sure(found: _Kind | None) -> _Kind:
    if found is None:
        raise Doubt
    return found


def journal_of(release: ReleaseFolder) -> str:
    """Return where a release's journal is."""
    return os.path.join(release.path, "journal.ndjson")


class Read:
    """Facts from their sources (`grind.flows.standing.Ways`); leaves briefs of them behind."""

    def __init__(self, session: Session, asked: str | None) -> None:
        self._session = session
        self._asked = asked
        self._briefs = Briefs(session.store.root)
        self._config: Config | None = None

    def config(self, blob: str | None) -> ConfigBrief:
        """Read grind.toml."""
        from grind.flows.basis import config_in

        self._config = config_in(self._session.repository, blob)[0]
        brief = brief_of_config(self._config, self._asked)
        if self._asked is None:
            self._briefs.keep_config(blob, brief)
        return brief

    def receipt(self, tree: str) -> Stored | None:
        """Read a tree's receipt."""
        from grind.core.receipt import read_receipt
        from grind.core.standing import brief_of_receipt

        path = self._session.store.receipt_path(tree)
        stamp = stamp_of(path)
        data = self._session.store.receipt(tree)
        if data is None:
            return None
        receipt = read_receipt(data)
        brief = brief_of_receipt(receipt) if receipt is not None else None
        if brief is not None:
            self._briefs.keep_receipt(stamp, tree, brief)
        return Stored(path, brief)

    def place(self, config: ConfigBrief, receipt: ReceiptBrief | None) -> Place:
        """Return what is known of the host that is meant."""
        if self._config is None:
            raise AssertionError(f"the configuration of {config.host} was not read here")
        print_here = None
        if receipt is not None and self._session.is_here(self._config):
            from grind.adapters.toolprint import tools_print

            lent = self._session.hosts.lent(self._session.chosen(self._config))
            print_here = tools_print(receipt.questions, lent)
        return Place(
            self._session.labels_remembered(self._config),
            self._session.host_id(self._config),
            print_here,
        )

    def release(self) -> ReleaseBrief | None:
        """Read the last release's journal."""
        latest = self._session.store.latest()
        return read_release(self._session, self._briefs, latest) if latest is not None else None

    def running(self) -> str:
        """Ask who holds the lock."""
        from grind.adapters.lock import holder

        held = holder(self._session.store.lock_path)
        return held.told() if held is not None else ""


def read_release(session: Session, briefs: Briefs, release: ReleaseFolder) -> ReleaseBrief:
    """Read a release's journal, and remember what it says when its last line is whole."""
    from grind.core.release import fold
    from grind.core.standing import brief_of_release

    path = journal_of(release)
    stamp = stamp_of(path)
    with session.journal(release) as journal:
        brief = brief_of_release(fold(journal.read()))
    if _is_whole(path):
        briefs.keep_release(stamp, release.id, brief)
    return brief


def _is_whole(journal: str) -> bool:
    """Whether the last line has its end: one that has not is cut off before the next is added, and
    then the size alone might not tell."""
    try:
        with open(journal, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"
    except OSError:
        return False


_QUICKLY = 1 << 18
"""Bytes of the longest journal that is read at a run's end only to be remembered."""


def leave_briefs(session: Session, basis: Basis, release: ReleaseFolder) -> None:
    """Remember, at the end of a command that has all of it at hand, what `grind status` will ask.
    Best effort: what cannot be remembered is read again."""
    from grind.adapters.git.contents import blob_id

    briefs = Briefs(session.store.root)
    tree, source = basis.snapshot.tree, basis.config_blob
    with contextlib.suppress(GrindError, OSError):
        name = blob_id(source, tree) if source is not None else None
        briefs.keep_config(name, brief_of_config(basis.config))
    with contextlib.suppress(GrindError, OSError):
        Read(session, None).receipt(tree)
        if os.path.getsize(journal_of(release)) <= _QUICKLY:
            read_release(session, briefs, release)


def brief_of_config(config: Config, asked: str | None = None) -> ConfigBrief:
    """Return what a configuration says for `grind status`; `asked` is what `--host` named. Raises
    GrindError when it has no such host."""
    from grind.core.hosts import chosen_host

    chosen = chosen_host(config, asked)
    return ConfigBrief(
        remote=config.remote,
        main=config.main,
        max_age=config.receipt.max_age,
        host=chosen.name,
        ssh=chosen.config.ssh,
        labels=chosen.config.labels,
        env=chosen.config.env,
        path=chosen.config.path,
        fixed=chosen.config.set,
    )


def standing_remembered(
    cwd: str, environ: Mapping[str, str], now: Callable[[], float], begun: Running
) -> Status:
    """Return where the work stands, from briefs alone; `begun` is `begin`'s. Raises Doubt,
    GrindError."""
    repository = GitRepository(cwd, environ, begun)
    with repository.asking_ahead():
        return find_standing(repository, Remembered(repository, environ), now())


def standing_read(session: Session, asked: str | None = None) -> Status:
    """Return where the work stands, from the sources; leave briefs of them. Raises GrindError."""
    with session.repository.asking_ahead():
        return find_standing(session.repository, Read(session, asked), session.clock.now())
