"""Service containers, with a real podman: an image made here from a busybox, in a store of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.world import CI, World

IMAGE = "localhost/grind-test:1"
SERVE = """\
#!/bin/sh
mkdir /www && echo "$PAGE" >/www/index.html && httpd -p 80 -h /www && touch /up
exec sleep 1000
"""
Podman = Callable[..., str]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a podman that has a store of its own, and our image in it."""
    real, busybox = shutil.which("podman"), shutil.which("busybox")
    if real is None or busybox is None or os.getuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("podman and busybox are not installed, or this is not root")
        pytest.skip("podman and busybox are not installed, or this is not root")
    folder = tmp_path_factory.mktemp("podman")
    short = tempfile.mkdtemp(prefix="gp-")  # podman takes 50 characters at most
    options = (
        f"--root {folder}/store --runroot {short} --storage-driver=vfs "
        "--cgroup-manager=cgroupfs --runtime runc --network-backend cni"
    )
    wrapper = folder / "bin" / "podman"
    wrapper.parent.mkdir()
    # Limits that a machine without CAP_SYS_RESOURCE can give.
    wrapper.write_text(
        "#!/bin/bash\n[[ $1 != run ]] || set -- run --ulimit nofile=512:512 --ulimit nproc=512:512 "
        f'"${{@:2}}"\nexec {real} {options} "$@"\n'
    )
    wrapper.chmod(0o755)
    root = folder / "root"
    (root / "bin").mkdir(parents=True)
    (root / "tmp").mkdir()
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in ("sh", "mkdir", "echo", "touch", "httpd", "test", "sleep"):
        (root / "bin" / name).symlink_to("busybox")
    (root / "bin" / "serve").write_text(SERVE)
    (root / "bin" / "serve").chmod(0o755)
    with tarfile.open(folder / "root.tar", "w") as tar:
        tar.add(root, arcname=".")
    argv = [wrapper, "import", "--change", 'CMD ["/bin/serve"]', folder / "root.tar", IMAGE]
    made = subprocess.run(argv, check=False, capture_output=True)
    assert made.returncode == 0, made.stderr.decode()
    yield wrapper.parent
    subprocess.run([wrapper, "rm", "-a", "-f", "-t", "0"], check=False, capture_output=True)
    shutil.rmtree(short, ignore_errors=True)


@pytest.fixture
def env(tools: Path) -> dict[str, str]:
    return {"PATH": f"{tools}:{os.environ['PATH']}"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def containers(tools: Path) -> list[str]:
    argv = [tools / "podman", "ps", "-a", "--format", "{{.Names}}"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()


def service(port: int, steps: str, *, image: str = IMAGE, options: str = "") -> str:
    return f"""\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    services:
      web:
        image: {image}
        env: {{PAGE: "it's $HOME `id`"}}
        ports: ["{port}:80"]
        options: >-
          --health-cmd "test -e /up" --health-interval 1s --health-retries 5 {options}
    steps:
{steps}"""


ASK = """\
      - run: |
          exec 3<>"/dev/tcp/127.0.0.1/${{ job.services.web.ports['80'] }}"
          printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
          cat <&3
"""


def test_a_step_reaches_the_service_and_nothing_is_left(
    world: World, tools: Path, env: dict[str, str]
) -> None:
    world.start({CI: service(free_port(), ASK)})
    done = world.grind("check", "--follow", env=env)
    assert done.code == 0, (done, world.logs())
    assert "it's $HOME `id`" in done.out
    assert containers(tools) == []
    assert [receipt["state"] for receipt in world.receipts] == ["green"]


def test_the_image_must_be_there(world: World, env: dict[str, str]) -> None:
    world.start({CI: service(free_port(), ASK, image="localhost/other:1")})
    done = world.grind("check", env=env)
    assert done.code == 3, done
    assert "the image localhost/other:1 is not on this host" in done.out
    assert "podman pull localhost/other:1" in done.out


def test_a_service_that_is_not_well_fails_the_job(
    world: World, tools: Path, env: dict[str, str]
) -> None:
    world.start({CI: service(free_port(), ASK, options="--entrypoint /bin/nothing")})
    done = world.grind("check", env=env)
    assert done.code == 1, done
    assert "could not be set up" in done.out
    assert containers(tools) == []


def test_ctrl_c_leaves_no_container(world: World, tools: Path, env: dict[str, str]) -> None:
    steps = f"      - run: touch {world.outside}/on; sleep 1000\n"
    world.start({CI: service(free_port(), steps)})
    process = world.begin("check", env=env)
    world.until(lambda: (world.outside / "on").exists(), "the step did not begin")
    assert len(containers(tools)) == 1
    os.killpg(process.pid, signal.SIGINT)
    assert world.end(process).code == 130
    world.until(lambda: containers(tools) == [], "a container is left")


def test_what_a_killed_run_has_left_makes_room(
    world: World, tools: Path, env: dict[str, str]
) -> None:
    """The port is the same: were the old container there, the new one could not begin."""
    port = free_port()
    world.start({CI: service(port, ASK)})
    hangs = service(port, f"      - run: touch {world.outside}/on; sleep 1000\n")
    world.write({CI: hangs})
    process = world.begin("check", env=env)
    world.until(lambda: (world.outside / "on").exists(), "the step did not begin")
    process.kill()
    process.communicate()
    assert len(containers(tools)) == 1
    world.write({CI: service(port, ASK)})
    assert world.grind("check", env=env).code == 0
    assert containers(tools) == []
