"""The supervisor on the host, from here: where it is put, how it is called, what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grind.core.activateconfig import ActivateConfig
from grind.core.activation import Spec, Standing, read_record, stand
from grind.core.errors import ExitCode, GrindError, RefusedError, UnreachableError
from grind.core.hosthistory import HostState, read_history
from grind.core.texts import one_line
from grind.ports import Completed, Host

NAME = "grind-activate"
LOCK = "lock.sh"
"""The name under which a host keeps the program of its locks: the locks lie beside that."""
BASH = ("bash", "--noprofile", "--norc")
FOLLOW_SECONDS = 10
BUSY = 75


class Told(NamedTuple):
    """What the host says of an activation."""

    standing: Standing
    working: bool
    size: int


class Supervisor:
    """Calls the program on one host. `prefix` is how it is started there, sudo and all; `lock` is the
    program of the host's locks, of which it holds one while it works, and `origin` where we are, as the
    host sees it."""

    def __init__(
        self,
        host: Host,
        prefix: Sequence[str],
        state: str,
        *,
        sudo: bool,
        lock: bytes = b"",
        origin: str = "",
    ) -> None:
        self.host = host
        self.sudo = sudo
        self._prefix = tuple(prefix)
        self._state = state
        self._lock = lock
        self._origin = origin

    def on(self, host: Host) -> Supervisor:
        """Return the same supervisor, called through another connection."""
        return Supervisor(
            host,
            self._prefix,
            self._state,
            sudo=self.sudo,
            lock=self._lock,
            origin=self._origin,
        )

    async def _locking(self) -> tuple[str, str]:
        """Return what a verb that changes the host is told of its lock."""
        return await self.host.keep(LOCK, self._lock), self._origin

    async def call(
        self, verb: str, *args: str, data: bytes = b"", seconds: float = 20.0
    ) -> Completed:
        """Call a verb. Raises UnreachableError."""
        return await self.host.run(
            (*self._prefix, verb, self._state, *args), data=data, seconds=seconds
        )

    async def history(self, config: ActivateConfig) -> HostState:
        """Ask what the host is and what was done to it. Raises GrindError, UnreachableError."""
        nixos = config.kind == "nixos"
        paths = (config.profile, config.running, config.booted) if nixos else ("", "", "")
        said = await self._checked("history", *paths)
        return read_history(said.out.decode("utf-8", "replace"), config.kind or "nixos")

    async def dry(self, system: str) -> Completed:
        """Ask what switching to a system would do to units."""
        return await self.host.run((*self._prefix, "dry", self._state, system), seconds=300.0)

    async def start(self, spec: Spec) -> None:
        """Begin. Raises RefusedError when the host is not as it was planned for, or is busy."""
        said = await self.call("start", *await self._locking(), data=spec.encode(), seconds=60.0)
        if said.exit_code == BUSY:
            raise RefusedError(
                f"{self.host.name}: {_text(said)}", remedy="grind status --host, and wait for it"
            )
        if said.exit_code:
            raise RefusedError(
                f"{self.host.name} was not touched: {_text(said)}", remedy="grind activate"
            )

    async def tell(self, activation: str, size: int = 0, wait: int = FOLLOW_SECONDS) -> Told | None:
        """Say where an activation stands, when the record has another size than `size`; wait for
        that at most so many seconds. None when the host knows nothing of it."""
        said = await self.call("tell", activation, str(size), str(wait), seconds=wait + 20.0)
        if said.exit_code == ExitCode.REFUSED:
            return None
        self._check(said)
        works, size_text, _, *lines = said.out.decode("utf-8", "replace").splitlines()
        records = (record for line in lines if (record := read_record(line)) is not None)
        return Told(stand(records), works == "working", int(size_text))

    async def word(self, word: str, activation: str, reason: str = "") -> None:
        """Leave a word, `ack` or `red`, for the supervisor that waits."""
        await self._checked(word, activation, reason)

    async def repair(self, activation: str, limit: float) -> None:
        """Bring to an end what a killed supervisor or a reboot left open."""
        locking = await self._locking()
        await self._checked("repair", activation, *locking, seconds=2 * limit + 60)

    async def log(self, activation: str) -> str:
        """Return the end of what the switch printed."""
        said = await self.call("log", activation)
        return said.out.decode("utf-8", "replace") if said.exit_code == 0 else ""

    async def _checked(self, verb: str, *args: str, seconds: float = 20.0) -> Completed:
        said = await self.call(verb, *args, seconds=seconds)
        self._check(said)
        return said

    def _check(self, said: Completed) -> None:
        if said.exit_code:
            raise RefusedError(f"the supervisor on {self.host.name} says: {_text(said)}")


def _text(said: Completed) -> str:
    return one_line(said.err.decode("utf-8", "replace").strip()) or f"exit {said.exit_code}"


# --- where it is put -----------------------------------------------------------------------------

_WRITABLE = """\
id -u
printf '%s\\n' "from=${SSH_CONNECTION%% *}"
p=$1
while [[ ! -e $p ]]; do p=${p%/*} p=${p:-/}; done
[[ -w $p ]] && echo yes
exit 0
"""
"""Constant text; the folder of the profile is an argument."""

_ROOTS = """\
at=$1
while :; do
  IFS=' ' read -r owner mode <<<"$(stat -L -c '%u %a' -- "$at")" || exit 1
  if [[ $owner != 0 ]] || { ((8#$mode & 8#022)) && ! ((8#$mode & 8#1000)); }; then
    printf '%s belongs to user %s, mode %s\\n' "$at" "$owner" "$mode"
    exit 1
  fi
  [[ $at == / ]] && break
  at=${at%/*} at=${at:-/}
done
sha256sum <"$1"
"""

_TO_STORE = """\
set -e
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cat >"$folder/grind-activate"
chmod 755 "$folder/grind-activate"
nix-store --add "$folder/grind-activate"
"""


async def find_supervisor(
    host: Host, config: ActivateConfig, program: bytes, lock: bytes = b"", origin: str = ""
) -> Supervisor:
    """Put the supervisor where it may be run, and return it. `lock` is the program of the host's locks;
    without it, nothing can be begun. `origin` is where we are, for a host that does not see it.

    As root, or where the user's own rights are enough, it runs as the user. Otherwise sudo runs it,
    without ever asking for a password, and only from where nobody but root can have written it.

    Raises:
        RefusedError: the user may not change this host; what would allow it is the remedy.
    """
    folder = config.profile.rpartition("/")[0] or "/"
    said = await host.run((*BASH, "-c", _WRITABLE, "bash", folder))
    if said.exit_code:
        raise GrindError(f"{host.name} has no working bash: {_text(said)}", remedy="grind doctor")
    user, seen, *writable = said.out.decode("utf-8", "replace").split()
    origin = seen.removeprefix("from=") or origin
    state = config.state or ""
    if user == "0" or writable or config.kind == "commands":
        path = await host.keep(NAME, program)
        return Supervisor(host, (*BASH, path), state, sudo=False, lock=lock, origin=origin)
    path = config.supervisor or await _in_store(host, program)
    await _must_be_roots(host, path, program)
    prefix = ("sudo", "-n", "--", path)
    found = Supervisor(host, prefix, state, sudo=True, lock=lock, origin=origin)
    asked = await found.call("history", "", "", "")
    if asked.exit_code:
        raise RefusedError(
            f"user {user} may not activate {host.name}: sudo does not run {path} without a "
            f"password ({_text(asked)})",
            remedy="an administrator allows it (security.sudo.extraRules, NOPASSWD); whoever may "
            "activate is root there: docs/activation.md",
        )
    return found


async def _in_store(host: Host, program: bytes) -> str:
    said = await host.run((*BASH, "-c", _TO_STORE), data=program, seconds=60.0)
    if said.exit_code:
        raise RefusedError(
            f"the supervisor could not be put into the Nix store of {host.name}: {_text(said)}",
            remedy="set `supervisor` in [activate] to one that root has put there",
        )
    return said.out.decode().strip()


async def _must_be_roots(host: Host, path: str, program: bytes) -> None:
    import hashlib

    said = await host.run((*BASH, "-c", _ROOTS, "bash", path))
    text = said.out.decode("utf-8", "replace").strip()
    if said.exit_code:
        raise RefusedError(
            f"{path} on {host.name} is not root's alone ({one_line(text) or _text(said)}), so sudo "
            "must not run it",
            remedy="a path of a Nix store that root owns, or a folder of root's: docs/activation.md",
        )
    if text.split()[0] != hashlib.sha256(program).hexdigest():
        kept = await host.keep(NAME, program)
        raise RefusedError(
            f"{path} on {host.name} is not the supervisor of this version of grind",
            remedy=f"sudo install -D -m 755 {kept} {path}",
        )


__all__ = ["Supervisor", "Told", "UnreachableError", "find_supervisor"]
