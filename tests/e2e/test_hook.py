"""The pre-push hook, run by real git: what it lets through, what it does not, and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grind.adapters.journal import DiskJournal
from grind.adapters.store import Store
from grind.core import events as e
from tests.e2e.world import CHECKOUT, CI, Done, World, workflow

PASS = {CI: workflow(CHECKOUT + "- run: test ! -e broken"), "file": "1"}
BEFORE = "pre-push.before-grind"


def push(world: World, *args: str, cwd: Path | None = None, **env: str) -> Done:
    done = subprocess.run(
        ["git", "push", "-q", *(args or ("origin", "main"))],
        cwd=cwd or world.repo,
        env=world.env | env,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def installed(world: World, files: dict[str, str] | None = None) -> World:
    world.start(files or PASS)
    done = world.grind("hook", "install")
    assert done.code == 0, done
    return world


def prove(world: World, message: str = "change", **files: str) -> str:
    world.write(files or {"file": message})
    assert world.grind("check").code == 0
    return world.commit(message)


def test_only_what_is_proven_gets_through(world: World) -> None:
    installed(world)
    first = world.tip
    world.write({"file": "2"})
    world.commit("unproven")
    done = push(world)
    assert done.code != 0
    assert "not pushed to refs/heads/main: there is no receipt" in done.err
    assert "→ grind check" in done.err
    assert world.tip == first
    assert world.grind("check").code == 0
    done = push(world)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert world.tip == world.git("rev-parse", "HEAD")


def test_a_proof_of_uncommitted_work_is_one_of_its_commit(world: World) -> None:
    installed(world)
    head = prove(world)
    assert push(world).said == ""
    assert world.tip == head


def test_a_pass_is_remembered_only_while_nothing_changes(world: World) -> None:
    installed(world)
    prove(world)
    line = world.git("rev-parse", "HEAD")
    told = f"refs/heads/main {line} refs/heads/main {world.tip}\n"
    assert hook(world, told).code == 0
    assert list((world.kept / "passes").iterdir())
    assert hook(world, told).code == 0
    for path in (world.kept / "receipts").glob("*.json"):
        path.unlink()
    assert hook(world, told).code == 3


def hook(world: World, told: str, **env: str) -> Done:
    done = subprocess.run(
        [str(world.repo / ".git/hooks/pre-push"), "origin", str(world.remote)],
        cwd=world.repo,
        env=world.env | env,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_red_run_takes_the_pass_back(world: World) -> None:
    outside = world.outside / "red"
    installed(world, {CI: workflow(CHECKOUT + f"- run: test ! -e {outside}")})
    prove(world)
    told = f"refs/heads/main {world.git('rev-parse', 'HEAD')} refs/heads/main {world.tip}\n"
    assert hook(world, told).code == 0
    outside.touch()
    assert world.grind("check", "--again").code == 1
    done = hook(world, told)
    assert done.code == 3
    assert "was checked, and failed: ci.yml/test: " in done.err


def test_other_branches_tags_and_notes_are_not_guarded(world: World) -> None:
    installed(world)
    world.write({"broken": "", "grind.toml": "not toml"})
    world.commit("work in progress")
    world.git("tag", "v1")
    assert push(world, "origin", "HEAD:refs/heads/topic").said == ""
    assert push(world, "origin", "v1").said == ""
    assert push(world, "origin", "HEAD:refs/notes/x").said == ""
    assert push(world, "origin", ":refs/heads/topic").said == ""
    assert push(world).code != 0


def test_several_refs_at_once_are_judged_each(world: World) -> None:
    installed(world)
    first = world.tip
    world.write({"file": "2"})
    world.commit("unproven")
    done = push(world, "origin", "HEAD:refs/heads/topic", "HEAD:refs/heads/main")
    assert done.code != 0
    assert done.err.count("not pushed to") == 1
    assert world.tip == first


def test_guarded_branches_are_those_that_main_names(world: World) -> None:
    installed(world, PASS | {"grind.toml": '[gate]\nbranches = ["main", "release/*"]\n'})
    world.write({"file": "2", "grind.toml": '[gate]\nbranches = ["nothing"]\n'})
    world.commit("would guard nothing")
    assert push(world, "origin", "HEAD:refs/heads/release/1").code != 0
    assert push(world, "origin", "HEAD:refs/heads/topic").code == 0
    assert push(world).code != 0


def test_a_guarded_branch_is_neither_deleted_nor_rewritten(world: World) -> None:
    installed(world)
    world.git("config", "receive.denyDeleteCurrent", "false", cwd=world.remote)
    assert "would be deleted" in push(world, "origin", ":main").err
    prove(world)
    assert push(world).code == 0
    world.git("reset", "-q", "--hard", "HEAD^")
    prove(world, "another", file="another")
    assert "would be rewritten" in push(world, "--force", "origin", "main").err


def test_no_verify_goes_round_it(world: World) -> None:
    installed(world)
    world.write({"file": "2"})
    world.commit("unproven")
    assert push(world).code != 0
    prove(world, "proven", more="1")
    assert push(world).code == 0
    world.write({"file": "3"})
    head = world.commit("unproven")
    assert push(world, "--no-verify", "origin", "main").code == 0
    assert world.tip == head
    told = world.grind("stats", "--json").document["since_grind"]
    assert (told["bypasses"], told["bypassed"], told["gate_refusals"]) == (1, [head], 1)
    assert f"1  landed without a receipt, past the gate\n       {head[:12]}" in (
        world.grind("stats").out
    )


def test_the_share_that_was_green_is_of_those_that_were_watched(world: World) -> None:
    """One push is watched to a clean end, one to a red one, one watch was given up, one never began."""
    installed(world)
    store = Store(str(world.repo / ".git"))
    for number, (verdict, reason) in enumerate(
        [("clean", ""), ("failed", ""), ("clean", "timed out"), ("", "")]
    ):
        at = 1000.0 + 600 * number
        release = store.new_release(at)
        with DiskJournal(release.path, lambda at=at: at) as journal:
            journal.append(e.LandPushed(f"{number}" * 40, f"{number}" * 40, "origin", "main"))
        if verdict:
            watch = store.watch(f"{number}" * 40)
            with DiskJournal(watch.path, lambda at=at: at + 90) as journal:
                journal.append(
                    e.WatchEnded(
                        commit=f"{number}" * 40,
                        verdict=verdict,
                        exit_code=0,
                        workflows=(),
                        reason=reason,
                    )
                )
    told = world.grind("stats", "--json").document["since_grind"]
    assert (told["releases"], told["watched"], told["first_push_green"]) == (4, 2, 1)
    assert told["first_green_minutes"] == 1.5
    assert "1  green at the first push: 50 % of 2 whose CI was watched" in world.grind("stats").out


def test_a_hook_that_is_there_runs_first_with_the_same_input(world: World) -> None:
    world.start(PASS)
    theirs = world.repo / ".git/hooks/pre-push"
    theirs.parent.mkdir(exist_ok=True)
    script = f'#!/bin/sh\ncat > {world.outside}/told; echo "$1" > {world.outside}/name\n'
    theirs.write_text(script)
    theirs.chmod(0o755)
    assert "after the hook" in world.grind("hook", "install").out
    assert world.grind("hook", "install").code == 0, "again changes nothing"
    head = prove(world)
    assert push(world).said == ""
    assert (world.outside / "name").read_text() == "origin\n"
    assert head in (world.outside / "told").read_text()
    (theirs.parent / BEFORE).write_text("#!/bin/sh\necho theirs says no >&2\nexit 9\n")
    prove(world, "more")
    done = push(world)
    assert done.code != 0
    assert "theirs says no" in done.err
    (theirs.parent / BEFORE).write_text(script)
    assert world.grind("hook", "uninstall").code == 0
    assert theirs.read_text() == script
    assert not (theirs.parent / BEFORE).exists()
    assert world.grind("hook", "status").code == 3


def test_uninstall_leaves_nothing_and_takes_nothing_of_others(world: World) -> None:
    world.start(PASS)
    (world.repo / ".git/hooks").mkdir(exist_ok=True)
    before = world.fingerprint()
    world.grind("hook", "install")
    world.grind("hook", "uninstall")
    assert world.fingerprint() == before
    theirs = world.repo / ".git/hooks/pre-push"
    theirs.write_text("#!/bin/sh\n")
    world.grind("hook", "uninstall")
    assert theirs.read_text() == "#!/bin/sh\n"


def test_hooks_path_of_the_repository_is_used(world: World) -> None:
    world.start(PASS)
    place = world.root / "my hooks"
    world.git("config", "core.hooksPath", str(place))
    assert world.grind("hook", "install").code == 0
    assert (place / "pre-push").exists()
    assert not (world.repo / ".git/hooks/pre-push").exists()
    world.write({"file": "2"})
    world.commit("unproven")
    assert "no receipt" in push(world).err


def test_hooks_path_of_all_repositories_is_left_alone(world: World) -> None:
    world.start(PASS)
    world.git("config", "--global", "core.hooksPath", str(world.root / "all"))
    done = world.grind("hook", "install")
    assert done.code == 3
    assert "for all repositories" in done.err
    assert not (world.root / "all").exists()


def test_a_hook_that_the_repository_tracks_is_left_alone(world: World) -> None:
    world.start(PASS | {"hooks/pre-push": "#!/bin/sh\nexit 0\n"})
    world.git("config", "core.hooksPath", "hooks")
    done = world.grind("hook", "install")
    assert done.code == 3
    assert "file of the repository" in done.err
    assert world.git("status", "--porcelain") == ""


def test_from_a_linked_worktree_and_with_git_variables_set(world: World) -> None:
    installed(world)
    linked = world.root / "linked"
    world.git("worktree", "add", "-q", "-b", "topic", str(linked))
    (linked / "file").write_text("2")
    assert world.grind("check", cwd=linked).code == 0
    world.git("commit", "-qam", "two", cwd=linked)
    done = push(world, "origin", "topic:main", cwd=linked)
    assert (done.code, done.said) == (0, "")
    (linked / "file").write_text("3")
    world.git("commit", "-qam", "three", cwd=linked)
    assert "no receipt" in push(world, "origin", "topic:main", cwd=linked).err
    before = world.git("rev-parse", "main")
    assert world.git("rev-parse", "main") == before


@pytest.mark.parametrize("gone", ["python", "package"])
def test_it_fails_closed_when_grind_is_gone(world: World, gone: str) -> None:
    installed(world)
    head = prove(world)
    path = world.repo / ".git/hooks/pre-push"
    lines = [
        f"{gone}='/nowhere/it's'".replace("it's", "else") if line.startswith(f"{gone}=") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    done = push(world)
    assert done.code != 0
    assert "nothing is pushed" in done.err
    assert world.tip != head
    status = world.grind("hook", "status")
    assert (status.code, "is gone" in status.out) == (3, True)


def test_a_module_of_the_repository_is_not_taken_for_grind(world: World) -> None:
    evil = f"import pathlib\npathlib.Path({str(world.outside / 'evil')!r}).touch()\n"
    installed(world)
    world.write({"grind/__init__.py": evil, "grind/__main__.py": evil})
    world.commit("unproven")
    env = {name: value for name, value in world.env.items() if name != "PYTHONPATH"}
    world.env = env
    assert "no receipt" in push(world).err
    assert not (world.outside / "evil").exists()


@pytest.mark.parametrize("told", ["nonsense\n", "a b c d\n", f"refs/heads/main {'0' * 39}g x y\n"])
def test_lines_that_are_none_are_refused(world: World, told: str) -> None:
    installed(world)
    assert hook(world, told).code == 3
    assert hook(world, "").code == 0


def test_hostile_branch_names_are_only_shown(world: World) -> None:
    installed(world, PASS | {"grind.toml": '[gate]\nbranches = ["*"]\n'})
    world.write({"file": "2"})
    world.commit("$(touch pwned) `touch pwned`")
    name = "refs/heads/$(touch${IFS}pwned);`id`"
    done = push(world, "origin", f"HEAD:{name}")
    assert done.code != 0
    assert "not pushed to refs/heads/$(touch" in done.err
    assert not (world.repo / "pwned").exists()


def test_through_pre_commit(world: World) -> None:
    """What pre-commit tells its hooks instead of standard input."""
    installed(world)
    world.write({"file": "2"})
    head = world.commit("unproven")
    env = {
        "PRE_COMMIT_FROM_REF": world.tip,
        "PRE_COMMIT_TO_REF": head,
        "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
    }
    assert world.grind("hook", "run", "--pre-commit", env=env).code == 3
    assert world.grind("check").code == 0
    assert world.grind("hook", "run", "--pre-commit", env=env).code == 0
    assert world.grind("hook", "run", "--pre-commit").code == 0


def test_landing_asks_the_gate_once(world: World) -> None:
    installed(world)
    world.write({"file": "2"})
    assert world.grind("check").code == 0
    done = world.grind("land", "-m", "x")
    assert done.code == 0, done
    assert world.tip == world.git("rev-parse", "HEAD")
    assert os.environ.get("GRIND_PUSH") is None


def test_the_manifest_for_pre_commit_is_one() -> None:
    """By pre-commit's own reader; what it calls is what the tests above call."""
    manifest = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
    program = Path(sys.executable).with_name("pre-commit")
    done = subprocess.run(
        [str(program), "validate-manifest", str(manifest)], capture_output=True, check=False
    )
    assert done.returncode == 0, done
    hooks = {hook["id"]: hook for hook in yaml.safe_load(manifest.read_text())}
    assert hooks["grind-gate"]["entry"] == "grind hook run --pre-commit"
    assert hooks["grind-gate"]["stages"] == ["pre-push"]
