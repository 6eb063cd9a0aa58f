"""The files that grind carries with it are found, wherever it has been put."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from grind.core.bundled import bundled, bundled_text

PACKAGE = Path(__file__).parents[2] / "src" / "grind" / "workflows"


def test_a_file_of_a_package_and_of_a_folder_in_it() -> None:
    assert (
        bundled("grind.ui.report", "style.css")
        == (PACKAGE.parent / "ui" / "report" / "style.css").read_bytes()
    )
    text = (PACKAGE / "provide" / "common.sh").read_text("utf-8")
    assert bundled_text("grind.workflows", "provide/common.sh") == text


def test_one_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        bundled("grind.workflows", "provide/nothing.sh")


def test_a_package_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made" / "packed" / "inner").mkdir(parents=True)
    (tmp_path / "made" / "packed" / "__init__.py").write_text("")
    (tmp_path / "made" / "packed" / "inner" / "file").write_bytes(b"\xc3\xa9\n")
    archive = shutil.make_archive(str(tmp_path / "one"), "zip", tmp_path / "made")
    monkeypatch.syspath_prepend(archive)
    invalidate_caches()
    import_module("packed")
    monkeypatch.delitem(sys.modules, "packed")
    assert bundled_text("packed", "inner/file") == "é\n"
