"""The reader against texts whose reading is known; and against hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.workflows.shellread import LIMIT, make_parser, mask_holes, read_shell

PARSER = make_parser()


def commands(text: str) -> list[tuple[str, ...]]:
    return [c.argv for c in read_shell(text, PARSER).commands if c.words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytest -q", [("pytest", "-q")]),
        ("# kubectl apply\nls", [("ls",)]),
        ("echo 'kubectl apply'", [("echo", "kubectl apply")]),
        ("cat > x <<'E'\nkubectl apply\nE", [("cat",)]),
        ('echo a\\ b "c\\"d"e\'f\'', [("echo", "a b", 'c"def')]),
        ("sudo -u me env A=1 timeout -k 5 10 make x", [("make", "x")]),
        ("nice -n 5 nohup time -p ls", [("ls",)]),
        ("bash -c 'cd x && make'", [("cd", "x"), ("make",)]),
        ("bash -euo pipefail -c 'make'", [("make",)]),
        ('sh -lc "make $X"', [("make", "$X")]),
        ("nix develop .#ci --command make test", [("make", "test")]),
        ("nix develop --extra-experimental-features 'nix-command flakes' -c make", [("make",)]),
        ("nix shell nixpkgs#a nixpkgs#b --command \\\n  python3 x.py", [("python3", "x.py")]),
        ("nix-shell --run 'make && make test'", [("make",), ("make", "test")]),
        ("command -v git", [("command", "-v", "git")]),
        ("command git status", [("git", "status")]),
        ("exec make", [("make",)]),
        ("ls | xargs -n 1 rm -f", [("ls",), ("rm", "-f")]),
        ("uv run --group dev pytest -k x", [("pytest", "-k", "x")]),
        ("poetry run python -m twine upload d", [("twine", "upload", "d")]),
        ("python3.12 -X dev -m pytest", [("pytest",)]),
        ("python -c 'x' -m y", [("python", "-c", "x", "-m", "y")]),
        ("X='kubectl --context a'\n$X apply", [("kubectl", "--context", "a", "apply")]),
        ("X=a\nX=b\n$X apply", [("$X", "apply")]),
        ("eval 'make x'", [("make", "x")]),
        ("trap 'rm -f x' EXIT", [("rm", "-f", "x")]),
        ("bash <<'E'\nmake\nE", [("bash",), ("make",)]),
        (
            "find . -name x -exec rm {} \\;",
            [("rm", "{}", ";"), ("find", ".", "-name", "x", "-exec", "rm", "{}", ";")],
        ),
        ("./bin/tool --x", [("./bin/tool", "--x")]),
        ("cat <<E > x arg\nb\nE", [("cat", "arg")]),
        ("echo ${{ matrix.x }}y", [("echo", "${{ matrix.x }}y")]),
    ],
)
def test_commands(text: str, expected: list[tuple[str, ...]]) -> None:
    script = read_shell(text, PARSER)
    assert script.complete
    assert commands(text) == expected


def test_places() -> None:
    text = (
        "if a; then b; fi\nf() { c; }\n( d )\ne | g | h\ni && j || k\necho $(l) `m`\nX=$(n)\no &\n"
    )
    by_name = {c.name: c for c in read_shell(text, PARSER).commands if c.words}
    assert by_name["a"].place.condition
    assert not by_name["b"].place.condition
    assert by_name["c"].place.function == "f"
    assert by_name["d"].place.subshell
    assert [(by_name[n].place.pipe, by_name[n].place.pipe_length) for n in "egh"] == [
        (0, 3),
        (1, 3),
        (2, 3),
    ]
    assert (by_name["j"].place.after, by_name["k"].place.after) == ("&&", "||")
    assert by_name["l"].place.substitution == "echo"
    assert by_name["m"].place.substitution == "echo"
    assert by_name["n"].place.substitution == "="
    assert by_name["o"].place.background
    assert [by_name[n].line for n in "abcdeijlno"] == [0, 0, 1, 2, 3, 4, 4, 5, 6, 7]


def test_lines_inside_of_nested_texts() -> None:
    text = "echo\nbash -c '\n  one\n  two'\ncat <<E\n$(three)\nE\n"
    lines = {c.name: c.line for c in read_shell(text, PARSER).commands if c.words}
    assert (lines["one"], lines["two"], lines["three"]) == (2, 3, 5)


def test_redirects_and_heredoc() -> None:
    (command,) = read_shell("cat > /etc/x 2>&1 <<E\nbody $X\nE\n", PARSER).commands
    assert [(r.operator, r.target.text, r.writes) for r in command.redirects] == [
        (">", "/etc/x", True),
        (">&", "1", False),
    ]
    assert command.heredoc == "body $X\n"


def test_wrappers_are_named() -> None:
    (command,) = read_shell("sudo env A=1 make", PARSER).commands
    assert command.wrappers == ("sudo", "env")


@pytest.mark.parametrize("text", ["( a", "if x; then y", "echo 'a", "a ) b", "x() {", "\0"])
def test_what_is_not_understood_is_incomplete(text: str) -> None:
    assert not read_shell(text, PARSER).complete


def test_holes_keep_their_length_and_their_strings() -> None:
    source = b"a ${{ x == '}}' }} b ${{ y }} ${{ open"
    masked, holes = mask_holes(source)
    assert len(masked) == len(source)
    assert [source[a:b] for a, b in holes] == [b"${{ x == '}}' }}", b"${{ y }}"]
    (word,) = read_shell("X=${{ y }}", PARSER).commands[0].assignments
    assert word[1].text == "${{ y }}"
    assert not word[1].literal


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000,
        "$(" * 5_000,
        "bash -c " + "'" * 999,
        "<<A " * 3_000,
        "${{ '" * 20_000,
        "if " * 5_000,
        "{ " * 5_000 + "}" * 5_000,
        "a=$(" * 200 + ")" * 200,
        "x" * (LIMIT + 1),
        "sudo " * 20_000,
        'bash -c "bash -c \'bash -c \\"bash -c x\\"\'"' * 50,
        "`" * 9_999,
        "a | " * 20_000 + "b",
        "a && " * 20_000 + "b",
    ],
)
def test_hostile_texts_end(text: str) -> None:
    script = read_shell(text, PARSER)
    assert script.complete in (True, False)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab $(){}'\"`\\|&;<>\n#=-[]!*/EOF"), max_size=80))
def test_any_text_is_read(text: str) -> None:
    script = read_shell(text, PARSER)
    assert all(0 <= command.line <= text.count("\n") for command in script.commands)


def test_imports_lazily() -> None:
    import subprocess
    import sys

    code = "import sys, grind.workflows.classify; sys.exit('tree_sitter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
