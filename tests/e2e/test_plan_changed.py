"""`grind plan --changed BASE`: which workflows and jobs a push of these paths to this ref starts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.world import World

WORKFLOWS = {
    "paths": "push: {paths: ['src/**', '!src/doc/**']}",
    "ignore": "push: {paths-ignore: ['**.md']}",
    "main": "push: {branches: ['main']}",
    "topics": "push: {branches: ['topic/**', '!topic/old']}",
    "tags": "push: {tags: ['v*']}",
    "tagpaths": "push: {tags: ['v*'], paths: ['nothing/**']}",
    "all": "push:",
    "pull": "pull_request: {branches: ['main'], paths: ['src/**']}",
    "nightly": "schedule: [{cron: '0 3 * * *'}]",
}
ANY = {"main", "all"}


def text(on: str) -> str:
    return (
        f"on:\n  {on}\njobs:\n"
        "  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"
        "  tagged:\n    if: startsWith(github.ref, 'refs/tags/')\n"
        "    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"
    )


@pytest.fixture
def repo(world: World) -> World:
    files = {f".github/workflows/{name}.yml": text(on) for name, on in WORKFLOWS.items()}
    return world.start(files | {"src/a": "1", "src/doc/a": "1", "README.md": "1"})


def started(planned: dict[str, Any], job: str = "a") -> set[str]:
    return {
        one["workflow"].rpartition("/")[2].removesuffix(".yml")
        for one in planned["jobs"]
        if one["active"] and one["id"] == job
    }


@pytest.mark.parametrize(
    ("paths", "more"),
    [
        (["src/a"], {"paths", "ignore"}),
        (["src/doc/a"], {"ignore"}),
        (["README.md"], set()),
        (["README.md", "src/doc/a", "src/a"], {"paths", "ignore"}),
    ],
)
def test_paths_and_their_negations(repo: World, paths: list[str], more: set[str]) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.write(dict.fromkeys(paths, "2"))
    assert started(repo.plan("--changed", base)) == ANY | more
    repo.commit("in two commits")
    repo.write({"README.md": "3"})
    assert started(repo.plan("--changed", base)) == ANY | more
    assert started(repo.plan("--changed", "HEAD")) == ANY


def test_every_reason_is_told(repo: World) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.write({"README.md": "2"})
    planned = repo.plan("--changed", base)
    assert planned["base"] == base
    reasons = {one["workflow"].rpartition("/")[2]: one["reason"] for one in planned["jobs"]}
    assert "no changed path matches" in reasons["paths.yml"]
    assert "every changed path is ignored" in reasons["ignore.yml"]
    assert "no filter matches the branch 'main'" in reasons["topics.yml"]
    assert "only tags" in reasons["tags.yml"]
    assert "does not run on push" in reasons["nightly.yml"]
    assert all(one["reason"] for one in planned["jobs"] if not one["active"])


@pytest.mark.parametrize(
    ("ref", "wanted"),
    [
        ("topic/new", {"topics", "all", "paths", "ignore"}),
        ("topic/old", {"all", "paths", "ignore"}),
        ("refs/heads/main", {"main", "all", "paths", "ignore"}),
        ("refs/tags/v1", {"tags", "tagpaths", "all", "paths", "ignore"}),
        ("refs/tags/other", {"all", "paths", "ignore"}),
    ],
)
def test_refs(repo: World, ref: str, wanted: set[str]) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.write({"src/a": "2"})
    planned = repo.plan("--changed", base, "--ref", ref)
    assert started(planned) == wanted
    # A job's own condition speaks after the workflow's trigger.
    assert started(planned, "tagged") == (wanted if ref.startswith("refs/tags/") else set())


def test_a_pull_request_goes_to_the_main_branch(repo: World) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.write({"src/a": "2"})
    assert started(repo.plan("--changed", base, "--event", "pull_request")) == {"pull"}
    repo.git("checkout", "-q", "src/a")
    repo.write({"README.md": "2"})
    assert started(repo.plan("--changed", base, "--event", "pull_request")) == set()


@pytest.mark.parametrize(
    ("message", "instruction"),
    [
        ("fix [skip ci]", "[skip ci]"),
        ("fix [no ci] it", "[no ci]"),
        ("fix\n\nmore\n\n\nskip-checks: true", "skip-checks: true"),
        ("fix\n\n[actions skip]", "[actions skip]"),
    ],
)
def test_a_message_that_skips(repo: World, message: str, instruction: str) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.write({"src/a": "2"})
    repo.git("commit", "-q", "-a", "--cleanup=verbatim", "-m", message)
    planned = repo.plan("--changed", base, "--rev", "HEAD")
    assert started(planned) == set()
    reasons = {one["reason"] for one in planned["jobs"] if one["workflow"].endswith("/all.yml")}
    assert all(instruction in reason for reason in reasons), reasons
    repo.git("commit", "-q", "--amend", "-m", "fix ci that is skipped")
    assert started(repo.plan("--changed", base, "--rev", "HEAD")) == ANY | {"paths", "ignore"}
