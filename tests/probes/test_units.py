"""Probes of units and containers, against a stand-in of systemctl and nixos-container.

Nothing here boots a systemd: the stand-ins mimic the contract of `systemctl show` (LoadState and its
kin, one `Name=value` a line, exit 0 for a unit that is not there) and of nixos-container's `run` and
`show-ip`, and note how they were called.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.rig import PATH
from tests.probes.asking import Asker
from tests.probes.servers import answer, says, serving

SYSTEMCTL = """#!/bin/bash
# A stand-in: shows, look by look, what stands in the files unit.1, unit.2, …; the last one stays.
here=${0%/*}
printf '%s\\n' "$*" >>"$here/calls"
read -r look <"$here/look"
[[ -e $here/unit.$((look + 1)) ]] && echo $((look + 1)) >"$here/look"
cat "$here/unit.$look"
"""
CONTAINER = """#!/bin/bash
# A stand-in: `show-ip NAME`, and `run NAME -- COMMAND…` on this very machine.
printf '%s\\n' "$1 $2" >>"${0%/*}/calls"
[[ $2 == web ]] || { echo "container '$2' does not exist" >&2; exit 1; }
[[ $1 == show-ip ]] && { cat "${0%/*}/address"; exit; }
shift 3
exec "$@"
"""


def shown(active: str = "active", sub: str = "running", restarts: int = 0, **facts: str) -> str:
    told = {
        "LoadState": "loaded",
        "ActiveState": active,
        "SubState": sub,
        "NRestarts": str(restarts),
        "InvocationID": "a1",
        "Result": "success",
    }
    return "".join(f"{name}={value}\n" for name, value in (told | facts).items())


class Machine:
    """A folder at the front of the PATH, with the stand-ins in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "stand-ins"
        self.folder.mkdir()
        for name, text in (("systemctl", SYSTEMCTL), ("nixos-container", CONTAINER)):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        (self.folder / "address").write_text("127.0.0.1\n")
        self.asker = Asker(folder, f"{self.folder}:{PATH}")

    def shows(self, *looks: str) -> None:
        (self.folder / "look").write_text("1\n")
        for number, text in enumerate(looks, 1):
            (self.folder / f"unit.{number}").write_text(text)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_unit_that_runs(machine: Machine) -> None:
    machine.shows(shown(restarts=7))
    row = machine.asker.one(unit="container@web.service", greens=3, deadline=9)
    assert row.green
    assert row.got == "active (running), 7 restarts"
    assert machine.calls[0].endswith("-- container@web.service")


def test_one_that_takes_its_time(machine: Machine) -> None:
    machine.shows(shown("activating", "start-pre"), shown("activating", "start"), shown())
    row = machine.asker.one(unit="api.service", greens=2, deadline=9)
    assert (row.green, row.looks) == (True, 4)


def test_one_that_crashes_again_and_again(machine: Machine) -> None:
    """F5: every single look finds it active."""
    machine.shows(shown(), shown(), shown(restarts=1, InvocationID="a2"), shown())
    row = machine.asker.one(unit="api.service", greens=3, deadline=600)
    assert not row.green
    assert row.looks == 3
    assert row.problems == ("restarted while it was looked at: 0 restarts, then 1",)


def test_one_that_was_restarted_by_hand_begins_anew(machine: Machine) -> None:
    machine.shows(shown(), shown(InvocationID="b1"), shown(InvocationID="b1"))
    row = machine.asker.one(unit="api.service", greens=2, deadline=9)
    assert (row.green, row.looks) == (True, 4)


def test_one_that_failed(machine: Machine) -> None:
    machine.shows(shown("failed", "failed", Result="exit-code"))
    row = machine.asker.one(unit="api.service", deadline=2)
    assert row.problems == ("the unit is failed (failed): exit-code",)


def test_one_that_is_none(machine: Machine) -> None:
    nothing = shown("inactive", "dead", LoadState="not-found", NRestarts="")
    machine.shows(nothing)
    row = machine.asker.one(unit="apj.service", deadline=600)
    assert row.problems == ("systemd knows no such unit",)
    assert row.looks == 1
    waiting = machine.asker.one({"waiting": True}, unit="apj.service", deadline=5)
    assert waiting.looks > 1


def test_a_masked_one(machine: Machine) -> None:
    machine.shows(shown("inactive", "dead", LoadState="masked"))
    assert machine.asker.one(unit="a.service", deadline=2).problems == ("the unit is masked",)


def test_a_kind_of_unit_that_has_no_restarts(machine: Machine) -> None:
    machine.shows(shown(sub="waiting", NRestarts=""))
    assert machine.asker.one(unit="backup.timer").green
    row = machine.asker.one(unit="backup.service", deadline=2)
    assert row.problems == ("systemctl show does not tell NRestarts",)


def test_a_machine_without_systemd(tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    row = Asker(tmp_path, str(bare)).one(unit="a.service", deadline=600)
    assert row.looks == 1
    assert "exit code 127" in row.problems[0]


class TestContainer:
    """F8: the service is in a container, and so is whoever asks."""

    def test_from_inside(self, machine: Machine) -> None:
        with serving(says(answer('{"status": "pass"}'))) as service:
            row = machine.asker.one(
                http=service.url(), place="container", container="web", json={"status": "pass"}
            )
        assert row.green
        assert row.place == "web on grind-1"
        assert machine.calls == ["run web", "run web"]

    def test_by_its_address(self, machine: Machine) -> None:
        with serving(says(answer())) as service:
            url = f"http://{{container}}:{service.port}/"
            assert machine.asker.one(http=url, container="web", greens=1).green
            tcp = f"{{container}}:{service.port}"
            assert machine.asker.one(tcp=tcp, container="web", greens=1).green
        assert b"Host: 127.0.0.1" in service.requests[0]
        assert machine.calls == ["show-ip web"] * 2

    def test_commands_and_units_inside(self, machine: Machine) -> None:
        machine.shows(shown())
        where = {"place": "container", "container": "web", "greens": 1}
        assert machine.asker.one(unit="api.service", **where).green
        assert machine.asker.one(command=["true"], **where).green
        assert machine.calls == ["run web", machine.calls[1], "run web"]

    def test_no_such_container(self, machine: Machine) -> None:
        row = machine.asker.one(
            http="http://{container}:80/", container="wep", greens=1, deadline=2
        )
        assert "container 'wep' does not exist" in row.problems[0]
        inside = machine.asker.one(
            tcp="127.0.0.1:1", place="container", container="wep", deadline=3
        )
        assert "does not exist" in inside.problems[0]

    def test_an_address_that_is_none(self, machine: Machine) -> None:
        (machine.folder / "address").write_text("-bad;\n")
        row = machine.asker.one(http="http://{container}:80/", container="web", deadline=2)
        assert row.problems == ("the container web has no address: '-bad;'",)
