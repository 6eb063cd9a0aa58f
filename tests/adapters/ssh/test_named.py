"""A host that was reached before is told the name of what is kept there, and not the text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.clock import SystemClock
from grind.adapters.ssh.channel import Pulse
from grind.adapters.ssh.door import door
from grind.adapters.ssh.link import Link
from grind.adapters.ssh.stateplace import StatePlace
from tests.sshd import Sshd


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path) as sshd:
        yield sshd


def reached(sshd: Sshd, slug: str = "") -> str:
    """Connect anew, and return where the state folder is said to be."""

    async def there() -> str:
        link = made(sshd, slug)
        try:
            session = await link.session()
            assert (await session.ask("beat")).code == 0
            return session.hello.state
        finally:
            await link.close()
            await link.door.shut()

    return asyncio.run(there())


def made(sshd: Sshd, slug: str = "") -> Link:
    way = door(sshd.alias, {}, config=sshd.config).anew()
    return Link(way, slug, "grind", SystemClock(), patience=5.0, pulse=Pulse())


def kept(sshd: Sshd) -> Path:
    """The file in which the place is remembered."""
    link = made(sshd)
    return Path(link.door.socket).with_name(f"{link.key('state')}.state")


def programs(sshd: Sshd) -> list[Path]:
    return sorted((sshd.state / "bin" / "run").iterdir())


def trips(sshd: Sshd) -> int:
    """How many messages to the host waited for one from it. A busy machine makes more of them, never fewer."""

    def counted() -> int:
        before = sshd.network.answered
        reached(sshd)
        return sshd.network.answered - before

    return min(counted() for _ in range(3))


def test_it_is_there_a_round_trip_sooner(own: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    reached(own)
    own.network.delay = 0.05
    named = trips(own)
    monkeypatch.setattr(StatePlace, "recall", lambda _: None)
    assert named < trips(own)


def test_what_was_removed_there_is_brought_again(own: Sshd) -> None:
    state = reached(own)
    before = programs(own)
    assert len(before) == 3
    for gone in (before, before[:1], before[1:2], before[2:]):
        for path in gone:
            path.unlink()
        assert reached(own) == state
        assert programs(own) == before


def test_a_state_folder_that_is_elsewhere_now(own: Sshd, tmp_path: Path) -> None:
    assert reached(own) == str(own.state)
    config = own.folder / "sshd_config"
    config.write_text(config.read_text().rstrip("\n") + f' "GRIND_STATE_DIR={tmp_path}/other"\n')
    own.stop()
    own.start()
    assert reached(own) == f"{tmp_path}/other"
    assert reached(own) == f"{tmp_path}/other"


@pytest.mark.parametrize("told", ["/nowhere", "", "x;touch ~/found", "$(touch ~/found)", "/a b\n"])
def test_what_is_remembered_is_only_a_hint(own: Sshd, told: str) -> None:
    state = reached(own)
    kept(own).write_text(told)
    assert reached(own) == state
    assert kept(own).read_text() == state
    assert not (own.home / "found").exists()


def test_a_login_that_talks_is_passed_over(own: Sshd) -> None:
    state = reached(own)
    (own.home / ".bashrc").write_text("echo welcome; echo to you >&2; printf 'no line'\n")
    assert reached(own) == state


def test_two_repositories_of_one_host_have_folders_of_their_own(own: Sshd) -> None:
    for slug in ("one", "two/deep", "one"):
        assert reached(own, slug) == f"{own.state}/{slug}"


def test_the_place_is_private(own: Sshd) -> None:
    reached(own)
    assert kept(own).parent.stat().st_mode & 0o777 == 0o700
