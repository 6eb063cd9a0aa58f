"""Asks services from a host, or from a container on it, with bash alone (implements
`grind.ports.Prober`).

The bash program (exchange.sh) moves bytes and reads nothing of them; the answer is read here, by the
same reader as everywhere. It is passed as an argument, because a container does not see the host's
files (docs/adr/0035-one-reader-for-probes.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from grind.core.bundled import bundled_text
from grind.ports import Address, Completed, Exchanged, Host

_BEGIN = b"\0grind-probe "
_CONNECTED = b"\0connected\n"
_BACKSTOP = 0.25
"""Seconds after which the program is ended that did not end by itself: it never got a connection."""
_SLACK = 5.0
"""Seconds that the way to the host may add before the whole command is given up."""
_OUT_OF_TIME = (124, 137)


class HostProber:
    """A host, through `Host.run`. `prefix` is what runs a command inside of a container."""

    speaks_tls = False

    def __init__(self, host: Host, prefix: Sequence[str] = ()) -> None:
        self._host = host
        self._prefix = tuple(prefix)

    async def connect(self, address: Address, *, seconds: float) -> str:
        """Connect and close again."""
        done = await self._run(address, b"", 0, seconds)
        _, connected, _ = _parts(done.out)
        return "" if connected and done.exit_code == 0 else _problem(done, connected, 0, seconds)

    async def exchange(
        self, address: Address, request: bytes, *, tls: bool, limit: int, seconds: float
    ) -> Exchanged:
        """Connect, send, and return what comes."""
        if tls:
            return Exchanged(b"", False, 0.0, "a bare host has nothing that speaks TLS")
        done = await self._run(address, request, limit, seconds)
        at, connected, raw = _parts(done.out)
        if done.exit_code == 0 and connected:
            return Exchanged(raw, len(raw) < limit, at)
        return Exchanged(raw, False, at, _problem(done, connected, len(raw), seconds))

    async def _run(self, address: Address, request: bytes, limit: int, seconds: float) -> Completed:
        program = bundled_text("grind.adapters.probing", "exchange.sh")
        argv = (
            *self._prefix,
            *("timeout", "-k", "1", f"{seconds + _BACKSTOP:.3f}"),
            *("bash", "--noprofile", "--norc", "-c", program, "grind-probe"),
            *(address.host, str(address.port), str(limit), str(int(seconds * 1000))),
        )
        return await self._host.run(argv, data=request, seconds=seconds + _SLACK)


def _parts(out: bytes) -> tuple[float, bool, bytes]:
    """Return the host's clock, whether there was a connection, and what came on it; what a login
    shell says before is passed over."""
    _, _, rest = out.partition(_BEGIN)
    clock, _, rest = rest.partition(b"\n")
    try:
        at = float(clock.replace(b",", b"."))
    except ValueError:
        return 0.0, False, b""
    return at, rest.startswith(_CONNECTED), rest.removeprefix(_CONNECTED)


def _problem(done: Completed, connected: bool, got: int, seconds: float) -> str:
    if done.exit_code in _OUT_OF_TIME:
        so_far = f" ({got} bytes so far)" if got else ""
        return f"no {'whole answer' + so_far if connected else 'connection'} in {seconds:g} s"
    said = done.err.decode("utf-8", "replace").strip()
    if done.exit_code == 98:
        return _last_words(said).lower()
    if connected:
        return _last_words(said).lower() or "the connection broke off"
    return f"could not be asked from here (exit code {done.exit_code}): {_last_words(said)}"


def _last_words(said: str) -> str:
    """Return the reason out of `bash: line 9: /dev/tcp/…: Connection refused`; of a name that is
    none, bash says so in a line of its own before."""
    lines = [line for line in said.splitlines() if line] or [""]
    line = lines[0]
    return line.rpartition(": ")[2][:120]
