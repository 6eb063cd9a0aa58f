"""Landing when the remote moves on, in a race, and with code that has no tests."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, Done, World, workflow
from tests.sshd import Sshd

PASS = {CI: workflow(CHECKOUT + "- run: test ! -e broken"), "file": "1"}


def clone(world: World) -> Path:
    other = world.root / "other"
    world.git("clone", "-q", str(world.remote), str(other), cwd=world.root)
    return other


def theirs(world: World, other: Path, **files: str) -> str:
    for name, text in files.items():
        (other / name).write_text(text)
    world.git("add", "-A", cwd=other)
    world.git("commit", "-qm", "theirs", cwd=other)
    world.git("push", "-q", "origin", "main", cwd=other)
    return world.git("rev-parse", "HEAD", cwd=other)


def prove(world: World, **files: str) -> None:
    world.write(files or {"file": "2"})
    done = world.grind("check")
    assert done.code == 0, done


def test_rebase_proves_the_merged_tree_and_pushes_it(world: World) -> None:
    world.start(PASS)
    other = clone(world)
    prove(world)
    tip = theirs(world, other, theirs="x")
    done = world.grind("land", "--rebase", "-m", "mine on theirs")
    assert done.code == 0, done
    assert "proving what merging with it gives" in done.err
    assert world.git("rev-parse", "main^", cwd=world.remote) == tip
    assert world.git("show", "main:file", cwd=world.remote) == "2"
    assert world.git("show", "main:theirs", cwd=world.remote) == "x"
    assert len(world.receipts) == 2, "of one's own tree, and of the merged one"


def test_a_repository_without_commits_lands_on_no_branch_of_a_remote_with_some(
    world: World,
) -> None:
    """Neither on the main one nor beside it: what is pushed stands on the main branch."""
    world.start(PASS)
    world.git("symbolic-ref", "HEAD", "refs/heads/nothing-yet")
    for to in ([], ["--branch", "beside"]):
        done = world.grind("land", *to, "-m", "x")
        assert done.code == 3, done
        assert "origin/main has commits, and this repository has none" in done.err
    assert world.git("for-each-ref", "--format=%(refname)", cwd=world.remote) == "refs/heads/main"


def test_rebase_where_nothing_moved_is_a_plain_landing(world: World) -> None:
    world.start(PASS)
    prove(world)
    done = world.grind("land", "--rebase", "-m", "x")
    assert done.code == 0, done
    assert done.err == ""


def test_rebase_onto_what_breaks_it_pushes_nothing(world: World) -> None:
    world.start(PASS | {CI: workflow(CHECKOUT + "- run: test ! -e a || test ! -e b")})
    other = clone(world)
    prove(world, a="x")
    tip = theirs(world, other, b="x")
    done = world.grind("land", "--rebase", "-m", "x")
    assert done.code == 1, done
    assert world.tip == tip


def test_rebase_with_a_conflict(world: World) -> None:
    world.start(PASS)
    other = clone(world)
    prove(world)
    tip = theirs(world, other, file="3")
    done = world.grind("land", "--rebase", "-m", "x")
    assert done.code == 3, done
    assert "conflict in file" in done.err
    assert world.tip == tip


def test_merge_is_a_merge_commit_of_the_proven_tree(world: World) -> None:
    world.start(PASS)
    other = clone(world)
    prove(world)
    mine = world.commit("mine")
    tip = theirs(world, other, theirs="x")
    done = world.grind("land", "--merge", "-m", "Merge mine")
    assert done.code == 0, done
    parents = world.git("log", "-1", "--format=%P", "main", cwd=world.remote).split()
    assert parents == [tip, mine]
    assert f"goes along, not proven itself: {mine[:12]} mine" in done.out


def test_merge_is_of_commits(world: World) -> None:
    world.start(PASS)
    other = clone(world)
    prove(world)
    theirs(world, other, theirs="x")
    done = world.grind("land", "--merge", "-m", "x")
    assert done.code == 2, done
    assert "something is not committed" in done.err


def test_of_two_landings_one_wins_and_the_other_proves_again(world: World) -> None:
    """Both stand on the same commit. The remote lets the second one in while the first is on its
    way, so that the first loses its lease, proves the merge, and lands that."""
    world.start(PASS)
    other = clone(world)
    prove(world, mine="x")
    (other / "other").write_text("x")
    assert world.grind("check", cwd=other).code == 0
    done: dict[str, Done] = {}

    def land(name: str, cwd: Path) -> None:
        done[name] = world.grind("land", "--rebase", "-m", name, cwd=cwd)

    threads = [
        threading.Thread(target=land, args=("mine", world.repo)),
        threading.Thread(target=land, args=("other", other)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.code for one in done.values()} == {0}, done
    again = [name for name, one in done.items() if "proving what merging" in one.err]
    assert len(again) == 1, done
    assert world.git("log", "--format=%s", "main", cwd=world.remote).splitlines()[0] == again[0]
    assert world.git("rev-list", "--count", "main", cwd=world.remote) == "3"
    files = world.git("ls-tree", "--name-only", "main", cwd=world.remote).split()
    assert {"mine", "other"} <= set(files)


def test_of_two_landings_without_rebase_one_is_refused(world: World) -> None:
    world.start(PASS)
    other = clone(world)
    prove(world, mine="x")
    (other / "other").write_text("x")
    assert world.grind("check", cwd=other).code == 0
    assert world.grind("land", "-m", "other", cwd=other).code == 0
    done = world.grind("land", "-m", "mine")
    assert done.code == 3, done
    assert "→ `grind land --rebase`" in done.err
    assert world.git("rev-list", "--count", "main", cwd=world.remote) == "2"


def test_from_the_host_with_its_own_credentials(world: World) -> None:
    """The host's clone pushes over a remote of its own; the one from here would refuse."""
    with Sshd(world.root) as host:
        world.env |= host.env
        place = host.home / "work space"
        toml = f'[hosts.grind]\nssh = "grind-test"\nworkspace = "{place}"\n[land]\nfrom = "host"\n'
        world.start(PASS | {"grind.toml": toml})
        digest = world.grind("trust", "--show", "--json").document["digest"]
        assert world.grind("trust", "--digest", digest).code == 0
        world.git("clone", "-q", str(world.remote), str(place), cwd=world.root)
        (place / ".git/hooks").mkdir(exist_ok=True)
        hook = place / ".git/hooks/pre-push"
        hook.write_text(f"#!/bin/sh\necho from there >> {world.outside}/hook\n")
        hook.chmod(0o755)
        prove(world)
        done = world.grind("land", "-m", "x")
        assert done.code == 0, done
        assert world.told("hook") == ["from there"]
        assert world.tip == world.git("rev-parse", "HEAD")
        assert world.git("show", "main:file", cwd=world.remote) == "2"
        hook.write_text("#!/bin/sh\necho not from here >&2; exit 1\n")
        prove(world, file="3")
        tip = world.tip
        done = world.grind("land", "-m", "x")
        assert done.code == 3, done
        assert "not from here" in done.err
        assert world.tip == tip


def test_a_remote_that_takes_no_notes_has_the_commit_all_the_same(world: World) -> None:
    world.start(PASS)
    hook = world.remote / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/notes/*) echo no notes >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    prove(world)
    done = world.grind("land", "-m", "x")
    assert done.code == 0, done
    assert "the receipts were not pushed to origin" in done.err
    assert world.tip == world.git("rev-parse", "HEAD")
    hook.unlink()
    assert "the receipt is on origin" in world.grind("land").out


@pytest.mark.parametrize("said", ["warn", "error", "off"])
def test_code_without_a_test(world: World, said: str) -> None:
    world.start(PASS | {"grind.toml": f'[land]\natomic = "{said}"\nexempt = ["tools/*"]\n'})
    prove(world, **{"src/a.py": "1\n", "tools/b.py": "2\n"})
    done = world.grind("land", "-m", "x", *(["--dry-run"] if said == "error" else []))
    assert done.code == (3 if said == "error" else 0), done
    assert ("code changes without a test: src/a.py" in done.err) == (said != "off")
    assert "tools" not in done.err.replace("land.exempt", "")
    if said == "error":
        prove(world, **{"tests/test_a.py": "assert 1\n"})
        assert world.grind("land", "-m", "x").code == 0


def test_hostile_messages_branches_and_authors(world: World) -> None:
    message = "$(touch pwned) `touch pwned` \x1b[31m; -- --force\n\n--trailer\t'\""
    world.start(PASS)
    world.git("config", "user.name", "Ada $(touch pwned) \x1b[2J")
    prove(world)
    done = world.grind("land", "--branch", "x$(touch${IFS}pwned);y", "-m", message)
    assert done.code == 0, done
    assert "\x1b" not in done.said
    name = "refs/heads/x$(touch${IFS}pwned);y"
    assert world.git("log", "-1", "--format=%B", name, cwd=world.remote) == message
    assert not list(world.root.rglob("pwned"))
    done = world.grind("land", "--branch", "--force", "-m", "x")
    assert done.code == 2


def test_over_ssh(world: World) -> None:
    """A remote that is reached by the user's own ssh, with a hook, a note and a lease."""
    with Sshd(world.root) as host:
        world.env["GIT_SSH_COMMAND"] = f"ssh -F {host.config}"
        world.start(PASS)
        world.git("remote", "set-url", "origin", f"ssh://grind-test{world.remote}")
        for name in ("upload", "receive"):  # the PATH over there has git alone
            world.git("config", f"remote.origin.{name}pack", f"git {name}-pack")
        assert world.grind("hook", "install").code == 0
        prove(world)
        done = world.grind("land", "-m", "x")
        assert done.code == 0, done
        assert "the receipt is on origin" in done.out
        assert world.tip == world.git("rev-parse", "HEAD")
        world.write({"file": "3"})
        world.commit("unproven")
        assert "no receipt" in world.git_says("push", "origin", "main")
        prove(world, file="4")
        host.stop()
        done = world.grind("land", "-m", "x")
        assert done.code == 7, done
        host.start()
        assert world.grind("land", "-m", "x").code == 0


def test_the_action_has_nothing_to_ask_here(world: World) -> None:
    """What docs/action.md says to write into grind.toml, with its workflow."""
    page = (Path(__file__).parents[2] / "docs/action.md").read_text()
    toml = page.split("```toml\n")[1].split("```")[0]
    steps = (
        CHECKOUT
        + "- uses: OWNER/grind@v0\n  id: grind\n  with:\n    skip-proven: true\n"
        + f"- run: echo ran >> {world.outside}/ran\n"
        + "  if: steps.grind.outputs.proven != 'true'\n"
    )
    world.start({CI: workflow(steps), "grind.toml": toml})
    done = world.grind("check")
    assert done.code == 0, done
    assert world.told("ran") == ["ran"]
