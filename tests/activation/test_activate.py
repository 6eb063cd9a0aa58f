from __future__ import annotations

from tests.activation.world import HostWorld


def test_good_change_is_switched_probed_and_acknowledged(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2")
    done = host.activate()
    assert done.code == 0, done.said
    assert "is activated: acknowledged and healthy" in done.out
    assert host.lab.runs == host.lab.profile_leads_to == host.lab.boots != old
    assert host.lab.generation == 2
    assert host.lab.record()[-1] == "acknowledged"
    assert host.lab.health()["revision"] != "0" * 40
