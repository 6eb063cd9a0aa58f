"""A chapter of `grind demo`: a change that builds, and crashes where it runs, is undone on the host.

The host is this machine, brought about by commands, because that needs nothing but bash; on NixOS
`flake` takes their place, and everything else is the same (docs/activation.md).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from grind.core.errors import ExitCode

_SERVICE = '''\
"""Counts visits. Says by grind_health which deployment answers."""

import os
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from grind_health import DeploymentContext, Health
from grind_health.wsgi import HealthApp

STEP = 1
context = DeploymentContext(
    instance_role="demo", revision=os.environ["REVISION"], started_at=time.time()
)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


server = WSGIServer(("127.0.0.1", int(os.environ["PORT"])), Quiet)
server.set_app(HealthApp(Health(context)))
server.serve_forever()
'''
_BROKEN = _SERVICE.replace("STEP = 1", 'STEP = int(os.environ["STEP"])')
_REPAIRED = _SERVICE.replace("STEP = 1", 'STEP = int(os.environ.get("STEP", "2"))')

_BUILD = """\
export STEP=2
"$PYTHON" -m py_compile service.py
mkdir -p "$SITE/releases/$GRIND_REVISION"
cp service.py "$SITE/releases/$GRIND_REVISION/"
echo "$GRIND_REVISION" >"$GRIND_BUILT"
"""
_GO = """\
if [ -s "$SITE/pid" ]; then kill -- "-$(cat "$SITE/pid")" || true; fi
rm -f "$SITE/pid"
if [ "$GRIND_TO" != none ]; then
  export REVISION=$GRIND_TO
  setsid -f bash -c 'echo $$ >"$SITE/pid"; exec "$PYTHON" "$SITE/releases/$REVISION/service.py"' \\
    </dev/null >>"$SITE/log" 2>&1
fi
echo "$GRIND_TO" >"$SITE/current"
"""
_CURRENT = 'cat "$SITE/current"\n'


class Stage(Protocol):
    """What a chapter is played on."""

    def say(self, text: str) -> None:
        """Tell the reader what comes."""

    def grind(self, *argv: str, expect: ExitCode = ExitCode.DONE, at: Path) -> None:
        """Type a command, and hold it to its answer."""

    def asked(self, *argv: str, at: Path) -> str:
        """Return what a command says, unseen."""

    def git(self, *argv: str, at: Path) -> None:
        """Run git."""


def play(stage: Stage, folder: Path, write: Callable[[str], object]) -> None:
    """Play the chapter in `folder`. The service is ended again, whatever happens."""
    work, site = folder / "visits", folder / "site"
    for each in (work, site):
        each.mkdir(parents=True)
    (site / "current").write_text("none\n")
    try:
        _play(stage, work, site, write)
    finally:
        _end(site)


def _play(stage: Stage, work: Path, site: Path, write: Callable[[str], object]) -> None:
    stage.say(
        "A service on a host, which is this machine: build, switch, probe, acknowledge. What "
        "grind.toml runs there needs your yes first."
    )
    (work / "service.py").write_text(_SERVICE)
    (work / "grind.toml").write_text(config(site, folder_of_state=site / "state"))
    stage.git("init", "-q", "-b", "main", at=work)
    stage.git("add", "-A", at=work)
    stage.git("commit", "-q", "-m", "Count visits", at=work)
    digest = json.loads(stage.asked("trust", "--show", "--json", at=work))["digest"]
    stage.asked("trust", "--digest", digest, at=work)
    stage.grind("activate", at=work)
    stage.say(
        "A change that builds: STEP is set there. Where it runs, it is not, and it crashes at "
        "start. Switched, probed, undone:"
    )
    (work / "service.py").write_text(_BROKEN)
    stage.grind("activate", expect=ExitCode.ROLLED_BACK, at=work)
    stage.say("The host is back on what was recorded, and well. Nothing was pushed. The repair:")
    (work / "service.py").write_text(_REPAIRED)
    stage.grind("activate", at=work)
    stage.grind("status", "--host", "local", at=work)
    write("  the service is ended, and its folder goes with the demo\n")


def config(site: Path, folder_of_state: Path) -> str:
    """Return the sample's grind.toml: values as data, never inside of shell text."""
    port = _free_port()
    fixed = {"SITE": str(site), "PYTHON": sys.executable, "PORT": str(port)}
    if path := os.environ.get("PYTHONPATH"):
        fixed["PYTHONPATH"] = path
    given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in fixed.items())
    return (
        f"[hosts.local]\nset = {{ {given} }}\n\n[activate]\nbuild = '''\n{_BUILD}'''\n"
        f"switch = '''\n{_GO}'''\nback = '''\n{_GO}'''\ncurrent = '''\n{_CURRENT}'''\n"
        f"state = {json.dumps(str(folder_of_state))}\nmin_disk = 1\n\n"
        f'[[probe]]\nname = "health"\nhttp = "http://127.0.0.1:{port}/health"\n'
        'role = "demo"\nrevision = "commit"\nfresh = true\n'
        'deadline = "3s"\ninterval = "100ms"\ngreens = 3\n'
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _end(site: Path) -> None:
    try:
        os.killpg(int((site / "pid").read_text()), signal.SIGTERM)
    except (OSError, ValueError):
        return
