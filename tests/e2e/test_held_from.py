"""Who holds the lock of a host is told with where they came from, also by the host they are logged in on."""

from __future__ import annotations

from pathlib import Path

import pytest

from grind.wiring.hostlock import came_from
from tests.e2e.test_rollback import CONFIG, NAMES, PASS, Units, trust
from tests.e2e.test_sync import there as there
from tests.e2e.world import World

CONNECTION = "10.0.0.9 50000 10.0.0.1 22"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (CONNECTION, "10.0.0.9"),
        ("2001:db8::7 50000 2001:db8::1 22", "2001:db8::7"),
        ("fe80::1%eth0 50000 fe80::2%eth0 22", "fe80::1%eth0"),
        ("UNKNOWN 65535 UNKNOWN 65535", ""),
        ("10.0.0.9\x1b[31m 1 2 3", ""),
        ("", ""),
    ],
)
def test_the_address_is_what_sshd_says(said: str, address: str) -> None:
    assert came_from({"SSH_CONNECTION": said}) == address


def test_nobody_is_logged_in_from_anywhere() -> None:
    assert came_from({}) == ""


def test_a_restart_of_units(world: World) -> None:
    units = Units(world)
    units.has(*NAMES)
    world.start({**PASS, "grind.toml": CONFIG})
    trust(world)
    world.env["SSH_CONNECTION"] = CONNECTION
    world.killed("after:unit.restarting:2", "rollback", "runtime")
    del world.env["SSH_CONNECTION"]
    refused = world.grind("rollback", "runtime")
    assert refused.code == 3, refused
    assert "left by grind rollback runtime by " in refused.err
    assert " from 10.0.0.9 (pid " in refused.err


def test_a_sync(world: World, there: Path) -> None:
    """Seen while it fetches: the remote's own program looks at the locks."""
    world.write({"content": "2\n"})
    world.commit("second")
    world.git("push", "-q", "origin", "main")
    seen, looking = world.root / "seen", world.root / "looking"
    locks = Path(world.env["GRIND_STATE_DIR"]) / "locks"
    looking.write_text(
        f'#!/bin/bash\ncat {locks}/activation.* >{seen}\nexec git-upload-pack "$@"\n'
    )
    looking.chmod(0o755)
    world.git("config", "remote.origin.uploadpack", str(looking), cwd=there)
    world.env["SSH_CONNECTION"] = CONNECTION
    done = world.grind("sync")
    assert done.code == 0, done
    assert (there / "content").read_text() == "2\n"
    assert seen.read_bytes().split(b"\0")[7:9] == [b"10.0.0.9", b"grind sync"]
