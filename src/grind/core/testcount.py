"""How many tests a step ran, read from what it printed.

Zero tests run is a failure of the check where a filter was given (`cargo test NAME` exits 0 when
nothing matches). Every form below is the summary that the named runner prints. Counts of several
runs in one log are added (a workspace of crates, a tox run); a runner that prints no number, as
`go test` without `-v`, gives a lower bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import ClassVar, NamedTuple

from msgspec import Struct

_LINE = 4096
"""Characters of a line that are looked at; summaries are far shorter."""
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\].*?(?:\x07|\x1b\\)")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ")


class TestCount(Struct, frozen=True):
    """Tests that ran: passed or failed, not skipped, ignored or filtered out."""

    __test__: ClassVar[bool] = False  # no class of tests, whatever pytest thinks of the name

    run: int
    exact: bool
    """False when `run` is a lower bound."""
    framework: str
    """The runners that were recognised, joined with `+`."""


class _Form(NamedTuple):
    """A line that says how many tests ran."""

    framework: str
    pattern: re.Pattern[str]
    count: Callable[[re.Match[str]], int]
    needle: str
    """A cheap test before the pattern is tried."""


def _groups(match: re.Match[str]) -> int:
    return sum(int(group) for group in match.groups() if group)


def _less(match: re.Match[str]) -> int:
    """The first number without the rest: run, minus skipped."""
    first, *rest = (int(group) if group else 0 for group in match.groups())
    return max(first - sum(rest), 0)


def _named(*names: str) -> Callable[[re.Match[str]], int]:
    wanted = re.compile(r"(\d+) (?:" + "|".join(names) + r")\b")

    def count(match: re.Match[str]) -> int:
        return sum(int(number) for number in wanted.findall(match[0]))

    return count


def _zero(_match: re.Match[str]) -> int:
    return 0


_PYTEST_PART = (
    r"\d+ (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?|rerun|"
    r"subtests passed|snapshots? \w+)"
)


def _forms() -> tuple[_Form, ...]:
    def form(
        framework: str, needle: str, pattern: str, count: Callable[[re.Match[str]], int] = _groups
    ) -> _Form:
        return _Form(framework, re.compile(pattern), count, needle)

    return (
        form(
            "pytest",
            " in ",
            rf"^(?:=+ )?{_PYTEST_PART}(?:, {_PYTEST_PART})* in [\d.]+s",
            _named("passed", "failed", "xfailed", "xpassed"),
        ),
        form("pytest", "no tests ran", r"^(?:=+ )?no tests ran in [\d.]+s", _zero),
        form("unittest", "Ran ", r"^Ran (\d+) tests? in [\d.]+s"),
        form("cargo test", "test result", r"^test result: \w+\. (\d+) passed; (\d+) failed;"),
        form("nextest", "Summary [", r"^\s*Summary \[[^]]*\]\s+(\d+)(?:/\d+)? tests? run:"),
        form("nextest", "no tests to run", r"^error: no tests to run", _zero),
        form("jest", "Tests:", r"^Tests:\s+.*\d+ total", _named("passed", "failed")),
        form("jest", "No tests found", r"^No tests found", _zero),
        form("vitest", "Tests ", r"^\s*Tests  .*\(\d+\)", _named("passed", "failed")),
        form("vitest", "No test files", r"^No test files found", _zero),
        form("mocha", "passing", r"^\s*(\d+) passing \("),
        form("mocha", "failing", r"^\s*(\d+) failing$"),
        form("node", " pass ", r"^(?:#|ℹ) pass (\d+)$"),
        form("node", " fail ", r"^(?:#|ℹ) fail (\d+)$"),
        form("ctest", "tests failed out of", r"\d+ tests failed out of (\d+)"),
        form("ctest", "No tests were found", r"^No tests were found", _zero),
        form("gotestsum", "DONE", r"^DONE (?:\d+ runs, )?(\d+) tests?(?:, (\d+) skipped)?", _less),
        form("rspec", "example", r"^(\d+) examples?, \d+ failures?(?:, (\d+) pending)?", _less),
        form("minitest", " runs, ", r"^(\d+) runs, \d+ assertions,.*?(?:(\d+) skips)?$", _less),
        form("test-unit", " assertions", r"^(\d+) tests, \d+ assertions, \d+ failures"),
        form(
            "surefire",
            "Tests run:",
            r"^\[\w+\]\s+Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: (\d+)\s*$",
            _less,
        ),
        form("junit", "OK (", r"^OK \((\d+) tests?\)$"),
        form("phpunit", "OK (", r"^OK \((\d+) tests?, \d+ assertions?\)"),
        form(
            "phpunit", "Tests: ", r"^Tests: (\d+), Assertions: \d+.*?(?:Skipped: (\d+))?\.?$", _less
        ),
        form("phpunit", "No tests executed", r"^No tests executed!", _zero),
        form(
            "gradle",
            "tests completed",
            r"^(\d+) tests? completed, \d+ failed(?:, (\d+) skipped)?",
            _less,
        ),
        form("deno", " | ", r"^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed"),
        form("bun", "Ran ", r"^\s*Ran (\d+) tests? across \d+ files?"),
        form("dotnet", "Failed:", r"Failed:\s*(\d+), Passed:\s*(\d+), Skipped:"),
        form("exunit", " tests, ", r"^(?:\d+ \w+, )*(\d+) tests?, \d+ failures?"),
        form("zig", "tests passed", r"^All (\d+) tests passed\.$"),
        form("gtest", "[======", r"^\[=+\] (\d+) tests? from \d+ test (?:suites?|cases?) ran"),
        form("swift", "Test run with", r"Test run with (\d+) tests?"),
        form("ava", "tests passed", r"^\s*(\d+) tests? passed$"),
        form("playwright", " passed (", r"^\s+(\d+) passed \([\d.]+m?s\)$"),
        form("playwright", "No tests found", r"^Error: No tests found", _zero),
    )


class TestCounter:
    """Counts while a log grows: feed it pieces in order, ask when it ends. Memory stays flat."""

    __test__ = False

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._forms = _forms()
        self._totals: dict[str, int] = {}
        self._rest = ""
        self._skip = False
        self._go_tests = 0
        self._go_packages = 0
        self._go_seen = False
        self._tap = 0
        self._tap_seen = False

    def feed(self, text: str) -> None:
        """Take the next piece of the log."""
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        for line in lines:
            if not self._skip:
                self._line(line[:_LINE])
            self._skip = False
        if len(self._rest) > _LINE:
            if not self._skip:
                self._line(self._rest[:_LINE])
            # The rest of an endless line is not looked at.
            self._rest, self._skip = "", True

    def result(self) -> TestCount | None:
        """Return the count so far; None when no runner was recognised."""
        if self._rest and not self._skip:
            self._line(self._rest)
        self._rest = ""
        totals = dict(self._totals)
        exact = True
        if self._go_seen and "gotestsum" not in totals:
            exact = self._go_tests > 0 or self._go_packages == 0
            totals["go test"] = self._go_tests or self._go_packages
        if self._tap_seen and "node" not in totals:
            totals["tap"] = self._tap
        if not totals:
            return None
        return TestCount(sum(totals.values()), exact, "+".join(sorted(totals)))

    def _line(self, line: str) -> None:
        if "\x1b" in line:
            line = _ANSI.sub("", line)
        line = _STAMP.sub("", line.rstrip("\r"))
        if self._go(line) or self._test_anything(line):
            return
        for one in self._forms:
            if one.needle in line and (match := one.pattern.search(line)):
                self._totals[one.framework] = self._totals.get(one.framework, 0) + one.count(match)
                return

    def _go(self, line: str) -> bool:
        """`go test`: tests with `-v` or `-json`, else packages."""
        if _GO_TEST.match(line):
            self._go_tests += 1
        elif (match := _GO_PACKAGE.match(line)) is not None:
            self._go_packages += "[no tests to run]" not in line and match[1] != "?"
        elif not _GO_EMPTY.match(line):
            return False
        self._go_seen = True
        return True

    def _test_anything(self, line: str) -> bool:
        """TAP, at the outermost level only."""
        match = _TAP.match(line)
        if match is None:
            return False
        self._tap_seen = True
        self._tap += match[1] is not None and not _TAP_SKIP.search(line)
        return True


_GO_TEST = re.compile(
    r'\s*--- (?:PASS|FAIL): |\{"Time":.*"Action":"(?:pass|fail)".*"Test":"', re.ASCII
)
_GO_PACKAGE = re.compile(r"(ok|FAIL|\?) {0,2}\s*\t\S+\s+(?:[\d.]+s|\(cached\)|\[no test files\])")
_GO_EMPTY = re.compile(r"testing: warning: no tests to run")
_TAP = re.compile(r"(ok|not ok) \d+\b|1\.\.\d+\s*(?:#.*)?$")
_TAP_SKIP = re.compile(r"#\s*(?:skip|todo)\b", re.IGNORECASE)


def count_tests(log_tail: str | Iterable[str]) -> TestCount | None:
    """Count the tests in a log, or in its pieces in order; None when no runner is recognised."""
    counter = TestCounter()
    for piece in [log_tail] if isinstance(log_tail, str) else log_tail:
        counter.feed(piece)
    return counter.result()
