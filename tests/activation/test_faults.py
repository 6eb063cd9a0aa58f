"""The table of faults (docs/activation-faults.md): whatever goes wrong, the host is healthy on the new
system or back on the recorded one, and the exit code says which."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.activation.lab import FLAKY
from tests.activation.test_activate import events
from tests.activation.world import HostWorld, is_root


def is_back(host: HostWorld, old: str, generation: int = 1) -> bool:
    """Whether the recorded system runs, is what the profile leads to, and boots next, and its
    service answers well."""
    lab = host.lab
    assert (lab.runs, lab.profile_leads_to, lab.boots) == (old, old, old)
    assert lab.generation == generation
    assert lab.health()["instance_role"] == "sandbox-live"
    return True


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("crash", "units failed (4): web.service"),
        ("dies", "connection refused"),
        ("sick", "status 503"),
        pytest.param("old", f"revision is '{'0' * 40}'", marks=pytest.mark.campaign),
        pytest.param("redirect", "status 303", marks=pytest.mark.campaign),
        pytest.param("hang", "no whole answer", marks=pytest.mark.campaign),
        pytest.param("stale", "started", marks=pytest.mark.campaign),
    ],
)
def test_ill_service(host: HostWorld, mode: str, told: str) -> None:
    host.greens, host.deadline = (60, "9s") if mode == "dies" else (3, "2s")
    old = host.begin("1")
    host.change("2", mode)
    done = host.activate()
    assert done.code == 5, done.said
    assert told.lower() in done.out.lower(), done.out
    assert is_back(host, old)
    assert "is back on what was recorded (generation 1)" in done.out
    # The bad generation is kept, and marked.
    assert os.path.exists(f"{host.lab.profile}-2-link")
    assert (
        (host.lab.state / "bad" / "2")
        .read_text()
        .startswith(os.path.realpath(f"{host.lab.profile}-2-link"))
    )


def test_wrong_role(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2", role="sandbox-dev")
    done = host.activate()
    assert done.code == 5, done.said
    assert "sandbox-dev" in done.out
    assert is_back(host, old)


@pytest.mark.parametrize(
    ("code", "told", "switched"),
    [
        (1, "refused (1)", False),
        (2, "the activation script failed (2)", True),
        pytest.param(
            100, "cannot be switched to without a reboot (100)", False, marks=pytest.mark.campaign
        ),
    ],
)
def test_switch_exits(host: HostWorld, code: int, told: str, switched: bool) -> None:
    old = host.begin("1")
    pid = (host.lab.host / "run" / "units" / "web.service").read_text()
    host.change("2", switch=code)
    done = host.activate()
    assert done.code == 5, done.said
    assert told in done.out
    assert is_back(host, old)
    same = (host.lab.host / "run" / "units" / "web.service").read_text() == pid
    assert same is not switched, "what was not switched is not restarted by going back"


def test_switch_exits_4_for_a_unit_that_was_well(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2", units={FLAKY: "[Service]\nType=oneshot\nExecStart=/bin/false"})
    done = host.activate()
    assert done.code == 5, done.said
    assert "units failed (4): flaky.service" in done.out
    assert "│ warning: the following units failed: flaky.service" in done.out
    assert is_back(host, old)


# --- what is not where it is expected ------------------------------------------------------------


def test_two_bad_changes_in_a_row(host: HostWorld) -> None:
    """ "The generation before" would be the first bad one."""
    old = host.begin("1")
    for version in ("2", "3"):
        host.change(version, "sick")
        assert host.activate().code == 5
        assert is_back(host, old)
    assert os.path.exists(f"{host.lab.profile}-3-link")


def test_bad_change_after_an_unchanged_one(host: HostWorld) -> None:
    host.begin("1")
    good = host.good("2")
    assert host.activate().code == 0  # unchanged
    host.change("3", "sick")
    assert host.activate().code == 5
    assert is_back(host, good, 2)


@pytest.mark.campaign
def test_generation_of_another_tool_in_the_profile(host: HostWorld) -> None:
    """Gone back to is what was recorded, whoever made it."""
    host.begin("1")
    host.good("2")
    host.change("3")
    theirs = host.lab.deploy()
    assert host.lab.generation == 3
    host.change("4", "sick")
    assert host.activate().code == 5
    assert is_back(host, theirs, 3)


def test_half_a_switch_is_refused_with_what_repairs_it(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2")
    half = host.lab.deploy(switch=False)
    assert (host.lab.runs, host.lab.profile_leads_to) == (old, half)
    host.change("3")
    done = host.activate()
    assert done.code == 4, done.said
    assert "half a switch" in done.err
    assert "grind rollback host --to 1" in done.err
    assert host.lab.runs == old
    repaired = host.world.grind("rollback", "host", "--to", "1")
    assert repaired.code == 0, repaired.said
    assert is_back(host, old)


# --- cut off -------------------------------------------------------------------------------------


def begin_and_kill(host: HostWorld, phase: str) -> None:
    """Start an activation and kill -9 the client when the host's record has the phase."""
    process = host.world.begin("activate")
    host.lab.wait_for(phase)
    os.killpg(process.pid, signal.SIGKILL)
    host.world.end(process)


@pytest.mark.campaign
def test_client_killed_before_the_switch(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2", build_memory=400)
    process = host.world.begin("activate", "--json")
    host.world.until(lambda: b"activate.building" in read_some(process), "no build")
    os.killpg(process.pid, signal.SIGKILL)
    host.world.end(process)
    assert is_back(host, old)
    assert host.lab.record() == []
    assert host.activate().code == 0


def read_some(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_client_killed_during_the_switch_and_the_host_goes_back(host: HostWorld) -> None:
    host.more.append("acknowledge_within = 2")
    old = host.begin("1")
    (host.lab.host / "slow").write_text("1")
    host.change("2")
    begin_and_kill(host, "switching")
    host.lab.wait_for("rolled-back")
    assert is_back(host, old)
    # The next one tells how the last one ended.
    (host.lab.host / "slow").unlink()
    done = host.activate()
    assert done.code == 5, done.said
    assert "nobody acknowledged within 2 seconds" in done.out
    assert host.activate().code == 0


def test_client_killed_while_probing_is_taken_up(host: HostWorld) -> None:
    """Within its deadline the host still waits: the same command looks at it and acknowledges."""
    host.greens, host.deadline = 40, "20s"
    host.begin("1")
    host.change("2")
    begin_and_kill(host, "waiting")
    done = host.activate()
    assert done.code == 0, done.said
    assert "taking up" in done.out
    assert host.lab.record().count("begun") == 1
    assert host.lab.generation == 2


def test_interrupt_while_probing_goes_back_at_once(host: HostWorld) -> None:
    host.greens, host.deadline = 200, "60s"
    old = host.begin("1")
    host.change("2")
    process = host.world.begin("activate")
    host.lab.wait_for("waiting")
    os.killpg(process.pid, signal.SIGINT)
    done = host.world.end(process)
    assert done.code == 130, done.said
    assert "interrupted by the operator" in done.out
    assert is_back(host, old)


def test_killed_worker_is_gone_back_from_by_its_guard(host: HostWorld) -> None:
    host.greens, host.deadline = 200, "60s"
    old = host.begin("1")
    host.change("2")
    process = host.world.begin("activate")
    host.lab.wait_for("waiting")
    os.kill(host.lab.pids()[1], signal.SIGKILL)
    host.lab.wait_for("rolled-back")
    done = host.world.end(process)
    assert done.code == 5, done.said
    assert "the supervisor was killed" in done.out
    assert is_back(host, old)


@pytest.mark.parametrize(
    "phase", [pytest.param("switching", marks=pytest.mark.campaign), "waiting"]
)
def test_killed_supervisor_is_repaired_at_the_next_contact(host: HostWorld, phase: str) -> None:
    host.greens, host.deadline = 200, "60s"
    old = host.begin("1")
    host.change("2")
    (host.lab.host / "slow").write_text("1")
    process = host.world.begin("activate")
    host.lab.wait_for(phase)
    os.killpg(process.pid, signal.SIGKILL)
    for pid in host.lab.pids():
        os.kill(pid, signal.SIGKILL)
    host.world.end(process)
    assert host.lab.record()[-1] in (phase, "set")
    status = host.world.grind("status", "--host")
    assert "was cut off" in status.out, status.said
    done = host.activate()
    assert done.code == 5, done.said
    assert "the supervisor was killed" in done.out
    assert is_back(host, old)


@pytest.mark.parametrize(
    "phase", ["switching", pytest.param("waiting", marks=pytest.mark.campaign)]
)
def test_reboot_in_the_middle(host: HostWorld, phase: str) -> None:
    """Played: every process of the supervisor is gone, and the boot has another id."""
    host.greens, host.deadline = 200, "60s"
    old = host.begin("1")
    host.change("2")
    (host.lab.host / "slow").write_text("1")
    process = host.world.begin("activate")
    host.lab.wait_for(phase)
    os.killpg(process.pid, signal.SIGKILL)
    for pid in host.lab.pids():
        os.kill(pid, signal.SIGKILL)
    host.world.end(process)
    (host.lab.host / "slow").unlink()
    host.world.until(lambda: host.lab.idle(), "the switch does not end")
    host.boot_id.write_text("second-boot\n")
    done = host.world.grind("rollback", "host")
    assert done.code == 0, done.said
    assert "the host was rebooted" in done.out
    assert is_back(host, old)


def test_two_at_once(host: HostWorld) -> None:
    host.greens, host.deadline = 60, "20s"
    host.begin("1")
    host.change("2")
    first = host.world.begin("activate")
    host.lab.wait_for("waiting")
    # From another working copy of the same repository's host: another machine, as far as it can tell.
    other = host.world.root / "other"
    host.world.git("clone", "-q", str(host.world.remote), str(other), cwd=host.world.root)
    (other / "grind.toml").write_text(host.toml())
    host.trust(other)
    second = host.world.grind("activate", cwd=other)
    assert second.code == 3, second.said
    assert "another activation is under way" in second.err
    assert host.world.end(first).code == 0
    assert host.lab.generation == 2


def test_going_back_fails(host: HostWorld) -> None:
    host.greens, host.deadline = 3, "3s"
    host.begin("1")
    host.change("2", "sick")
    process = host.world.begin("activate", "--json")
    host.lab.wait_for("waiting")
    (host.lab.host / "refuse-everything").touch()
    done = host.world.end(process)
    assert done.code == 6, done.said
    [end] = events(done.out, "activate.ended")
    assert end["state"] == "rollback-failed"
    assert any("switch-to-configuration switch" in line for line in end["by_hand"])
    assert host.lab.record()[-1] == "rollback-failed"
    # What was said is what helps.
    (host.lab.host / "refuse-everything").unlink()
    for line in end["by_hand"]:
        host.lab.run("bash", "-c", line.removeprefix("sudo "))
    assert is_back(host, end["old"])


@pytest.mark.skipif(not is_root(), reason="needs root for a tmpfs")
def test_disk_of_the_record_is_full(host: HostWorld) -> None:
    """Full before: refused, and nothing touched. Full afterwards: it goes back all the same."""
    host.lab.state.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", str(host.lab.state)],
        check=False,
    )
    if mounted.returncode:
        assert not os.environ.get("CI"), "a tmpfs cannot be mounted"
        pytest.skip("a tmpfs cannot be mounted")
    try:
        host.deadline = "3s"
        old = host.begin("1")
        fill = host.lab.state / "fill"
        host.change("2", "sick")
        fill_up(fill)
        done = host.activate()
        assert done.code == 3, done.said
        assert is_back(host, old)
        fill.unlink()
        process = host.world.begin("activate")
        host.lab.wait_for("waiting")
        fill_up(fill)
        done = host.world.end(process)
        assert done.code == 5, done.said
        assert is_back(host, old)
        assert host.lab.record()[-1] == "rolled-back"
    finally:
        subprocess.run(["umount", "-l", str(host.lab.state)], check=True)


def fill_up(path: os.PathLike[str]) -> None:
    with open(path, "wb") as file:
        while True:
            try:
                os.write(file.fileno(), b"x" * 1024)
            except OSError:
                return


def test_build_runs_out_of_memory(host: HostWorld) -> None:
    host.more.append('memory = "600M"')
    old = host.begin("1")
    host.change("2", build_memory=2000)
    done = host.activate()
    assert done.code == 1, done.said
    assert "the build ran out of memory, which is limited to 600M here" in done.err
    assert is_back(host, old)
    assert host.lab.record() == []


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ('flake = ".#nixosConfigurations.nobody"', 1, "there is no such attribute"),
        ('flake = ".#nothing"', 1, "there is no such attribute"),
        ('flake = ".#broken.x"', 1, "this does not evaluate"),
        ('flake = ".#lib.nothing"', 2, "is no NixOS system"),
        ('flake = "nixpkgs#hello"', 2, "grind.toml:4:9: activate.flake"),
        ('flake = ".#x"\nflak = 1', 2, "unknown key; did you mean `flake`?"),
    ],
)
def test_nothing_that_can_be_activated(host: HostWorld, line: str, code: int, told: str) -> None:
    old = host.begin("1")
    text = host.toml().replace('flake = ".#nixosConfigurations.lab"', line)
    host.world.write({"grind.toml": text})
    done = host.activate()
    assert done.code == code, done.said
    assert told in done.err
    assert is_back(host, old)
    assert host.lab.record() == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("min_disk = 1000000000", "`min_disk` asks for 1000000000"),
        ("min_memory = 1000000000", "`min_memory` asks for 1000000000"),
    ],
)
def test_host_without_room(host: HostWorld, line: str, told: str) -> None:
    host.begin("1")
    key = line.partition(" ")[0]
    host.world.write({"grind.toml": host.toml().replace(f"{key} = 1\n", f"{line}\n")})
    done = host.activate()
    assert (done.code, told in done.err) == (3, True), done.said
    assert host.lab.record() == []


def test_without_a_probe_nothing_is_switched(host: HostWorld) -> None:
    old = host.begin("1")
    host.change("2")
    host.world.write({"grind.toml": host.toml().partition("[[probe]]")[0]})
    done = host.activate()
    assert done.code == 3, done.said
    assert "there is no probe for local" in done.err
    assert host.lab.runs == old
    assert host.activate("--dry-run").code == 0


def test_host_that_is_no_nixos(host: HostWorld) -> None:
    host.world.start({**host.lab.describe("1"), "grind.toml": host.toml()})
    done = host.activate()
    assert done.code == 2, done.said
    assert "is no NixOS host" in done.err


def test_repository_that_says_nothing(host: HostWorld) -> None:
    host.world.start({"README.md": "x"})
    done = host.activate()
    assert done.code == 2
    assert "grind.toml has no [activate]" in done.err
