"""Names, texts and addresses that were made to break things."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.world import CHECKOUT, CI, World, workflow

ODD_FILES = {
    "with space": "1",
    "new\nline": "2",
    "émoji 🎉": "3",
    "'quote\"": "4",
    "$(touch pwned)": "5",
    "`touch pwned`": "6",
    "-rf": "7",
    "--help": "8",
    "esc\x1b[2Jape": "9",
    "sub/..hidden": "10",
    "tab\there": "11",
    "*": "12",
    "back\\slash": "13",
    "con;touch pwned": "14",
}


def test_file_names(world: World) -> None:
    count = len(ODD_FILES)
    world.start(
        {
            CI: workflow(
                CHECKOUT + "- run: |\n    git ls-files -z | tr -cd '\\0' | wc -c\n"
                f"    test \"$(git ls-files -z | tr -cd '\\0' | wc -c)\" = {count + 3}\n"
                "    test \"$(cat -- '$(touch pwned)')\" = 5\n"
                "    test \"$(cat -- $'new\\nline')\" = 2\n"
            )
        }
    )
    world.write(ODD_FILES)
    (world.repo / os.fsdecode(b"latin-\xe9")).write_text("x")
    (world.repo / "link").symlink_to("/etc/passwd")
    status = world.grind("status")
    assert status.code == 0, status
    assert "\x1b" not in status.out
    done = world.grind("check")
    assert done.code == 0, done
    landed = world.grind("land", "-m", "all of them")
    assert landed.code == 0, landed
    names = world.git("ls-tree", "-r", "-z", "--name-only", "main", cwd=world.remote).split("\0")
    assert set(ODD_FILES) <= set(names)
    assert not list(world.root.rglob("pwned"))


def test_names_in_workflows(world: World) -> None:
    name = '"a \\u001b]0;title\\u0007 \\u001b[31m $(touch pwned) `touch pwned` \\u202e %s {0}\\n☃"'
    world.start(
        {
            ".github/workflows/a $(touch pwned) é.yml": (
                f"name: {name}\non: push\njobs:\n  job-1:\n    name: {name}\n"
                f"    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n"
                f"        v: [{name}, '../../../x', '::set-output name=x::y']\n"
                f'    steps:\n      - name: {name}\n        run: test -n "$V" && echo "$V"\n'
                "        env:\n          V: ${{ matrix.v }}\n"
            )
        }
    )
    for args in (("plan",), ("check",), ("log",), ("status",), ("check", "--again", "--follow")):
        done = world.grind(*args)
        assert done.code == 0, done
        assert not set(done.said) & {"\x1b", "\x07", "\u202e"}, args
    assert not list(world.root.rglob("pwned"))
    assert len(world.logs()) == 2 * 2, "what says nothing but a command is silent, and has no log"


def test_branch_and_commit_message(world: World) -> None:
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + '- run: |\n    echo "${{ github.ref_name }}" > '
                + f"{world.outside}/ref\n"
                '    test "$GITHUB_REF_NAME" = "${{ github.ref_name }}"\n'
            )
        }
    )
    branch = "feat/é🎉'x"
    world.git("checkout", "-q", "-b", branch)
    world.write({"x": "y"})
    world.commit("::error::no\n\x1b[31mred $(touch pwned)\n\n[not skip]")
    done = world.grind("check", "--ref", branch)
    assert done.code == 0, done
    assert world.told("ref") == [branch]
    assert world.grind("status").code == 0
    for args in (("status",), ("land", "--dry-run"), ("log",)):
        assert "\x1b" not in world.grind(*args).said
    assert not list(world.root.rglob("pwned"))


def test_injection_through_expressions_is_ci_s_own(world: World) -> None:
    """What an expression puts into a script is text there, as in CI: it is not evaluated twice."""
    world.start(
        {
            CI: workflow(
                "- id: s\n  run: echo 'v=$(touch ${{ github.job }})${{ github.ref }}' >> $GITHUB_OUTPUT\n"
                "- run: test \"$V\" = '$(touch test)refs/heads/main' && test ! -e test\n"
                "  env:\n    V: ${{ steps.s.outputs.v }}\n"
            )
        },
        remote=False,
    )
    done = world.grind("check")
    assert done.code == 0, done


PASSWORD = "hunter2-in-the-url"


def test_password_in_the_remote_s_address_is_never_shown(world: World) -> None:
    """Not in output, journal, receipt, logs, state folder, or the list of processes."""
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + "  with:\n    fetch-depth: 0\n"
                + "- run: |\n    git remote -v; git config --list; env; cat .git/config\n"
                f"    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c {PASSWORD[:7]}[-]in"
                f" > {world.outside}/seen || true\n    test 1\n"
            )
        }
    )
    address = f"https://ada:{PASSWORD}@127.0.0.1:1/o/r.git"
    world.git("remote", "set-url", "origin", address)
    world.git("config", "http.proxy", f"http://ada:{PASSWORD}@127.0.0.1:1")
    env = {"https_proxy": f"http://ada:{PASSWORD}@127.0.0.1:1", "GIT_TERMINAL_PROMPT": "0"}
    world.write({"x": "y"})
    said = ""
    for args in (
        ("plan",),
        ("plan", "--json"),
        ("check",),
        ("check", "--again", "--json"),
        ("log", "--json"),
        ("status", "--json"),
        ("land", "-m", "x"),
        ("land", "-m", "x", "--json"),
        ("check", "--merged"),
        ("build",),
    ):
        done = world.grind(*args, env=env)
        said += done.said
        if args[0] == "land":
            assert done.code == 7, done
    assert PASSWORD not in said
    assert world.told("seen") == ["0"]
    for folder in (world.kept, world.state):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert PASSWORD.encode() not in path.read_bytes(), path


def test_a_hostile_repository_configuration_runs_nothing(world: World) -> None:
    """`plan` and `status` of a repository that somebody handed over execute nothing of it."""
    world.start({CI: workflow("- run: test 1\n"), ".gitattributes": "* filter=evil diff=evil\n"})
    canary = world.outside / "canary"
    for key, value in {
        "core.fsmonitor": f"touch {canary}-fsmonitor; false",
        "core.hooksPath": str(world.repo / "hooks"),
        "diff.external": f"touch {canary}-diff",
        "diff.evil.textconv": f"touch {canary}-textconv; cat",
        "core.pager": f"touch {canary}-pager",
        "core.sshCommand": f"touch {canary}-ssh",
        "alias.status": f"!touch {canary}-alias",
        "gpg.program": f"touch {canary}-gpg",
        "log.showSignature": "true",
    }.items():
        world.git("config", key, value)
    world.write({"hooks/post-index-change": f"#!/bin/sh\ntouch {canary}-hook\n"})
    (world.repo / "hooks/post-index-change").chmod(0o755)
    for command in ("plan", "status", "log"):
        world.grind(command)
    left = [path.name for path in world.outside.iterdir()]
    assert not left


def test_grind_files_are_private(world: World) -> None:
    world.start({CI: workflow("- run: test 1\n")})
    assert world.grind("check").code == 0
    for folder in (world.kept, world.state):
        assert folder.stat().st_mode & 0o077 == 0
    for path in world.kept.rglob("*.log"):
        assert path.stat().st_mode & 0o077 == 0


def test_state_folder_that_is_somebody_else_s(world: World) -> None:
    """A link where the state folder should be is not followed."""
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    world.start({CI: workflow("- run: test 1\n")})
    (world.kept).mkdir(exist_ok=True)
    for folder in ("releases", "receipts"):
        (world.kept / folder).symlink_to(elsewhere)
    done = world.grind("check")
    assert done.code != 0, done
    assert "Traceback" not in done.said
    assert not list(elsewhere.iterdir())


def test_two_repositories_of_one_name_do_not_share(world: World, tmp_path: Path) -> None:
    world.start({CI: workflow(CHECKOUT + "- run: test -e mine\n"), "mine": ""})
    assert world.grind("check").code == 0
    other = tmp_path / "more" / "repo"
    other.parent.mkdir()
    subprocess.run(["cp", "-a", world.repo, other], check=True)
    (other / "mine").unlink()
    done = world.grind("check", cwd=other)
    assert done.code == 1, done


def test_unreadable_file(world: World) -> None:
    world.start({CI: workflow("- run: test 1\n")})
    os.mkfifo(world.repo / "pipe")
    (world.repo / "sub").mkdir()
    (world.repo / "sub" / ".git").mkdir()
    done = world.grind("check")
    assert "Traceback" not in done.said
    assert done.code in (0, 2), done
    assert sys.executable
