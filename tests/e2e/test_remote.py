"""Probes and restarts on a host behind a real sshd, whose PATH is as bare as a NixOS host's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.test_ssh import trust
from tests.e2e.world import World
from tests.probes.servers import answer, says, serving
from tests.sshd import Sshd

QUICK = "deadline = 20\ninterval = 0.1\ngreens = 2\n"


@pytest.fixture
def there(world: World) -> Iterator[Sshd]:
    with Sshd(world.root) as host:
        world.env |= host.env
        yield host


def config(url: str, role: str = "prod") -> str:
    return (
        f'[hosts.web]\nssh = "grind-test"\nrole = "{role}"\n'
        f'[[probe]]\nname = "health"\nhttp = "{url}"\nrole = "sandbox-live"\n{QUICK}'
        f'[[probe]]\nname = "bare"\ncommand = ["bash", "-c", "! type -P curl"]\n{QUICK}'
        f'[[probe]]\nname = "edge"\nhttp = "{url}"\nplace = "client"\nroles = ["prod"]\n{QUICK}'
        f'[[probe]]\nname = "elsewhere"\nhttp = "{url}"\nroles = ["grind"]\n{QUICK}'
    )


def test_asked_from_a_bare_host(world: World, there: Sshd) -> None:
    body = json.dumps({"status": "pass", "instance_role": "sandbox-live"})
    with serving(says(answer(body))) as service:
        world.start({"grind.toml": config(service.url())})
        refused = world.grind("probe", "--host", "web")
        assert (refused.code, service.requests) == (3, []), refused
        assert there.sessions() == []
        trust(world)
        done = world.grind("probe", "--host", "web", "--json")
    assert done.code == 0, done
    rows = {row["name"]: row["place"] for row in done.document["probes"]}
    assert rows == {"health": "web", "bare": "web", "edge": "client"}
    assert (done.document["host"], done.document["role"]) == ("web", "prod")


def test_another_host_by_its_name(world: World, there: Sshd) -> None:
    with serving(says(answer())) as service:
        toml = '[hosts.web]\nssh = "grind-test"\nrole = "prod"\n'
        toml += f'[[probe]]\nname = "x"\nhttp = "{service.url()}"\nhost = "web"\n{QUICK}'
        world.start({"grind.toml": toml})
        assert world.grind("probe").code == 3
        trust(world)
        done = world.grind("probe", "--host", "local", "--json")
    assert done.code == 0, done
    assert done.document["host"] == "local"
    assert done.document["probes"][0]["place"] == "web"


def test_a_host_that_does_not_answer_is_no_verdict(world: World, there: Sshd) -> None:
    toml = '[hosts.web]\nssh = "grind-test"\nrole = "prod"\n'
    toml += '[[probe]]\nname = "x"\ntcp = "127.0.0.1:9"\ndeadline = 1\ngreens = 1\n'
    world.start({"grind.toml": toml})
    trust(world)
    there.stop()
    done = world.grind("probe", "--host", "web")
    assert done.code == 7, done
    assert "Traceback" not in done.said


def test_units_are_looked_up_there(world: World, there: Sshd) -> None:
    """The host has no systemctl at all: nothing is begun."""
    world.start({"grind.toml": '[hosts.web]\nssh = "grind-test"\nrole = "prod"\n'})
    trust(world)
    done = world.grind("rollback", "runtime", "--host", "web", "api.service")
    assert done.code == 2, done
    assert "web cannot restart api.service: exit code 127" in done.err
