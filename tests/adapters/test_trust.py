"""A yes is kept by its user, for its repository, and by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from grind.adapters.trust import TrustStore, trust_folder

GIT = "/srv/one/.git"


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(str(tmp_path / "config" / "grind" / "trust"))


def _file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "config" / "grind" / "trust").iterdir()
    return found


def test_given_and_taken_back(store: TrustStore, tmp_path: Path) -> None:
    assert store.given(GIT) is None
    store.give(GIT, "d", "t\n", 12.0)
    yes = store.given(GIT)
    assert yes is not None
    assert (yes.digest, yes.text, yes.at, yes.repository) == ("d", "t\n", 12.0, GIT)
    assert store.given("/srv/other/.git") is None
    assert [one.repository for one in store.all()] == [GIT]
    assert _file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert _file(tmp_path).parent.stat().st_mode & 0o777 == 0o700
    assert store.revoke(GIT)
    assert not store.revoke(GIT)
    assert store.given(GIT) is None
    assert store.all() == []


def test_what_others_can_write_is_no_yes(store: TrustStore, tmp_path: Path) -> None:
    store.give(GIT, "d", "t\n", 12.0)
    _file(tmp_path).chmod(0o666)
    assert store.given(GIT) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": "grind.trust/2"}', b"\xff"])
def test_what_is_torn_or_foreign_is_no_yes(
    store: TrustStore, tmp_path: Path, content: bytes
) -> None:
    store.give(GIT, "d", "t\n", 12.0)
    _file(tmp_path).write_bytes(content)
    assert store.given(GIT) is None
    assert store.all() == []


def test_a_link_is_not_followed(store: TrustStore, tmp_path: Path) -> None:
    store.give(GIT, "d", "t\n", 12.0)
    file = _file(tmp_path)
    elsewhere = tmp_path / "elsewhere.json"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert store.given(GIT) is None


def test_a_yes_does_not_go_along_with_a_copied_file(store: TrustStore, tmp_path: Path) -> None:
    store.give(GIT, "d", "t\n", 12.0)
    file = _file(tmp_path)
    store.give("/srv/two/.git", "e", "u\n", 13.0)
    (second,) = (path for path in file.parent.iterdir() if path != file)
    second.write_bytes(file.read_bytes())
    assert store.given("/srv/two/.git") is None


def test_the_folder_is_the_users_own() -> None:
    assert trust_folder({"XDG_CONFIG_HOME": "/c"}) == "/c/grind/trust"
    assert trust_folder({"XDG_CONFIG_HOME": "c", "HOME": "/h"}) == "/h/.config/grind/trust"
