"""The demo is the product's own claim: it plays to its end, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from grind.commands.demo_host import ALIAS, DemoHost
from grind.commands.demo_watch import SUGGESTED
from tests.e2e.world import World
from tests.sshd import need_sshd


@pytest.fixture
def sshd_may_start() -> None:
    need_sshd()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


@pytest.mark.usefixtures("sshd_may_start")
def test_the_whole_loop_and_the_chapter_on_a_host(world: World) -> None:
    done = world.grind("demo", cwd=world.outside)
    assert done.code == 0, done.said
    killed = done.out[done.out.index("Half-way") :]
    watched_and_explained(done.out[: done.out.index("Half-way")])
    assert "on box" in killed
    first, _, second = killed.partition("[kill -9]")
    assert "slow one!" not in first
    for line in ("ok: Hei, Ada!", "ok: Hei, slow one!", "ok: Hello, slow one!"):
        assert second.count(f"│ {line}") == 1, "a line lost or twice"
    assert "taken up again" in second
    assert "green" in second
    assert "landed" in second
    assert list((world.root / "tmp").iterdir()) == []
    assert world.processes() == {}


def watched_and_explained(out: str) -> None:
    """The stand-in is said to be one; a clean run is seen, and a red one with what was known."""
    clean, _, red = out[out.index("CI must agree") :].partition("CI knew more than we did")
    assert "A stand-in answers here in the place of GitHub's" in clean
    assert "\nclean · CI of " in clean
    assert "✓ Tools  whoever works on this has the tools" in clean
    assert "│ no greet-spellcheck\n" in red
    assert "here: not run here, the host was believed to have it: whoever works on this" in red
    assert "→ in grind.toml:\n" + textwrap.indent(SUGGESTED, "    ") in red
    _, watched, after = red.partition("\nfailed · CI of ")
    assert watched
    checked = after[: after.index("Now it is red here as well")]
    assert "✗ lint › Tools\n" in checked, "the suggested lines make it red here, too"


@pytest.mark.usefixtures("sshd_may_start")
def test_nothing_of_the_host_is_left(tmp_path: Path) -> None:
    host = DemoHost(tmp_path / "host", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    host.folder.mkdir()
    assert host.start() == ""
    ssh = ["ssh", "-F", host.env["GRIND_SSH_CONFIG"], ALIAS]
    subprocess.run([*ssh, "setsid -f sleep 1000 </dev/null >/dev/null 2>&1"], check=True)
    assert host.left()
    host.stop()
    assert host.left() == []


def test_without_a_sshd_the_chapter_is_left_out_and_said(world: World) -> None:
    tools = world.root / "tools"
    tools.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for entry in os.scandir(folder):
            if not entry.name.startswith("ssh") and not (tools / entry.name).is_symlink():
                (tools / entry.name).symlink_to(entry.path)
    done = world.grind("demo", cwd=world.outside, env={"PATH": str(tools)})
    assert done.code == 0, done.said
    assert "is left out: there is no sshd on this machine" in done.out
