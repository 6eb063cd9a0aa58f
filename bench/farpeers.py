"""What else runs commands on a host over SSH: each does ten small steps, one after the other.

They are no dependencies of grind: a virtual environment of their own is made for them, once, in a folder
that git does not see, and where pip cannot fill it they are reported as skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.farbed import Bed
from bench.timing import BenchError, Stopwatch

TEN = 10
WANTED = ("fabric", "pyinfra", "ansible-core")
PLACE = Path(__file__).resolve().parents[1] / "build" / "bench-peers"
PATIENCE = 150.0
"""Seconds for pip, and for ten steps."""

FABRIC = """
import sys
from fabric import Config, Connection
from bench.timing import Stopwatch
config, alias, known, script = sys.argv[1:]
with Connection(alias, config=Config(runtime_ssh_path=config)) as connection:
    connection.client.load_host_keys(known)
    connection.open()
    watch = Stopwatch()
    for _ in range(10):
        assert connection.run(f"bash -e {script}", hide=True).stdout == "step 42\\n"
    print(watch.seconds())
"""
PYINFRA = """
import sys
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all
from bench.timing import Stopwatch
config, alias, known, script = sys.argv[1:]
told = {"ssh_config_file": config, "ssh_known_hosts_file": known}
inventory = Inventory(([(alias, told)], {}))
state = State(inventory, Config())
connect_all(state)
host = inventory.get_host(alias)
watch = Stopwatch()
for _ in range(10):
    good, said = host.run_shell_command(f"bash -e {script}")
    assert good and said.stdout == "step 42", said
print(watch.seconds())
"""
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - raw: bash -e {script}
      register: said
      failed_when: "'step 42' not in said.stdout"
      loop: "{{{{ range(10) | list }}}}"
"""


def loop_of_ssh(bed: Bed) -> float:
    """Return the seconds of ten steps by a loop of ssh through the user's master."""
    return sum(bed.user("bash", "-e", os.fspath(_script(bed))) for _ in range(TEN))


def _script(bed: Bed) -> Path:
    return bed.folder / "steps" / "0.sh"


def installed() -> str:
    """Make the environment unless it is there. Returns why there is none, or nothing."""
    if (PLACE / "complete").exists():
        return ""
    try:
        for argv in (
            [sys.executable, "-m", "venv", "--clear", os.fspath(PLACE)],
            [PLACE / "bin" / "python", "-m", "pip", "install", "-q", *WANTED],
        ):
            subprocess.run(argv, check=True, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        return f"pip does not install it here: {type(error).__name__}"
    (PLACE / "complete").touch()
    return ""


def _by_script(program: str) -> Callable[[Bed], float]:
    def run(bed: Bed) -> float:
        known = bed.sshd.folder / "known_hosts"
        argv = [PLACE / "bin" / "python", "-c", program, bed.config, bed.sshd.alias, known]
        return float(_run([*argv, _script(bed)], bed).split()[-1])

    return run


def _ansible(bed: Bed) -> float:
    """The whole process: it has no connection that it keeps for the next one but ssh's own master."""
    book = bed.folder / "book.yml"
    book.write_text(PLAYBOOK.format(script=_script(bed)))
    watch = Stopwatch()
    argv = [PLACE / "bin" / "ansible-playbook", "-i", f"{bed.sshd.alias},", book]
    _run([*argv, f"--ssh-common-args=-F {bed.config} -o ControlPath={bed.socket}"], bed)
    return watch.seconds()


def _run(argv: list[str | Path], bed: Bed) -> str:
    here = os.fspath(Path(__file__).resolve().parents[1])
    env = bed.environ | {"PYTHONPATH": here, "ANSIBLE_HOME": os.fspath(bed.folder / "ansible")}
    env |= {"LC_ALL": "C.UTF-8", "PATH": f"{PLACE}/bin:{env['PATH']}"}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise BenchError(f"{argv[0]}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


PEERS: dict[str, Callable[[Bed], float]] = {
    "fabric": _by_script(FABRIC),
    "pyinfra's API": _by_script(PYINFRA),
    "ansible-playbook": _ansible,
}
"""Name → the seconds that ten steps take it; BenchError when it does not work."""
