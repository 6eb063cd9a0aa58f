"""Files are whole or not there; folders are private."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from grind.adapters.files import private_folder, replace_file
from grind.adapters.places import state_folder
from grind.core.errors import GrindError
from tests.adapters.limits import run_limited


@pytest.mark.parametrize("sync", [True, False])
def test_replaced_at_once(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "a"
    replace_file(str(path), b"one", sync=sync)
    with path.open("rb") as before:
        replace_file(str(path), b"two", sync=sync)
        assert before.read() == b"one"
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


REPLACE = """
import sys
sys.path.insert(0, sys.argv[2])
from grind.adapters.files import StorageError, replace_file
try:
    replace_file(sys.argv[1], b"x" * 100_000)
except StorageError as error:
    print(error)
"""


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    out = run_limited(REPLACE, path)
    assert "what was recorded before is safe" in out
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_private_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    assert private_folder(str(path)) == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    path.chmod(0o755)
    private_folder(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_of_ones_own_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o755)
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.write_text("")
    with pytest.raises(GrindError, match="not a folder of your own"):
        private_folder(str(path))
    if kind == "link":
        assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) & 0o055


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"GRIND_STATE_DIR": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/s"),
        ({"GRIND_STATE_DIR": "s", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/grind"),
        ({"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/grind"),
        ({"HOME": "/h"}, "/h/.local/state/grind"),
    ],
)
def test_where_state_is_kept(environ: dict[str, str], folder: str) -> None:
    assert state_folder(environ) == folder
