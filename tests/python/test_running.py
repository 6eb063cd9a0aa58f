"""`grind py` with a real Nix: which interpreter runs, and that everything passes through."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.python.conftest import WITH_PYTHON, WITHOUT, PythonWorld

WHO = "import os, sys; print(os.environ['WHO'], os.environ.get('GREETING'), *sys.argv[1:])"
ECHO = "import os, sys\nprint(os.environ['WHO'], *sys.argv[1:])\n"


def test_the_shells_python_runs_with_the_shells_environment(world: PythonWorld) -> None:
    world.start({"scripts/x.py": ECHO}).flake(shell=WITH_PYTHON)
    assert world.py("-c", WHO, "a", "b c").out == "python3-3.11-shell good\nday a b c\n"
    assert world.py("scripts/x.py", "--json", "-c").out == "python3-3.11-shell --json -c\n"
    deeper = world.repo / "scripts"
    assert world.py("x.py", cwd=deeper).out == "python3-3.11-shell\n"


def test_without_python_in_the_shell_the_locks_nixpkgs_is_taken(world: PythonWorld) -> None:
    world.start({}).flake(shell=WITHOUT)
    assert world.py("-c", WHO).out == "python3-3.11-pinned None\n"
    assert world.py("--why", "-c", "1").out.startswith("nixpkgs: ")
    path = world.py("-c", "import os; print(os.environ['PATH'])").out
    assert path.split(":")[0].endswith(".python/bin")


def test_a_flake_without_a_shell_takes_the_locks_nixpkgs(world: PythonWorld) -> None:
    world.start({}).flake()
    assert world.py("-c", WHO).out == "python3-3.11-pinned None\n"


def test_the_python_on_the_path_is_never_taken(world: PythonWorld) -> None:
    world.start({}).flake(shell=WITHOUT, nixpkgs=False)
    done = world.py("-c", "print('ran')")
    assert (done.code, done.out) == (3, "")
    assert "no flake.lock, so no nixpkgs is pinned" in done.err
    world.write({"flake.lock": '{"nodes": {"root": {}}, "root": "root", "version": 7}'})
    world.git("add", "-A")
    done = world.py("-c", "print('ran')")
    assert (done.code, done.out) == (3, "")
    assert "the global registry" in done.err
    assert "inputs.nixpkgs" in done.err


def test_a_flake_whose_inputs_are_not_locked_is_not_locked_in_passing(world: PythonWorld) -> None:
    world.start({}).flake(shell=WITH_PYTHON, lock=False)
    done = world.py("-c", "print('ran')")
    assert (done.code, done.out) == (3, "")
    assert "nix flake lock" in done.err
    assert not (world.repo / "flake.lock").exists()


@pytest.mark.parametrize("door", [False, True])
def test_input_output_and_exit_code_are_the_scripts_own(world: PythonWorld, door: bool) -> None:
    world.start({"x.py": "import sys\nprint(sys.stdin.read().upper())\nsys.exit(41)\n"})
    world.flake(shell=WITH_PYTHON)
    done = world.py("x.py", stdin=b"caf\xc3\xa9", door=door)
    assert (done.code, done.out) == (41, "CAFÉ\n")
    done = world.py(
        "-", "a", stdin=b"import sys\nprint(sys.argv, repr(sys.stdin.read()))", door=door
    )
    assert (done.code, done.out) == (0, "['-', 'a'] ''\n")


def test_the_seed_documents_patterns_work(world: PythonWorld) -> None:
    """A heredoc on standard input, and a script of the project."""
    world.start({"scripts/some_helper.py": ECHO}).flake(shell=WITH_PYTHON)
    text = f"{world.main} py - <<'PY'\nprint(\"hello from nix python\")\nPY\n"
    assert world.ran(["bash", "-c", text]).out == "hello from nix python\n"
    assert world.py("scripts/some_helper.py").out == "python3-3.11-shell\n"


def test_a_signal_ends_the_script_and_nothing_else_is_there(world: PythonWorld) -> None:
    world.start({"x.py": "import time\nprint('up', flush=True)\ntime.sleep(60)\n"})
    world.flake(shell=WITH_PYTHON)
    world.py("-c", "pass")
    process = subprocess.Popen(
        [world.main, "py", "x.py"], cwd=world.repo, env=world.env, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    process.stdout.close()


def test_a_shell_hook_runs_every_time(world: PythonWorld) -> None:
    hook = WITH_PYTHON + ' shellHook = "echo hooked; export GREETING=hook";'
    world.start({}).flake(shell=hook)
    for _ in range(2):
        done = world.py("-c", WHO)
        assert done.out == "hooked\npython3-3.11-shell hook\n", done.err
    assert world.py("--why", "-c", "1").out.startswith("shell: nix ")


def test_a_configured_flake_and_shell(world: PythonWorld) -> None:
    inner = world.nix.flake(shell=WITH_PYTHON, nixpkgs=False).replace(".default", ".dev")
    world.start({"sandbox/flake.nix": inner})
    world.write({"grind.toml": '[python]\nflake = "./sandbox#dev"\n'})
    assert world.py("-c", WHO).out == "python3-3.11-shell good\nday\n"
    world.write({"grind.toml": '[python]\nflake = "./elsewhere"\n'})
    done = world.py("-c", WHO)
    assert (done.code, done.out) == (2, "")
    assert "there is no elsewhere/flake.nix" in done.err


def test_declared_dependencies_are_refused_by_name_or_found(world: PythonWorld) -> None:
    block = '# /// script\n# dependencies = ["requests>=2", "Rich"]\n# ///\nprint("ran")\n'
    world.start({"x.py": block}).flake(shell=WITH_PYTHON)
    done = world.py("x.py")
    assert (done.code, done.out) == (3, "")
    assert "requests>=2, Rich" in done.err
    lib = world.root / "lib"
    for name, version in (("requests", "2.31.0"), ("rich", "13.0")):
        info = lib / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    shell = WITH_PYTHON + f' PYTHONPATH = "{lib}";'
    world.flake(shell=shell)
    assert world.py("x.py").out == "ran\n"


def test_hosts_without_nix(world: PythonWorld) -> None:
    world.start({"x.py": ECHO}).flake(shell=WITH_PYTHON)
    bare = world.root / "bare"
    bare.mkdir()
    for tool in ("git", "bash", "env", "test"):
        (bare / tool).symlink_to(f"/usr/bin/{tool}")
    done = world.py("x.py", env={"PATH": str(bare)})
    assert (done.code, done.out) == (3, "")
    assert "there is no Nix on this machine" in done.err
    own = world.root / "own-python"
    own.write_text(f'#!/bin/sh\nexport WHO=named\nexec {sys.executable} "$@"\n')
    own.chmod(0o755)
    world.write({"grind.toml": f'[python]\nfallback = "{own}"\n'})
    assert world.py("x.py", "a", env={"PATH": str(bare)}).out == "named a\n"
    world.write({"grind.toml": '[python]\nfallback = "uv run"\n'})
    uv = bare / "uv"
    uv.write_text('#!/bin/sh\necho uv "$@"\n')
    uv.chmod(0o755)
    assert world.py("x.py", "a", env={"PATH": str(bare)}).out == "uv run --quiet x.py a\n"
    assert (
        world.py("-c", "1", "b", env={"PATH": str(bare)}).out == "uv run --quiet python3 -c 1 b\n"
    )


def test_bad_input_is_told(world: PythonWorld, tmp_path: Path) -> None:
    world.start({"x.py": "print('ran')\n"}).flake(shell=WITH_PYTHON)
    for words, told in (
        ((), "SCRIPT, -c CODE or - is needed"),
        (("-c",), "-c wants code"),
        (("--nope", "x.py"), "unknown argument '--nope'"),
        (("--json", "x.py"), "a script's output is its own"),
        (("gone.py",), "gone.py cannot be read"),
        (("--host", "nobody", "x.py"), "nobody"),
    ):
        done = world.py(*words)
        assert "ran" not in done.out
        assert done.code != 0
        assert told in done.said, (words, done)
    world.write({"flake.nix": "{ outputs = "})
    done = world.py("x.py")
    assert (done.code, done.out) == (3, "")
    assert "syntax error" in done.err
    outside = tmp_path / "outside-of-git"
    outside.mkdir()
    assert world.py("-c", "1", cwd=outside).code == 2


def test_a_script_that_deletes_itself_runs(world: PythonWorld) -> None:
    world.start({"x.py": "import os\nos.unlink(__file__)\nprint('gone')\n"}).flake(
        shell=WITH_PYTHON
    )
    assert world.py("x.py").out == "gone\n"
    assert world.py("x.py").code == 2


def test_runs_are_counted_and_told_of_once(world: PythonWorld) -> None:
    world.start({"x.py": ECHO}).flake(shell=WITH_PYTHON)
    told = [world.py("x.py", str(n)).err for n in range(5)]
    assert ["promote" in text for text in told] == [False, False, True, False, False]
    (world.repo / "x.py").write_text(f"# a comment\n\n{ECHO}")
    world.py("x.py")
    world.py("-c", "password = 'hunter2'")
    listed = world.py("list")
    assert "    6 ×  x.py" in listed.out
    assert "next: grind py promote x.py" in listed.out
    record = next(world.state.rglob("usage.ndjson"))
    assert record.stat().st_mode & 0o777 == 0o600
    assert b"hunter2" not in record.read_bytes()
    document = world.py("list", "--json").document
    assert document["schema"] == "grind.py/1"
    assert document["scripts"][0] == {"kind": "script", "shown": "x.py", "times": 6}


def test_two_at_once_are_both_counted_and_one_is_told(world: PythonWorld) -> None:
    world.start({}).flake(shell=WITH_PYTHON)
    world.write({"grind.toml": "[python]\npromote_after = 8\n"})
    world.py("-c", "pass")
    argv = [world.main, "py", "-c", "pass"]
    begun = [
        subprocess.Popen(argv, cwd=world.repo, env=world.env, stderr=subprocess.PIPE)
        for _ in range(9)
    ]
    said = [process.communicate()[1] for process in begun]
    assert sum(b"promote" in text for text in said) == 1
    assert world.py("list", "--json").document["scripts"][0]["times"] == 10
