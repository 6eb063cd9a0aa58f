"""`grind sync`, and proving and landing what was edited in the host's workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow


@pytest.fixture
def there(world: World) -> Path:
    """This machine's other clone, in which somebody edits; grind.toml names it."""
    there = world.root / "there"
    world.start(
        {
            CI: workflow(CHECKOUT + "- run: cat content\n"),
            "content": "1\n",
            "grind.toml": f'[hosts.local]\nworkspace = "{there}"\n',
        }
    )
    world.git("clone", "-q", str(world.remote), str(there), cwd=world.root)
    digest = world.grind("trust", "--show", "--json").document["digest"]
    assert world.grind("trust", "--digest", digest).code == 0
    return there


def test_forwarded_after_somebody_else_pushed(world: World, there: Path) -> None:
    old = world.git("rev-parse", "HEAD", cwd=there)
    world.write({"content": "2\n"})
    new = world.commit("second")
    world.git("push", "-q", "origin", "main")
    done = world.grind("sync", "--json")
    assert (done.code, done.document["from"], done.document["to"]) == (0, old, new), done
    assert (there / "content").read_text() == "2\n"
    assert "up to date" in world.grind("sync").out


def test_what_is_edited_is_refused_with_what_is_there(world: World, there: Path) -> None:
    (there / "content").write_text("edited\n")
    done = world.grind("sync")
    assert done.code == 3
    assert "content" in done.err
    assert "grind check --from-host" in done.err


def test_edited_in_place_proven_landed_and_brought_along(world: World, there: Path) -> None:
    (there / "content").write_text("edited in place\n")
    assert world.grind("land", "--from-host", "-m", "x").code == 3, "landed without a proof"
    done = world.grind("check", "--from-host", "--json")
    assert done.code == 0, done
    assert any("edited in place" in e.get("text", "") for e in done.events)
    again = world.grind("check", "--from-host", "--json")
    assert again.events[-1]["cached"] is True
    assert world.grind("check", "--json").events[-1]["cached"] is False, "another tree"
    landed = world.grind("land", "--from-host", "-m", "From the host")
    assert landed.code == 0, landed
    assert world.git("show", f"{world.tip}:content", cwd=world.remote) == "edited in place"
    assert world.git("rev-parse", "HEAD", cwd=there) == world.tip
    assert world.git("status", "--porcelain", cwd=there) == ""
    assert str(there) in landed.err


def test_a_workspace_that_was_edited_again_is_left_alone(world: World, there: Path) -> None:
    (there / "content").write_text("one\n")
    assert world.grind("check", "--from-host").code == 0
    world.write({"content": "one\n"})
    (there / "content").write_text("two\n")
    landed = world.grind("land", "-m", "One")
    assert landed.code == 0, landed
    assert "left alone" in landed.err
    assert (there / "content").read_text() == "two\n"


def test_commits_made_there_land_as_they_are(world: World, there: Path) -> None:
    (there / "content").write_text("committed there\n")
    world.git("commit", "-q", "-am", "Made there", cwd=there)
    made = world.git("rev-parse", "HEAD", cwd=there)
    assert world.grind("sync").code == 3
    assert world.grind("check", "--from-host").code == 0
    landed = world.grind("land", "--from-host")
    assert landed.code == 0, landed
    assert world.tip == made


def test_the_repository_itself_is_this_machines_workspace(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    done = world.grind("sync", "--json")
    assert done.code == 0
    assert done.document["workspace"] == str(world.repo)


def test_a_workspace_that_grind_toml_names_needs_a_yes(world: World, there: Path) -> None:
    assert world.grind("trust", "--revoke").code == 0
    for command in (["sync"], ["sync", "--from-host"], ["check", "--from-host"]):
        done = world.grind(*command)
        assert (done.code, "grind trust --digest" in done.err) == (3, True), done
