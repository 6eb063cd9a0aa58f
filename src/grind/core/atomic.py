"""One feature or fix with its tests: does a change of code come with a change of tests? Pure.

A path says little about its content, so this warns, and refuses only where a repository asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_CODE = frozenset(
    """
    bash c cc clj cpp cs cxx dart ex exs erl fs go h hpp hs java jl js jsx kt kts lua m
    mjs ml mm nim php pl pm py r rb rs scala sh sql svelte swift ts tsx vue zig
    """.split()  # noqa: SIM905 - a table of words
)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|spec|specs|__tests__|testing|testdata|fixtures|e2e|golden)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*[._-](?:test|tests|spec)\.[^/]+|[^/]*Tests?\.[^/]+)$"
)
_TEST_WITHIN = (b"#[test]", b"#[cfg(test)]", b"::test]", b"doctest", b"unittest", b"in-source test")
"""Languages whose tests stand beside the code."""
_NOT_BEHAVIOUR = re.compile(r"^(?:build|chore|ci|docs|perf|refactor|revert|style)(?:\([^)]*\))?!?:")


def is_test(path: str, globs: Iterable[str] = ()) -> bool:
    """Whether a path is one of tests, by the usual names or the repository's own globs."""
    return bool(_TEST.search(path)) or any(fnmatchcase(path, glob) for glob in globs)


def is_code(path: str, exempt: Iterable[str] = ()) -> bool:
    """Whether a path is of code that is expected to have tests."""
    name, dot, suffix = path.rpartition("/")[2].rpartition(".")
    known = bool(name and dot) and suffix.lower() in _CODE
    return known and not any(fnmatchcase(path, glob) for glob in exempt)


def holds_tests(content: bytes) -> bool:
    """Whether a file of code has tests in it."""
    return any(sign in content for sign in _TEST_WITHIN)


def untested(
    paths: Sequence[str],
    contents: Iterable[bytes],
    message: str,
    *,
    tests: Iterable[str] = (),
    exempt: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the changed files of code when no test changes with them; none when one does, when the
    message says that behaviour stays (Conventional Commits), or when there is no code in it.

    `contents` are those of the changed files of code as they will be.
    """
    if _NOT_BEHAVIOUR.match(message) or any(is_test(path, tests) for path in paths):
        return ()
    code = tuple(path for path in paths if is_code(path, exempt))
    return () if any(holds_tests(one) for one in contents) else code
