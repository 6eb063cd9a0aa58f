"""A user who is not root: a real nix-daemon, a store that is root's, and a sudo that is played."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from grind.adapters.hostscripts import LOCK, script
from grind.adapters.localhost import LocalHost
from grind.adapters.supervisor.program import program
from grind.core.activateconfig import ActivateConfig
from grind.core.activation import Phase, Spec
from grind.core.errors import RefusedError
from grind.flows.activation.supervisor import Supervisor, find_supervisor
from grind.ports import Completed
from tests.activation.lab import Lab
from tests.activation.rootdo import RootDo
from tests.activation.world import is_root
from tests.contracts.rig import RealClock

USER = 65534
ID = "20260101-000000-aaaaaa"


class UserHost(LocalHost):
    """This machine, where whatever is run is run as an ordinary user."""

    def __init__(self, state: Path, env: Mapping[str, str]) -> None:
        super().__init__(state, env, RealClock())
        self._mine = state

    async def run(
        self,
        argv: Sequence[str],
        *,
        data: bytes = b"",
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        seconds: float = 20.0,
    ) -> Completed:
        become = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--")
        return await super().run((*become, *argv), data=data, cwd=cwd, env=env, seconds=seconds)

    async def keep(self, name: str, data: bytes) -> str:
        path = await super().keep(name, data)
        for each in (self._mine, *self._mine.rglob("*")):
            os.chown(each, USER, USER)
        return path


class Ground:
    """The host is root's; grind's state on it is the user's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lab = Lab(root / "lab", root / "repo")
        socket = root / "daemon"
        rooted = {"PATH": os.environ["PATH"], "HOME": str(root)} | self.lab.env
        self.daemon = subprocess.Popen(
            ["nix-daemon"],
            env=rooted | {"NIX_DAEMON_SOCKET_PATH": str(socket)},
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not socket.exists():
            assert time.monotonic() < until, "no nix-daemon"
            time.sleep(0.02)
        socket.chmod(0o777)
        self.sudo = RootDo(
            root / "lab" / "bin", rooted | {"SUDO_UID": str(USER), "SUDO_GID": str(USER)}
        )
        own = {"NIX_REMOTE": "daemon", "NIX_DAEMON_SOCKET_PATH": str(socket)}
        self.home = root / "home"
        self.home.mkdir(mode=0o700)
        os.chown(self.home, USER, USER)
        self.host = UserHost(self.home / "state", self.lab.env | own)
        self.supervisor = root / "roots" / "grind-activate"
        self.supervisor.parent.mkdir(mode=0o755)
        self.supervisor.write_bytes(program())
        self.supervisor.chmod(0o755)

    def config(self, supervisor: Path | None = None) -> ActivateConfig:
        return ActivateConfig(
            flake=".#lab",
            profile=str(self.lab.profile),
            running=str(self.lab.running),
            booted=str(self.lab.booted),
            state=str(self.lab.state),
            supervisor=str(supervisor) if supervisor else None,
        )

    async def find(self, supervisor: Path | None = None) -> Supervisor:
        return await find_supervisor(self.host, self.config(supervisor), program(), script(LOCK))

    def deploy(self, version: str) -> str:
        """Build a version; the first is switched to."""
        self.lab.repo.mkdir(exist_ok=True)
        for name, text in self.lab.describe(version).items():
            (self.lab.repo / name).write_text(text)
        return self.lab.build() if version != "1" else self.lab.deploy()

    def close(self) -> None:
        self.sudo.close()
        self.daemon.kill()
        self.daemon.wait()
        self.lab.shut_down()


@pytest.fixture
def ground() -> Iterator[Ground]:
    if not is_root() or shutil.which("nix-daemon") is None:
        assert not (os.environ.get("CI") and is_root()), "nix-daemon is missing"
        pytest.skip("needs root, to be somebody else, and nix-daemon")
    folder = Path(tempfile.mkdtemp(prefix="grind-user-"))
    folder.chmod(0o755)
    made = Ground(folder / "w") if (folder / "w").mkdir() is None else None
    assert made is not None
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_refused_up_front_and_then_the_whole_way(ground: Ground) -> None:
    old, new = ground.deploy("1"), ground.deploy("2")

    async def play() -> None:
        with pytest.raises(RefusedError, match="sudo does not run") as refused:
            await ground.find(ground.supervisor)
        assert "whoever may activate is root there" in refused.value.remedy
        ground.sudo.allowed.add(str(ground.supervisor))
        found = await ground.find(ground.supervisor)
        assert found.sudo
        state = await found.history(ground.config())
        assert (state.running, state.user, state.number) == (old, "0", "1")
        assert b"would start the following units: web.service" in (await found.dry(new)).err
        spec = Spec(
            id=ID, kind="nixos", old=old, new=new, generation="1", profile=str(ground.lab.profile),
            running=str(ground.lab.running), deadline=60, limit=60,
        )  # fmt: skip
        await found.start(spec)
        size, told = 0, None
        while told is None or not told.standing.over:
            told = await found.tell(ID, size)
            assert told is not None
            size = told.size
            if told.standing.phase is Phase.WAITING:
                # Root's supervisor holds the lock of the account that asked, and wrote it as that.
                (held,) = (ground.home / "locks").glob("activation.*")
                assert held.stat().st_uid == USER
                assert f"grind activate {ID}".encode() in held.read_bytes()
                await found.word("ack", ID)
        assert told.standing.phase is Phase.ACKNOWLEDGED

    asyncio.run(play())
    assert (ground.lab.runs, ground.lab.generation) == (new, 2)
    assert {words[0] for words in ground.sudo.asked} == {str(ground.supervisor)}
    assert (ground.lab.state / "record").stat().st_uid == 0


def test_supervisor_in_the_store_is_roots(ground: Ground) -> None:
    ground.deploy("1")
    with pytest.raises(RefusedError, match="sudo does not run"):
        asyncio.run(ground.find())
    [path] = {words[0] for words in ground.sudo.asked}
    assert path.startswith(ground.lab.env["NIX_STORE_DIR"])
    assert os.stat(path).st_uid == 0
    assert Path(path).read_bytes() == program()
    ground.sudo.allowed.add(path)
    assert asyncio.run(ground.find()).sudo


def test_supervisor_that_the_user_could_have_written(ground: Ground) -> None:
    ground.deploy("1")
    mine = ground.root / "grind-activate"
    mine.write_bytes(program())
    mine.chmod(0o755)
    os.chown(mine, USER, USER)
    ground.sudo.allowed.add(str(mine))
    with pytest.raises(RefusedError, match="is not root's alone"):
        asyncio.run(ground.find(mine))
    assert ground.sudo.asked == []


def test_supervisor_in_a_folder_that_others_can_write(ground: Ground) -> None:
    ground.deploy("1")
    ground.sudo.allowed.add(str(ground.supervisor))
    ground.supervisor.parent.chmod(0o777)
    with pytest.raises(RefusedError, match="mode 777"):
        asyncio.run(ground.find(ground.supervisor))
    assert ground.sudo.asked == []


def test_supervisor_of_another_version(ground: Ground) -> None:
    ground.deploy("1")
    ground.supervisor.write_bytes(program() + b"# newer\n")
    ground.sudo.allowed.add(str(ground.supervisor))
    with pytest.raises(RefusedError, match="not the supervisor of this version") as refused:
        asyncio.run(ground.find(ground.supervisor))
    assert "sudo install -D -m 755" in refused.value.remedy
    assert ground.sudo.asked == []


@pytest.mark.parametrize(
    "new", ["/etc/passwd", "/nix/store/../../tmp/x", "STORE/.x", "STORE/nothing"]
)
def test_root_switches_to_systems_of_the_store_only(ground: Ground, new: str) -> None:
    old = ground.deploy("1")
    ground.sudo.allowed.add(str(ground.supervisor))
    target = new.replace("STORE", ground.lab.env["NIX_STORE_DIR"])
    spec = Spec(
        id=ID, kind="nixos", old=old, new=target, generation="1", profile=str(ground.lab.profile),
        running=str(ground.lab.running), deadline=60, limit=60,
    )  # fmt: skip

    async def play() -> None:
        found = await ground.find(ground.supervisor)
        with pytest.raises(RefusedError, match="was not touched: not a"):
            await found.start(spec)
        assert (await found.dry(target)).exit_code == 3

    asyncio.run(play())
    assert ground.lab.record() == []
    assert ground.lab.runs == old
