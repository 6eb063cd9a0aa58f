"""A machine on which steps run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from grind.ports.lane import Lane, LaneSpec


class Completed(NamedTuple):
    """What a small command answered. `exit_code` is 127 when the program does not exist."""

    exit_code: int
    out: bytes
    err: bytes


class HostIdentity(Struct, frozen=True, kw_only=True):
    """Who a host is. `id` is stable over reboots and activations; `system` is recorded only."""

    id: str
    os: str
    architecture: str
    system: str = ""
    boot: str = ""


class Passage(NamedTuple):
    """How a program on a host gets this process's own input and output."""

    argv: tuple[str, ...]
    """The command to run here; its exit code is the program's."""
    end: tuple[str, ...]
    """The command to run on the host that ends the program and what it started."""
    tidy: tuple[str, ...]
    """The command to run on the host when it is over."""


class Host(Protocol):
    """A machine on which steps run."""

    @property
    def name(self) -> str:
        """The name the user gave it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the host lends to every job from its own environment, PATH among it."""

    async def identity(self) -> HostIdentity:
        """Return who this host is."""

    async def ask(self, queries: Mapping[str, Sequence[str]]) -> Mapping[str, Completed]:
        """Run small fact-finding commands (name → argv) side by side, in the environment that a
        job would have, each bounded to 20 seconds; one round trip."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        data: bytes = b"",
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        seconds: float = 20.0,
    ) -> Completed:
        """Run one command on the host to its end, with `data` as its standard input.

        `env` is laid over what the host lends. Arguments, environment and data travel as data:
        nothing is quoted, nothing is expanded. For small answers: output is kept in memory. After
        `seconds` the command and what it started are killed, and the exit code is 124. A program
        that shall outlive the connection detaches itself (`setsid -f`). Raises UnreachableError
        when the host does not answer: whether the command ran is then not known.
        """

    async def keep(self, name: str, data: bytes) -> str:
        """Put a private file into the host's state folder, under its name and a digest of its
        content, and return its absolute path on the host. One that is there is not written again:
        what runs from it outlives an upgrade of grind. `name` is of [0-9A-Za-z._-]."""

    async def place(self, repository: str) -> str:
        """Return the path on the host at which `receive` will have put the private repository, so
        that lanes can be opened while it is on its way. Nothing may begin in them before it is there."""

    async def receive(self, repository: str, modules: Callable[[], Mapping[str, str]]) -> str:
        """Bring the private repository (a path here, made by `Repository.prepare`) to the host with
        its refs and all that they need, and return its path there, for `LaneSpec.repository`.
        `modules` says where the copies of submodules are here: name → git folder. On this machine the path is
        the same and nothing is copied."""

    def listen(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called with a sentence when the host is not heard of any more, and when it is
        back. What runs there goes on meanwhile, and nothing of it is lost."""

    async def lane(self, spec: LaneSpec) -> Lane:
        """Open the lane, or attach to it when it exists."""

    async def abandon(self, run: str) -> None:
        """End all lanes of a run and every process they started."""

    async def collect(self, max_age: float, keep: int) -> None:
        """Remove runs and checkouts that nothing has used for `max_age` seconds, but the newest
        `keep` runs, and nothing that still runs."""

    async def close(self) -> None:
        """Let go of connections; lanes go on."""


class Passable(Host, Protocol):
    """A host that is somewhere else, on which a program can be run as if it were here."""

    async def passage(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str] | None = None
    ) -> Passage:
        """Return how to run a program there with this process's own input and output. Arguments and
        environment travel as data. The program runs once, when `argv` is run."""
