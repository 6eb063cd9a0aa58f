"""`grind land` against a git server over http and the stand-in of GitHub: status, pull request, the
push in two steps, and a kill between any two of the effects."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow
from tests.githttp import GitHttp
from tests.github.standin import NAME, OWNER, TOKEN, GitHub, Job, Server, Step

FILES = {CI: workflow(CHECKOUT + "- name: Unit\n  run: test ! -e broken"), "file": "1"}
REQUIRED = {"grind.toml": '[land]\nstatus = "required"\n'}
TESTED = Job("test", (Step("Set up job", 1), Step("Unit"), Step("Complete job", 1)))
NOTES = "refs/notes/grind/receipts"


class Place:
    """A world whose remote is a git server that knows what GitHub's API has of it."""

    def __init__(self, world: World, server: Server) -> None:
        self.world = world
        self.github: GitHub = server.github
        self.server = server
        (world.root / OWNER).mkdir()
        world.remote = world.root / OWNER / f"{NAME}.git"
        self.http = GitHttp(world.root)
        world.env |= {"GRIND_GITHUB_API": server.url, "GH_TOKEN": TOKEN}

    def start(self, files: dict[str, str], password: str = "") -> None:
        self.world.start(files)
        self.http.password = password
        login = f"x-access-token:{password}@" if password else ""
        url = f"http://{login}{self.http.place}/{OWNER}/{NAME}.git"
        self.world.git("remote", "set-url", "origin", url)
        hook = self.world.remote / "hooks/post-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ncat >> {self.world.outside}/pushes\n")
        hook.chmod(0o755)

    def prove(self, **files: str) -> None:
        self.world.write(files or {"file": "2"})
        done = self.world.grind("check")
        assert done.code == 0, done

    def pushes(self, ref: str = "refs/heads/main") -> list[str]:
        return [line for line in self.world.told("pushes") if line.endswith(f" {ref}")]

    def land(self, *args: str) -> dict[str, Any]:
        """Land; the remote's commits are what GitHub knows."""
        self.know()
        done = self.world.grind("land", "--json", *args)
        assert done.code == 0, done
        return json.loads(done.out.splitlines()[0])  # type: ignore[no-any-return]

    def know(self) -> None:
        """GitHub has whatever commit it is asked about: it hosts the repository."""
        self.github.commits = _Everything()  # type: ignore[assignment]


class _Everything(set[str]):
    def __contains__(self, item: object) -> bool:
        return True


@pytest.fixture
def place(tmp_path: Path, server: Server) -> Iterator[Place]:
    made = Place(World(tmp_path), server)
    yield made
    made.http.close()
    left = made.world.processes()
    assert not left


def test_receipt_and_status_follow_the_push(place: Place) -> None:
    place.start(FILES)
    place.prove()
    told = place.land("-m", "x")
    assert told["pushed"] is True
    assert len(told["done"]) == 2
    [status] = place.github.statuses
    assert (status["sha"], status["state"], status["context"]) == (
        place.world.tip,
        "success",
        "grind/prove",
    )
    tree = place.world.git("rev-parse", "HEAD^{tree}")
    assert place.world.git("notes", "--ref", NOTES, "list", tree, cwd=place.world.remote)
    assert len(place.pushes()) == 1


def test_without_a_token_there_is_no_status(place: Place) -> None:
    place.start(FILES)
    place.prove()
    del place.world.env["GH_TOKEN"]
    told = place.land("-m", "x")
    assert (told["pushed"], len(told["done"])) == (True, 1)
    assert place.github.statuses == []


def test_a_status_that_cannot_be_set_is_told_and_does_not_undo_the_landing(place: Place) -> None:
    place.start(FILES)
    place.prove()
    place.github.read_only = True
    told = place.land("-m", "x")
    assert told["pushed"] is True
    assert "GitHub does not do it with the token from GH_TOKEN (403)" in told["warnings"][0]
    place.github.read_only = False
    again = place.land()
    assert again["pushed"] is False
    assert len(place.github.statuses) == 1, "what was left to do is done"
    place.land()
    assert len(place.github.statuses) == 1, "and not done twice"


def test_a_required_status_is_there_before_the_branch_moves(place: Place) -> None:
    place.start(FILES | REQUIRED)
    gate = place.world.remote / "hooks/pre-receive"
    statuses = place.world.outside / "statuses"
    gate.write_text(
        "#!/bin/sh\nwhile read -r old new ref; do\n"
        f'  test "$ref" != refs/heads/main || grep -q "$new" {statuses} || exit 1\ndone\n'
    )
    gate.chmod(0o755)
    post = place.github._post_status

    def noted(holes: dict[str, str], query: dict[str, Any]) -> Any:
        reply = post(holes, query)
        with open(statuses, "a") as file:
            file.write(holes["sha"] + "\n")
        return reply

    from tests.github import standin

    standin._HANDLERS["post statuses/{sha}"] = _Bound(noted)
    try:
        place.prove()
        place.land("-m", "x")
    finally:
        standin._HANDLERS["post statuses/{sha}"] = GitHub._post_status
    oid = place.world.tip
    assert statuses.read_text().split() == [oid]
    refs = [line.split()[2] for line in place.world.told("pushes")]
    assert refs == [f"refs/grind/landing/{oid}", "refs/heads/main", f"refs/grind/landing/{oid}",
                    NOTES]  # fmt: skip
    assert "refs/grind" not in place.world.git("for-each-ref", cwd=place.world.remote)


class _Bound:
    def __init__(self, function: Any) -> None:
        self.function = function

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.function


def test_a_required_status_without_a_token_lands_nothing(place: Place) -> None:
    place.start(FILES | REQUIRED)
    place.prove()
    del place.world.env["GH_TOKEN"]
    done = place.world.grind("land", "-m", "x")
    assert done.code == 3, done
    assert "there is no token to set the status with" in done.err
    assert place.world.told("pushes") == []


POINTS = [
    "after:land.intent:1",
    "after:land.committed:1",
    "after:land.step:1",
    "before:land.step:2",
    "after:land.step:3",
    "before:land.step:4",
    "before:land.pushed:1",
    "after:land.pushed:1",
    "after:land.step:5",
    "before:land.step:6",
    "after:land.step:7",
    "before:land.step:8",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_any_two_effects(place: Place, point: str) -> None:
    """commit, temporary ref, status, push, end of the ref, note: one push in total."""
    place.start(FILES | REQUIRED)
    place.prove()
    place.know()
    place.world.killed(point, "land", "-m", "x")
    made = point != "after:land.intent:1"
    place.land(*([] if made else ["-m", "x"]))
    place.land()
    assert len(place.pushes()) == 1
    assert {one["sha"] for one in place.github.statuses} == {place.world.tip}
    tree = place.world.git("rev-parse", "HEAD^{tree}")
    assert place.world.git("notes", "--ref", NOTES, "list", tree, cwd=place.world.remote)
    assert "refs/grind" not in place.world.git("for-each-ref", cwd=place.world.remote)
    assert place.world.git("rev-parse", "HEAD") == place.world.tip
    assert place.world.git("status", "--porcelain") == ""


# --- pull requests -------------------------------------------------------------------------------


def test_a_branch_with_its_pull_request(place: Place) -> None:
    place.start(FILES)
    place.prove()
    first = place.world.tip
    told = place.land("--branch", "topic", "--no-watch", "-m", "Say two\n\nBecause of one.")
    assert place.world.tip == first
    oid = place.world.git("rev-parse", "topic", cwd=place.world.remote)
    assert told["commit"] == oid
    [pull] = place.github.pulls
    assert (pull["title"], pull["body"], pull["head"], pull["base"]) == (
        "Say two",
        "Because of one.",
        "topic",
        "main",
    )
    assert told["pull"] == pull["number"]
    assert place.world.git("rev-parse", "HEAD") == first, "you are on main, and stay there"
    place.world.git("fetch", "-q", "origin", "topic")
    place.world.git("switch", "-qfC", "topic", "FETCH_HEAD")
    place.prove(file="3")
    place.land("--branch", "topic", "--no-watch", "-m", "Say three")
    [pull] = place.github.pulls
    assert (pull["title"], pull["edits"]) == ("Say three", 1)
    assert place.world.git("rev-parse", "topic^", cwd=place.world.remote) == oid


def test_its_runs_are_watched(place: Place) -> None:
    place.start({CI: FILES[CI].replace("on: push", "on: [push, pull_request]"), "file": "1"})
    place.prove()
    place.know()
    place.world.write({"x": "y"})
    assert place.world.grind("check").code == 0
    told = place.land("--branch", "topic", "--no-watch", "-m", "x")
    run = place.github.run(CI, told["commit"], TESTED, event="pull_request")
    run.branch = "topic"
    place.github.clock._now += 60
    done = place.world.grind("watch", told["commit"], "--event", "pull_request", "--ref", "topic")
    assert done.code == 0, done


def test_without_a_token_a_branch_is_only_pushed(place: Place) -> None:
    place.start(FILES)
    place.prove()
    del place.world.env["GH_TOKEN"]
    told = place.land("--branch", "topic", "-m", "x")
    assert (told["pushed"], told["pull"]) == (True, None)


# --- secrets -------------------------------------------------------------------------------------


def test_a_token_in_the_remotes_address_is_never_shown(place: Place) -> None:
    secret = "ghp_in_the_url_0123456789"
    place.start(FILES, password=secret)
    place.prove()
    said = []
    place.http.password = "changed"
    for args in (("land", "-m", "x"), ("receipt", "push"), ("land", "--rebase", "-m", "x")):
        done = place.world.grind(*args)
        assert done.code != 0
        said.append(done.said)
    place.http.password = secret
    place.know()
    for args in (
        ("land", "-m", "x"),
        ("receipt", "show", "HEAD", "--json"),
        ("status",),
        ("log",),
        ("plan", "--json"),
        ("receipt", "push"),
    ):
        done = place.world.grind(*args)
        assert done.code == 0, done
        said.append(done.said)
    assert place.world.git("rev-parse", "HEAD") == place.world.tip
    assert secret not in "".join(said)
    kept = [path for path in (place.world.kept).rglob("*") if path.is_file()]
    assert not [path for path in kept if secret.encode() in path.read_bytes()]
    assert os.environ.get("GH_TOKEN") != TOKEN
