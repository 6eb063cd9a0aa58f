"""Going back when asked: to the recorded good generation, or to one that is named."""

from __future__ import annotations

from tests.activation.test_activate import events
from tests.activation.test_faults import is_back
from tests.activation.world import HostWorld


def test_to_the_recorded_good_one_and_on(host: HostWorld) -> None:
    old = host.begin("1")
    second = host.good("2")
    third = host.good("3")
    plan = host.world.grind("rollback", "host", "--plan", "--json")
    assert plan.code == 0, plan.said
    [planned] = events(plan.out, "activate.planned")
    assert (planned["old"], planned["new"], planned["target"]) == (third, second, "2")
    assert planned["start"] == ["web.service"]
    assert host.lab.runs == third, "a plan changes nothing"
    done = host.world.grind("rollback", "host")
    assert done.code == 0, done.said
    assert is_back(host, second, 2)
    status = host.world.grind("status", "--host", "local", "--json").document
    verdicts = {row["name"]: (row["verdict"], row["current"]) for row in status["generations"]}
    assert verdicts == {"1": ("unknown", False), "2": ("good", True), "3": ("bad", False)}
    # Not forward again to what was left, but further back.
    assert host.world.grind("rollback", "host").code == 0
    assert is_back(host, old, 1)


def test_to_one_that_is_named_and_one_that_is_not_there(host: HostWorld) -> None:
    old = host.begin("1")
    host.good("2")
    missing = host.world.grind("rollback", "host", "--to", "7")
    assert missing.code == 2, missing.said
    assert "has no generation '7'; it has 1, 2" in missing.err
    assert host.world.grind("rollback", "host", "--to", "1").code == 0
    assert is_back(host, old, 1)


def test_nothing_known_to_be_good(host: HostWorld) -> None:
    host.begin("1")
    done = host.world.grind("rollback", "host")
    assert done.code == 3, done.said
    assert "known to be good" in done.err


def test_to_one_that_is_ill(host: HostWorld) -> None:
    """There is no going back from going back: it stays, and says so."""
    host.begin("1", "sick")
    host.change("2")
    second = host.lab.deploy()
    done = host.world.grind("rollback", "host", "--to", "1", "--json")
    assert done.code == 6, done.said
    [end] = events(done.out, "activate.ended")
    assert end["state"] == "kept"
    assert host.lab.runs == end["new"] != second
