"""GitHub's filter patterns: its cheat sheet, order and negation, a reference matcher, hostility."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.filters import Filter, Pattern, PatternError, matches

# The cheat sheet of GitHub's documentation, and for each pattern what it must not match.
REFS = [
    ("feature/*", ["feature/my-branch", "feature/your-branch"], ["feature/a/b", "feature"]),
    (
        "feature/**",
        ["feature/beta-a/my-branch", "feature/your-branch", "feature/mona/the/octocat"],
        ["feature", "features/x"],
    ),
    ("main", ["main"], ["main2", "Main", "a/main"]),
    ("releases/mona-the-octocat", ["releases/mona-the-octocat"], ["releases/mona"]),
    ("*", ["main", "releases"], ["all/the/branches"]),
    ("**", ["all/the/branches", "every/tag", "main"], []),
    ("*feature", ["mona-feature", "feature", "ver-10-feature"], ["a/feature", "features"]),
    ("v2*", ["v2", "v2.0", "v2.9"], ["v1", "v2/a"]),
    ("v[12].[0-9]+.[0-9]+", ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.1", "v1..1", "v12.1.1"]),
]
PATHS = [
    ("*", ["README.md", "server.rb"], ["docs/a.md"]),
    ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx", "page.j", "a/page.js"]),
    ("**", ["all/the/files.md", "a"], []),
    ("*.js", ["app.js", "index.js"], ["js/index.js"]),
    ("**.js", ["index.js", "js/index.js", "src/js/app.js"], ["index.jsx"]),
    ("docs/*", ["docs/README.md", "docs/file.txt"], ["docs/a/b.md", "docs"]),
    ("docs/**", ["docs/README.md", "docs/mona/octocat.txt"], ["docs", "adocs/x"]),
    (
        "docs/**/*.md",
        ["docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"],
        ["docs/a.txt", "docs.md"],
    ),
    (
        "**/docs/**",
        ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"],
        ["mydocs/a"],
    ),
    ("**/README.md", ["README.md", "js/README.md", "a/b/README.md"], ["xREADME.md"]),
    ("**/*src/**", ["a/src/app.js", "my-src/code/js/app.js"], ["src2/app.js"]),
    ("**/*-post.md", ["my-post.md", "path/their-post.md"], ["post.md"]),
    (
        "**/migrate-*.sql",
        ["migrate-10909.sql", "db/migrate-v1.0.sql", "db/sept/migrate-v1.sql"],
        ["migrate-a/b.sql"],
    ),
]
MORE = [
    (r"a\*b", ["a*b"], ["ab", "axb"]),
    (r"\!important", ["!important"], ["important"]),
    (r"\[a]", ["[a]"], ["a"]),
    ("a+", ["a", "aaa"], ["", "b"]),
    ("a?b", ["ab", "b"], ["aab"]),
    ("[a-c]+", ["abc", "c"], ["d", ""]),
    ("[CB]at", ["Cat", "Bat"], ["cat", "at"]),
    ("[1-2]00", ["100", "200"], ["300"]),
    ("[a-]x", ["ax", "-x"], ["bx"]),
    ("**.{js,ts}", ["a.{js,ts}"], ["a.js"]),
    ("a**b", ["ab", "a/x/b"], ["a/x/c"]),
    ("***", ["a/b"], []),
    ("ä*", ["äx"], ["ax"]),
]


@pytest.mark.parametrize(("pattern", "good", "bad"), REFS + PATHS + MORE)
def test_matches_as_documented(pattern: str, good: list[str], bad: list[str]) -> None:
    compiled = Pattern(pattern)
    assert [value for value in good if not compiled.matches(value)] == []
    assert [value for value in bad if compiled.matches(value)] == []


@pytest.mark.parametrize(
    ("patterns", "good", "bad"),
    [
        (["*.md", "!README.md"], ["hello.md"], ["README.md", "docs/hello.md"]),
        (["*.md", "!README.md", "README*"], ["hello.md", "README.md", "README.doc"], ["a.doc"]),
        (["releases/**", "!releases/**-alpha"], ["releases/10"], ["releases/beta/3-alpha"]),
        (["!main", "**"], ["main", "x"], []),
        (["!main"], [], ["main", "x"]),
        ([], [], ["main"]),
    ],
)
def test_the_last_match_decides(patterns: list[str], good: list[str], bad: list[str]) -> None:
    compiled = Filter(patterns)
    assert all(compiled.matches(value) for value in good)
    assert not any(compiled.matches(value) for value in bad)
    assert all(matches(patterns, value) for value in good)


@pytest.mark.parametrize(
    ("pattern", "index", "word"),
    [
        ("", 0, "empty"),
        ("!", 0, "empty"),
        ("?a", 0, "follow"),
        ("a++", 2, "follow"),
        ("!*?", 2, "follow"),
        ("ab[", 2, "closed"),
        ("a[]", 1, "empty"),
        ("[!a]", 0, "not defined"),
        ("[^a]", 0, "not defined"),
        ("[z-a]", 1, "range"),
        ("[a-Z]", 1, "range"),
        ("[0-z]", 1, "range"),
        ("a\\", 1, "nothing follows"),
        ("a" * 2000, 0, "at most"),
    ],
)
def test_faulty_patterns_are_refused_with_their_place(pattern: str, index: int, word: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert caught.value.index == index
    assert word in caught.value.message


def reference(pattern: str, value: str) -> bool:
    """Match by trying everything: slow, short and obviously right."""
    if not pattern:
        return not value
    if pattern.startswith("**/"):  # only asked at the beginning of a segment
        rest = pattern[3:]
        return reference(rest, value) or any(
            letter == "/" and at > 0 and reference(rest, value[at + 1 :])
            for at, letter in enumerate(value)
        )
    if pattern.startswith("**"):
        return any(inner(pattern[2:], value[at:]) for at in range(len(value) + 1))
    if pattern[0] == "*":
        ends = [at for at in range(len(value) + 1) if "/" not in value[:at]]
        return any(inner(pattern[1:], value[at:]) for at in ends)
    after = pattern[1:2]
    if after == "?":
        return reference_one(pattern[0], pattern[2:], value) or inner(pattern[2:], value)
    if after == "+":
        return value[:1] == pattern[0] and (
            inner(pattern[2:], value[1:]) or reference(pattern, value[1:])
        )
    return reference_one(pattern[0], pattern[1:], value)


def inner(pattern: str, value: str) -> bool:
    """Match where no segment begins, so that `**/` means `**` and then `/`."""
    if pattern.startswith("**/"):
        return any(reference_one("/", pattern[3:], value[at:]) for at in range(len(value) + 1))
    return reference(pattern, value)


def reference_one(letter: str, rest: str, value: str) -> bool:
    follow = reference if letter == "/" else inner
    return value[:1] == letter and follow(rest, value[1:])


ATOMS = st.sampled_from(["a", "b", "/", "*", "**", "**/", "a?", "b+", "/**/"])


@given(
    st.lists(ATOMS, min_size=1, max_size=6).map("".join),
    st.text(alphabet="ab/", max_size=7),
)
def test_the_matcher_equals_a_brute_force_reference(pattern: str, value: str) -> None:
    try:
        compiled = Pattern(pattern)
    except PatternError:
        return
    while "***" in pattern:
        pattern = pattern.replace("***", "**")
    assert compiled.matches(value) is reference(pattern, value)


@given(st.text(alphabet="ab/*?+[]!\\-", max_size=12), st.text(alphabet="ab/", max_size=8))
def test_any_text_is_a_pattern_or_a_pattern_error(pattern: str, value: str) -> None:
    fault = None
    try:
        Pattern(pattern).matches(value)
    except PatternError as error:
        fault = error.index
    assert fault is None or 0 <= fault <= len(pattern)


def test_no_pattern_makes_matching_explode() -> None:
    # Backtracking takes 2^30 and more steps here; this ends at once or the test never does.
    assert not Pattern("*a" * 100 + "b").matches("a" * 4000)
    assert not Pattern("**/a" * 60 + "b").matches("a/" * 2000)
    assert Pattern("a?" * 200 + "a" * 200).matches("a" * 200)
