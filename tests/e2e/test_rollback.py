"""`grind rollback code` and `runtime`: real remotes, real checks; a stand-in for systemctl, because
nothing here boots a systemd (it mimics `show` and `restart`, and writes down how it was called).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow
from tests.probes.servers import answer, says, serving
from tests.test_docs import validator

PASS = {CI: workflow(CHECKOUT + "- run: test ! -e broken"), "file": "1\n", "other": "1\n"}

SYSTEMCTL = """#!/bin/bash
# A stand-in: `show` says what stands in the file of the unit, `restart` notes it and may fail.
here=${0%/*}
printf '%s\\n' "$1 ${!#}" >>"$here/calls"
[[ $1 == show ]] && { cat "$here/${!#}" 2>/dev/null || echo LoadState=not-found; exit 0; }
[[ ! -e $here/${!#}.broken ]] || { echo "Job for ${!#} failed." >&2; exit 1; }
"""
RUNS = "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\nInvocationID=a\n"


def land(world: World, message: str = "Change it", **files: str) -> str:
    """Land a change; return its commit."""
    world.write(files or {"file": "2\n"})
    assert world.grind("check").code == 0
    done = world.grind("land", "-m", message)
    assert done.code == 0, done
    return world.tip


def tree(world: World, rev: str = "main") -> str:
    return world.git("rev-parse", f"{rev}^{{tree}}", cwd=world.remote)


class TestCode:
    def test_what_landed_last_is_reverted(self, world: World) -> None:
        world.start(PASS)
        first, before = world.tip, tree(world)
        landed = land(world)
        done = world.grind("rollback", "code", "--reason", "it lost data")
        assert done.code == 0, done
        assert f"roll back code on origin/main: {landed[:12]} Change it" in done.out
        assert tree(world) == before
        assert world.git("rev-parse", "main^", cwd=world.remote) == landed
        message = world.git("log", "-1", "--format=%B", "main", cwd=world.remote)
        assert message == (
            f'Revert "Change it"\n\nThis reverts commit {landed}.\n\nReason: it lost data'
        )
        # the user's own branch and files are left alone
        assert world.git("rev-parse", "HEAD") == landed
        assert world.git("status", "--porcelain") == ""
        assert first != world.tip

    def test_it_is_proven_first(self, world: World) -> None:
        """What reverting gives is a change like any other: red, it is not pushed."""
        world.start({**PASS, "broken": "yes"})
        world.write({"file": "2\n"})
        (world.repo / "broken").unlink()
        landed = land(world, file="2\n")
        done = world.grind("rollback", "code")
        assert done.code == 1, done
        assert "nothing was pushed" in done.out
        assert world.tip == landed
        # at once, with a reason in writing, it goes out all the same
        assert world.grind("rollback", "code", "--now").code == 2
        assert world.tip == landed
        done = world.grind("rollback", "code", "--now", "--reason", "worse than red")
        assert done.code == 0, done
        assert world.git("rev-parse", "main^", cwd=world.remote) == landed
        intents = [event for event in world.journal() if event["type"] == "rollback.intent"]
        assert [(one["proven"], one["reason"]) for one in intents] == [(False, "worse than red")]

    def test_a_second_time_there_is_nothing_to_undo(self, world: World) -> None:
        world.start(PASS)
        land(world)
        assert world.grind("rollback", "code").code == 0
        tip = world.tip
        done = world.grind("rollback", "code")
        assert (done.code, world.tip) == (0, tip), done
        assert "nothing to undo" in done.out

    def test_only_what_is_undone_is_undone(self, world: World) -> None:
        """Later changes stay; the working copy with its edits is not touched."""
        world.start(PASS)
        landed = land(world, file="2\n")
        land(world, other="2\n")
        world.write({"draft": "mine"})
        before = (world.git("rev-parse", "HEAD"), world.git("status", "--porcelain"))
        done = world.grind("rollback", "code", landed)
        assert done.code == 0, done
        show = world.git("show", "main:file", cwd=world.remote)
        assert (show, world.git("show", "main:other", cwd=world.remote)) == ("1", "2")
        assert (world.repo / "draft").read_text() == "mine"
        assert (world.git("rev-parse", "HEAD"), world.git("status", "--porcelain")) == before

    def test_what_went_along_is_undone_with_it(self, world: World) -> None:
        world.start(PASS)
        before = tree(world)
        world.write({"other": "2\n"})
        world.commit("along")
        landed = land(world, file="2\n")
        done = world.grind("rollback", "code", "--plan")
        assert "along; " in done.out
        assert world.tip == landed
        assert world.grind("rollback", "code").code == 0
        assert tree(world) == before
        assert "This reverts commits" in world.git(
            "log", "-1", "--format=%B", "main", cwd=world.remote
        )

    def test_conflicts_are_refused(self, world: World) -> None:
        world.start(PASS)
        landed = land(world, file="2\n")
        last = land(world, file="3\n")
        done = world.grind("rollback", "code", landed)
        assert (done.code, world.tip) == (3, last)
        assert "changed what" in done.err
        assert "file" in done.err

    @pytest.mark.parametrize("commit", ["no-such", "-x", ""])
    def test_no_such_commit(self, world: World, commit: str) -> None:
        world.start(PASS)
        done = world.grind("rollback", "code", "--", commit)
        assert done.code in (2, 3), done
        assert "Traceback" not in done.said

    def test_without_anything_landed_here(self, world: World) -> None:
        world.start(PASS)
        done = world.grind("rollback", "code")
        assert done.code == 2
        assert "grind rollback code COMMIT" in done.err
        first = world.grind("rollback", "code", world.tip)
        assert "is the first commit" in first.err

    def test_a_commit_that_is_not_there(self, world: World) -> None:
        world.start(PASS)
        world.write({"file": "2\n"})
        mine = world.commit("not pushed")
        done = world.grind("rollback", "code", mine)
        assert done.code == 3
        assert "does not have" in done.err

    def test_what_landed_on_a_branch_is_undone_there(self, world: World) -> None:
        world.start(PASS)
        main = world.tip
        world.git("switch", "-q", "-c", "feature")
        world.write({"file": "2\n"})
        landed = world.commit("On a branch")
        world.git("push", "-q", "origin", "feature")
        done = world.grind("rollback", "code", landed, "--branch", "feature")
        assert done.code == 0, done
        assert world.tip == main
        assert world.git("rev-parse", "feature^", cwd=world.remote) == landed
        assert tree(world, "feature") == tree(world)

    def test_a_push_that_is_refused_leaves_nothing_half_done(self, world: World) -> None:
        world.start(PASS)
        landed = land(world)
        hook = world.remote / "hooks" / "update"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        refused = world.grind("rollback", "code")
        assert (refused.code, world.tip) == (3, landed), refused
        ended = [event for event in world.journal() if event["type"] == "rollback.ended"]
        assert [event["state"] for event in ended] == ["failed"]
        hook.unlink()
        assert world.grind("rollback", "code").code == 0
        assert world.git("rev-parse", "main^", cwd=world.remote) == landed

    @pytest.mark.parametrize(
        "when",
        [
            "after:rollback.intent:1",
            "after:land.intent:1",
            "before:land.committed:1",
            "after:land.committed:1",
            "before:land.pushed:1",
            "after:land.pushed:1",
        ],
    )
    def test_killed_at_any_point_there_is_one_revert(self, world: World, when: str) -> None:
        world.start(PASS)
        landed = land(world)
        world.killed(when, "rollback", "code")
        done = world.grind("rollback", "code")
        assert done.code == 0, done
        assert world.git("rev-parse", "main^", cwd=world.remote) == landed
        assert world.git("rev-list", "--count", f"{landed}..main", cwd=world.remote) == "1"
        assert world.status()["last"] != "committed"

    def test_as_events(self, world: World) -> None:
        world.start(PASS)
        land(world)
        done = world.grind("rollback", "code", "--json")
        assert done.code == 0, done
        for line in done.lines:
            validator("events").validate(line)
        kinds = [event["type"] for event in done.events]
        assert kinds[0] == "rollback.planned"
        assert kinds[-1] == "rollback.ended"
        assert {"rollback.intent", "land.intent", "land.committed", "land.pushed"} <= set(kinds)
        assert kinds.index("rollback.intent") < kinds.index("land.intent")

    def test_conventional_messages(self, world: World) -> None:
        world.start({**PASS, "grind.toml": "[land]\nconventional = true\n"})
        land(world, "feat: change it")
        assert world.grind("rollback", "code").code == 0
        subject = world.git("log", "-1", "--format=%s", "main", cwd=world.remote)
        assert subject == "revert: feat: change it"


class Units:
    """The stand-in on the PATH of a world."""

    def __init__(self, world: World) -> None:
        self.folder = world.root / "bin"
        self.folder.mkdir()
        (self.folder / "systemctl").write_text(SYSTEMCTL)
        (self.folder / "systemctl").chmod(0o755)
        world.env["PATH"] = f"{self.folder}:{world.env['PATH']}"

    def has(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_text(RUNS)

    @property
    def restarts(self) -> list[str]:
        path = Path(self.folder / "calls")
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith("restart ")]


CONFIG = """
[rollback]
units = ["container@sandbox-live", "container@sandbox-dev", "hypervisor"]
"""
NAMES = ("container@sandbox-live", "container@sandbox-dev", "hypervisor")


def trust(world: World) -> None:
    """Say yes to what grind.toml says now."""
    shown = world.grind("trust", "--show", "--json")
    assert world.grind("trust", "--digest", shown.document["digest"]).code == 0


def probe(url: str, **more: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in more.items())
    return (
        f'[[probe]]\nname = "health"\nhttp = "{url}"\ndeadline = 4\ninterval = 0.1\ngreens = 2\n'
        f'json = {{ status = "pass" }}\n{lines}'
    )


class TestRuntime:
    def test_in_order_then_probed(self, world: World) -> None:
        units = Units(world)
        units.has(*NAMES)
        with serving(says(answer(json.dumps({"status": "pass"})))) as service:
            world.start({**PASS, "grind.toml": CONFIG + probe(service.url(), revision='"commit"')})
            trust(world)
            done = world.grind("rollback", "runtime", "--reason", "stuck")
        assert done.code == 0, done
        assert units.restarts == list(NAMES)
        kinds = [event["type"] for event in world.journal()]
        assert kinds[:2] == ["rollback.planned", "rollback.intent"]
        assert kinds.count("unit.restarting") == 3
        assert kinds[-1] == "rollback.ended"
        assert done.out.startswith("roll back runtime on local: container@sandbox-live, ")

    def test_only_planned(self, world: World) -> None:
        units = Units(world)
        units.has(*NAMES)
        world.start({**PASS, "grind.toml": CONFIG})
        unasked = world.grind("rollback", "runtime")
        assert (unasked.code, units.restarts) == (3, []), unasked
        trust(world)
        done = world.grind("rollback", "runtime", "--plan")
        assert done.code == 0
        assert "1. restart container@sandbox-live, now active (running)" in done.out
        assert units.restarts == []

    def test_a_unit_that_is_none(self, world: World) -> None:
        units = Units(world)
        units.has("a.service")
        world.start(PASS)
        done = world.grind("rollback", "runtime", "a.service", "b.service")
        assert done.code == 2
        assert "b.service: not-found" in done.err
        assert units.restarts == []

    def test_nothing_named(self, world: World) -> None:
        world.start(PASS)
        done = world.grind("rollback", "runtime")
        assert done.code == 2
        assert "[rollback] units" in done.err

    def test_one_that_does_not_come_up_ends_it(self, world: World) -> None:
        units = Units(world)
        units.has(*NAMES)
        (units.folder / "container@sandbox-dev.broken").touch()
        world.start({**PASS, "grind.toml": CONFIG})
        trust(world)
        done = world.grind("rollback", "runtime")
        assert done.code == 6, done
        assert units.restarts == list(NAMES[:2])
        assert "Job for container@sandbox-dev failed." in done.out

    def test_red_afterwards(self, world: World) -> None:
        units = Units(world)
        units.has(*NAMES)
        with serving(says(answer(json.dumps({"status": "fail"})))) as service:
            world.start({**PASS, "grind.toml": CONFIG + probe(service.url())})
            trust(world)
            done = world.grind("rollback", "runtime")
        assert done.code == 6
        assert "done, and not healthy: red: health" in done.out

    def test_killed_between_two_restarts(self, world: World) -> None:
        """The journal says which restart may have happened."""
        units = Units(world)
        units.has(*NAMES)
        world.start({**PASS, "grind.toml": CONFIG})
        trust(world)
        world.killed("after:unit.restarting:2", "rollback", "runtime")
        last = world.journal()[-1]
        assert (last["type"], last["unit"]) == ("unit.restarting", NAMES[1])
        assert units.restarts == [NAMES[0]]

    def test_hostile_names_never_reach_a_shell(self, world: World) -> None:
        units = Units(world)
        world.start(PASS)
        for name in ("$(touch x)", "a b", "a;b"):
            assert world.grind("rollback", "runtime", "--", name).code == 2
        assert units.restarts == []
        assert not list(world.repo.glob("x"))


def test_all_plans_at_once(world: World) -> None:
    units = Units(world)
    units.has(*NAMES)
    world.start({**PASS, "grind.toml": CONFIG})
    trust(world)
    landed = land(world)
    tip = world.tip
    done = world.grind("rollback", "--plan")
    assert done.code == 0, done
    assert f"roll back code on origin/main: {landed[:12]}" in done.out
    assert "roll back host: not possible: grind.toml has no [activate]" in done.out
    assert "roll back runtime on local" in done.out
    assert (world.tip, units.restarts) == (tip, [])
    assert world.grind("rollback").code == 2

    def test_not_while_somebody_else_changes_the_host(self, world: World) -> None:
        units = Units(world)
        units.has(*NAMES)
        world.start({**PASS, "grind.toml": CONFIG})
        trust(world)
        assert world.grind("rollback", "runtime").code == 0
        program = next(world.state.rglob("lock.sh-*"))
        call = ("bash", "--noprofile", "--norc", str(program))
        assert (
            subprocess.run([*call, "show", "activation"], capture_output=True).stdout == b"free\0"
        )
        before = units.restarts
        with subprocess.Popen(["sleep", "1000"]) as somebody:
            what = "grind activate 20260101-000000-abcdef"
            take = (*call, "take", "activation", str(somebody.pid), "bob@box", "10.0.0.7", what, "")
            subprocess.run(take, check=True, capture_output=True)
            refused = world.grind("rollback", "runtime")
            somebody.kill()
        assert refused.code == 3, refused
        assert f"busy: {what} by bob@box from 10.0.0.7" in refused.err
        left = world.grind("rollback", "runtime")
        assert left.code == 3, left
        assert "gone without having let go" in left.err
        assert units.restarts == before
