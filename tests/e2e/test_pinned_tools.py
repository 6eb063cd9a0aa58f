"""A job whose Python comes from the Nix store, on a host that has none on its PATH."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.world import World
from tests.workflows.test_setupnix import PinnedWorld, python_here

WORKFLOW = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: python
        uses: actions/setup-python@v5
        with:
          python-version: "{version}"
      - run: python3 -c 'import sys; print(sys.version.split()[0], sys.prefix)' >{outside}/said
      - run: test '${{{{ steps.python.outputs.python-version }}}}' = "$(python -V | cut -d' ' -f2)"
"""


def test_the_pinned_python_runs_the_steps(world: World, tmp_path: Path) -> None:
    own = python_here()
    nix = PinnedWorld(tmp_path / "nix", own)
    short = ".".join(own.split(".")[:2])
    world.env |= nix.host | {"HOME": str(world.home)}
    world.start(
        {
            ".github/workflows/ci.yml": WORKFLOW.format(version=short, outside=world.outside),
            "flake.nix": (nix.repo / "flake.nix").read_text(),
            "flake.lock": (nix.repo / "flake.lock").read_text(),
            "grind.toml": f"[hosts.local]\nenv = {json.dumps([*nix.env, 'HOME'])}\n",
        }
    )
    refused = world.grind("check")
    attribute = f"python3{short.split('.')[1]}"
    assert refused.code == 3, refused
    assert f"nixpkgs#{attribute} (flake.lock pins {own})" in refused.said
    nix.build(attribute)
    done = world.grind("check")
    assert done.code == 0, done
    version, prefix = (world.outside / "said").read_text().split(" ", 1)
    assert version == own
    assert prefix.startswith(str(world.state)), "the job's own environment"
    assert "from nixpkgs as flake.lock pins it" in world.grind("plan", "--json").out
