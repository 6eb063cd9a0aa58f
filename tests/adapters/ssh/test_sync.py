"""What reaches the host of a repository: objects, refs, nothing twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grind.core.errors import GrindError
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig, co, git, private, repository, step
from tests.sshd import Sshd


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return repository(tmp_path / "source")


@pytest.fixture
def bare(source: Path, tmp_path: Path) -> Path:
    return private(source, tmp_path / "private")


def refs(where: Path) -> str:
    return git(where, "for-each-ref", "--format=%(objectname) %(refname)")


async def receive(rig: Rig, bare: Path) -> Path:
    return Path(await rig.host.receive(os.fspath(bare), dict))


def commit(source: Path, bare: Path, text: str) -> str:
    (source / "text").write_text(text)
    git(source, "commit", "-qam", "more")
    git(bare, "fetch", "-q", "origin", "+refs/*:refs/*")
    return git(source, "rev-parse", "HEAD")


def test_the_first_time_and_a_change(rig: Rig, source: Path, bare: Path) -> None:
    async def story() -> None:
        there = await receive(rig, bare)
        assert refs(there) == refs(bare)
        git(there, "fsck", "--strict")
        for number in range(3):
            oid = commit(source, bare, f"change {number}\n")
            assert await receive(rig, bare) == there
            assert refs(there) == refs(bare)
            assert git(there, "cat-file", "-p", f"{oid}:text") == f"change {number}"
        git(there, "fsck", "--strict")

    rig.go(story())


def test_a_ref_that_is_gone_and_one_below_its_name(rig: Rig, source: Path, bare: Path) -> None:
    async def story() -> None:
        there = await receive(rig, bare)
        git(bare, "update-ref", "-d", "refs/heads/side")
        git(bare, "update-ref", "refs/heads/side/below", "refs/heads/main")
        await receive(rig, bare)
        assert refs(there) == refs(bare)

    rig.go(story())


def test_nothing_new_is_nothing_sent(rig: Rig, sshd: Sshd, bare: Path) -> None:
    async def story() -> None:
        await receive(rig, bare)
        before = sshd.network.carried
        await receive(rig, bare)
        assert sshd.network.carried - before < 1000

    rig.go(story())


def test_a_change_goes_in_one_small_round(rig: Rig, sshd: Sshd, source: Path, bare: Path) -> None:
    (source / "big").write_bytes(os.urandom(300_000))
    git(source, "add", "big")
    commit(source, bare, "with a big file\n")

    async def story() -> None:
        await receive(rig, bare)
        commit(source, bare, "small\n")
        before = sshd.network.carried
        await receive(rig, bare)
        assert sshd.network.carried - before < 5000

    rig.go(story())


def test_a_long_pack_has_a_session_of_its_own(rig: Rig, source: Path, bare: Path) -> None:
    (source / "big").write_bytes(os.urandom(9_000_000))
    git(source, "add", "big")
    oid = commit(source, bare, "with a big file\n")

    async def story() -> None:
        there = await receive(rig, bare)
        assert refs(there) == refs(bare)
        assert git(there, "cat-file", "-s", f"{oid}:big") == "9000000"

    rig.go(story())


def test_two_clients_that_send_at_once(rig: Rig, source: Path, bare: Path, tmp_path: Path) -> None:
    other = private(source, tmp_path / "other")
    for number in range(30):
        git(other, "update-ref", f"refs/heads/theirs-{number}", "refs/heads/main")

    async def story() -> None:
        import asyncio

        second = rig.another()
        for number in range(4):
            commit(source, bare, f"{number}\n")
            git(other, "fetch", "-q", "origin", "+refs/heads/main:refs/heads/main")
            paths = await asyncio.gather(receive(rig, bare), second.receive(os.fspath(other), dict))
            assert str(paths[0]) == paths[1]
            assert refs(paths[0]) in (refs(bare), refs(other))
        # Whoever comes last finds what the other left, and makes it its own.
        assert refs(await receive(rig, bare)) == refs(bare)
        git(paths[0], "fsck", "--strict")

    rig.go(story())


def test_a_host_that_has_lost_its_copy(rig: Rig, source: Path, bare: Path) -> None:
    import shutil

    async def story() -> None:
        there = await receive(rig, bare)
        shutil.rmtree(there)
        await receive(rig, bare)
        assert refs(there) == refs(bare)
        git(there, "fsck", "--strict")

    rig.go(story())


def test_a_repository_that_was_made_anew_at_its_place(
    rig: Rig, source: Path, bare: Path, tmp_path: Path
) -> None:
    import shutil

    async def story(keep_memory: bool) -> None:
        there = await receive(rig, bare)
        if keep_memory:
            shutil.move(bare / "hosts", tmp_path / "kept")
        for where in (source, bare):
            shutil.rmtree(where)
        repository(source)
        (source / "text").write_text(f"anew {keep_memory}")
        git(source, "commit", "-qam", "anew")
        private(source, bare)
        if keep_memory:
            shutil.move(tmp_path / "kept", bare / "hosts")
        await receive(rig, bare)
        assert refs(there) == refs(bare)
        git(there, "fsck", "--strict")

    rig.go(story(False))
    rig.go(story(True))


def test_a_clone_that_the_host_has_need_not_be_sent(
    sshd: Sshd, source: Path, bare: Path, tmp_path: Path
) -> None:
    (source / "big").write_bytes(os.urandom(1_000_000))
    git(source, "add", "big")
    commit(source, bare, "with a big file\n")
    git(tmp_path, "clone", "-q", os.fspath(source), "work space")
    commit(source, bare, "one more\n")
    host = ssh_host(sshd, workspace=os.fspath(tmp_path / "work space"))
    rig = Rig(host, tmp_path, lambda _: host)

    async def story() -> None:
        await host.open()
        before = sshd.network.carried
        there = await receive(rig, bare)
        assert sshd.network.carried - before < 100_000
        assert refs(there) == refs(bare)
        git(there, "fsck", "--strict")

    rig.go(story())
    rig.close()


def test_submodules_come_too(rig: Rig, source: Path, tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner")
    allow = ("-c", "protocol.file.allow=always")
    git(source, *allow, "submodule", "--quiet", "add", "--name", "in/ner", str(inner), "sub")
    git(source, "commit", "-qm", "with inner")
    bare = private(source, tmp_path / "elsewhere" / "private")
    modules = {"in/ner": os.fspath(source / ".git" / "modules" / "in" / "ner")}
    oid = git(source, "rev-parse", "HEAD")

    async def story() -> None:
        there = await rig.host.receive(os.fspath(bare), lambda: modules)
        lane = await rig.lane(repository=there)
        await lane.submit([co(0, oid, submodules="true"), step(1, "cat sub/text")], final=True)
        told = await rig.follow(lane)
        assert told.text(1) == "3\n", told.out

    rig.go(story())


def test_a_repository_with_sha256(rig: Rig, tmp_path: Path) -> None:
    source = repository(tmp_path / "new", object_format="sha256")
    bare = private(source, tmp_path / "new private")

    async def story() -> None:
        there = await receive(rig, bare)
        assert refs(there) == refs(bare)

    rig.go(story())


def test_a_host_without_git(tmp_path: Path, bare: Path) -> None:
    with Sshd(tmp_path, "bare", without=("git",)) as sshd:
        host = ssh_host(sshd)
        rig = Rig(host, tmp_path, lambda _: host)
        with pytest.raises(GrindError, match="git is not on the PATH") as caught:
            rig.go(receive(rig, bare))
        assert "install git" in caught.value.remedy
        rig.close()
