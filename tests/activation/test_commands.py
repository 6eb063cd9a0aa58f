"""Hosts that are not NixOS: commands of grind.toml under the same supervisor, probes and word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.activation.commands_host import CommandsWorld


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CommandsWorld]:
    made = CommandsWorld(tmp_path / "w")
    made.start()
    yield made
    made.shut_down()


def test_first_then_next_then_a_bad_one_then_back(site: CommandsWorld) -> None:
    first = site.world.grind("activate")
    assert first.code == 0, first.said
    one = site.runs
    assert one.startswith("1-")
    assert "is unchanged" in site.world.grind("activate").out
    assert site.change("2").code == 0
    two = site.runs
    bad = site.change("3", "sick")
    assert bad.code == 5, bad.said
    assert site.runs == two
    assert "status 503" in bad.out
    status = site.world.grind("status", "--host", "local")
    assert status.code == 4, status.said
    assert "the repository builds 3-" in status.out
    assert "it was found bad here: probes are red" in status.out
    verdicts = {
        line.split()[1]: line.split()[2] for line in status.out.splitlines() if " ago " in line
    }
    assert verdicts[one] == verdicts[two] == "good"
    assert [v for name, v in verdicts.items() if name.startswith("3-")] == ["bad"]
    back = site.world.grind("rollback", "host")
    assert back.code == 0, back.said
    assert site.runs == one


def test_going_back_that_fails_says_what_to_do(site: CommandsWorld) -> None:
    assert site.world.grind("activate").code == 0
    one = site.runs
    (site.site / "refuse-back").touch()
    bad = site.change("2", "sick")
    assert bad.code == 6, bad.said
    assert "the back command exited 7" in bad.out
    assert f"GRIND_TO={one}" in bad.out
    # The next one finds an end in the record, and a host that runs what was found bad.
    (site.site / "refuse-back").unlink()
    good = site.change("3")
    assert good.code == 0, good.said


def test_switch_that_fails(site: CommandsWorld) -> None:
    assert site.world.grind("activate").code == 0
    one = site.runs
    (site.site / "refuse-switch").touch()
    bad = site.change("2")
    assert bad.code == 5, bad.said
    assert "the switch command exited 7" in bad.out
    assert site.runs == one


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ('echo "$name" >"$GRIND_BUILT"', "true", 1, "it wrote 0 bytes"),
        ('echo "$name" >"$GRIND_BUILT"', "exit 3", 1, "exited 3"),
        ("|| echo none", "|| exit 9", 2, "the `current` command must print one line"),
    ],
)
def test_commands_that_do_not_do_what_they_must(
    site: CommandsWorld, old: str, new: str, code: int, told: str
) -> None:
    site.world.write({"grind.toml": site.toml().replace(old, new)})
    shown = site.world.grind("trust", "--show", "--json")
    assert site.world.grind("trust", "--digest", shown.document["digest"]).code == 0
    done = site.world.grind("activate")
    assert (done.code, told in done.err) == (code, True), done.said
    assert site.runs == "none"


def test_nothing_is_run_without_a_yes(site: CommandsWorld) -> None:
    site.world.write({"grind.toml": site.toml().replace("exit 7", "exit 8")})
    done = site.world.grind("activate")
    assert done.code == 3
    assert "never said yes" in done.err or "changed" in done.err, done.err
    assert site.runs == "none"
