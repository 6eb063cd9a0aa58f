"""Where shell is found, and what is known of it there."""

from __future__ import annotations

import pytest

from grind.core.tree import Entry
from grind.rules import extract
from grind.rules.extract.problems import ExtractError
from grind.rules.fragments import Fragment
from grind.rules.shell.model import HOLE
from grind.rules.source import Source


def shell_of(path: str, text: str | bytes, executable: bool = False) -> list[Fragment]:
    data = text.encode() if isinstance(text, str) else text
    kind = extract.kind_of(Entry(path, executable))
    return extract.extract(kind, Source(path, data)) if kind else []


def texts(path: str, text: str | bytes) -> list[str]:
    return [fragment.text for fragment in shell_of(path, text)]


@pytest.mark.parametrize(
    ("path", "executable", "kind"),
    [
        ("a.sh", False, "script"),
        ("dir/.envrc", False, "script"),
        (".husky/pre-push", False, "script"),
        ("bin/tool", True, "?"),
        ("bin/tool", False, ""),
        ("bin/tool.exe", True, ""),
        (".github/workflows/a.yml", False, "workflow"),
        ("x/.github/workflows/a.yaml", False, "workflow"),
        (".github/workflows/sub/a.yml", False, ""),
        ("actions/x/action.yml", False, "action"),
        ("Justfile", False, "just"),
        (".justfile", False, "just"),
        ("GNUmakefile", False, "make"),
        ("rules.mk", False, "make"),
        ("web/package.json", False, "npm"),
        ("flake.nix", False, "nix"),
        ("README.md", False, "markdown"),
        ("main.py", True, ""),
    ],
)
def test_kinds(path: str, executable: bool, kind: str) -> None:
    assert extract.kind_of(Entry(path, executable)) == kind


def test_a_link_holds_no_text_of_its_own() -> None:
    assert extract.kind_of(Entry("a.sh", regular=False)) == ""


def test_only_the_first_line_says_what_a_file_without_extension_is() -> None:
    assert len(shell_of("tool", "#!/bin/sh\nls\n", True)) == 1
    assert shell_of("tool", "#!/usr/bin/env python3\nls\n", True) == []
    assert shell_of("a.sh", "#!/usr/bin/env zsh\nls\n") == []


def test_options_of_the_shebang_count() -> None:
    [fragment] = shell_of("a.sh", "#!/usr/bin/env -S bash -euo pipefail\nls\n")
    assert (fragment.context.errexit, fragment.context.pipefail) == (True, True)


def test_carriage_returns_vanish_and_places_stay() -> None:
    text = "ls\r\necho hi\r\n"
    [fragment] = shell_of("a.sh", text)
    assert fragment.text == "ls\necho hi\n"
    assert fragment.source_offset(fragment.text.index("hi")) == text.index("hi")


_JOB = "on: push\njobs:\n  a:\n    runs-on: {runs_on}\n    steps:\n"


def _workflow(step: str, runs_on: str = "ubuntu-latest") -> str:
    return _JOB.replace("{runs_on}", runs_on) + step


@pytest.mark.parametrize(
    ("step", "value"),
    [
        ("      - run: ls -l\n", "ls -l"),
        ("      - run: 'it''s'\n", "it's"),
        ('      - run: "a\\tb \\"c\\""\n', 'a\tb "c"'),
        ("      - run: |\n          ls\n            pwd\n", "ls\n  pwd\n"),
        ("      - run: |-\n          ls\n", "ls"),
        ("      - run: >\n          ls\n          -l\n\n          pwd\n", "ls -l\npwd\n"),
        ("      - run: >-\n          ls\n", "ls"),
        ("      - run: ls\n          -l\n", "ls -l"),
        ("      - run: |\n\n          ls # ü\n          pwd\n", "\nls # ü\npwd\n"),
    ],
)
def test_every_form_of_a_scalar(step: str, value: str) -> None:
    text = _workflow(step)
    [fragment] = shell_of(".github/workflows/a.yml", text)
    assert fragment.text.encode("latin-1").decode() == value
    data = text.encode().decode("latin-1")
    for piece in fragment.pieces:
        run = fragment.text[piece.at : piece.at + piece.length]
        assert data[piece.source : piece.source + piece.length] == run


@pytest.mark.parametrize(
    ("shell", "found"),
    [
        ("", (True, False)),
        ("        shell: bash\n", (True, True)),
        ("        shell: sh\n", (True, False)),
        ("        shell: bash {0}\n", (False, False)),
        ("        shell: bash -eo pipefail {0}\n", (True, True)),
    ],
)
def test_the_shell_of_a_step(shell: str, found: tuple[bool, bool]) -> None:
    [fragment] = shell_of(".github/workflows/a.yml", _workflow("      - run: ls\n" + shell))
    assert (fragment.context.errexit, fragment.context.pipefail) == found


@pytest.mark.parametrize("shell", ["pwsh", "python", "cmd", "node {0}"])
def test_other_languages_are_left_alone(shell: str) -> None:
    step = f"      - run: ls\n        shell: {shell}\n"
    assert shell_of(".github/workflows/a.yml", _workflow(step)) == []


def test_windows_has_another_default() -> None:
    assert shell_of(".github/workflows/a.yml", _workflow("      - run: ls\n", "windows-2022")) == []
    step = "      - run: ls\n        shell: bash\n"
    assert len(shell_of(".github/workflows/a.yml", _workflow(step, "windows-2022"))) == 1


def test_expressions_become_holes_of_the_same_length() -> None:
    [fragment] = shell_of(".github/workflows/a.yml", _workflow("      - run: ls ${{ a }} b\n"))
    assert fragment.text == "ls " + HOLE * len("${{ a }}") + " b"
    assert [hole.raw for hole in fragment.holes] == ["${{ a }}"]


def test_broken_yaml_says_where() -> None:
    with pytest.raises(ExtractError) as caught:
        shell_of(".github/workflows/a.yml", "on: [push\njobs: {\n")
    assert "YAML" in caught.value.message


def test_a_justfile() -> None:
    text = (
        'set shell := ["bash", "-euo", "pipefail", "-c"]\n'
        "version := `git describe`\n\n"
        "# a comment\n[private]\nbuild target='x' *args: fmt\n"
        "    @echo {{target}} {{{{literal}}\n    -rm \\\n      x\n\n"
        "script:\n    #!/usr/bin/env bash\n    if a; then\n      b\n    fi\n"
        "py:\n    #!/usr/bin/env python3\n    print(1)\n"
    )
    found = shell_of("Justfile", text)
    assert [f.text for f in found] == [
        "git describe",
        "echo " + HOLE * len("{{target}}") + " {{literal}}\n",
        "rm \\\nx\n",
        "#!/usr/bin/env bash\nif a; then\n  b\nfi\n",
    ]
    assert [f.context.label for f in found] == ["", "build", "build", "script"]
    assert [f.context.gating for f in found] == [False, True, False, True]
    assert found[1].context.pipefail
    assert not found[3].context.pipefail


def test_a_makefile() -> None:
    text = (
        "SHELL := /bin/bash\n.SHELLFLAGS := -eo pipefail -c\nX = a:b\n"
        "all: dep ## text\n\t@echo $$HOME $(X) $@\n\tif a; then \\\n\t  b; \\\n\tfi\n"
        "# comment\n\ndefine notrule\n\techo no\nendef\nother:\n\t-rm x\n"
    )
    found = shell_of("Makefile", text)
    assert [f.text for f in found] == [
        f"echo $HOME {HOLE * 4} {HOLE * 2}\n",
        "if a; then \\\n  b; \\\nfi\n",
        "rm x\n",
    ]
    assert found[0].context.pipefail
    assert [f.context.gating for f in found] == [True, True, False]


def test_oneshell_joins_a_recipe() -> None:
    assert texts("Makefile", ".ONESHELL:\na:\n\tx=1\n\techo $$x\n") == ["x=1\necho $x\n"]


def test_package_json() -> None:
    scripts = '{"a": "echo \\"hi\\"", "//": "no"}'
    text = f'{{"name": "x", "scripts": {scripts}, "o": {{"scripts": {{"b": "no"}}}}}}'
    [fragment] = shell_of("package.json", text)
    assert fragment.text == 'echo "hi"'
    assert text[fragment.source_offset(0)] == "e"


def test_nix_strings() -> None:
    text = """{ pkgs }: {
  # buildPhase = ''no'';
  buildPhase = ''
    echo ${pkgs.hello} ''${x}
    cat <<EOF
    hi
    EOF
  '';
  meta.description = "ls";
  systemd.services.a.serviceConfig.ExecStart = "-${pkgs.x}/bin/x --flag";
  tool = pkgs.writeShellScriptBin "tool" ''
    ls
  '';
  made = pkgs.runCommand "x" { } ''
    touch $out
  '';
}
"""
    found = shell_of("default.nix", text)
    assert [f.text for f in found] == [
        f"echo {HOLE * len('${pkgs.hello}')} ${{x}}\ncat <<EOF\nhi\nEOF\n",
        HOLE * len("${pkgs.x}") + "/bin/x --flag",
        "ls\n",
        "touch $out\n",
    ]
    assert found[0].context.python == "nix"
    assert found[2].context.python == ""


def test_markdown_fences() -> None:
    text = (
        "```bash\nls\n```\n\n~~~sh\n$ pwd\n~~~\n\n"
        "```console\n$ a\nout\n# b\n```\n```python\nx\n```\n"
    )
    found = shell_of("README.md", text)
    assert [f.text for f in found] == ["ls\n", "pwd\n", "a\nb\n"]
    assert all(f.context.info for f in found)


@pytest.mark.parametrize("path", ["a.sh", "Makefile", "Justfile", "x.nix", "README.md"])
def test_bytes_that_are_no_utf8_do_no_harm(path: str) -> None:
    shell_of(path, b"a:\n\techo \xff\xfe\n    echo \xff\n```sh\n\xff\n```\n''\xff''\n\"\xff")


@pytest.mark.parametrize("path", ["Makefile", "Justfile", "x.nix", "README.md", "a.sh"])
def test_empty_files(path: str) -> None:
    assert all(not f.text for f in shell_of(path, ""))
