"""broad-test-filter: a filter that may match nothing, or too much, and is green either way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.findings import HIGH, MEDIUM, WARNING, Hit, Rule
from grind.rules.shell.model import HOLE, Word
from grind.rules.shell.options import before_dashes, has, values
from grind.rules.shell.programs import Call
from grind.rules.units import View

_CARGO_VALUES = frozenset(
    (
        "-p --package --test --bin --example --bench --features -F --target --profile -j --jobs"
        " --manifest-path --target-dir --color --message-format --exclude --config -Z"
        " --lockfile-path"
    ).split()
)
_GO_NONE = re.compile(r"^\W*(NONE|none|XXX|xxx|NoTests?|_|\^?\$|\^\$|#|-)\W*$")


def check(view: View) -> Iterator[Hit]:
    """Test commands whose filter is a substring and whose exit code does not notice an empty match."""
    for unit in view.running():
        for call in unit.calls:
            judge = _JUDGES.get(call.name)
            found = judge(call) if judge else None
            if found is not None:
                word, message, sure = found
                yield unit.hit("broad-test-filter", (word.start, word.end), message, WARNING, sure)


_Found = tuple[Word, str, str]


def _cargo(call: Call) -> _Found | None:
    words = before_dashes(call)
    texts = [w.text for w in words]
    while texts and (texts[0].startswith("+") or texts[0].startswith("-")):
        words, texts = words[1:], texts[1:]
    if texts[:1] not in (["test"], ["t"]) or "--no-run" in texts or "--doc" in texts:
        return None
    if any(w.text in ("--exact", "--list") for w in call.arguments):
        return None
    word = _positional(words[1:], _CARGO_VALUES)
    if word is None or word.literal is None:
        return None
    return (
        word,
        f"`cargo test {word.text}` runs every test with that in its name, and exits 0 when there is none; "
        "name it whole and add `-- --exact`",
        HIGH if not has(call, "", "--test") else MEDIUM,
    )


def _positional(words: list[Word], valued: frozenset[str]) -> Word | None:
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.text.startswith("-"):
            skip = word.text in valued
        elif word.text.strip(HOLE):
            return word
    return None


def _go(call: Call) -> _Found | None:
    if not call.arguments or call.arguments[0].text != "test":
        return None
    if any(w.text.lstrip("-").startswith(("bench", "fuzz", "list")) for w in call.arguments):
        return None
    for word in (*values(call, "-run", "--run"), *(w for w in call.arguments if "run=" in w.text)):
        text = re.sub(r"^--?run=", "", word.text)
        if HOLE in text or _GO_NONE.match(text) or not text:
            continue
        if text.startswith("^") and text.rstrip("/").endswith("$"):
            continue
        return (
            word,
            f"`go test -run {text}` is an unanchored pattern, and exits 0 when it matches nothing; "
            f"write `-run '^{text.strip('^$')}$'`",
            MEDIUM,
        )
    return None


def _ctest(call: Call) -> _Found | None:
    if any(w.text.startswith("--no-tests") for w in call.arguments) or has(
        call, "N", "--show-only"
    ):
        return None
    found = values(call, "-R", "--tests-regex")
    if not found or HOLE in found[0].text:
        return None
    return found[0], "ctest exits 0 when `-R` matches nothing; add `--no-tests=error`", MEDIUM


def _jest(call: Call) -> _Found | None:
    empty = next(
        (w for w in call.arguments if w.text in ("--passWithNoTests", "--pass-with-no-tests")), None
    )
    named = values(call, "-t", "--testNamePattern", "--testPathPattern", "--testPathPatterns")
    if empty is None or not named:
        return None
    return empty, "a filter, and green when it matches nothing: drop this option", HIGH


def _maven(call: Call) -> _Found | None:
    lax = next(
        (
            w
            for w in call.arguments
            if re.match(r"-D(surefire\.)?failIfNo(Specified)?Tests=false", w.text)
        ),
        None,
    )
    filtered = any(re.match(r"-D(it\.)?test=", w.text) for w in call.arguments)
    multi = has(call, "", "-pl", "-am") or any(w.text in ("-am", "-pl") for w in call.arguments)
    if lax is None or not filtered or multi:
        return None
    return lax, "a filter, and green when it matches nothing: drop this property", MEDIUM


def _dotnet(call: Call) -> _Found | None:
    if not call.arguments or call.arguments[0].text != "test":
        return None
    found = values(call, "--filter")
    if (
        not found
        or HOLE in found[0].text
        or not re.search(r"~|^\w+$", found[0].text.replace("--filter=", ""))
    ):
        return None
    return found[0], "a substring filter; `dotnet test` exits 0 when it matches nothing", MEDIUM


_JUDGES = {
    "cargo": _cargo,
    "go": _go,
    "ctest": _ctest,
    "jest": _jest,
    "vitest": _jest,
    "mvn": _maven,
    "mvnw": _maven,
    "dotnet": _dotnet,
}

RULE = Rule(
    id="broad-test-filter",
    severity=WARNING,
    what="A test command names tests by a substring, with a runner that is green when none matches.",
    why="Renaming the test turns the check into a no-op, and nobody sees it.",
    seen="A filter for one test matched no test; the command exited 0 (F20).",
    bad="cargo test health_check",
    good="cargo test --test api health::health_check -- --exact",
    check=check,
)
