"""`grind land`, as a stranger would try to break it. Remotes are real and bare."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow

PASS = {CI: workflow(CHECKOUT + "- run: test ! -e broken"), "file": "1"}


def _refuses(world: World, *args: str, code: int = 3) -> str:
    """Land is refused: nothing of the remote and of the user's refs, index and files changes."""
    tip, before = world.tip, _refs(world)
    done = world.grind("land", *args)
    assert done.code == code, done
    assert (world.tip, _refs(world)) == (tip, before)
    assert "Traceback" not in done.said
    return done.said


def _refs(world: World) -> tuple[str, ...]:
    return (
        world.git("for-each-ref"),
        world.git("rev-parse", "-q", "--verify", "HEAD", check=False),
        world.git("status", "--porcelain"),
    )


def _proven(world: World, **files: str) -> None:
    world.write(files or {"file": "2"})
    done = world.grind("check")
    assert done.code == 0, done


def test_commits_and_pushes_exactly_the_proven_tree(world: World) -> None:
    """F18: what was proven is named by ids; what the branch does meanwhile does not matter."""
    world.start(PASS)
    _proven(world, file="2", fresh="new")
    tree, first = world.status()["tree"], world.tip
    assert "would push a new commit" in _refuses(world, "-m", "x", "--dry-run", code=0)
    done = world.grind("land", "-m", "Change it\n\nBecause.")
    assert done.code == 0, done
    assert world.git("rev-parse", "main^{tree}", cwd=world.remote) == tree
    assert world.git("rev-parse", "main^", cwd=world.remote) == first
    assert (
        world.git("log", "-1", "--format=%B", "main", cwd=world.remote) == "Change it\n\nBecause."
    )
    assert world.git("rev-parse", "HEAD") == world.tip == world.git("rev-parse", "origin/main")
    assert world.git("status", "--porcelain") == ""
    assert "nothing to land" in _refuses(world, "-m", "x", code=0)
    assert "nothing to land" in _refuses(world, code=0)
    assert world.status()["next"] == "nothing"


def test_refused_without_a_proof_of_exactly_this(world: World) -> None:
    world.start(PASS)
    world.write({"file": "2"})
    said = _refuses(world, "-m", "x")
    assert "→ grind check" in said
    _proven(world)
    world.write({"file": "3"})
    assert "→ grind check" in _refuses(world, "-m", "x")
    world.write({"file": "2", "more": "a new file counts, too"})
    _refuses(world, "-m", "x")
    (world.repo / "more").unlink()
    (world.repo / "file").chmod(0o755)
    _refuses(world, "-m", "x")
    (world.repo / "file").chmod(0o644)
    assert world.grind("land", "-m", "x").code == 0


def test_refused_when_red(world: World) -> None:
    world.start(PASS)
    world.write({"broken": ""})
    assert world.grind("check").code == 1
    _refuses(world, "-m", "x")


def test_refused_when_the_plan_changed(world: World) -> None:
    """The tree is the same; the host says of itself that it is another one."""
    tools = world.root / "tools"
    tools.mkdir()
    _node(tools, "20.1.0")
    world.start({CI: workflow("- uses: actions/setup-node@v4\n- run: test 1")})
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}
    world.write({"x": "y"})
    assert world.grind("check", env=env).code == 0
    _node(tools, "20.2.0")
    done = world.grind("land", "-m", "x", env=env)
    assert done.code == 3, done
    assert "grind check" in done.err
    assert world.grind("check", env=env).code == 0
    assert world.grind("land", "-m", "x", env=env).code == 0


def _node(folder: Path, version: str) -> None:
    path = folder / "node"
    path.write_text(f"#!/bin/sh\nprintf '{version}\\t-\\t{path}\\n'\n")
    path.chmod(0o755)


def test_messages(world: World) -> None:
    world.start(PASS | {"grind.toml": "[land]\nconventional = true\n"})
    _proven(world)
    for args in ((), ("-m", ""), ("-m", " \n"), ("-m", "not conventional")):
        assert "-m" in _refuses(world, *args, code=2)
    assert world.grind("land", "-m", "fix: it").code == 0


def test_several_commits_are_named_or_squashed(world: World) -> None:
    world.start(PASS)
    for n in "abc":
        world.write({n: n})
        world.commit(f"commit {n} \x1b[31m$(id)")
    assert world.grind("check").code == 0
    said = _refuses(world, "--dry-run", code=0)
    assert said.count("not proven itself") == 2
    assert "commit a" in said
    assert "commit c" not in said
    assert "\x1b" not in said
    assert "--squash" in said
    _refuses(world, "-m", "HEAD has its own message", code=2)
    first, tree = world.tip, world.git("rev-parse", "HEAD^{tree}")
    done = world.grind("land", "--squash", "-m", "all of it")
    assert done.code == 0, done
    assert world.git("rev-parse", "main^", cwd=world.remote) == first
    assert world.git("rev-parse", "main^{tree}", cwd=world.remote) == tree
    assert world.git("rev-parse", "HEAD^{tree}") == tree


def test_head_as_it_is(world: World) -> None:
    world.start(PASS)
    world.write({"a": "a"})
    head = world.commit("mine")
    assert world.grind("check").code == 0
    assert world.grind("land").code == 0
    assert world.tip == head


def test_upstream_moved(world: World) -> None:
    world.start(PASS)
    other = _clone(world)
    _proven(world, file="2")
    (other / "theirs").write_text("x")
    theirs = _push(world, other)
    said = _refuses_moved(world)
    assert "grind check --merged" in said
    done = world.grind("check", "--merged")
    assert done.code == 0, done
    done = world.grind("land", "--merged", "-m", "mine on theirs")
    assert done.code == 0, done
    assert world.git("rev-parse", "main^", cwd=world.remote) == theirs
    files = world.git("ls-tree", "--name-only", "main", cwd=world.remote).split()
    assert {"file", "theirs"} <= set(files)
    assert world.git("show", "main:file", cwd=world.remote) == "2"


def _refuses_moved(world: World) -> str:
    tip = world.tip
    done = world.grind("land", "-m", "x")
    assert done.code == 3, done
    assert world.tip == tip
    return done.said


def test_upstream_moved_and_conflicts(world: World) -> None:
    world.start(PASS)
    other = _clone(world)
    _proven(world, file="2")
    (other / "file").write_text("3")
    _push(world, other)
    done = world.grind("check", "--merged")
    assert done.code == 3, done
    assert "conflict" in done.err
    assert "file" in done.err
    assert "Traceback" not in done.err


def test_upstream_moves_between_the_look_and_the_push(world: World) -> None:
    """The user's own pre-push hook is the moment: somebody else pushes just then."""
    world.start(PASS)
    other = _clone(world)
    _proven(world)
    hook = world.repo / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ncd {other} && unset GIT_DIR && git push -q origin main\n")
    hook.chmod(0o755)
    (other / "theirs").write_text("x")
    world.git("add", "-A", cwd=other)
    world.git("commit", "-qm", "theirs", cwd=other)
    done = world.grind("land", "-m", "x")
    assert done.code == 3, done
    assert "moved" in done.err
    assert world.tip == world.git("rev-parse", "HEAD", cwd=other)
    assert world.git("status", "--porcelain") == "M file"


def _clone(world: World) -> Path:
    other = world.root / "other"
    world.git("clone", "-q", str(world.remote), str(other), cwd=world.root)
    return other


def _push(world: World, other: Path) -> str:
    world.git("add", "-A", cwd=other)
    world.git("commit", "-qm", "theirs", cwd=other)
    world.git("push", "-q", "origin", "main", cwd=other)
    return world.git("rev-parse", "HEAD", cwd=other)


def test_hooks_and_signing_are_honoured(world: World) -> None:
    world.start(PASS)
    _proven(world)
    hooks = world.repo / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "commit-msg").write_text(
        '#!/bin/sh\ngrep -q Ticket "$1" || { echo "no ticket" >&2; exit 1; }\n'
        'echo "Checked: yes" >> "$1"\n'
    )
    (hooks / "commit-msg").chmod(0o755)
    said = _refuses(world, "-m", "x")
    assert "no ticket" in said
    signer = world.home / "sign"
    signer.write_text(
        "#!/bin/sh\ncat > /dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n"
        "echo '-----BEGIN PGP SIGNATURE-----'\necho\necho mine\n"
        "echo '-----END PGP SIGNATURE-----'\n"
    )
    signer.chmod(0o755)
    world.git("config", "commit.gpgsign", "true")
    world.git("config", "gpg.program", str(signer))
    world.git("config", "user.name", "Grace")
    done = world.grind("land", "-m", "Ticket 7")
    assert done.code == 0, done
    commit = world.git("cat-file", "commit", "main", cwd=world.remote)
    assert "gpgsig -----BEGIN PGP SIGNATURE-----" in commit
    assert "author Grace <ada@example.com>" in commit
    assert commit.endswith("Ticket 7\nChecked: yes")


def test_hook_that_changes_the_tree(world: World) -> None:
    world.start(PASS)
    _proven(world)
    hooks = world.repo / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-commit").write_text("#!/bin/sh\necho extra > extra; git add extra\n")
    (hooks / "pre-commit").chmod(0o755)
    tip = world.tip
    done = world.grind("land", "-m", "x")
    assert done.code == 3, done
    assert "extra" in done.err
    assert world.tip == tip


def test_a_remote_that_refuses(world: World) -> None:
    world.start(PASS)
    _proven(world)
    hook = world.remote / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nprintf 'not today \\033[2J\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    said = _refuses(world, "-m", "x")
    assert "not today" in said
    assert "\x1b" not in said
    hook.unlink()
    assert world.grind("land", "-m", "x").code == 0
    assert world.git("rev-list", "--count", "main", cwd=world.remote) == "2"


def test_a_remote_that_is_gone_and_comes_back(world: World) -> None:
    world.start(PASS)
    _proven(world)
    away = world.root / "away.git"
    world.remote.rename(away)
    done = world.grind("land", "-m", "x")
    assert done.code == 7, done
    assert "Traceback" not in done.err
    away.rename(world.remote)
    assert world.grind("land", "-m", "x").code == 0


def test_no_remote(world: World) -> None:
    world.start(PASS, remote=False)
    _proven(world)
    done = world.grind("land", "-m", "x")
    assert done.code == 2
    assert "git remote add" in done.err


LAND_POINTS = [
    "after:land.intent:1",
    "before:land.committed:1",
    "after:land.committed:1",
    "before:land.pushed:1",
    "after:land.pushed:1",
]


@pytest.mark.parametrize("point", LAND_POINTS)
@pytest.mark.parametrize(
    "then",
    [
        "",
        pytest.param("after:land.intent:1", marks=pytest.mark.campaign),
        pytest.param("before:land.pushed:1", marks=pytest.mark.campaign),
    ],
)
def test_killed_while_landing(world: World, point: str, then: str) -> None:
    """One commit, one push, whenever it was killed; the local branch follows at last."""
    world.start(PASS)
    hook = world.remote / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ncat >> {world.outside}/pushes\n")
    hook.chmod(0o755)
    _proven(world)
    tree, first = world.status()["tree"], world.tip
    world.killed(point, "land", "-m", "x")
    assert world.status()["next"].startswith("grind land")
    if then and "pushed" not in point:
        world.killed(then, "land", "-m", "x")
    made = point != "before:land.committed:1" and "land.intent" not in point
    done = world.grind("land", *([] if made else ["-m", "x"]))
    assert done.code == 0, done
    refs = [line.split()[2] for line in world.told("pushes")]
    assert refs == ["refs/heads/main", "refs/notes/grind/receipts"]
    assert world.git("rev-parse", "main^", cwd=world.remote) == first
    assert world.git("rev-parse", "main^{tree}", cwd=world.remote) == tree
    assert world.git("rev-parse", "HEAD") == world.tip
    assert world.git("status", "--porcelain") == ""
    assert world.status()["last"] == "landed"


def test_killed_three_times_while_landing(world: World) -> None:
    world.start(PASS)
    _proven(world)
    world.killed("after:land.committed:1", "land", "-m", "x")
    world.killed("after:land.intent:1", "land", "-m", "x")
    world.killed("before:land.pushed:1", "land", "-m", "x")
    assert world.grind("land").code == 0
    assert world.git("rev-list", "--count", "main", cwd=world.remote) == "2"
    assert world.git("rev-parse", "HEAD") == world.tip


def test_killed_and_the_message_is_another_one(world: World) -> None:
    world.start(PASS)
    _proven(world)
    world.killed("after:land.committed:1", "land", "-m", "first thought")
    assert world.grind("land", "-m", "second thought").code == 0
    assert world.git("log", "--format=%s", "main", cwd=world.remote) == "second thought\nfirst"


def test_killed_and_committed_by_hand_meanwhile(world: World) -> None:
    """A commit that was made for another HEAD is not pushed: it would drop what is on HEAD now."""
    world.start(PASS)
    _proven(world, file="2", more="x")
    world.killed("after:land.committed:1", "land", "-m", "all")
    world.git("add", "more")
    mine = world.git("commit", "-qm", "by hand") or world.git("rev-parse", "HEAD")
    done = world.grind("land", "-m", "all")
    assert done.code == 0, done
    assert world.git("rev-parse", "main^", cwd=world.remote) == mine
    assert world.git("rev-parse", "HEAD") == world.tip


def test_edited_between_the_check_and_the_landing_of_the_branch(world: World) -> None:
    """A file is edited while it lands: what was proven lands, and the edit stays an edit."""
    world.start(PASS)
    _proven(world)
    hook = world.repo / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho edited > {world.repo}/file\n")
    hook.chmod(0o755)
    done = world.grind("land", "-m", "x")
    assert done.code == 0, done
    assert world.git("show", "main:file", cwd=world.remote) == "2"
    assert (world.repo / "file").read_text() == "edited\n"
    assert "left alone" in done.out


def test_first_push_of_a_repository_without_commits(world: World) -> None:
    world.start(PASS, commit=False)
    done = world.grind("check")
    assert done.code == 0, done
    done = world.grind("land", "-m", "first")
    assert done.code == 0, done
    assert world.git("rev-list", "--count", "main", cwd=world.remote) == "1"
    assert world.git("rev-parse", "HEAD") == world.tip
    assert world.git("status", "--porcelain") == ""


def test_from_a_linked_worktree_and_a_subfolder(world: World) -> None:
    world.start(PASS | {"sub/x": "x"})
    linked = world.root / "linked"
    world.git("worktree", "add", "-q", "-b", "topic", str(linked))
    (linked / "file").write_text("2")
    main = world.git("rev-parse", "main")
    for args in (("check",), ("status",), ("plan",)):
        done = world.grind(*args, cwd=linked / "sub")
        assert done.code == 0, done
    done = world.grind("land", "-m", "x", cwd=linked / "sub")
    assert done.code == 0, done
    assert world.git("rev-parse", "topic") == world.tip
    assert world.git("rev-parse", "main") == main, "another worktree's branch stays"
    assert world.git("status", "--porcelain", cwd=linked) == ""
    assert world.git("status", "--porcelain") == ""


def test_other_main_branch_and_remote(world: World) -> None:
    """The configured remote and branch, with names that a shell would take apart."""
    branch = "re;lease/$(id)&'x"
    world.start(
        {
            CI: workflow(CHECKOUT + "- run: test 1").replace("on: push", "on: [push]"),
            "grind.toml": f"main = \"{branch}\"\nremote = 'up'\n",
        },
        remote=False,
    )
    world.git("init", "-q", "--bare", str(world.remote))
    world.git("remote", "add", "up", str(world.remote))
    world.git("remote", "add", "origin", "/nowhere")
    world.git("push", "-q", "up", f"HEAD:refs/heads/{branch}")
    world.git("fetch", "-q", "up")
    world.write({"x": "y"})
    done = world.grind("check")
    assert done.code == 0, done
    done = world.grind("land", "-m", "x $(touch pwned) `id`")
    assert done.code == 0, done
    assert world.git("rev-list", "--count", branch, cwd=world.remote) == "2"
    assert not (world.repo / "pwned").exists()


def test_land_json(world: World) -> None:
    world.start(PASS)
    _proven(world)
    empty = world.grind("land", "--json", cwd=_clone(world)).document
    assert (empty["schema"], empty["commit"], empty["pushed"]) == ("grind.land/1", None, False)
    document = world.grind("land", "-m", "x", "--json").document
    assert document["schema"] == "grind.land/1"
    assert (document["commit"], document["pushed"]) == (world.tip, True)


def test_busy(world: World) -> None:
    """Landing while a check runs is refused, and names the holder."""
    world.start(
        {
            CI: workflow(
                f"- run: |\n    echo x >> {world.outside}/runs\n"
                f"    while test ! -e {world.outside}/go; do sleep 0.05; done\n    test 1\n"
            )
        }
    )
    (world.outside / "go").touch()
    _proven(world, file="2")
    (world.outside / "go").unlink()
    (world.outside / "runs").unlink()
    process = world.begin("check", "--again")
    world.wait_for("runs")
    said = _refuses(world, "-m", "x")
    assert f"pid {process.pid}" in said
    (world.outside / "go").touch()
    assert world.end(process).code == 0
