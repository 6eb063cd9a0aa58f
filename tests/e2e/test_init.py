"""`grind init` in real repositories."""

from __future__ import annotations

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
    assert '# | labels = ["macos-latest"]' in text
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


def test_as_a_document(world: World) -> None:
    world.start(FILES)
    document = world.grind("init", "--json").document
    assert document["schema"] == "grind.init/1"
    assert document["needed"] is True
    assert document["evidence"]["refused"][0]["remedy"]
    assert tomllib.loads(document["text"])["check"]
    assert not (world.repo / "grind.toml").exists()
