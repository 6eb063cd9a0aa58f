"""Whether an alias is this machine: what ssh itself would do, and what the kernel knows."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
from pathlib import Path

import pytest

from grind.adapters.thismachine import all_own, is_own_name, names_this_machine

ME = getpass.getuser()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    if shutil.which("ssh") is None:
        if os.environ.get("CI"):
            pytest.fail("ssh is not installed: tools/parts.sh installs it")
        pytest.skip("no ssh here: tools/parts.sh installs it")
    return tmp_path / "config"


def asked(config: Path, lines: str, alias: str = "box") -> tuple[bool, list[str]]:
    """Ask, where every name is this machine's own; return the answer and the names looked up."""
    config.write_text(f"Host box\n{lines}\n")
    looked_up: list[str] = []

    def own(name: str) -> bool:
        looked_up.append(name)
        return True

    environ = {"PATH": os.environ["PATH"], "GRIND_SSH_CONFIG": str(config)}
    return names_this_machine(alias, environ, own), looked_up


def test_this_user_on_this_machine(config: Path) -> None:
    assert asked(config, f"HostName here.example\nUser {ME}") == (True, ["here.example"])


@pytest.mark.parametrize(
    "lines",
    [
        f"HostName localhost\nUser {ME}\nPort 2222",
        "HostName localhost\nUser somebody-else",
        f"HostName localhost\nUser {ME}\nProxyJump door",
        f"HostName localhost\nUser {ME}\nProxyCommand nc %h %p",
    ],
    ids=["a forwarded port", "another account", "a jump", "a proxy"],
)
def test_another_machine_or_user(config: Path, lines: str) -> None:
    assert asked(config, lines) == (False, [])


def test_in_doubt_it_is_another(config: Path, tmp_path: Path) -> None:
    assert asked(config, "NoSuchWord yes") == (False, [])
    empty = {"PATH": str(tmp_path / "nothing")}
    assert not names_this_machine("localhost", empty, lambda _: True)


def test_an_alias_is_never_an_option(config: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    answer, _ = asked(config, "HostName x", alias=f"-oProxyCommand=touch {told}")
    assert not answer
    assert not told.exists()


def test_addresses() -> None:
    mine = (socket.AF_INET, ("127.0.0.1", 22))
    other = (socket.AF_INET, ("192.0.2.1", 22))  # for documentation: nobody has it
    assert all_own([mine])
    assert not all_own([other])
    assert not all_own([mine, other])
    assert not all_own([])
    assert is_own_name("127.0.0.1")
    assert not is_own_name("no-such-host.invalid")
    assert not is_own_name("")
