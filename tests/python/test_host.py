"""`grind py --host` on a real sshd with a real Nix."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.python.conftest import WITH_PYTHON, WITHOUT, PythonWorld
from tests.sshd import Sshd

WHO = "import os, sys; print(os.environ['WHO'], os.environ.get('SSH_CONNECTION') is not None, *sys.argv[1:])"
HARD = 'it\'s $HOME `x` "q" \\ * \n;'


@pytest.fixture
def there(world: PythonWorld) -> Iterator[Sshd]:
    with Sshd(world.root, also=("nix",)) as host:
        world.env |= host.env
        yield host


def begin(world: PythonWorld, files: dict[str, str], shell: str) -> None:
    given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in world.nix.env.items())
    world.start({**files, "grind.toml": f'[hosts.box]\nssh = "grind-test"\nset = {{ {given} }}\n'})
    world.flake(shell=shell)
    digest = world.grind("trust", "--show", "--json").document["digest"]
    assert world.grind("trust", "--digest", digest).code == 0


def test_the_locked_nixpkgs_python_runs_there(world: PythonWorld, there: Sshd) -> None:
    script = "import sys\nprint(sys.stdin.read() + sys.argv[1])\nsys.exit(9)\n"
    begin(world, {"sub/x.py": script}, WITHOUT)
    done = world.py("--host", "box", "-c", WHO, "a", HARD)
    assert (done.code, done.out) == (0, f"python3-3.11-pinned True a {HARD}\n"), done.err
    done = world.py("--host", "box", "x.py", "!", stdin=b"in", cwd=world.repo / "sub")
    assert (done.code, done.out) == (9, "in!\n"), done.err
    text = b"import sys, os; print(sys.argv, sorted(os.listdir()))"
    done = world.py("--host", "box", "-", "b", stdin=text, cwd=world.repo / "sub")
    assert done.out == "['-', 'b'] ['x.py']\n", done.err
    outside = world.outside / "own.py"
    outside.write_text("print('sent')\n")
    assert world.py("--host", "box", str(outside)).out == "sent\n"
    # Sessions that end remove their folders meanwhile: what is gone is passed over.
    left = [name for _, _, names in os.walk(there.state) for name in names]
    assert [name for name in left if name.startswith("arguments-")] == []


def test_the_flakes_shell_there_and_a_promoted_app(world: PythonWorld, there: Sshd) -> None:
    begin(world, {"x.py": "import os\nprint(os.environ['WHO'])\n"}, WITH_PYTHON)
    assert world.py("--host", "box", "x.py").out == "python3-3.11-shell\n"
    assert world.py("--host", "box", "--why", "x.py").out.startswith("shell: nix ")
    assert world.py("promote", "x.py").code == 0
    assert world.py("--host", "box", "x.py").out == "python3-3.11-shell\n"
    assert world.py("--host", "box", "--why", "x.py").out.startswith("app: ")


def test_a_signal_ends_it_there(world: PythonWorld, there: Sshd) -> None:
    mark = world.outside / "pid"
    note = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\n"
    begin(world, {"x.py": f"{note}print('up', flush=True)\ntime.sleep(120)\n"}, WITHOUT)
    process = subprocess.Popen(
        [world.main, "py", "--host", "box", "x.py"],
        cwd=world.repo,
        env=world.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    process.stdout.close()
    pid = mark.read_text()
    deadline = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_host_without_nix_is_refused_and_an_unknown_one_named(world: PythonWorld) -> None:
    with Sshd(world.root) as bare:
        world.env |= bare.env
        begin(world, {}, WITH_PYTHON)
        done = world.py("--host", "box", "-c", "print('ran')")
        assert (done.code, done.out) == (3, "")
        assert "there is no Nix on box" in done.err
        done = world.py("--host", "boxx", "-c", "print('ran')")
        assert (done.code, done.out) == (2, "")
        assert "box" in done.err
