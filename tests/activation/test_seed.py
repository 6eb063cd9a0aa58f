"""The validation plan and the rollback plan that grind grew from, played from end to end.

They stand in a design of one deployment repository: fast checks, one targeted health test, three Nix
builds as CI has them, the new fields on the activated host; then code, host and runtime undone. Real git,
real Nix on a store of its own, a real service; systemctl is played (it says so).
"""

from __future__ import annotations

from pathlib import Path

from tests.activation.world import HostWorld
from tests.e2e.world import CI, Done

BUILDS = ("sandbox", "hypervisor", "desktop")
UNITS = ("container@sandbox-live", "container@sandbox-dev", "hypervisor")

FLAKE = """{
  outputs = { self }: {
    packages.x86_64-linux.NAME = derivation {
      name = "NAME";
      system = "x86_64-linux";
      builder = "/bin/bash";
      args = [ "-c" "echo NAME >$out; exit 0" ];
      source = ./src;
    };
  };
}
"""
WORKFLOW = """on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
""" + "".join(
    f"      - name: Build {name}\n"
    f"        run: nix --extra-experimental-features 'nix-command flakes' build --no-link"
    f" ./{name}#packages.x86_64-linux.{name}\n"
    for name in BUILDS
)

# What the candidate changes: /health gets two flat fields, with the fallback that the design says.
OLD_HEALTH = "def health(environ):\n    return {'status': 'ok'}\n"
NEW_HEALTH = """def clean(value):
    return (value or "").strip() or "unknown"


def health(environ):
    return {
        "status": "ok",
        "instance_role": clean(environ.get("CHOIROS_INSTANCE_ROLE")),
        "hostname": clean(environ.get("HOSTNAME")),
    }
"""
TEST = """import unittest

from api import health


class DesktopApi(unittest.TestCase):
    def test_health_check(self):
        answer = health({"CHOIROS_INSTANCE_ROLE": "sandbox-live"})
        self.assertEqual(answer["instance_role"], "sandbox-live")
        self.assertEqual(answer["hostname"], "unknown")
"""
OLD_TEST = TEST.partition("        answer =")[0] + "        self.assertTrue(health({}))\n"
SANDBOX_TEST = """#!/bin/bash
# sandbox-test.sh --test BINARY TEST: exactly one test.
set -euo pipefail
cd sandbox/src
exec python3 -m unittest -v "$2.DesktopApi.$3"
"""
CONFIG = """
[[check]]
name = "grind-check"
run = "python3 -m compileall -q sandbox/src"

[[check]]
name = "health-test"
run = "./scripts/sandbox-test.sh --test desktop_api_test test_health_check"
min_tests = 1

[rollback]
units = ["container@sandbox-live", "container@sandbox-dev", "hypervisor"]
"""
SYSTEMCTL = """#!/bin/bash
# Plays `systemctl show` and `restart` for the three units of the plan, and nothing else of systemd.
case $1 in
  show) echo LoadState=loaded; echo ActiveState=active; echo SubState=running ;;
  restart) echo "${!#}" >>"${0%/*}/restarted" ;;
  *) exec "${0%/*}/systemctl.lab" "$@" ;;
esac
"""


class Seed:
    """The repository of the design, and the host that it builds."""

    def __init__(self, host: HostWorld) -> None:
        self.host = host
        self.world = host.world
        toml, lab = host.toml, Path(host.lab.root / "bin")
        host.toml = lambda *lines: toml(*lines) + CONFIG  # type: ignore[method-assign]
        (lab / "systemctl").rename(lab / "systemctl.lab")
        (lab / "systemctl").write_text(SYSTEMCTL)
        (lab / "systemctl").chmod(0o755)
        self.restarted = lab / "restarted"

    def start(self) -> None:
        files = {CI: WORKFLOW, "scripts/sandbox-test.sh": SANDBOX_TEST}
        for name in BUILDS:
            files[f"{name}/flake.nix"] = FLAKE.replace("NAME", name)
            files[f"{name}/src/main"] = name
        files["sandbox/src/api.py"] = OLD_HEALTH
        files["sandbox/src/desktop_api_test.py"] = OLD_TEST
        self.world.start({**self.host.lab.describe("1"), **files, "grind.toml": self.host.toml()})
        self.host.trust()
        self.host.lab.deploy()

    def grind(self, *words: str, code: int = 0) -> Done:
        self.host.trust()
        done = self.world.grind(*words)
        assert done.code == code, done.said
        return done


def test_the_validation_plan_and_the_rollback_plan(host: HostWorld) -> None:
    seed = Seed(host)
    seed.start()
    world, lab = seed.world, host.lab
    world.git("switch", "-q", "-c", "feature")

    # --- validation ------------------------------------------------------------------------------
    # The test comes first, and is red: the fields are not there.
    world.write({"sandbox/src/desktop_api_test.py": TEST})
    red = seed.grind("check", "--fast", code=1)
    assert "health-test" in red.out
    # A filter that matches no test is red as well (F20).
    host.change("2")
    world.write({"sandbox/src/api.py": NEW_HEALTH})
    # 1. and 2. the fast checks, and exactly one test of the endpoint
    seed.grind("check", "--fast")
    # 3. three Nix builds, as CI has them
    built = seed.grind("build", "--follow")
    for name in BUILDS:
        assert f"Build {name}" in built.out
    seed.grind("check")
    # 4. activate, and look for the values on the host
    before, generation = lab.runs, lab.generation
    seed.grind("activate")
    assert (lab.generation, lab.runs != before) == (generation + 1, True)
    answer = lab.health()
    assert answer["instance_role"] == "sandbox-live"
    assert answer["hostname"] == "unknown"  # nothing exports HOSTNAME to the unit
    # commit and push once, on the branch
    main = world.tip
    landed = world.commit("Add the deployment context to /health")
    world.git("push", "-q", "origin", "feature")
    probed = seed.grind("probe", "--json").document
    assert probed["healthy"], probed

    # --- rollback: shown first, nothing done -------------------------------------------------------
    plans = seed.grind("rollback", "--plan").out
    assert "roll back runtime on local: container@sandbox-live" in plans
    assert not seed.restarted.exists()
    # code: a revert on the branch, before any merge
    seed.grind("rollback", "code", landed, "--branch", "feature", "--reason", "not wanted")
    assert world.tip == main
    assert world.git("rev-parse", "feature^", cwd=world.remote) == landed
    assert world.git("rev-parse", "feature^{tree}", cwd=world.remote) == world.git(
        "rev-parse", "main^{tree}", cwd=world.remote
    )
    # host: the recorded generation, not the one before in number
    seed.grind("rollback", "host")
    assert lab.runs == before
    # runtime: these units, in this order
    done = seed.grind("rollback", "runtime", "--reason", "stuck")
    assert seed.restarted.read_text().splitlines() == list(UNITS)
    assert "runtime: undone" in done.out


def test_the_whole_loop_with_the_host_in_it(host: HostWorld) -> None:
    """`grind run --until land`: checked, activated, landed; a bad host stops it before the push."""
    seed = Seed(host)
    seed.start()
    world, lab = seed.world, host.lab
    tip, before = world.tip, lab.runs
    world.write({"sandbox/src/desktop_api_test.py": TEST, "sandbox/src/api.py": NEW_HEALTH})
    host.change("2", "sick")
    bad = seed.grind("run", "-m", "Add it", "--until", "land", code=5)
    assert "stopped by activate, exit code 5" in bad.out
    assert (world.tip, lab.runs) == (tip, before)
    host.change("3")
    good = seed.grind("run", "-m", "Add it", "--until", "land")
    assert "activate done" in good.out
    assert lab.runs != before
    assert world.tip == world.git("rev-parse", "HEAD") != tip
    events = [event["type"] for event in world.journal()]
    for kind in ("run.ended", "activate.ended", "land.pushed"):
        assert kind in events, kind
    # What was activated before it was committed is known as what landed.
    assert seed.grind("probe", "--json").document["healthy"]
