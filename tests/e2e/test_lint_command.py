"""`grind lint` from its arguments to its output, on real repositories."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from grind.commands.lint import run_line as run
from grind.core.errors import GrindError, ProblemsError
from tests.adapters.test_lint_tree import git

_LOCK = '{"root": "root", "nodes": {"root": {"inputs": {"nixpkgs": "nixpkgs"}}}}'
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    (root / "scripts").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "flake.nix").write_text("{}\n")
    (root / "flake.lock").write_text(_LOCK)
    (root / "scripts/a.sh").write_text("#!/bin/sh\npython3 -c x\n")
    (root / "scripts/b.sh").write_text("ls\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return root


def lint(capsys: Captured, *argv: str) -> tuple[int, str]:
    code = run(list(argv))
    return code, capsys.readouterr().out


def found(capsys: Captured, *argv: str) -> list[tuple[str, str, int]]:
    _, out = lint(capsys, "--json", *argv)
    document = json.loads(out)
    assert document["schema"] == "grind.lint/1"
    return [(f["rule"], f["path"], f["line"]) for f in document["findings"]]


def test_errors_exit_1_and_a_clean_tree_0(repo: Path, capsys: Captured) -> None:
    code, out = lint(capsys)
    assert code == 1
    assert out.startswith("scripts/a.sh:2:1: error bare-python")
    (repo / "scripts/a.sh").write_text("ls\n")
    assert lint(capsys) == (0, "3 files: 0 errors, 0 warnings\n")


def test_paths_choose_files(repo: Path, capsys: Captured) -> None:
    assert found(capsys, "scripts/b.sh") == []
    assert found(capsys, "scripts") == [("bare-python", "scripts/a.sh", 2)]
    os.chdir(repo / "scripts")
    assert found(capsys, "a.sh") == [("bare-python", "scripts/a.sh", 2)]
    assert found(capsys, str(repo)) == [("bare-python", "scripts/a.sh", 2)]


def test_a_path_that_is_not_there(repo: Path) -> None:
    with pytest.raises(GrindError, match=r"gone\.sh"):
        run(["gone.sh"])


def test_a_path_outside_of_the_repository(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "other.sh").write_text("ls\n")
    with pytest.raises(GrindError, match="outside"):
        run(["scripts", str(tmp_path / "other.sh")])


def test_a_revision_is_linted_without_the_working_copy(repo: Path, capsys: Captured) -> None:
    (repo / "scripts/a.sh").write_text("ls\n")
    assert found(capsys) == []
    assert found(capsys, "--rev", "HEAD") == [("bare-python", "scripts/a.sh", 2)]


def test_only_what_changed(repo: Path, capsys: Captured) -> None:
    (repo / "scripts/new.sh").write_text("python3 -c y\n")
    (repo / "scripts/b.sh").write_text("python3 -c z\n")
    assert found(capsys, "--changed", "HEAD") == [
        ("bare-python", "scripts/b.sh", 1),
        ("bare-python", "scripts/new.sh", 1),
    ]


def test_a_fix_is_shown_and_written(repo: Path, capsys: Captured) -> None:
    code, out = lint(capsys, "--diff")
    assert code == 0
    assert "+nix shell --inputs-from . nixpkgs#python3 --command python3 -c x" in out
    assert (repo / "scripts/a.sh").read_text() == "#!/bin/sh\npython3 -c x\n"
    _, out = lint(capsys, "--fix")
    assert "--- a/scripts/a.sh" in out
    assert "nix shell" in (repo / "scripts/a.sh").read_text()
    _, out = lint(capsys, "--fix")
    assert out == "0 files written\n"
    assert lint(capsys)[0] == 0


def test_a_commit_cannot_be_fixed(repo: Path) -> None:
    with pytest.raises(GrindError, match="cannot be fixed"):
        run(["--fix", "--rev", "HEAD"])


def test_adoption_by_a_baseline(repo: Path, capsys: Captured) -> None:
    assert lint(capsys, "--write-baseline", "known.json")[0] == 0
    code, out = lint(capsys, "--baseline", "known.json")
    assert code == 0
    assert "1 known from the baseline" in out
    (repo / "grind.toml").write_text('[lint]\nbaseline = "known.json"\n')
    assert lint(capsys)[0] == 0
    (repo / "scripts/b.sh").write_text("python3 -c y\n")
    assert found(capsys) == [("bare-python", "scripts/b.sh", 1)]
    (repo / "scripts/a.sh").write_text("ls\n")
    assert "1 entries of the baseline are gone" in lint(capsys)[1]


def test_a_baseline_that_is_none(repo: Path) -> None:
    (repo / "known.json").write_text("[]")
    with pytest.raises(GrindError, match="baseline"):
        run(["--baseline", "known.json"])


def test_all_problems_of_the_configuration_at_once(repo: Path) -> None:
    (repo / "grind.toml").write_text('[lint]\ndisable = ["x"]\nfoo = 1\n')
    with pytest.raises(ProblemsError) as caught:
        run([])
    assert len(caught.value.problems) == 2
    (repo / "grind.toml").write_text("[lint\n")
    with pytest.raises(ProblemsError, match="cannot be read"):
        run([])


def test_what_fails_can_be_chosen(repo: Path, capsys: Captured) -> None:
    (repo / "grind.toml").write_text('[lint.severity]\nbare-python = "warning"\n')
    assert lint(capsys)[0] == 0
    assert lint(capsys, "--fail-on", "warning")[0] == 1


def test_the_second_run_says_the_same(repo: Path, capsys: Captured) -> None:
    first = lint(capsys)
    assert list((Path(os.environ["XDG_CACHE_HOME"]) / "grind/lint").glob("*.hits"))
    assert lint(capsys) == first
    (repo / "scripts/b.sh").write_text("python3 -c y\n")
    assert "scripts/b.sh:1:1" in lint(capsys)[1]
    (repo / "scripts/a.sh").unlink()
    assert "scripts/a.sh" not in lint(capsys)[1]


def test_a_cache_that_cannot_be_written_is_no_failure(
    repo: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    assert lint(capsys)[0] == 1


@pytest.mark.parametrize("form", ["json", "sarif", "github", "text"])
def test_every_form_can_go_to_a_file(repo: Path, capsys: Captured, form: str) -> None:
    code, out = lint(capsys, "--format", form, "-o", "out")
    assert (code, out) == (1, "")
    assert "bare-python" in (repo / "out").read_text()


def test_explain(capsys: Captured) -> None:
    assert "Seen:" in lint(capsys, "--explain", "ssh-quoting")[1]
    assert lint(capsys, "--explain", "all")[1].count("Why:") >= 21
    with pytest.raises(GrindError, match="no rule"):
        run(["--explain", "nope"])


def test_a_folder_without_git(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.sh").write_text("ssh web1 bash -c 'a b'\n")
    monkeypatch.chdir(folder)
    assert found(capsys) == [("ssh-quoting", "a.sh", 1)]
    assert found(capsys, str(folder / "a.sh")) == [("ssh-quoting", "a.sh", 1)]
    with pytest.raises(GrindError, match="need a git repository"):
        run(["--rev", "HEAD"])


def test_a_name_that_is_no_utf8(repo: Path, capsys: Captured) -> None:
    (repo / os.fsdecode(b"n\xff.sh")).write_text("python3 -c x\n")
    assert ("bare-python", "n\\xff.sh", 1) in found(capsys)
    for form in ("text", "sarif", "github"):
        assert lint(capsys, "--format", form)[0] == 1


def test_an_empty_repository(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)
    assert lint(capsys)[0] == 0


def _aged(repo: Path) -> None:
    for place in (repo, *repo.rglob("*")):
        os.utime(place, (1_000_000_000, 1_000_000_000), follow_symlinks=False)


def test_what_an_answer_hangs_on_besides_content(repo: Path, capsys: Captured) -> None:
    """A file in a folder that was empty; not one in what is ignored."""
    (repo / ".gitignore").write_text("build/\n")
    (repo / "empty").mkdir()
    (repo / "build/deep").mkdir(parents=True)
    _aged(repo)
    first = lint(capsys)
    (repo / "build/deep/x.sh").write_text("python3 -c x\n")
    assert lint(capsys) == first
    (repo / "empty/new.sh").write_text("python3 -c x\n")
    assert "empty/new.sh" in lint(capsys)[1]


def test_a_folder_that_is_no_utf8(repo: Path, capsys: Captured) -> None:
    folder = os.fsencode(repo) + b"/d\xff"
    os.mkdir(folder)
    with open(folder + b"/a.sh", "wb") as file:
        file.write(b"python3 -c x\nbash gone/x.sh\n")
    for _ in range(2):
        assert "bare-python" in {rule for rule, path, _ in found(capsys) if path.startswith("d")}
