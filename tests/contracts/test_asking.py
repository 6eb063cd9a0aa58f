"""What a lane answers about the job's files: contents, and `hashFiles`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from grind.core.errors import GrindError
from tests.contracts.rig import Rig, step


def digest(*contents: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(c).digest() for c in contents)).hexdigest()


MAKE = """
mkdir -p a/b .hidden 'with blank' 😊 linked
printf 1 > Cargo.lock; printf 2 > a/Cargo.lock; printf 3 > a/b/Cargo.lock
printf 4 > .hidden/Cargo.lock; printf 5 > 'with blank/x'; printf 6 > 😊/y
ln -s ../Cargo.lock linked/to-file; ln -s ../a linked/to-folder; ln -s . linked/loop
ln -s nowhere broken; printf 'é\\n' > "$(printf 'odd\\377')"; mkfifo pipe
"""


def ask(rig: Rig, *questions: Sequence[str]) -> list[str]:
    """What `hashFiles` says after a step has filled the workspace."""

    async def story() -> list[str]:
        lane = await rig.lane()
        await lane.submit([step(0, MAKE)], final=True)
        await rig.follow(lane)
        return [await lane.hash_files(n, question) for n, question in enumerate(questions)]

    return rig.go(story())


def test_hash_files_of_the_workspace(rig: Rig) -> None:
    assert ask(
        rig,
        ["Cargo.lock"],
        ["**/Cargo.lock"],
        ["a", "!a/b/**"],
        ["with blank/*"],
        ["😊/**"],
        ["nothing", "a/nothing/*"],
        ["linked"],
        ["--follow-symbolic-links", "linked/to-folder/**/Cargo.lock"],
        ["odd*"],
    ) == [
        digest(b"1"),
        digest(b"4", b"1", b"2", b"3"),
        digest(b"2"),
        digest(b"5"),
        digest(b"6"),
        "",
        digest(b"1"),
        digest(b"2", b"3"),
        digest("é\n".encode()),
    ]


@pytest.mark.parametrize("pattern", ["broken", "pipe", "/etc/passwd", "a/../x", "Cargo.lock/x"])
def test_what_cannot_be_hashed_is_an_error_and_no_answer(rig: Rig, pattern: str) -> None:
    with pytest.raises(GrindError, match="hashFiles"):
        ask(rig, [pattern])


def test_a_question_has_one_answer_for_all_clients(rig: Rig) -> None:
    async def story() -> None:
        lane = await rig.lane(run="one")
        await lane.submit([step(0, "printf 1 > f")])
        async for event in lane.events():
            if getattr(event, "exit_code", None) == 0:
                break
        first = await lane.hash_files(1, ["f"])
        await lane.submit([step(1, "printf 2 > f")], final=True)
        again = await rig.lane(run="one")
        assert again.resumed
        await rig.follow(again)
        assert first == await again.hash_files(1, ["f"]) == digest(b"1")
        assert await again.hash_files(2, ["f"]) == digest(b"2")

    rig.go(story())


def test_a_file_of_the_job(rig: Rig, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"abc")

    async def story() -> None:
        lane = await rig.lane()
        await lane.submit([step(0, "mkdir d; printf abcdef > d/f; mkfifo pipe")], final=True)
        await rig.follow(lane)
        assert await lane.file("d/f", 100) == b"abcdef"
        assert await lane.file("d/f", 3) == b"abc"
        assert await lane.file(f"{lane.paths.workspace}/d/f", 100) == b"abcdef"
        assert await lane.file(str(outside), 100) == b"abc"
        for path in ("none", "d", "pipe", "d/f/x", "nul\0"):
            assert await lane.file(path, 100) is None

    rig.go(story())
