"""Parsing: two parsers, one model; following programs into programs."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.adapters.shfmt import Shfmt
from grind.rules import engine
from grind.rules.fragments import Context, whole
from grind.rules.shell import shfmt, treesitter
from grind.rules.shell.model import Script, sites
from grind.rules.units import Unit
from tests.rules.corpus import corpus

_SECOND = Shfmt()


def _commands(script: Script) -> list[tuple[int, tuple[str, ...]]]:
    return [
        (site.command.start, tuple(word.raw for word in site.command.words))
        for site in sites(script)
        if site.command.words
    ]


def _by_shfmt(text: str) -> Script | None:
    tree = _SECOND(text.encode("latin-1"))
    return shfmt.read(text, tree) if tree is not None else None


_SHARED = [
    "a b 'c d' \"e $f\"",
    "a | b |& c",
    "a && b || c; d &",
    "! a | b",
    "if a; then b; elif c; then d; else e; fi",
    "while read -r x; do a; done < f",
    "until a; do b; done",
    "for i in a b; do c; done",
    "case $x in a|b) c;; *) d;; esac",
    "f() { a; }; function g { b; }",
    "( a; b ) > out",
    "{ a; b; } 2>&1",
    "X=1 Y=$(a b) c",
    "export A=$(b c) D",
    "echo >&2 text more",
    "a <(b c) >(d)",
    'echo "$(a "$(b)")" `c`',
    "[[ -n $(a) ]] && b",
    "[ -f x ] || a",
    'a > $x/"$y"/z b',
    'touch "$A"/$i/only-$i.nix',
    "((x++)); a",
]


@pytest.mark.parametrize("text", _SHARED)
def test_both_parsers_make_the_same_of_it(text: str) -> None:
    second = _by_shfmt(text)
    assert second is not None
    assert _commands(treesitter.parse(text)) == _commands(second)


def test_the_parsers_agree_on_the_corpus_where_no_heredoc_is() -> None:
    differ = []
    for case in corpus():
        if not case.path.endswith(".sh") or "<<" in case.text or not case.text.isascii():
            continue
        if re.search(r"^time ", case.text, re.MULTILINE):
            continue  # a keyword to one of them, a command to the other
        first, second = treesitter.parse(case.text), _by_shfmt(case.text)
        if second is not None and not first.errors and _commands(first) != _commands(second):
            differ.append(case.place)
    assert differ == []


def _units(text: str) -> list[Unit]:
    units: list[Unit] = []
    engine.collect(whole(text, 0, Context()), None, units, [], _SECOND)
    return units


def _names(text: str) -> list[tuple[str, str]]:
    return [(c.name, c.context.machine) for unit in _units(text) for c in unit.calls]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("sudo -u app env A=1 timeout -k 5 10 foo", ("foo", "local")),
        ("nix develop .#x --command foo a", ("foo", "local")),
        ("nix shell n#a n#b -c foo", ("foo", "local")),
        ("nix-shell -p a --run 'foo b'", ("foo", "local")),
        ("docker run --rm -v a:b img foo", ("foo", "container")),
        ("docker compose exec -T web foo", ("foo", "container")),
        ("kubectl exec -n x pod -- foo", ("foo", "container")),
        ("ssh -o X=y -p 22 host foo", ("foo", "remote")),
        ("ssh host 'foo bar'", ("foo", "remote")),
        ("ssh host sudo bash -c \"'foo bar'\"", ("foo", "remote")),
        ("ssh a ssh b foo", ("foo", "remote")),
        ("bash -euo pipefail -c 'foo'", ("foo", "local")),
        ("bash -s <<'EOF'\nfoo\nEOF", ("foo", "local")),
        ("ssh host <<'EOF'\nfoo\nEOF", ("foo", "remote")),
        ("ssh host bash <<-EOF\n\tfoo\n\tEOF", ("foo", "remote")),
        ("cat <<'EOF' | ssh host bash\nfoo\nEOF", ("foo", "remote")),
        ("bash <<< 'foo'", ("foo", "local")),
        ("eval 'foo bar'", ("foo", "local")),
        ("su - app -c 'foo'", ("foo", "local")),
        ("find . | xargs -n 1 -P 4 foo", ("foo", "local")),
        ("ssh h \"bash -c 'sh -c foo'\"", ("foo", "remote")),
    ],
)
def test_following_programs(text: str, last: tuple[str, str]) -> None:
    assert last in _names(text)


@pytest.mark.parametrize(
    "text",
    ["command -v foo", "ssh -L 1:2:3 -N host", "bash script.sh <<< foo", "uv pip install foo"],
)
def test_what_is_not_followed(text: str) -> None:
    assert "foo" not in [name for name, _ in _names(text)]


def test_options_are_followed_in_order() -> None:
    [unit] = _units("a\nset -euo pipefail\nb\nset +e\nc\n")
    at = [unit.text.index(name + "\n") for name in "abc"]
    assert [unit.option("errexit", a) for a in at] == [False, True, False]
    assert [unit.option("pipefail", a) for a in at] == [False, True, True]


def test_deep_nesting_ends() -> None:
    for text in ("(" * 5000 + "a" + ")" * 5000, "$(" * 3000 + ")" * 3000, "if a; then " * 2000):
        units = _units(text)
        assert len(units) >= 1
    nested = "a"
    for _ in range(40):
        nested = f"bash -c {shlex.quote(nested)}"
        if len(nested) > 20_000:
            break
    assert _units(nested)


@given(st.text(alphabet="ab $`\"'\\|&;(){}<>\n#=EOF-", max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_parsers(text: str) -> None:
    for script in (treesitter.parse(text), _by_shfmt(text)):
        if script is None:
            continue
        for site in sites(script):
            for word in site.command.words:
                assert 0 <= word.start <= word.end <= len(text)
                for part in word.parts:
                    assert word.start <= part.start <= part.end <= len(text)
    _units(text)


@pytest.mark.parametrize(
    "text",
    [
        "f() {\n  ! { [[ -f a ]] && [[ $(< a) -eq 1 ]]; }\n}\n",
        "if a; then b | tr -d ' '\nelif x=$(command -v y) || { x=/z && [ -x \"$x\" ]; }; then c\nfi\n",
        "export X=$R/one:$R/two\n",
        "chmod +x a\ndir=b-$v\nfn=$out/$dir.tar.xz\nmkdir -p $out/n\n",
        'if diff -q <(:) <(grep -v "^#" "$x") &>/dev/null; then a; fi\n',
        'if ! (( "${N-}" )) && test "$a" != "$b"; then c; fi\n',
    ],
)
def test_where_tree_sitter_loses_words_shfmt_is_asked(text: str) -> None:
    """Each of these was found in a public repository by comparing the parsers."""
    second = _by_shfmt(text)
    assert second is not None
    assert _commands(engine.parse(text, _SECOND)) == _commands(second)
