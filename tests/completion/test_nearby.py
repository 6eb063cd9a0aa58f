"""Names from the repository at hand, and from one that is broken."""

from __future__ import annotations

from pathlib import Path

from grind.adapters.nearby import Nearby
from grind.adapters.store import Store
from tests.repositories import Repository


def near(folder: Path, kind: str) -> list[str]:
    return [word for word, _ in Nearby(str(folder), {})(kind)]


def repository(folder: Path) -> Repository:
    made = Repository(folder)
    config = (
        '[[check]]\nname = "unit"\nrun = "true"\n[[check]]\nname = "lint"\nrun = "true"\n'
        '[hosts.grind]\nrole = "grind"\n[hosts.prod]\nssh = "prod"\n[[probe]]\nname = "health"\n'
    )
    made.commit({"grind.toml": config, ".github/workflows/ci.yml": "on: push\n"}, "first")
    return made


def test_what_the_configuration_names(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r").folder
    (folder / "deep").mkdir()
    assert near(folder / "deep", "checks") == ["unit", "lint"]
    assert Nearby(str(folder), {})("hosts") == [("grind", "grind"), ("prod", "prod")]
    assert near(folder, "probes") == ["health"]
    assert near(folder, "workflows") == ["ci.yml"]
    assert near(folder, "names") == ["unit", "lint"]  # no run yet: no journal names jobs


def test_releases_and_the_jobs_of_the_last_one(tmp_path: Path) -> None:
    from grind.adapters.journal import DiskJournal
    from tests.ui.sample import STARTED

    folder = repository(tmp_path / "r").folder
    release = Store(str(folder / ".git")).new_release(0.0)
    with DiskJournal(release.path, lambda: 0.0) as journal:
        journal.append(STARTED)
    assert near(folder, "releases") == [release.id]
    assert "lint" in near(folder, "jobs")


def test_receipts_and_branches_packed_or_not(tmp_path: Path) -> None:
    made = repository(tmp_path / "r")
    made.git("branch", "topic/one")
    made.git("pack-refs", "--all")
    made.git("branch", "two")
    assert set(near(made.folder, "branches")) == {"main", "topic/one", "two"}
    receipts = made.folder / ".git" / "grind" / "receipts"
    receipts.mkdir(parents=True)
    (receipts / ("a" * 40 + ".json")).write_text("{}")
    (receipts / ("a" * 40 + ".hit")).write_text("{}")
    assert near(made.folder, "receipts") == ["a" * 40]


def test_in_a_linked_worktree(tmp_path: Path) -> None:
    made = repository(tmp_path / "r")
    made.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    Store(str(made.folder / ".git")).new_release(0.0)
    assert near(tmp_path / "linked", "checks") == ["unit", "lint"]
    assert "other" in near(tmp_path / "linked", "branches")


def test_nothing_and_broken_things_have_no_names(tmp_path: Path) -> None:
    for kind in ("checks", "jobs", "releases", "receipts", "branches", "workflows", "no-such"):
        assert near(tmp_path, kind) == []
    folder = repository(tmp_path / "r").folder
    (folder / "grind.toml").write_text("this is = not [ toml")
    assert near(folder, "checks") == []
    (folder / "grind.toml").write_text("check = 5\nhosts = 7\n")
    assert near(folder, "checks") == []
    assert near(folder, "hosts") == []
