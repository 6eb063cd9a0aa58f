"""What a host told of itself is kept; what cannot be read is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from grind.adapters.clock import SystemClock
from grind.adapters.knownhosts import Known, KnownHosts
from grind.core.config import HostConfig
from grind.core.errors import ExitCode, GrindError
from grind.core.hosts import Chosen
from grind.ports import HostIdentity
from grind.wiring.hosts import Hosts

IDENTITY = HostIdentity(id="a" * 32, os="nixos 25.11", architecture="x86_64", boot="b1")
KNOWN = Known(identity=IDENTITY, processors=4)


def test_kept_by_what_ssh_is_told(tmp_path: Path) -> None:
    memory = KnownHosts(str(tmp_path / "hosts"))
    assert memory.get("box") is None
    memory.put("box", KNOWN)
    assert memory.get("box") == KNOWN
    assert memory.get("ada@box") is None
    (file,) = (tmp_path / "hosts").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(b"{")
    assert memory.get("box") is None


def hosts(tmp_path: Path) -> tuple[Hosts, Chosen]:
    environ = {"GRIND_STATE_DIR": str(tmp_path), "PATH": "/nowhere"}
    return Hosts(environ, "repo", SystemClock(), None), Chosen("box", HostConfig(ssh="box"))


def recognised(tmp_path: Path, **changed: str) -> Known | None:
    import msgspec

    book, box = hosts(tmp_path)
    book.recognise(box, msgspec.structs.replace(IDENTITY, **changed))
    return book.remembered(box)


def test_a_host_that_is_another_one_now(tmp_path: Path) -> None:
    memory = KnownHosts(str(tmp_path / "hosts"))
    memory.put("box", KNOWN)
    assert recognised(tmp_path) == KNOWN
    again = recognised(tmp_path, id="c" * 32, boot="b2")
    assert again is not None
    assert (again.identity.id, again.processors) == ("c" * 32, 4)
    with pytest.raises(GrindError, match="another machine") as caught:
        recognised(tmp_path, architecture="aarch64")
    assert caught.value.code is ExitCode.PAUSED
    kept = memory.get("box")
    assert kept is not None
    assert kept.identity.architecture == "aarch64", "the next time it is planned for this one"
