"""What is done to a host whose new system is well, and to one that has it already."""

from __future__ import annotations

import json
from typing import Any

from tests.activation.lab import FLAKY
from tests.activation.world import HostWorld


def events(out: str, kind: str) -> list[dict[str, Any]]:
    every = [json.loads(line)["event"] for line in out.splitlines()]
    return [event for event in every if event["type"] == kind]


def test_good_change_is_switched_probed_and_acknowledged(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2")
    done = host.activate()
    assert done.code == 0, done.said
    assert "is activated: acknowledged and healthy" in done.out
    assert host.lab.runs == host.lab.profile_leads_to == host.lab.boots != old
    assert host.lab.generation == 2
    assert host.lab.record()[-1] == "acknowledged"
    # The answer is that of the snapshot, which nobody has committed.
    assert host.lab.health()["revision"] not in (host.world.git("rev-parse", "HEAD"), "0" * 40)


def test_unchanged_host_is_looked_at_and_not_switched(host: HostWorld) -> None:
    host.begin("1")
    before = host.lab.switches()
    done = host.activate()
    assert (done.code, "is unchanged" in done.out) == (0, True), done.said
    assert host.lab.switches() == before
    assert host.lab.record() == []
    assert host.lab.generation == 1


def test_unchanged_host_that_is_ill_is_not_green(host: HostWorld) -> None:
    host.begin("1", "sick")
    done = host.activate()
    assert done.code == 1
    assert "is not well: web: status 503" in done.out


def test_dry_run_shows_everything_and_touches_nothing(host: HostWorld) -> None:
    old = host.begin("1", motd="hello")
    host.change("2", units={"new.service": "[Service]\nExecStart=/bin/sleep 1000"})
    done = host.activate("--dry-run", "--json")
    assert done.code == 0, done.said
    [plan] = events(done.out, "activate.planned")
    assert (plan["old"], plan["changed"], plan["generation"]) == (old, True, "1")
    assert sorted(plan["start"]) == ["new.service", "web.service"]
    assert plan["stop"] == ["web.service"]
    assert len(plan["added"]) == len(plan["removed"]) == 2
    assert plan["only_revision"] is False
    [end] = events(done.out, "activate.ended")
    assert end["state"] == "planned"
    assert host.lab.runs == host.lab.profile_leads_to == old
    assert host.lab.record() == []
    assert set(host.lab.switches()[1:]) == {"dry-activate"}


def test_only_the_revision_changed(host: HostWorld) -> None:
    host.begin("1")
    host.world.write({"README.md": "# words\n"})
    done = host.activate("--dry-run", "--json")
    [plan] = events(done.out, "activate.planned")
    assert (plan["changed"], plan["only_revision"]) == (True, True), done.said


def test_a_changed_file_in_etc_is_more_than_the_revision(host: HostWorld) -> None:
    host.begin("1", motd="hello")
    host.change("1", motd="good bye")
    done = host.activate("--dry-run", "--json")
    [plan] = events(done.out, "activate.planned")
    assert plan["start"] == plan["stop"] == [], "units do not change, so dry-activate sees nothing"
    assert (plan["changed"], plan["only_revision"]) == (True, False)


def test_units_that_had_failed_before_are_no_reason_to_go_back(host: HostWorld) -> None:
    flaky = {FLAKY: "[Service]\nType=oneshot\nExecStart=/bin/false"}
    host.world.start({**host.lab.describe("1", units=flaky), "grind.toml": host.toml()})
    path = host.lab.build()
    host.lab.run("nix-env", "-p", str(host.lab.profile), "--set", path)
    host.lab.run(f"{path}/bin/switch-to-configuration", "switch", check=False)
    host.change("2", units=flaky)
    done = host.activate("--json")
    assert done.code == 0, done.said
    phases = {e["phase"]: e["text"] for e in events(done.out, "activate.phase")}
    assert phases["waiting"] == "switched; units failed that had failed before: flaky.service"
    assert host.lab.generation == 2


def test_what_is_journalled_before_the_host_is_touched(host: HostWorld) -> None:
    host.begin("1")
    host.change("2")
    assert host.activate().code == 0
    [folder] = (host.world.kept / "activations").iterdir()
    lines = (folder / "journal.ndjson").read_text().splitlines()
    kinds = [json.loads(line)["event"]["type"] for line in lines]
    assert kinds.index("activate.planned") < kinds.index("activate.intent")
    assert kinds.index("activate.intent") < kinds.index("activate.phase")
    assert kinds.index("probes.ended") < kinds.index("activate.word")
    assert kinds[-1] == "activate.ended"
    assert (folder / "logs").is_dir()


SYSTEMD_RUN = """\
#!/bin/bash
# Plays systemd-run --service-type=exec: starts a program in a session of its own, with the variables that are named
# and no others. No unit, no limits.
keep=()
while [[ $1 != -- ]]; do
  case $1 in
    --setenv=*) name=${1#--setenv=}; keep+=("$name=${!name}") ;;
    --unit=grind-activate-*) echo "$1" >>"$LAB/systemd-run" ;;
    --quiet | --collect | --no-ask-password | --service-type=exec) ;;
    *) echo "not played: $1" >&2; exit 1 ;;
  esac
  shift
done
shift
setsid -f env -i "${keep[@]}" "$@"
"""


def test_supervisor_is_a_unit_of_its_own_where_systemd_runs(host: HostWorld) -> None:
    """Nothing of the environment reaches a unit by itself: what is needed is named."""
    program = host.lab.root / "bin" / "systemd-run"
    program.write_text(SYSTEMD_RUN)
    program.chmod(0o755)
    host.lent.append("GRIND_SYSTEMD_RUNTIME")
    host.world.env["GRIND_SYSTEMD_RUNTIME"] = str(host.lab.root)
    host.begin("1")
    host.change("2")
    done = host.activate()
    assert done.code == 0, done.said
    assert "--unit=grind-activate" in (host.lab.host / "systemd-run").read_text()


HOST_NIX = """\
{
  host = ((import ./flake.nix).outputs { self = { rev = "none"; }; })
    .nixosConfigurations.lab.config.system.build.toplevel;
}
"""
NIXOS = "{ configuration ? <nixos-config> }: { system = (import configuration).host; }\n"


def test_system_without_flakes(host: HostWorld) -> None:
    """A Nix file with an attribute, and a NixOS configuration with the host's own <nixpkgs>."""
    host.begin("1")
    nixos = host.lab.root / "nixpkgs" / "nixos"
    nixos.mkdir(parents=True)
    (nixos / "default.nix").write_text(NIXOS)
    host.world.env["NIX_PATH"] = f"nixpkgs={nixos.parent}"
    built = []
    for lines in ('file = "host.nix"\nattribute = "host"', 'file = "host.nix"'):
        text = host.toml().replace('flake = ".#nixosConfigurations.lab"', lines)
        host.world.write({"host.nix": HOST_NIX, "grind.toml": text, **host.lab.describe("2")})
        done = host.activate("--dry-run", "--json")
        assert done.code == 0, done.said
        [plan] = events(done.out, "activate.planned")
        assert plan["new"].endswith("-nixos-system-lab-2")
        built.append(plan["new"])
    assert built[0] == built[1]
