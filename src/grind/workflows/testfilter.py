"""Whether a step runs tests by name: then zero tests in all is a failure of the check.

Several runners exit 0 when a filter matches nothing (`cargo test NAME`, `go test -run`, `jest -t`
with `--passWithNoTests`, …). Only filters that *select* count; one that leaves some out does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from grind.workflows.commandline import has, positionals, row, value
from grind.workflows.shellmodel import Script
from grind.workflows.shellread import read_shell

_CARGO_VALUED = frozenset(
    row(
        "-p --package --exclude --test --bin --example --bench --features -F --target -j --jobs "
        "--target-dir --manifest-path --profile --color --message-format --config -Z -C "
        "--partition --retries --test-threads --skip --format --logfile --shuffle-seed "
        "--cargo-profile --profile-nextest -P --status-level --final-status-level --archive-file "
        "--no-tests --ignore-filename-regex --output-path --lcov-path --run-ignored"
    )
)
_NAME_OPTIONS: dict[str, tuple[str, ...]] = {
    # runner: options that select tests by name
    "pytest": ("-k", "-m"),
    "unittest": ("-k",),
    "jest": ("-t", "--testNamePattern", "--testPathPattern", "--testPathPatterns"),
    "vitest": ("-t", "--testNamePattern"),
    "mocha": ("-g", "--grep", "-f", "--fgrep"),
    "ava": ("-m", "--match"),
    "deno": ("--filter",),
    "bun": ("-t", "--test-name-pattern"),
    "node": ("--test-name-pattern",),
    "rspec": ("-e", "--example", "--tag", "-t"),
    "ctest": ("-R", "--tests-regex", "-L", "--label-regex", "-I"),
    "phpunit": ("--filter", "--group", "--testsuite"),
    "pest": ("--filter", "--group"),
    "gradle": ("--tests",),
    "gradlew": ("--tests",),
    "dotnet": ("--filter",),
    "mix": ("--only",),
    "swift": ("--filter",),
    "zig": ("--test-filter", "-Dtest-filter"),
    "playwright": ("-g", "--grep"),
    "cypress": ("--spec",),
    "bats": ("-f", "--filter", "--filter-tags"),
    "flutter": ("--name", "--plain-name", "-n"),
    "dart": ("--name", "--plain-name", "-n", "-N"),
    "ginkgo": ("--focus", "--label-filter"),
    "ruby": ("-n", "--name"),
    "bazel": ("--test_filter",),
}
_PASSED_ON = ("-t", "-k", "-g", "--grep", "--filter", "--testNamePattern", "--test-name-pattern")
_NONE_WANTED = re.compile(r"['\"]?(?:\^\$|XXX|NONE|\^a|-)['\"]?")


def is_filtered_test(text: str) -> bool:
    """Whether the `run:` text has a test command with an explicit filter."""
    return is_filtered_script(read_shell(text))


def is_filtered_script(script: Script) -> bool:
    """Like `is_filtered_test` for a text that was read already."""
    return any(is_filtered(c.argv) for c in script.commands if c.words)


def is_filtered(argv: Sequence[str]) -> bool:
    """Whether one command line runs tests by name."""
    name = argv[0].rpartition("/")[2].replace("py.test", "pytest")
    special = _SPECIAL.get(name)
    if special is not None and special(argv):
        return True
    options = _NAME_OPTIONS.get(name)
    if options is not None:
        if name in ("deno", "bun", "dotnet", "mix", "swift", "flutter", "dart", "zig") and (
            "test" not in argv[1:3]
        ):
            return False
        given = [value(argv, option) for option in options]
        return any(one is not None and not one.startswith("not ") for one in given)
    return name in ("npm", "pnpm", "yarn", "tox", "nox", "make", "hatch") and _passed_on(argv)


def _passed_on(argv: Sequence[str]) -> bool:
    """`npm test -- -t NAME`, `tox -- -k NAME`."""
    if "--" not in argv:
        return False
    rest = list(argv[argv.index("--") :])
    return has(rest, *_PASSED_ON) or any("::" in word for word in rest)


def _cargo(argv: Sequence[str]) -> bool:
    words = [word for word in argv[1:] if not word.startswith("+")]
    if words[:1] in (["test"], ["t"]):
        rest = words[1:]
    elif words[:2] in (["nextest", "run"], ["nextest", "r"]) or words[:2] == ["miri", "test"]:
        rest = words[2:]
        if has(["", *rest], "-E", "--filter-expr", "--filterset"):
            return True
    else:
        return False
    skip = False
    for word in rest:
        if skip:
            skip = False
        elif word == "--":
            continue
        elif word.startswith("-"):
            skip = word in _CARGO_VALUED
        else:
            return True
    return False


def _pytest(argv: Sequence[str]) -> bool:
    return any("::" in word for word in argv[1:] if not word.startswith("-"))


def _unittest(argv: Sequence[str]) -> bool:
    words = positionals(argv)
    return bool(words) and words[0] != "discover"


def _go(argv: Sequence[str]) -> bool:
    if "test" not in argv[1:3] and argv[0].rpartition("/")[2] == "go":
        return False
    for option in ("-run", "--run", "-test.run"):
        pattern = value(argv, option)
        if pattern is None:
            pattern = next((w[len(option) + 1 :] for w in argv if w.startswith(option + "=")), None)
        if pattern is not None and pattern:
            return _NONE_WANTED.fullmatch(pattern) is None
    return False


def _line_numbers(argv: Sequence[str]) -> bool:
    return any(re.search(r"\.(?:rb|exs):\d+", word) for word in argv[1:])


def _maven(argv: Sequence[str]) -> bool:
    return any(word.startswith(("-Dtest=", "-Dit.test=")) for word in argv[1:])


def _vitest(argv: Sequence[str]) -> bool:
    words = [word for word in positionals(argv) if word not in ("run", "watch", "dev", "bench")]
    return any(re.search(r"\.(?:test|spec)\.|^[\w-]+$", word) for word in words[:1])


_SPECIAL: dict[str, Callable[[Sequence[str]], bool]] = {
    "cargo": _cargo,
    "pytest": _pytest,
    "unittest": _unittest,
    "go": _go,
    "gotestsum": _go,
    "rspec": _line_numbers,
    "mix": _line_numbers,
    "mvn": _maven,
    "mvnw": _maven,
    "vitest": _vitest,
}
