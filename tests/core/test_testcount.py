"""Every runner's summary, as it prints it, and texts that only look like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.testcount import TestCount, TestCounter, count_tests

LOGS: list[tuple[str, int, str]] = [
    ("===== 3 passed, 1 failed, 2 skipped in 0.12s =====", 4, "pytest"),
    ("3 passed in 0.01s", 3, "pytest"),
    ("1 passed, 1 xfailed, 1 xpassed, 4 warnings in 61.20s (0:01:01)", 3, "pytest"),
    ("\x1b[32m\x1b[32m\x1b[1m3 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m", 3, "pytest"),
    ("no tests ran in 0.00s", 0, "pytest"),
    ("===== 5 deselected in 0.02s =====", 0, "pytest"),
    ("Ran 5 tests in 0.001s\n\nOK", 5, "unittest"),
    ("Ran 1 test in 0.001s", 1, "unittest"),
    ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", 0, "unittest"),
    (
        "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n"
        "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 9 filtered out\n",
        6,
        "cargo test",
    ),
    ("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out", 0, "cargo test"),
    ("     Summary [   0.012s] 5 tests run: 5 passed, 2 skipped", 5, "nextest"),
    ("error: no tests to run", 0, "nextest"),
    (
        "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- FAIL: TestA/b (0.0s)\nok  \tp\t0.1s",
        2,
        "go test",
    ),
    ("testing: warning: no tests to run\nPASS\nok  \tp\t0.1s [no tests to run]", 0, "go test"),
    ("?   \tp\t[no test files]", 0, "go test"),
    ("Tests:       1 failed, 2 skipped, 5 passed, 8 total", 6, "jest"),
    ("No tests found, exiting with code 0", 0, "jest"),
    ("      Tests  1 failed | 4 passed (5)", 5, "vitest"),
    ("No test files found, exiting with code 1", 0, "vitest"),
    ("  5 passing (10ms)\n  1 failing\n  2 pending\n", 6, "mocha"),
    ("# tests 5\n# suites 0\n# pass 4\n# fail 1\n# skipped 0", 5, "node"),
    ("ℹ tests 0\nℹ pass 0\nℹ fail 0", 0, "node"),
    ("TAP version 13\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP x\n1..3", 2, "tap"),
    ("1..0 # skip all", 0, "tap"),
    ("80% tests passed, 1 tests failed out of 5", 5, "ctest"),
    ("No tests were found!!!", 0, "ctest"),
    ("ok  \tp\t0.1s\nDONE 5 tests, 1 skipped in 0.1s", 4, "gotestsum"),
    ("12 examples, 0 failures, 2 pending", 10, "rspec"),
    ("5 runs, 7 assertions, 0 failures, 0 errors, 1 skips", 4, "minitest"),
    (
        "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in A\n"
        "[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 1\n",
        4,
        "surefire",
    ),
    ("[ERROR] Tests run: 5, Failures: 1, Errors: 0, Skipped: 0", 5, "surefire"),
    ("OK (5 tests, 10 assertions)", 5, "phpunit"),
    ("Tests: 5, Assertions: 5, Failures: 1.", 5, "phpunit"),
    ("No tests executed!", 0, "phpunit"),
    ("OK (5 tests)", 5, "junit"),
    ("8 tests completed, 1 failed, 2 skipped", 6, "gradle"),
    ("ok | 5 passed | 1 failed (10ms)", 6, "deno"),
    ("Ran 6 tests across 2 files. [10.00ms]", 6, "bun"),
    ("Passed!  - Failed:     0, Passed:     5, Skipped:     1, Total:     6", 5, "dotnet"),
    ("2 doctests, 5 tests, 0 failures", 5, "exunit"),
    ("All 7 tests passed.", 7, "zig"),
    ("[==========] 5 tests from 2 test suites ran. (0 ms total)", 5, "gtest"),
    ("2026-01-01T00:00:00.0000000Z 3 passed in 0.01s\r\n", 3, "pytest"),
]


@pytest.mark.parametrize(("log", "run", "framework"), LOGS)
def test_count(log: str, run: int, framework: str) -> None:
    assert count_tests(log) == TestCount(run, True, framework)


def test_packages_are_a_lower_bound() -> None:
    log = "ok  \tp/a\t0.01s\nok  \tp/b\t(cached)\n?   \tp/c\t[no test files]\nFAIL\tp/d\t0.3s\n"
    assert count_tests(log) == TestCount(3, False, "go test")


def test_several_runners_add_up() -> None:
    log = "3 passed in 0.01s\ntest result: ok. 2 passed; 0 failed; 0 ignored\n"
    assert count_tests(log) == TestCount(5, True, "cargo test+pytest")


@pytest.mark.parametrize(
    "log",
    [
        "",
        "hello",
        "Build finished in 3.2s",
        "3 passed the exam in 1999",
        "the test result: ok. was printed",
        "Ran out of memory",
        "ok then",
        "> Task :test\nBUILD SUCCESSFUL in 3s",
        "checking 'x86_64-linux.checks' ... running 3 flake checks",
        "all 3 tests were fine",
        "Tests are run in random order",
    ],
)
def test_not_a_summary(log: str) -> None:
    assert count_tests(log) is None


@given(st.sampled_from(LOGS), st.lists(st.integers(1, 30), max_size=30))
def test_pieces_do_not_matter(row: tuple[str, int, str], cuts: list[int]) -> None:
    log, run, framework = row
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(log[at : at + cut])
        at += cut
    pieces.append(log[at:])
    assert count_tests(pieces) == TestCount(run, True, framework)


def test_memory_is_flat_on_an_endless_line() -> None:
    counter = TestCounter()
    for _ in range(200):
        counter.feed("x" * 10_000)
    assert len(counter._rest) <= 4096
    counter.feed("\n3 passed in 0.01s\n")
    assert counter.result() == TestCount(3, True, "pytest")


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    count_tests(text)
