"""Suppressions, the baseline, settings, patterns, fixes: what lets a repository live with lint."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.adapters.shfmt import Shfmt
from grind.core.findings import Finding
from grind.rules import baseline, fixes
from grind.rules import settings as settings_of
from grind.rules.checks import BY_ID
from grind.rules.findings import Edit
from grind.rules.globs import github, ignored, literal_prefix
from grind.rules.runner import Job, Result, run
from grind.rules.settings import Settings
from tests.rules.corpus import DictTree, corpus

_DEFAULT = Settings()
_LOCK = b'{"root": "root", "nodes": {"root": {"inputs": {"nixpkgs": "nixpkgs"}}}}'
_NIX = {"flake.nix": b"{}", "flake.lock": _LOCK}


def lint(files: dict[str, bytes], how: Settings = _DEFAULT) -> Result:
    return run(Job(DictTree(files), how, second=Shfmt()))


def rules_of(files: dict[str, bytes], how: Settings = _DEFAULT) -> list[tuple[str, int]]:
    return [(f.rule, f.line) for f in lint(files, how).report.findings]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sh", "python3 -c x # grind: ignore[bare-python] the image has it\n"),
        ("a.sh", "# grind: ignore[bare-python] the image has it\npython3 -c x\n"),
        ("a.sh", "# grind: ignore-file[bare-python] the image has it\nls\n\npython3 -c x\n"),
        ("a.sh", "# grind: ignore[bare-python, sleep-as-wait] a\npython3 -c x\n"),
        ("Makefile", "a:\n\t# grind: ignore[bare-python] the image has it\n\tpython3 -c x\n"),
        ("Justfile", "a:\n    # grind: ignore[bare-python] the image has it\n    python3 -c x\n"),
        (
            "package.json",
            '{"scripts": {\n"//": "grind: ignore[bare-python] it is there",\n"a": "python3 -c x"}}',
        ),
        (
            "README.md",
            "<!-- grind: ignore[bare-python] docs -->\n```sh\nls\npython3 -c x\n```\n",
        ),
        (
            "x.nix",
            "{ tool = pkgs.writeShellScript \"x\" ''\n"
            "  python3 -c x # grind: ignore[bare-python] a\n''; }",
        ),
        (
            ".github/workflows/a.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
            "      # grind: ignore[bare-python] the runner has it\n      - run: python3 -c x\n",
        ),
    ],
)
def test_a_suppression_with_a_reason_silences(path: str, text: str) -> None:
    found = [rule for rule, _ in rules_of({path: text.encode()}) if rule != "unused-suppression"]
    assert found == []
    bare = text.replace("ignore", "ignores")
    assert "bare-python" in [rule for rule, _ in rules_of({path: bare.encode()})]


def test_a_suppression_without_a_reason_does_nothing_and_says_so() -> None:
    text = b"# grind: ignore[bare-python]\npython3 -c x\n"
    assert rules_of({"a.sh": text}) == [("suppression-without-reason", 1), ("bare-python", 2)]


@pytest.mark.parametrize("rule", ["bare-python", "no-such-rule"])
def test_an_unused_suppression_is_reported(rule: str) -> None:
    text = f"# grind: ignore[{rule}] once upon a time\nls\n".encode()
    assert rules_of({"a.sh": text}) == [("unused-suppression", 1)]


def test_a_suppression_speaks_of_one_line_only() -> None:
    text = b"# grind: ignore[bare-python] this one\npython3 -c x\npython3 -c y\n"
    assert rules_of({"a.sh": text}) == [("bare-python", 3)]


def test_settings_change_severity_disable_and_exclude() -> None:
    files = {"a.sh": b"python3 -c x\n", "old/b.sh": b"python3 -c x\n"}
    assert len(rules_of(files)) == 2
    assert len(rules_of(files, Settings(exclude=("old/**",)))) == 1
    assert rules_of(files, Settings(disable=frozenset({"bare-python"}))) == []
    how = Settings(severity=(("bare-python", "error"),))
    assert {f.severity for f in lint(files, how).report.findings} == {"error"}


def test_all_problems_of_the_settings_at_once() -> None:
    document = {
        "lint": {
            "disable": ["nope"],
            "severity": {"bare-python": "fatal", "x": "note"},
            "exclude": "not a list",
            "colour": True,
        }
    }
    _, problems = settings_of.read(document, frozenset(BY_ID))
    assert len(problems) == 5


def test_good_settings_are_read() -> None:
    document = {
        "lint": {
            "disable": ["bare-python"],
            "severity": {"sleep-as-wait": "note"},
            "exclude": ["vendor/**"],
            "baseline": "b.json",
            "fail_on": "warning",
        },
        "python": {"form": "uv run"},
    }
    read, problems = settings_of.read(document, frozenset(BY_ID))
    assert problems == ()
    assert read == Settings(
        frozenset({"bare-python"}),
        (("sleep-as-wait", "note"),),
        ("vendor/**",),
        "b.json",
        "warning",
        "uv run",
    )


def _finding(line: int, path: str = "a.sh") -> Finding:
    return Finding("bare-python", path, line, 1, line, "error", "high", "m", False)


def test_a_baseline_survives_moving_lines_but_not_new_findings() -> None:
    old = (_finding(3),)
    known = baseline.decode(baseline.encode(old, ("python3 x",)))
    fresh, gone = baseline.split((_finding(9), _finding(10)), ("  python3  x", "python3 y"), known)
    assert (fresh, gone) == ([1], 0)
    assert baseline.split((), (), known) == ([], 1)


def test_a_baseline_counts() -> None:
    known = baseline.decode(baseline.encode((_finding(3),), ("python3 x",)))
    fresh, _ = baseline.split((_finding(3), _finding(4)), ("python3 x", "python3 x"), known)
    assert fresh == [1]


@pytest.mark.parametrize("data", [b"", b"{}", b'{"schema": "other/1", "findings": []}', b"[1]"])
def test_what_is_no_baseline_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        baseline.decode(data)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a", True),
        ("*", "a/b", False),
        ("**", "a/b", True),
        ("*.js", "a.js", True),
        ("*.js", "a/b.js", False),
        ("**.js", "a/b.js", True),
        ("**/a.js", "a.js", True),
        ("**/a.js", "x/y/a.js", True),
        ("docs/**", "docs/a/b", True),
        ("docs/*", "docs/a/b", False),
        ("a?.js", "a.js", True),
        ("a?.js", ".js", True),
        ("v[12].js", "v1.js", True),
        ("v[12]+.js", "v121.js", True),
        ("a.js", "axjs", False),
    ],
)
def test_filter_patterns(pattern: str, path: str, matches: bool) -> None:
    assert bool(github(pattern).match(path)) is matches


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [("src/**", "src"), ("src/a/*.rs", "src/a"), ("*.rs", ""), ("a/b", "a"), ("a", "")],
)
def test_the_folder_of_a_pattern(pattern: str, folder: str) -> None:
    assert literal_prefix(pattern) == folder


@pytest.mark.parametrize(
    ("path", "lines", "verdict"),
    [
        ("build/a", ["build/"], True),
        ("build", ["build/"], False),
        ("x/build/a", ["build/"], True),
        ("x/build/a", ["/build/"], False),
        ("a.log", ["*.log"], True),
        ("keep.log", ["*.log", "!keep.log"], False),
        ("a/b/c", ["a/**/c"], True),
        ("Cargo.lock", ["Cargo.lock"], True),
    ],
)
def test_gitignore_lines_as_git_reads_them(
    tmp_path: Path, path: str, lines: list[str], verdict: bool
) -> None:
    assert ignored(path, [("", line) for line in lines]) is verdict
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("")
    asked = ["git", "-C", str(tmp_path), "check-ignore", "-q", path]
    assert (subprocess.run(asked, check=False).returncode == 0) is verdict


def _fixed(files: dict[str, bytes], form: str = "") -> tuple[dict[str, bytes], int]:
    """The files after `--fix`, and how many it changed; `form` is grind.toml's, if any."""
    changes = lint(files, Settings(python_form=form)).changes
    return {**files, **{c.path: c.after for c in changes}}, len(changes)


def test_the_fix_of_a_bare_python_is_the_policys_form() -> None:
    files, count = _fixed({**_NIX, "a.sh": b"FOO=1 python3 -c x | tee y\n"})
    assert count == 1
    form = b"nix shell --inputs-from . nixpkgs#python3 --command python3"
    assert files["a.sh"] == b"FOO=1 " + form + b" -c x | tee y\n"


@pytest.mark.parametrize("form", ["grind py", "nix run .#grind -- py", "grind py --fresh"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FOO=1 python3 a.py --x | tee y", "FOO=1 {} a.py --x | tee y"),
        ("sudo python3 ./b c", "sudo {} ./b c"),
        ("python -c 'print(1)' z", "{} -c 'print(1)' z"),
        ("python3 - <<'X'\nprint(1)\nX", "{} - <<'X'\nprint(1)\nX"),
        ('exec python3 "with blank.py" "$@"', 'exec {} "with blank.py" "$@"'),
    ],
)
def test_where_the_form_is_grinds_own_it_stands_in_place(
    form: str, before: str, after: str
) -> None:
    files, count = _fixed({**_NIX, "a.sh": f"{before}\n".encode()}, form)
    assert count == 1
    assert files["a.sh"].decode() == f"{after.format(form)}\n"
    assert _fixed(files, form)[1] == 0
    assert not [rule for rule, _ in rules_of(files) if rule == "bare-python"]


@pytest.mark.parametrize(
    "line",
    [
        "python3",
        "python3 -m http.server",
        "python3 -u a.py",
        'python3 "$script"',
        "python3 list",
        "python3 -c",
        "python3 $(which x)",
        "a | python3",
        "xargs python3",
        "python2 a.py",
    ],
)
def test_what_grind_py_does_not_take_is_left(line: str) -> None:
    files = {**_NIX, "a.sh": f"{line}\n".encode()}
    assert _fixed(files, "grind py") == (files, 0)
    assert "bare-python" in [rule for rule, _ in rules_of(files)]


@pytest.mark.parametrize(
    "files",
    [
        {"flake.nix": b"{}", "a.sh": b"python3 -c x\n"},
        {
            **_NIX,
            "flake.lock": b'{"root": "root", "nodes": {"root": {"inputs": {}}}}',
            "a.sh": b"python3\n",
        },
        {**_NIX, "a.sh": b"cd sub\npython3 -c x\n"},
        {**_NIX, "a.sh": b"ssh web1 python3 -c x\n"},
        {**_NIX, "a.sh": b"python2 -c x\n"},
        {**_NIX, "sub/Makefile": b"a:\n\tpython3 -c x\n"},
    ],
)
def test_what_is_not_safe_is_not_fixed(files: dict[str, bytes]) -> None:
    assert lint(files).report.findings
    assert lint(files).changes == ()


def test_an_ssh_one_liner_of_a_recipe_becomes_a_script() -> None:
    line = b"ssh web1 'systemctl stop app; cp -r a b; systemctl start app'"
    files, count = _fixed({"Justfile": b"up:\n    " + line + b"\n"})
    assert count == 2
    [script] = [path for path in files if path.startswith("scripts/up-remote-")]
    assert files[script].endswith(b"\nsystemctl stop app; cp -r a b; systemctl start app\n")
    assert files["Justfile"] == b'up:\n    ssh web1 "$(cat %s)"\n' % script.encode()


def _bash_agrees(before: bytes, after: bytes) -> bool:
    codes = [
        subprocess.run(["bash", "-n"], input=text, capture_output=True, check=False).returncode
        for text in (before, after)
    ]
    return codes[0] == codes[1]


@pytest.mark.parametrize("case", [c for c in corpus() if c.expected], ids=lambda c: c.place)
def test_fixing_twice_changes_nothing_and_bash_agrees(case) -> None:  # type: ignore[no-untyped-def]
    files = {**_NIX, **case.tree.files}
    for form in ("", "grind py"):
        once, _ = _fixed(files, form)
        twice, count = _fixed(once, form)
        assert count == 0
        assert once == twice
        if case.path.endswith(".sh"):
            assert _bash_agrees(files[case.path], once[case.path])


_WORDS = st.sampled_from(
    [
        "python3 -c x",
        "ls",
        "FOO=1 python3 y",
        "sudo python3 z",
        "echo python3",
        "bash -c 'python3 q'",
        "python3 - <<<x",
        "python3 a.py 'b c' >d",
        "exec python3 -c x y",
    ]
)
_JOINS = st.sampled_from([" && ", " | ", "; ", "\n", " || "])


@given(
    st.lists(st.tuples(_WORDS, _JOINS), min_size=1, max_size=6), st.sampled_from(["", "grind py"])
)
@settings(max_examples=100, deadline=None)
def test_fixes_of_any_combination_are_stable(rows: list[tuple[str, str]], form: str) -> None:
    text = "".join(word + join for word, join in rows)[: -len(rows[-1][1])].encode() + b"\n"
    once, _ = _fixed({**_NIX, "a.sh": text}, form)
    assert _bash_agrees(text, once["a.sh"])
    assert _fixed(once, form)[1] == 0
    assert not [r for r, _ in rules_of(once) if r == "bare-python"]


def test_edits_are_applied_in_order() -> None:
    assert fixes.apply(b"abcd", [Edit(0, 1, "X"), Edit(2, 2, "YY")]) == b"XbYYcd"


def test_a_diff_shows_new_files() -> None:
    text = fixes.diff(fixes.Change("new.sh", None, b"a\n"))
    assert text == "--- /dev/null\n+++ b/new.sh\n@@ -0,0 +1 @@\n+a\n"


@pytest.mark.parametrize(
    ("path", "data", "rule"),
    [
        ("a.sh", b"if then ((\n", "unparseable-shell"),
        ("a.sh", b"ls\0\n", "unreadable-file"),
        ("a.sh", b"# " + b"x" * (3 * 1024 * 1024), "unreadable-file"),
        (".github/workflows/a.yml", b"on: [", "unreadable-file"),
        (".github/workflows/a.yml", b"- a\n", "unreadable-file"),
        (".github/workflows/a.yml", b"on: \xff\n", "unreadable-file"),
        ("package.json", b"[1]", "unreadable-file"),
    ],
)
def test_bad_input_is_said_and_never_skipped(path: str, data: bytes, rule: str) -> None:
    assert rule in [name for name, _ in rules_of({path: data})]


def test_around_what_is_broken_the_rest_is_linted() -> None:
    files = {"a.sh": b"if then ((\n", "b.sh": b"python3 -c x\n"}
    assert ("bare-python", 1) in rules_of(files)
    workflow = (
        b"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
        b"      - run: if then ((\n      - run: ssh h bash -c 'a b'\n"
    )
    found = rules_of({".github/workflows/a.yml": workflow})
    assert ("unparseable-shell", 6) in found
    assert ("ssh-quoting", 7) in found


def test_columns_count_characters() -> None:
    [finding] = lint({"a.sh": "echo 'ü' && python3 -c x\n".encode()}).report.findings
    assert (finding.line, finding.column) == (1, 13)


def test_a_cache_answers_by_content() -> None:
    class Remembering:
        def __init__(self) -> None:
            self.kept: dict[bytes, bytes] = {}
            self.misses = 0

        def get(self, key: bytes, /) -> bytes | None:
            if key not in self.kept:
                self.misses += 1
            return self.kept.get(key)

        def put(self, key: bytes, value: bytes, /) -> None:
            self.kept[key] = value

    cache = Remembering()
    tree = DictTree({"a.sh": b"python3 -c x # grind: ignore[x] y\n", "b.sh": b"./c.sh\n"})
    first = run(Job(tree, cache=cache)).report
    assert cache.misses == 2
    assert run(Job(tree, cache=cache)).report == first
    assert cache.misses == 2
    tree.files["b.sh"] = b"ls\n"
    run(Job(tree, cache=cache))
    assert cache.misses == 3


def test_the_tree_is_asked_again_although_the_file_is_cached() -> None:
    class Remembering(dict[bytes, bytes]):
        def put(self, key: bytes, value: bytes, /) -> None:
            self[key] = value

    files = {"Justfile": b"a:\n    bash scripts/x.sh\n", "scripts/x.sh": b""}
    cache = Remembering()
    assert run(Job(DictTree(files), cache=cache)).report.findings == ()
    del files["scripts/x.sh"]
    found = run(Job(DictTree(files), cache=cache)).report.findings
    assert [f.rule for f in found] == ["stale-path"]


def test_other_peoples_code_is_linted_when_it_is_asked_for() -> None:
    tree = DictTree({"vendor/x/a.sh": b"ssh h 'a\nb'\n", "node_modules/b.sh": b"ssh h 'a\nb'\n"})
    assert run(Job(tree)).looked_at == ()
    assert run(Job(tree, vendored=True)).looked_at == ("vendor/x/a.sh", "node_modules/b.sh")


def test_what_lies_below_a_shell_of_its_own_is_a_note() -> None:
    files = {"flake.nix": b"{}", "ex/a/t.sh": b"python3 -c x\n", "t.sh": b"python3 -c x\n"}
    loud = run(Job(DictTree(files))).report.findings
    assert [f.severity for f in loud] == ["error", "error"]
    quiet = run(Job(DictTree(files | {"ex/devenv.nix": b"{}"}))).report.findings
    assert [(f.path, f.severity) for f in quiet] == [("ex/a/t.sh", "note"), ("t.sh", "error")]


def test_two_groups_that_begin_together_are_no_arithmetic() -> None:
    text = (
        b'test -z "$x" || \\\n\t((git diff | cat) && \\\n\t(echo "run make" && false))\npython3 x\n'
    )
    found = run(Job(DictTree({"a.sh": text, "flake.nix": b"{}"}), second=Shfmt())).report.findings
    assert [(f.rule, f.line) for f in found] == [("bare-python", 4)]
