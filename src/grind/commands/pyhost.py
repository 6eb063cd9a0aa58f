"""`grind py --host H`: the same on another host, on the snapshot of this repository."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from grind.adapters.nixpython import Answer
    from grind.commands.py import Call
    from grind.flows.python import Launch, Script
    from grind.ports import Passable
    from grind.wiring import Session
    from grind.wiring.python import Workshop

SECONDS = 3600.0
"""What making a shell on the host may take."""
_SIGNALS = {signal.SIGINT: "INT", signal.SIGTERM: "TERM", signal.SIGHUP: "HUP"}
_SSH_FAILED = 255


class There(NamedTuple):
    """A host with the repository's files on it."""

    host: Passable
    tree: str
    loop: asyncio.Runner

    def ask(self, argv: Sequence[str], environ: Mapping[str, str]) -> Answer:
        """Run a program there to its end, at the repository's top."""
        from grind.adapters.nixpython import Answer

        lent = self.host.environment
        env = {name: value for name, value in environ.items() if lent.get(name) != value}
        return Answer(*self.loop.run(self.host.run(argv, cwd=self.tree, env=env, seconds=SECONDS)))

    def has(self, path: str) -> bool:
        """Whether the snapshot there has this file."""
        return self.ask(("test", "-f", path), self.host.environment).exit_code == 0


def run(call: Call) -> int:
    """Run a script on the host that `call` names. Raises GrindError, UnreachableError."""
    from grind.commands.hosting import reach
    from grind.commands.py import run as run_here
    from grind.flows.basis import Options, find_basis
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, call.host)
    basis = find_basis(session.repository, Options(), lambda _: frozenset())
    if session.hosts.is_here(reach(session, basis.config, "run Python")):
        return run_here(call._replace(host=None))
    target = basis.target
    private = session.repository.prepare(basis.snapshot, target.remote, target.main)
    with asyncio.Runner() as loop:
        host = cast("Passable", session.host(basis.config))
        try:
            tree = loop.run(_unpacked(host, session, private, basis.snapshot.commit))
            return _run(session, call, There(host, tree, loop))
        finally:
            loop.run(host.close())


async def _unpacked(host: Passable, session: Session, private: str, commit: str) -> str:
    """Bring the snapshot to the host, and lay it out there as files; return the folder."""
    from grind.adapters.hostscripts import UNPACK, bash, script

    repository = await host.receive(private, session.repository.submodule_repositories)
    program = await host.keep("unpack", script(UNPACK))
    folder = f"{os.path.dirname(repository)}/py-trees/{commit}"
    done = await host.run((*bash(program), repository, commit, folder), seconds=SECONDS)
    if done.exit_code:
        said = done.err.decode("utf-8", "replace").strip()
        raise GrindError(f"the snapshot could not be laid out on {host.name}: {said}")
    return folder


def _run(session: Session, call: Call, there: There) -> int:
    from grind.commands.py import count, inside, launch_of, read_script, say, tell_why
    from grind.wiring.python import there as workshop_there
    from grind.wiring.python import workshop

    here = workshop(session, fresh=call.fresh, say=say)
    nix = there.ask(("nix", "--version"), there.host.environment).exit_code == 0
    shop = workshop_there(here, there.host, there.tree, there.ask, nix=nix)
    script, stdin = read_script(call.words, shop)
    launch, _ = launch_of(session, shop, _moved(script, shop, there))
    if call.why:
        return tell_why(launch, json=call.json)
    if not launch.decision.app:
        count(shop, script)
    own = 2 if call.words[0] == "-c" else 1
    cwd = os.path.join(there.tree, inside(shop.top, "."))
    return there.loop.run(_pass(there.host, launch, call.words[own:], cwd, stdin))


def _moved(script: Script, shop: Workshop, there: There) -> Script:
    """Return the script as it is called there: at its place in the snapshot, or sent by itself."""
    from grind.commands.py import inside
    from grind.core.promotion import name_for

    if script.kind != "script":
        return script
    path = inside(shop.top, script.label)
    if path and there.has(f"{there.tree}/{path}"):
        return script._replace(words=(f"{there.tree}/{path}",))
    kept = there.host.keep(f"{name_for(script.label)[:60]}.py", script.source)
    return script._replace(words=(there.loop.run(kept),))


async def _pass(
    host: Passable, launch: Launch, arguments: Sequence[str], cwd: str, stdin: bytes | None
) -> int:
    """Run it with this process's own input and output; signals go to the program there."""
    env = launch.delta.over(host.environment)
    passage = await host.passage((*launch.argv, *arguments), cwd=cwd, env=env)
    process = await asyncio.create_subprocess_exec(
        *passage.argv,
        stdin=asyncio.subprocess.PIPE if stdin is not None else None,
        start_new_session=True,  # Ctrl-C is passed on, and must not end ssh before it is
    )
    asked: list[asyncio.Task[object]] = []
    got: list[int] = []

    def pass_on(number: signal.Signals) -> None:
        got.append(number)
        asked.append(asyncio.ensure_future(host.run((*passage.end, _SIGNALS[number]))))

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, pass_on, number)
    try:
        await process.communicate(stdin)
    finally:
        await asyncio.gather(*asked, return_exceptions=True)
        await host.run(passage.tidy)
    return _code(process.returncode or 0, got)


def _code(code: int, got: Sequence[int]) -> int:
    if got and code:
        return 128 + got[-1]
    if code == _SSH_FAILED:
        sys.stderr.write("grind py: exit code 255 is what ssh has for itself: a lost connection?\n")
    return code if code >= 0 else int(ExitCode.UNREACHABLE)
