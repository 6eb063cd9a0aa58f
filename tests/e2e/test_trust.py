"""`grind trust`, as whole processes, with and without a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.e2e.world import CI, World, workflow

BOX = '[hosts.box]\nssh = "box.invalid"\njobs = 2\n'


@pytest.fixture
def repo(world: World) -> World:
    return world.start({CI: workflow("- run: 'true'"), "grind.toml": BOX})


def at_a_terminal(world: World, answer: str, *args: str) -> tuple[int, str]:
    """Run grind at a terminal, type an answer, and return its exit code and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "grind", *args],
        cwd=world.repo,
        env=world.env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, typed = b"", False
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not piece:
            break
        shown += piece
        if b"[y/N]" in shown and not typed:
            os.write(ours, answer.encode() + b"\n")
            typed = True
    os.close(ours)
    return process.wait(), shown.decode()


def test_without_a_terminal_the_command_is_named(repo: World) -> None:
    done = repo.grind("trust")
    assert done.code == 3
    assert '+ hosts.box.ssh = "box.invalid"' in done.err
    digest = repo.grind("trust", "--show", "--json").document["digest"]
    assert f"grind trust --digest {digest[:16]}" in done.err
    assert repo.grind("trust", "--digest", digest[:16]).code == 0
    shown = repo.grind("trust", "--show", "--json").document
    assert shown["trusted"] is True
    assert shown["text"] == ["hosts.box.jobs = 2", 'hosts.box.ssh = "box.invalid"']
    assert str(repo.repo / ".git") in repo.grind("trust", "--list").out


def test_a_change_is_shown_and_asked_again(repo: World) -> None:
    digest = repo.grind("trust", "--show", "--json").document["digest"]
    assert repo.grind("trust", "--digest", digest).code == 0
    repo.write({"grind.toml": BOX.replace("box.invalid", "evil.invalid")})
    done = repo.grind("trust", "--show", "--json").document
    assert done["trusted"] is False
    assert done["changes"] == [
        '- hosts.box.ssh = "box.invalid"',
        '+ hosts.box.ssh = "evil.invalid"',
    ]
    late = repo.grind("trust", "--digest", digest)
    assert late.code == 3
    assert "not that of today's grind.toml" in late.err
    repo.write({"grind.toml": BOX + '[[check]]\nname = "a"\nrun = "true"\n'})
    assert repo.grind("trust", "--show", "--json").document["trusted"] is True


def test_taken_back(repo: World) -> None:
    digest = repo.grind("trust", "--show", "--json").document["digest"]
    repo.grind("trust", "--digest", digest)
    assert "taken back" in repo.grind("trust", "--revoke").out
    assert repo.grind("trust", "--show", "--json").document["trusted"] is False
    assert "no yes" in repo.grind("trust", "--revoke").out


def test_yes_at_a_terminal(repo: World) -> None:
    code, shown = at_a_terminal(repo, "n", "trust")
    assert code == 3
    assert 'hosts.box.ssh = "box.invalid"' in shown
    assert repo.grind("trust", "--show", "--json").document["trusted"] is False
    code, _ = at_a_terminal(repo, "y", "trust")
    assert code == 0
    assert repo.grind("trust", "--show", "--json").document["trusted"] is True


def test_nothing_to_trust(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    done = world.grind("trust")
    assert done.code == 0
    assert "needs a yes" in done.out


@pytest.mark.parametrize("digest", ["12", "x" * 16, "0" * 16])
def test_a_digest_is_not_guessed(repo: World, digest: str) -> None:
    done = repo.grind("trust", "--digest", digest)
    assert done.code in (2, 3)
    assert repo.grind("trust", "--show", "--json").document["trusted"] is False
