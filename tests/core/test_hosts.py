"""Which host is meant."""

from __future__ import annotations

import pytest

from grind.core.config import load
from grind.core.errors import GrindError, RefusedError
from grind.core.hosts import chosen_host, default_host, require_role

BOX = '[hosts.box]\nssh = "box"\n'
PROD = '[hosts.live]\nssh = "live"\nrole = "prod"\n'


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("", "local"),
        ("[hosts.local]\njobs = 2\n", "local"),
        (BOX, "box"),
        (BOX + PROD, "box"),
        (PROD, "local"),
        (BOX + BOX.replace("box", "two"), "local"),
        ('host = "two"\n' + BOX + BOX.replace("box", "two"), "two"),
        ('host = "local"\n' + BOX, "local"),
    ],
)
def test_the_default(source: str, name: str) -> None:
    assert default_host(load("grind.toml", source.encode())) == name


def test_what_is_asked_for_comes_first() -> None:
    config = load("grind.toml", (BOX + PROD).encode())
    assert chosen_host(config, None).config.ssh == "box"
    assert chosen_host(config, "local").local
    assert chosen_host(config, "live").config.role == "prod"
    with pytest.raises(GrindError, match="no host 'bux'") as caught:
        chosen_host(config, "bux")
    assert "--host box" in caught.value.remedy


def test_steps_do_not_run_where_only_proven_things_go() -> None:
    config = load("grind.toml", (BOX + PROD).encode())
    require_role(chosen_host(config, "box"), ("grind",), "steps do not run")
    with pytest.raises(RefusedError, match="role is prod"):
        require_role(chosen_host(config, "live"), ("grind",), "steps do not run")
