"""`grind doctor` as a whole process, on this machine, well and badly equipped."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.e2e.world import CI, World, workflow


def bare_path(folder: Path, names: tuple[str, ...]) -> str:
    """A PATH with these programs and no others."""
    folder.mkdir()
    for name in names:
        for place in ("/usr/bin", "/bin"):
            if os.path.exists(f"{place}/{name}"):
                (folder / name).symlink_to(os.path.realpath(f"{place}/{name}"))
                break
    return str(folder)


def test_this_machine(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    done = world.grind("doctor", "--json")
    assert done.code == 0, done
    schema = json.loads(files("grind").joinpath("schemas", "doctor.json").read_text())
    Draft202012Validator(schema).validate(done.document)
    levels = {one["name"]: one["level"] for one in done.document["findings"]}
    assert levels["bash"] == levels["git"] == levels["disk"] == "ok"
    assert "fit for grind" in world.grind("doctor").out


def test_outside_of_any_repository(world: World) -> None:
    done = world.grind("doctor", cwd=world.home)
    assert done.code == 0, done


def test_almost_nothing_on_the_path(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    path = bare_path(world.root / "bin", ("bash", "git"))
    done = world.grind("doctor", "--json", env={"PATH": path})
    assert done.code == 3, done
    missing = {one["name"] for one in done.document["findings"] if one["level"] == "missing"}
    assert missing == {"coreutils", "setsid"}
    assert all(one["remedy"] for one in done.document["findings"] if one["level"] == "missing")
    assert "not fit" in world.grind("doctor", env={"PATH": path}).out


def test_a_host_that_is_not_in_grind_toml(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    done = world.grind("doctor", "--host", "box")
    assert done.code == 2
    assert "no host 'box'" in done.err


def test_a_host_nobody_said_yes_to_is_not_reached(world: World) -> None:
    told = world.outside / "ssh-was-called"
    world.start({CI: workflow("- run: 'true'"), "grind.toml": '[hosts.box]\nssh = "box"\n'})
    config = world.root / "ssh_config"
    config.write_text(f"Host box\n  HostName box.invalid\n  ProxyCommand touch {told}\n")
    done = world.grind("doctor", "--host", "box", env={"GRIND_SSH_CONFIG": str(config)})
    assert done.code == 3, done
    assert "grind trust --digest" in done.err
    assert not told.exists()


def test_a_receipt_keeps_what_its_host_was(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    assert world.grind("check").code == 0
    [receipt] = world.receipts
    facts = receipt["facts"]
    assert facts["bash"]
    assert facts["kernel"] == os.uname().release
    assert int(facts["MemTotal"]) > 0
    assert set(facts) >= {"os", "machine", "processors", "git"}
