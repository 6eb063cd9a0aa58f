"""The Python policy: the decision and what it is made from, without Nix."""

from __future__ import annotations

import itertools
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core import pep723, promotion, pythonuse
from grind.core.errors import GrindError, ProblemsError, RefusedError
from grind.core.flakelock import Pinned, pinned
from grind.core.flakeshell import Delta, find_delta
from grind.core.pep723 import Metadata
from grind.core.pythonpolicy import Ask, Decision, Facts, Way, decide, require
from grind.core.pythonuse import Use, Used
from grind.core.shelltext import is_name, quoted

ALL_FACTS = [
    Facts(nix, flake, lock, shell, "", app, fallback)
    for nix, flake, lock, shell, app, fallback in itertools.product(
        (True, False),
        (None, "."),
        tuple(Pinned),
        ("yes", "no", "unknown"),
        (None, "x"),
        ("", "uv run", "/opt/python3"),
    )
]


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (Facts(True, ".", shell="yes", app="x"), Decision(Way.APP, ".", app="x")),
        (Facts(True, "."), Ask(".")),
        (Facts(True, ".", Pinned.YES, "yes"), Decision(Way.SHELL, ".")),
        (Facts(True, ".", Pinned.YES, "no"), Decision(Way.NIXPKGS, ".")),
        (Facts(False, ".", fallback="uv run"), Decision(Way.UV, program="uv run")),
        (Facts(True, None, fallback="/p"), Decision(Way.INTERPRETER, program="/p")),
    ],
)
def test_the_order(facts: Facts, decision: Decision | Ask) -> None:
    assert decide(facts) == decision


def test_a_shell_that_cannot_be_made_is_not_passed_over() -> None:
    for said in ("builder failed", "requires lock file changes"):
        with pytest.raises(RefusedError, match=said):
            decide(Facts(True, ".", Pinned.YES, "no", said))


@pytest.mark.parametrize("facts", ALL_FACTS)
def test_every_decision_is_pinned_or_named_by_the_policy(facts: Facts) -> None:
    try:
        decision = decide(facts)
    except RefusedError:
        usable = facts.flake is not None and (facts.shell == "yes" or facts.pinned is Pinned.YES)
        assert not (facts.nix and usable)
        return
    if isinstance(decision, Ask):
        assert facts.nix
        assert facts.shell == "unknown"
        return
    assert decision.way.needs_nix <= facts.nix
    if decision.way is Way.NIXPKGS:
        assert facts.pinned is Pinned.YES
    if decision.way is Way.SHELL:
        assert facts.shell == "yes"
    if decision.program:
        assert decision.program == facts.fallback


@pytest.mark.parametrize(
    ("lock", "answer"),
    [
        (None, Pinned.NO_LOCK),
        (b"", Pinned.UNREADABLE),
        (b"[]", Pinned.UNREADABLE),
        (b'{"nodes": {"r": {}}, "root": "r"}', Pinned.ABSENT),
        (b'{"nodes": {"r": {"inputs": {"nixpkgs": "n"}}}, "root": "r"}', Pinned.UNREADABLE),
        (
            b'{"nodes": {"r": {"inputs": {"nixpkgs": "n"}}, "n": {"locked": {}}}, "root": "r"}',
            Pinned.YES,
        ),
        (
            b'{"nodes": {"r": {"inputs": {"nixpkgs": ["u", "p"], "u": "u"}}, '
            b'"u": {"inputs": {"p": "n"}}, "n": {"locked": {}}}, "root": "r"}',
            Pinned.YES,
        ),
        (
            b'{"nodes": {"r": {"inputs": {"nixpkgs": ["nixpkgs"]}}}, "root": "r"}',
            Pinned.UNREADABLE,
        ),
        (b'{"nodes": {"r": {"inputs": {"other": "n"}}, "n": {}}, "root": "r"}', Pinned.ABSENT),
    ],
)
def test_what_a_lock_pins(lock: bytes | None, answer: Pinned) -> None:
    assert pinned(lock) is answer


# --- inline metadata -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (b"print(1)\n", None),
        (b'# /// script\n# dependencies = ["a", "b>=1"]\n# ///\n', Metadata(("a", "b>=1"))),
        (b"# /// script\n#\n# ///\n", Metadata()),
        (b"# /// script\n# ///\n", Metadata()),
        (b'x = 1\n# /// script\r\n# requires-python = ">=3.9"\r\n# ///\r\n', Metadata((), ">=3.9")),
        (b'# /// tool\n# dependencies = ["a"]\n# ///\n', None),
    ],
)
def test_metadata(source: bytes, found: Metadata | None) -> None:
    assert pep723.metadata("x.py", source) == found


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (b"\n# /// script\n# x\n", "x.py:2:1: the `# /// script` block has no end"),
        (b"# /// script\n# dependencies = 1\n# ///\n", "x.py:1:1: `dependencies` is no list"),
        (b"# /// script\n# a b\n# ///\n", "x.py:1:1: the `# /// script` block is no TOML"),
        (b"# /// script\n# a=1\n# ///\n\n# /// script\n# ///\n", "x.py:5:1: a second"),
        (b"# /// script\n# requires-python = 3\n# ///\n", "x.py:1:1: `requires-python`"),
    ],
)
def test_metadata_that_is_not_right_is_told_with_its_place(source: bytes, place: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        pep723.metadata("x.py", source)
    assert str(caught.value.problems[0]).startswith(place)


INSTALLED = {"requests": "2.31.0", "my-lib": "1.0.post1", "pre": "2.0rc1"}


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("requests", True),
        ("Requests>=2,<3", True),
        ("requests (>=2.0)", True),
        ("requests==2.31", True),
        ("requests==2.3.*", False),
        ("requests==2.31.*", True),
        ("requests!=2.31.*", False),
        ("requests~=2.30", True),
        ("requests~=2.30.0", False),
        ("requests>2.31", False),
        ("requests<=2.31", True),
        ("my_lib", True),
        ("My.Lib>=1", True),
        ("pre", True),
        ("pre>=1", False),
        ("absent", False),
        # What needs a resolver is not guessed.
        ("requests[socks]", False),
        ("requests; python_version > '3'", False),
        ("requests @ https://example.com/x.whl", False),
        ("requests===2.31.0", False),
        ("requests>=2.0rc1", False),
        ("requests >= two", False),
        ("", False),
    ],
)
def test_requirements(text: str, there: bool) -> None:
    lacking = pep723.missing(Metadata((text,)), INSTALLED, "3.12.1")
    assert lacking == (() if there else (text,))


def test_a_refusal_lists_all_that_is_missing() -> None:
    wanted = Metadata(("absent", "requests", "other>=1"), ">=3.13")
    lacking = pep723.missing(wanted, INSTALLED, "3.12.1")
    assert lacking == ("Python >=3.13", "absent", "other>=1")
    with pytest.raises(RefusedError, match=r"Python >=3.13, absent, other>=1"):
        require(lacking, Decision(Way.SHELL, "."), "x.py")
    require(lacking, Decision(Way.UV), "x.py")


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_a_release_fits_itself_and_orders(parts: list[int]) -> None:
    version = ".".join(map(str, parts))
    for operator in ("==", ">=", "<="):
        assert (
            pep723.missing(Metadata((f"a{operator}{version}",)), {"a": version + ".0"}, "3") == ()
        )
    for operator in ("!=", ">", "<"):
        assert pep723.missing(Metadata((f"a{operator}{version}",)), {"a": version}, "3") != ()


# --- what a shell does ---------------------------------------------------------------------------

_VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_ENVIRONMENTS = st.dictionaries(st.sampled_from(["A", "B", "C", "PATH"]), _VALUES)


@given(_ENVIRONMENTS, _ENVIRONMENTS)
def test_a_shells_work_can_be_done_again(before: dict[str, str], after: dict[str, str]) -> None:
    whole = before | after
    assert find_delta(before, whole).over(before) == whole


def test_a_path_is_laid_before_whatever_path_there_is() -> None:
    delta = find_delta({"PATH": "/usr/bin", "X": "1"}, {"PATH": "/s:/usr/bin", "X": "1:2"})
    assert delta == Delta({}, {"PATH": "/s"}, {"X": "2"})
    assert delta.over({"PATH": "/bin"}) == {"PATH": "/s:/bin", "X": "2"}


@given(st.lists(_VALUES, max_size=5))
def test_quoted_words_come_out_of_sh_as_they_went_in(values: list[str]) -> None:
    text = "printf '%s\\0' x " + " ".join(map(quoted, values))
    said = subprocess.run(["sh", "-c", text], capture_output=True, check=True).stdout
    assert said == b"".join(os.fsencode(v) + b"\0" for v in ["x", *values])


def test_names_of_variables() -> None:
    assert [is_name(n) for n in ("A_1", "BASH_FUNC_x%%", "1A", "", "A\n")] == [True] + [False] * 4


# --- counting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"a = 1\n", b"# why\na = 1  \n\n", True),
        (b"a = 1\r\n", b"a = 1\n", True),
        (b"a = 1\n", b"a = 2\n", False),
        (b"if x:\n  a\n", b"if x:\na\n", False),
    ],
)
def test_what_counts_as_the_same_script(one: bytes, other: bytes, same: bool) -> None:
    assert (pythonuse.key_of(one) == pythonuse.key_of(other)) is same


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (b"import os\nprint(1)", "print(1)"),
        (b"import os", "import os"),
        (b"# x\n\nlogin('me', \"pa'ss\")", "login('…', \"…\")"),
        (b"x = '''a\nb'''\ny", "x = '…'"),
        (b"", ""),
        (b"a" * 200, "a" * 63 + "…"),
    ],
)
def test_an_excerpt_has_no_strings_in_it(code: bytes, shown: str) -> None:
    assert pythonuse.excerpt(code) == shown


def test_the_record_is_folded_and_survives_rubbish() -> None:
    first = pythonuse.line(Use("k", "script", "x.py"))
    again = pythonuse.line(Use("k"))
    told = pythonuse.line(Use("k", told=True))
    found = pythonuse.fold([first, b"{rubbish", again, told, b'{"key": 1}', b""])
    assert found == {"k": Used("k", "script", "x.py", 3, True)}
    assert pythonuse.fold(pythonuse.compact(found, 10).splitlines()) == found


@pytest.mark.parametrize(
    ("times", "told", "threshold", "due"),
    [
        (0, False, 1, True),
        (0, False, 2, False),
        (1, False, 2, True),
        (5, False, 3, True),
        (5, True, 3, False),
    ],
)
def test_when_to_speak(times: int, told: bool, threshold: int, due: bool) -> None:
    used = Used("k", "code", "", times, told) if times else None
    assert pythonuse.is_due(used, threshold) is due


# --- promotion -----------------------------------------------------------------------------------


def planned(**given: object) -> promotion.Plan:
    basis: dict[str, object] = {"path": "a/x.py", "source": b"1", "key": "k", "name": "x"}
    return promotion.plan(promotion.Apps(), ".", **(basis | given))  # type: ignore[arg-type]


def test_the_same_promotion_twice_is_one() -> None:
    first = planned()
    again = promotion.plan(first.apps, ".", path="a/x.py", source=b"1", key="k", name="x")
    assert again.known
    assert promotion.write(again.apps) == promotion.write(first.apps)
    assert promotion.read(promotion.write(first.apps)) == first.apps
    assert promotion.without(first.apps, "x").apps == {}


def test_names_and_paths_that_are_refused() -> None:
    taken = planned().apps
    for path, name in (("b/x.py", "x"), ("a/x.py", "y"), ("a/$(x).py", "z"), ("a/.hidden", "h")):
        with pytest.raises(RefusedError):
            promotion.plan(taken, ".", path=path, source=b"1", key="k", name=name)
    for name in ("", "-x", "a b", "a;b", "1a"):
        with pytest.raises(GrindError):
            planned(name=name)


@pytest.mark.parametrize(
    ("flake", "parts"),
    [(".", ("", "default")), ("./a/b#dev", ("a/b", "dev")), (".#x", ("", "x"))],
)
def test_a_flake_is_a_folder_and_a_shell(flake: str, parts: tuple[str, str]) -> None:
    assert promotion.parts_of(flake) == parts


def test_a_file_that_is_not_ours_is_refused() -> None:
    for data in (b"{", b'{"schema": "grind.apps/2"}', b'{"apps": {"x": {"folder": ""}}}'):
        with pytest.raises(ProblemsError):
            promotion.read(data)
    assert promotion.name_for("a/daily report.v2.py") == "daily-report-v2"
