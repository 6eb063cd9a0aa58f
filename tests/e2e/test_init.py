"""`grind init` in real repositories."""

from __future__ import annotations

import json
import tomllib

from tests.e2e.world import World

WORKFLOW = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: foo/bar@v1
      - run: bash test.sh
  mac:
    runs-on: macos-latest
    steps:
      - run: make
"""
JUST = """\
lint:
    shellcheck scripts/run.sh
check-all: lint
    cargo check
remote-check:
    ssh choiros-grind 'cargo check'
"""
FILES = {
    ".github/workflows/ci.yml": WORKFLOW,
    "test.sh": "true\n",
    "Justfile": JUST,
    "flake.nix": "{ outputs = _: { nixosConfigurations.web = 1; }; }\n",
    "src/main.rs": 'route("/health", get(health))\n',
}


def test_what_is_found_is_written_with_its_source(world: World) -> None:
    world.start(FILES)
    (world.home / ".ssh").mkdir()
    (world.home / ".ssh" / "config").write_text(
        "Host choiros-grind\n  HostName x\nHost *.example\n"
    )
    done = world.grind("init")
    assert done.code == 0, done.said
    text = (world.repo / "grind.toml").read_text()
    assert ".github/workflows/ci.yml:7: Run foo/bar@v1" in text
    assert "CI alone proves what runs on macos-latest" in text
    assert "labels =" not in text
    assert "Justfile:1\n[[check]]" in text
    assert "~/.ssh/config:1; used in Justfile:6" in text
    assert '# | flake = ".#nixosConfigurations.web"' in text
    assert "src/main.rs:1" in text
    assert [check["name"] for check in tomllib.loads(text)["check"]] == ["lint"]
    assert world.grind("plan").code == 0


def test_it_never_overwrites(world: World) -> None:
    world.start(FILES | {"grind.toml": "jobs = 1\n"})
    done = world.grind("init")
    assert done.code == 3
    assert "grind init --diff" in done.err
    assert (world.repo / "grind.toml").read_text() == "jobs = 1\n"
    diff = world.grind("init", "--diff")
    assert diff.code == 0
    assert "-jobs = 1\n" in diff.out
    assert "+# | [activate]" in diff.out
    assert (world.repo / "grind.toml").read_text() == "jobs = 1\n"


def test_where_nothing_is_needed_nothing_is_written(world: World) -> None:
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: 'true'\n"
    )
    world.start({".github/workflows/ci.yml": workflow})
    done = world.grind("init")
    assert done.code == 0
    assert "no grind.toml is needed" in done.out
    assert not (world.repo / "grind.toml").exists()


def test_what_changes_files_or_is_run_by_another_script_is_not_taken_up(world: World) -> None:
    """Seen in expressjs/express: `lint:fix` stood there as a check, and `test`, which `test-ci` runs."""
    package = {
        "lint": "eslint .",
        "lint:fix": "eslint . --fix",
        "format": "prettier src",
        "format:check": "prettier --check src",
        "test": "mocha",
        "test-ci": "nyc --reporter=text npm test",
    }
    workflow = WORKFLOW.replace("bash test.sh", "npm run test-ci")
    world.start(
        {".github/workflows/ci.yml": workflow, "package.json": json.dumps({"scripts": package})}
    )
    assert world.grind("init").code == 0
    text = (world.repo / "grind.toml").read_text()
    taken = [check["name"] for check in tomllib.loads(text)["check"]]
    assert taken == ["lint", "format-check"]
    assert '# | name = "lint-fix"' in text
    assert '# | name = "format"' in text
    assert 'name = "test"' not in text


def test_what_only_other_events_start_is_told(world: World) -> None:
    """Seen in serokell/deploy-rs, where everything runs on pull requests."""
    workflow = WORKFLOW.replace("on: push", "on: pull_request")
    world.start({".github/workflows/ci.yml": workflow, "Justfile": JUST})
    said = world.grind("init", "--diff").out
    assert "a push to main starts no job" in said
    assert "(2 for other events)" in said
    assert "grind plan --event pull_request" in world.grind("plan").out
    done = world.grind("check")
    assert "grind plan --event pull_request" in done.said
    assert done.code != 0


def test_as_a_document(world: World) -> None:
    world.start(FILES)
    document = world.grind("init", "--json").document
    assert document["schema"] == "grind.init/1"
    assert document["needed"] is True
    assert document["evidence"]["refused"][0]["remedy"]
    assert tomllib.loads(document["text"])["check"]
    assert not (world.repo / "grind.toml").exists()
