"""The ways in: what a wheel puts on a machine, and whether it works from there.

`pipx install .`, `uv tool install .` and the flake all install the wheel; what differs is where its `bin` and
`share` come to lie, and that programs may be links. The libraries are those of the environment that runs the tests:
no index is asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from grind import __version__
from tests.parts import part

ROOT = Path(__file__).parents[1]
USER = """\
from grind.workflows.expressions import ExpressionError, evaluate
from grind_health import Health

reveal_type(evaluate("1 == 1", {}))
reveal_type(Health)
wrong: int = evaluate("1 == 1", {})
try:
    evaluate("github.ref ==", {})
except ExpressionError as error:
    print(error)
"""

WORKFLOW = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.head_commit.message }}
"""


def run(*argv: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    told = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"} | env
    return subprocess.run(
        [str(word) for word in argv], cwd=cwd, env=told, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it, and the libraries within reach."""
    folder = tmp_path_factory.mktemp("ways")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install"]
    pip += ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv


def test_the_program_runs(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "bin" / "grind", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"grind {__version__}\n"), done.stderr
    place = "import grind, grind_health; print(grind.__file__, grind_health.__file__)"
    told = run(installed / "bin" / "python", "-c", place, cwd=tmp_path).stdout.split()
    assert len(told) == 2
    assert all(name.startswith(str(installed)) for name in told)


@pytest.mark.parametrize("linked", [["grind"], ["grind", "grind-python"]])
def test_it_runs_through_links(installed: Path, tmp_path: Path, linked: list[str]) -> None:
    """As pipx and uv make them, in a folder of the PATH."""
    for name in linked:
        (tmp_path / name).symlink_to(installed / "bin" / name)
    done = run(tmp_path / "grind", "--version", cwd=tmp_path)
    assert done.stdout == f"grind {__version__}\n", done.stderr
    done = run(tmp_path / "grind", "plan", cwd=tmp_path)
    assert done.returncode == 2
    assert "grind: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "share/bash-completion/completions/grind"),
        ("zsh", "share/zsh/site-functions/_grind"),
        ("fish", "share/fish/vendor_completions.d/grind.fish"),
    ],
)
def test_completion_lies_where_shells_look(
    installed: Path, tmp_path: Path, shell: str, place: str
) -> None:
    told = run(installed / "bin" / "grind", "completion", shell, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert (installed / place).read_text() == told.stdout
    assert "grind" in told.stdout


def test_the_installed_scripts_complete(installed: Path, tmp_path: Path) -> None:
    share = installed / "share"
    path = f"{installed / 'bin'}:{os.environ['PATH']}"
    script = (
        f"source {share}/bash-completion/completions/grind; COMP_WORDS=(grind pl); COMP_CWORD=1\n"
        '_grind; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    bash = run("bash", "--norc", "-c", script, cwd=tmp_path, PATH=path)
    assert (bash.stdout, bash.stderr) == ("plan\n", "")
    data = str(share)
    script = "complete -C 'grind pl'"
    fish = run(part("fish"), "-c", script, cwd=tmp_path, PATH=path, XDG_DATA_DIRS=data)
    assert fish.stdout.split("\t")[0].strip() == "plan", fish.stderr
    script = (
        f"fpath=({share}/zsh/site-functions $fpath); autoload -U compinit; compinit -u\n"
        'print -- "$_comps[grind]"'
    )
    zsh = run(part("zsh"), "-f", "-c", script, cwd=tmp_path, PATH=path)
    assert zsh.stdout.strip() == "_grind", zsh.stderr


def test_the_library_is_typed_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """What docs/library.md promises: a stranger's type checker sees types, and not `Any`."""
    (tmp_path / "user.py").write_text(USER)
    python = str(installed / "bin" / "python")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python]
    done = run(*mypy, "--cache-dir", str(tmp_path / "cache"), "user.py", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert "Any" not in lines[0]
    assert 'user.py:4: note: Revealed type is "' in lines[0]
    assert 'user.py:5: note: Revealed type is "def (' in lines[1]
    assert "user.py:6: error: Incompatible types in assignment" in lines[2]
    assert lines[-1].startswith("Found 1 error"), done.stdout


def test_the_hooks_of_the_manifest_run(installed: Path, tmp_path: Path) -> None:
    """The real pre-commit reads the manifest of a clone. `language: system` stands in for the environment
    that it would install from an index; entry, stage and arguments are the manifest's."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    hooks, repo = tmp_path / "grind", tmp_path / "repo"
    for folder in (hooks, repo):
        run("git", "init", "-q", "-b", "main", folder, cwd=tmp_path)
    (hooks / ".pre-commit-hooks.yaml").write_bytes((ROOT / ".pre-commit-hooks.yaml").read_bytes())
    run("git", "add", ".", cwd=hooks)
    assert run(*git, "commit", "-qm", "hooks", cwd=hooks).returncode == 0
    rev = run("git", "rev-parse", "HEAD", cwd=hooks).stdout.strip()
    (repo / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {rev}\n"
        "  hooks:\n  - {id: grind-lint, language: system}\n  - {id: grind-gate, language: system}\n"
    )
    flow = repo / ".github" / "workflows" / "ci.yml"
    flow.parent.mkdir(parents=True)
    flow.write_text(WORKFLOW)
    run("git", "add", ".", cwd=repo)
    assert run(*git, "commit", "-qm", "one", cwd=repo).returncode == 0
    pre_commit = Path(sys.executable).parent / "pre-commit"
    env = {
        "PATH": f"{installed / 'bin'}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }
    done = run(pre_commit, "run", "--all-files", cwd=repo, **env)
    assert "grind lint" in done.stdout, done.stderr
    assert "ci.yml:6:19: error workflow-injection" in done.stdout
    assert done.returncode == 1
    flow.write_text(WORKFLOW.replace("${{ github.event.head_commit.message }}", "fine"))
    run("git", "add", ".", cwd=repo)
    done = run(pre_commit, "run", "--all-files", cwd=repo, **env)
    assert done.returncode == 0, done.stdout
    run(*git, "commit", "-qm", "two", cwd=repo)
    heads = run("git", "rev-list", "HEAD", cwd=repo).stdout.split()
    push = [pre_commit, "run", "--hook-stage", "pre-push", "grind-gate", "--remote-name", "origin"]
    push += ["--remote-url", "https://example.org/x", "--from-ref", heads[1], "--to-ref", heads[0]]
    push += ["--remote-branch", "refs/heads/main", "--local-branch", "refs/heads/main"]
    done = run(*push, cwd=repo, **env)
    assert done.returncode == 1, done.stdout
    assert "there is no receipt" in done.stdout
