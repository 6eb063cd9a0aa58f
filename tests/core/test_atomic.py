"""Code with its tests, as far as paths tell."""

from __future__ import annotations

import pytest

from grind.core.atomic import is_code, is_test, untested


@pytest.mark.parametrize(
    "path",
    ["tests/a.py", "test_a.py", "pkg/test_a.py", "a_test.go", "src/a.test.ts", "src/a.spec.js",
     "src/__tests__/a.js", "spec/a_spec.rb", "ATest.java", "conftest.py", "e2e/login.ts"],
)  # fmt: skip
def test_tests(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", ["latest.py", "contest/a.py", "src/attestation.rs", "protest.go"])
def test_what_only_sounds_like_tests(path: str) -> None:
    assert not is_test(path)
    assert is_code(path)


@pytest.mark.parametrize("path", ["README.md", "flake.nix", "a.toml", "Makefile", "x.lock", "py"])
def test_what_is_no_code(path: str) -> None:
    assert not is_code(path)


def test_untested() -> None:
    assert untested(["a.py", "b.md"], [], "x") == ("a.py",)
    assert untested(["a.py", "tests/b.py"], [], "x") == ()
    assert untested(["b.md"], [], "x") == ()
    assert untested(["a.rs"], [b"fn f() {}\n#[cfg(test)]\nmod tests {}"], "x") == ()
    assert untested(["a.rs"], [b"fn f() {}"], "x") == ("a.rs",)
    assert untested(["a.py"], [], "refactor(x): move") == ()
    assert untested(["a.py"], [], "fix: it") == ("a.py",)
    assert untested(["a.py", "lib/b.py"], [], "x", exempt=["a.*"]) == ("lib/b.py",)
    assert untested(["a.py", "checks/b.py"], [], "x", tests=["checks/*"]) == ()
