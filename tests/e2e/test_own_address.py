"""A host with an address of its own, at the other end of a cable that is pulled in the middle of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.test_ssh import start, text
from tests.e2e.world import World
from tests.netns import FAR, Cable
from tests.sshd import Sshd


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Cable() as cable:
        yield cable


@pytest.fixture
def there(world: World, cable: Cable) -> Iterator[Sshd]:
    """The host at the far end; every grind of this world runs at the near one."""
    world.enter = cable.near.enter
    with Sshd(world.root, end=cable.far) as host:
        world.env |= host.env
        try:
            yield host
        finally:
            cable.plug()  # what still runs hears of the end


def test_proven_at_its_own_address(world: World, there: Sshd, cable: Cable) -> None:
    start(world, "- run: readlink /proc/self/ns/net")
    done = world.grind("check", "--host", "grind", "--json")
    assert done.code == 0, done
    assert text(done, 1).strip() == cable.far.namespace, "the step ran somewhere else"
    assert cable.near.namespace != cable.far.namespace
    [receipt] = world.receipts
    assert receipt["hostName"] == "grind"


def test_an_address_that_is_no_longer_there(world: World, there: Sshd, cable: Cable) -> None:
    start(world, "- run: 'true'", f'[hosts.other]\nssh = "{FAR}"\n')
    cable.pull(cable.near)
    done = world.grind("check", "--host", "grind")
    assert (done.code, "Network is unreachable" in done.err) == (7, True), done
    assert there.sessions() == []


STEP = """\
- name: Long
  run: |
    i=0
    until [ -e {outside}/go ]; do
      i=$((i + 1))
      echo "line $i" >> {outside}/lines
      echo "line $i"
      sleep 0.2
    done
    echo over >> {outside}/over
"""


def noted(world: World, words: str) -> bool:
    """Whether the journal of the run says this so far."""
    return words in (max((world.kept / "releases").iterdir()) / "journal.ndjson").read_text()


@pytest.mark.parametrize("long", [False, True])
def test_the_link_goes_down_in_the_middle(
    world: World, there: Sshd, cable: Cable, long: bool
) -> None:
    """For a moment at the host's end, so that TCP goes on by itself; and at the client's, for longer
    than a connection is waited for. The host works on, and the same run has every byte once."""
    start(world, STEP.format(outside=world.outside))
    process = world.begin("check", "--host", "grind", "--json")
    world.until(lambda: len(world.told("lines")) > 2, "the step does not run")
    cable.pull(cable.near if long else cable.far)
    before = len(world.told("lines"))
    if long:
        world.until(lambda: noted(world, "the host goes on meanwhile"), "nobody was told")
    world.until(lambda: len(world.told("lines")) > before + 5, "the host does not go on")
    assert process.poll() is None
    cable.plug()
    if long:
        world.until(lambda: noted(world, "is back after"), "it does not come back")
    (world.outside / "go").touch()
    done = world.end(process)
    assert done.code == 0, done
    assert world.told("over") == ["over"], "the step ran twice"
    every = "".join(f"{line}\n" for line in world.told("lines"))
    assert text(done, 1) == every
    [log] = [data for data in world.logs().values() if b"line 1\n" in data]
    assert log.decode() == every
    assert done.events[-1]["state"] == "green"
    assert len(world.receipts) == 1
