"""hashFiles: which files, in which order, combined how."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from grind.workflows.expressions import EvaluationError, Patterns, hash_files

FILES = [
    "Cargo.lock", "a.txt", "a/a.txt", "a/b/Cargo.lock", "a/b/x.py", "a-b/Cargo.lock", "dir",
    "é/Cargo.lock", ".hidden/Cargo.lock", "z/😊.lock",
]  # fmt: skip


def _digest(path: str) -> Callable[[], bytes]:
    return lambda: sha256(path.encode()).digest()


def _expected(paths: list[str]) -> str:
    return sha256(b"".join(_digest(path)() for path in paths)).hexdigest()


@pytest.mark.parametrize(
    ("patterns", "matched"),
    [
        (["Cargo.lock"], ["Cargo.lock"]),
        (["./Cargo.lock"], ["Cargo.lock"]),
        (
            ["**/Cargo.lock"],
            [".hidden/Cargo.lock", "Cargo.lock", "a/b/Cargo.lock", "a-b/Cargo.lock",
             "é/Cargo.lock"],
        ),
        # The walk goes through "a" before "a-b": by name, not by path.
        (["a*/**"], ["a/a.txt", "a/b/Cargo.lock", "a/b/x.py", "a-b/Cargo.lock", "a.txt"]),
        (["a"], ["a/a.txt", "a/b/Cargo.lock", "a/b/x.py"]),
        (["a/"], ["a/a.txt", "a/b/Cargo.lock", "a/b/x.py"]),
        (["dir"], ["dir"]),
        (["dir/"], []),
        (["dir/**"], ["dir"]),
        (["?.txt"], ["a.txt"]),
        (["*.TXT"], []),
        (["z/?.lock"], []),
        (["z/??.lock"], ["z/😊.lock"]),
        (["a/**", "!**/*.py"], ["a/a.txt", "a/b/Cargo.lock"]),
        (["!**/*.py", "a/**"], ["a/a.txt", "a/b/Cargo.lock", "a/b/x.py"]),
        (["a/**", "!a/b", "a/b/x.py"], ["a/a.txt", "a/b/x.py"]),
        (["# comment\n\n a.txt \n!!Cargo.lock"], ["a.txt", "Cargo.lock"]),
        # Search starts at each pattern's literal part, in the order of the patterns.
        (["dir", "a.txt", "Cargo.lock"], ["dir", "a.txt", "Cargo.lock"]),
        (["z/😊.lock", "a.txt"], ["z/😊.lock", "a.txt"]),
        (["a/b", "a", "Cargo.lock"], ["a/a.txt", "a/b/Cargo.lock", "a/b/x.py", "Cargo.lock"]),
        (["--follow-symbolic-links", "a.txt"], ["a.txt"]),
        (["/w/s/a.txt"], ["a.txt"]),
        (["/w/s/**/a.txt"], ["a/a.txt", "a.txt"]),
        (["a**.txt"], ["a.txt"]),
        (["nothing"], []),
    ],
)  # fmt: skip
def test_files_and_order(patterns: list[str], matched: list[str]) -> None:
    files = [(path, _digest(path)) for path in reversed(FILES)]
    expected = _expected(matched) if matched else ""
    assert hash_files(patterns, files, workspace="/w/s") == expected


def test_known_answer() -> None:
    # sha256(sha256("a") ‖ sha256("b")), as sha256sum and xxd give it.
    contents = {"x": b"a", "y": b"b"}
    files = [(path, lambda path=path: sha256(contents[path]).digest()) for path in contents]
    assert hash_files(["x", "y"], files) == (
        "e5a01fee14e0ed5c48714f22180f25ad8365b53f9779f79dc4a3d7e93963f94a"
    )


@pytest.mark.parametrize(
    "pattern", ["../x", "a/../b", "a/./b", "/etc/passwd", "~/x", "a[bc]", "a\\b", "!", "--unknown"]
)
def test_refused(pattern: str) -> None:
    with pytest.raises(EvaluationError):
        Patterns([pattern], workspace="/w/s")


def test_symbolic_links_are_the_caller_s() -> None:
    assert Patterns(["--Follow-Symbolic-Links", "x"]).follow_symbolic_links
    assert not Patterns(["x"]).follow_symbolic_links


def test_hostile_patterns_take_no_time() -> None:
    name = "a" * 255
    assert not Patterns(["*a" * 60 + "b"]).match(name)
    assert not Patterns(["**/a/" * 40 + "b"]).match("/".join(["a"] * 200))
