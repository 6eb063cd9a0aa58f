"""The scripts that give a job its environment, run for real."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from grind.core.plan import Recipe, Verdict
from grind.workflows.actions import Answer, Facts, Judgement, base_environment, judge, load_table
from grind.workflows.scripts import script

TABLE = load_table()


class Job:
    """A job as the engine sets it up: private folders, fresh command files for each step."""

    def __init__(self, folder: Path) -> None:
        self.temp = folder / "temp dir"
        self.home = folder / "home"
        self.work = folder / "work"
        self.cache = folder / "cache"
        self.commands = folder / "commands"
        for each in (self.temp, self.home, self.work, self.cache, self.commands):
            each.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_WORKSPACE": str(self.work),
            "GRIND_CACHE": str(self.cache),
            "LC_ALL": "C.UTF-8",
        }
        self.outputs: dict[str, str] = {}

    def run(self, text: str, env: Mapping[str, str] | None = None, *, check: bool = True) -> str:
        """Run a step, take over what it wrote to its command files, return its output."""
        files = {
            name: self.commands / name for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT")
        }
        for path in files.values():
            path.write_text("")
        names = {name: str(path) for name, path in files.items()}
        path = self.commands / "step.sh"
        path.write_text(text)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", str(path)],
            env=self.env | names | dict(env or {}),
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout
        else:
            assert done.returncode != 0, done.stdout
        self.env.update(pairs(files["GITHUB_ENV"].read_text()))
        self.outputs.update(pairs(files["GITHUB_OUTPUT"].read_text()))
        for line in files["GITHUB_PATH"].read_text().splitlines():
            self.env["PATH"] = f"{line}:{self.env['PATH']}"
        return done.stdout

    def provide(self, recipe: Recipe | None) -> str:
        assert recipe is not None
        return self.run(recipe.script, recipe.env)


def pairs(text: str) -> dict[str, str]:
    """Read `NAME<<END` blocks."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        for inner in lines:
            if inner == end:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def settled(uses: str, inputs: Mapping[str, str]) -> Judgement:
    """Judge with this machine's own answers."""
    known: dict[tuple[str, ...], Answer] = {}
    while True:
        facts = Facts(known)
        found = judge(uses, inputs, facts, TABLE)
        if not found.pending:
            return found
        for argv in facts.wanted:
            try:
                done = subprocess.run(argv, capture_output=True, text=True, check=False)
                known[argv] = Answer(done.returncode, done.stdout, done.stderr)
            except FileNotFoundError:
                known[argv] = Answer(127)


def need(program: str) -> None:
    """Skip, counted, where a language is not on this machine."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")


def satisfied(uses: str, inputs: Mapping[str, str]) -> Recipe:
    found = settled(uses, inputs)
    if found.verdict is not Verdict.SATISFIED:
        pytest.skip(f"this machine: {found.reason}")
    assert found.recipe is not None
    return found.recipe


def python_recipe() -> Recipe:
    """Python is part of the base: where it is missing in CI, that is a failure."""
    found = settled("actions/setup-python@v5", {"python-version": "3.x"})
    if found.verdict is not Verdict.SATISFIED:
        if os.environ.get("CI"):
            pytest.fail(found.reason)
        pytest.skip(f"this machine: {found.reason}")
    assert found.recipe is not None
    return found.recipe


def test_python(job: Job) -> None:
    recipe = python_recipe()
    job.provide(base_environment(Facts()))  # pip asks rustc for its version: keep that home, too
    job.provide(recipe)
    where = job.run("command -v python python3 pip; python -c 'import sys; print(sys.prefix)'")
    assert all(line.startswith(str(job.temp)) for line in where.splitlines()), where
    version = job.run("python -c 'import platform; print(platform.python_version())'").strip()
    assert version == recipe.outputs["python-version"]
    assert job.outputs["python-path"].startswith(str(job.temp))
    assert job.run("pip cache dir").strip().startswith(str(job.cache))
    assert list(job.home.iterdir()) == []


def test_python_can_leave_the_path_alone(job: Job) -> None:
    recipe = python_recipe()
    before = job.env["PATH"]
    job.run(recipe.script, {**recipe.env, "GRIND_UPDATE_ENVIRONMENT": "false"})
    assert job.env["PATH"] == before
    assert Path(job.outputs["python-path"]).is_file()


def test_base_python_is_made_when_asked_for(job: Job) -> None:
    if shutil.which("python3") is None:
        pytest.fail("python3 is part of the base")
    job.provide(base_environment(Facts()))
    venv = job.temp / "_grind" / "python-base"
    assert not venv.exists()
    prefix = job.run("python3 -c 'import sys; print(sys.prefix)'").strip()
    assert prefix == str(venv)
    assert job.run("command -v python3").strip() == f"{venv}/bin/python3"
    assert str(venv) in job.run("pip --version")


def test_base_python_made_by_two_at_once(job: Job) -> None:
    job.provide(base_environment(Facts()))
    text = "python3 -c 'print(1)' & python -c 'print(2)' & pip --version &\nfor job in %1 %2 %3; do wait $job; done"
    assert job.run(text)


def contents(venv: Path) -> dict[str, bytes]:
    """Every file of an environment as it would be in one at /venv; what says when, or how, is left out."""
    found = {}
    for path in sorted(venv.rglob("*")):
        name = str(path.relative_to(venv))
        if path.is_symlink():
            found[name] = os.readlink(path).encode()
        elif path.is_file() and path.suffix != ".pyc" and path.name not in ("RECORD", "pyvenv.cfg"):
            found[name] = path.read_bytes().replace(bytes(venv), b"/venv")
    return found


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that several tests share: what is copied takes seconds to make."""
    return tmp_path_factory.mktemp("made-once")


@pytest.mark.parametrize("folder", ["plain", "with a blank", "n" * 120])
def test_a_copied_environment_is_as_venv_makes_it(
    job: Job, tmp_path: Path, made_once: Path, folder: str
) -> None:
    python = shutil.which("python3")
    assert python is not None, "python3 is part of the base"
    copied, made = tmp_path / folder / "copy" / "venv", tmp_path / folder / "made" / "venv"
    text = script("common.sh") + 'python_environment "${words[@]}"\n'
    words = shlex.join([python, str(copied), str(made_once)])
    job.run(f"words=({words})\n{text}")
    subprocess.run([python, "-m", "venv", made], check=True)
    assert contents(copied) == contents(made)
    for name in ("pip", "pip3"):
        said = subprocess.run([copied / "bin" / name, "--version"], capture_output=True, text=True)
        assert str(copied / "lib") in said.stdout, said.stderr


def test_no_environment_is_kept_of_a_python_that_cannot_make_one(job: Job, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    # As Debian's without python3-venv: the environment, and then no pip for it.
    python.write_text(
        '#!/bin/sh\nfor word; do [ "$word" != --without-pip ] || exec python3 "$@"; done\n'
        'exec python3 -c "import sys, venv; venv.create(sys.argv[1], symlinks=True); sys.exit(1)" "$3"\n'
    )
    python.chmod(0o755)
    text = script("common.sh") + f'python_environment {python} "$RUNNER_TEMP/venv" "$GRIND_CACHE"\n'
    job.run(text, check=False)
    assert list((job.cache / "venv").iterdir()) == []


def test_base_folders(job: Job) -> None:
    job.provide(base_environment(Facts()))
    for name in ("CARGO_HOME", "GOPATH", "GEM_HOME", "NPM_CONFIG_PREFIX", "PIPX_HOME"):
        assert job.env[name].startswith(str(job.temp)), name
    for name in ("PIP_CACHE_DIR", "GOMODCACHE", "NPM_CONFIG_CACHE", "UV_CACHE_DIR"):
        assert job.env[name].startswith(str(job.cache)), name
    assert list(job.home.iterdir()) == []


def test_a_setup_stands_before_the_base(job: Job) -> None:
    job.provide(base_environment(Facts()))
    recipe = python_recipe()
    job.provide(recipe)
    where = job.run("command -v python").strip()
    assert f"python-{recipe.outputs['python-version']}" in where


def test_node(job: Job) -> None:
    need("node")
    recipe = satisfied("actions/setup-node@v4", {})
    job.provide(recipe)
    assert job.run("node --version").strip() == recipe.outputs["node-version"]
    assert job.run("command -v node").strip().startswith(str(job.temp))
    need("npm")
    assert job.run("npm prefix -g").strip() == f"{job.temp}/_grind/npm"
    assert job.run("npm config get cache").strip() == f"{job.cache}/npm"


def test_node_registry(job: Job) -> None:
    need("node")
    inputs = {"registry-url": "https://example.invalid", "scope": "me"}
    job.provide(satisfied("actions/setup-node@v4", inputs))
    text = Path(job.env["NPM_CONFIG_USERCONFIG"]).read_text()
    assert text == "@me:registry=https://example.invalid\n"


def test_npm_global_install_stays_in_the_job(job: Job) -> None:
    need("npm")
    job.provide(base_environment(Facts()))
    package = job.work / "tool"
    package.mkdir()
    (package / "package.json").write_text(
        '{"name": "probe", "version": "1.0.0", "bin": {"probe": "x.js"}}'
    )
    (package / "x.js").write_text("#!/usr/bin/env node\nconsole.log('here')\n")
    job.run("npm install -g --offline ./tool")
    assert job.run("command -v probe").strip() == f"{job.temp}/_grind/npm/bin/probe"


def test_rust(job: Job) -> None:
    need("cargo")
    recipe = satisfied("dtolnay/rust-toolchain@stable", {})
    job.provide(recipe)
    assert job.run("cargo --version").startswith("cargo ")
    home = Path(job.env["CARGO_HOME"])
    assert home.is_relative_to(job.temp)
    for name in ("registry", "git", ".package-cache"):
        assert (home / name).resolve().is_relative_to(job.cache)
    job.run("cargo init --vcs none --name probe probe && cd probe && cargo test --offline")
    assert not (job.home / ".cargo").exists()
    assert not (job.home / ".rustup").exists()


def test_cargo_without_a_setup_action(job: Job) -> None:
    need("cargo")
    job.provide(base_environment(Facts()))
    job.run(
        "cargo init --vcs none --name probe probe && cd probe && cargo install --offline --path ."
    )
    assert job.run("command -v probe").strip().startswith(str(job.temp))
    assert not (job.home / ".cargo").exists()


def test_only_proxies_of_rustup_are_taken_as_they_are(job: Job, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    proxy = programs / "rustup"
    proxy.write_text('#!/bin/sh\necho "proxy as ${0##*/}"\n')
    proxy.chmod(0o755)
    (programs / "rustc").hardlink_to(proxy)
    (programs / "rustfmt").symlink_to("rustup")
    # Of another maker, and not a proxy.
    (programs / "cargo").write_text("#!/bin/sh\necho 'not a proxy'\n")
    (programs / "cargo").chmod(0o755)
    job.env["PATH"] = f"{programs}:{job.env['PATH']}"
    job.provide(base_environment(Facts()))
    for name in ("cargo", "rustc", "rustfmt", "cargo-clippy"):
        assert job.run(name) == f"proxy as {name}\n"


def test_the_base_asks_for_the_home_of_the_user_and_leaves_the_jobs(job: Job) -> None:
    told = job.run(script("common.sh") + 'bash -c \'printf "%s\\n" "$HOME" "$1"\' bash "$home"\n')
    assert told.splitlines() == [str(job.home), pwd.getpwuid(os.getuid()).pw_dir]


def test_go(job: Job) -> None:
    need("go")
    recipe = satisfied("actions/setup-go@v5", {"go-version": "stable"})
    job.provide(recipe)
    assert f"go{recipe.outputs['go-version']}" in job.run("go version")
    said = job.run("go env GOPATH GOMODCACHE GOCACHE GOTOOLCHAIN").splitlines()
    assert said[0].startswith(str(job.temp))
    assert said[1].startswith(str(job.cache))
    assert said[2].startswith(str(job.cache))
    assert said[3] == "local"
    job.run(
        "mkdir m && cd m && go mod init probe && "
        "printf 'package main\\nfunc main() {}\\n' >x.go && go install ."
    )
    assert job.run("command -v probe").strip().startswith(str(job.temp))


def test_java(job: Job) -> None:
    need("javac")
    found = settled("actions/setup-java@v4", {"java-version": ">=8", "distribution": "temurin"})
    assert found.recipe is not None, found.reason
    job.provide(found.recipe)
    assert job.run('printf %s "$JAVA_HOME"') == found.recipe.env["GRIND_JAVA_HOME"]
    assert job.run("command -v javac").strip() == f"{job.env['JAVA_HOME']}/bin/javac"


def test_values_are_never_code(job: Job) -> None:
    hostile = 'x"; touch hacked; $(touch hacked)\n`touch hacked`\nGITHUB_ENV<<E'
    job.run(
        script("common.sh") + 'give HOSTILE "$GRIND_X"\nanswer out "$GRIND_X"\n',
        {"GRIND_X": hostile},
    )
    assert job.env["HOSTILE"] == hostile
    assert job.outputs == {"out": hostile}
    job.run('test "$HOSTILE" = "$GRIND_X"', {"GRIND_X": hostile})
    assert list(job.work.iterdir()) == []


def test_run_recipe(job: Job) -> None:
    (job.work / "sub").mkdir()
    env = {"GRIND_ARGV": "printf\n<%s>\na b\n*\n$HOME", "GRIND_DIRECTORY": "sub"}
    said = job.run(script("common.sh") + script("run.sh"), env)
    assert said.endswith("<a b><*><$HOME>")
    job.run(script("common.sh") + script("run.sh"), {"GRIND_ARGV": "false"}, check=False)


def artifact(inputs: Mapping[str, str]) -> Recipe:
    found = judge("actions/upload-artifact@v4", inputs, Facts(artifacts=True), TABLE)
    assert found.recipe is not None
    return found.recipe


def test_artifacts_go_through_the_run(job: Job, tmp_path: Path) -> None:
    job.env["GRIND_ARTIFACTS"] = str(tmp_path / "artifacts")
    for name in ("dist/a.txt", "dist/sub/b c.txt", "dist/no.log", "other/d.txt"):
        path = job.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    job.provide(artifact({"name": "one", "path": "dist\n!dist/*.log"}))
    job.provide(artifact({"name": "two", "path": "**/*.txt"}))
    one = tmp_path / "artifacts" / "one"
    assert sorted(str(p.relative_to(one)) for p in one.rglob("*") if p.is_file()) == [
        "a.txt",
        "sub/b c.txt",
    ]
    download = judge(
        "actions/download-artifact@v4",
        {"name": "one", "path": "got"},
        Facts(artifacts=True),
        TABLE,
    )
    job.provide(download.recipe)
    assert (job.work / "got" / "sub" / "b c.txt").read_text() == "dist/sub/b c.txt"
    everything = judge(
        "actions/download-artifact@v4", {"path": "all"}, Facts(artifacts=True), TABLE
    )
    job.provide(everything.recipe)
    assert (job.work / "all" / "two" / "other" / "d.txt").is_file()


def test_artifacts_that_are_not_there(job: Job, tmp_path: Path) -> None:
    job.env["GRIND_ARTIFACTS"] = str(tmp_path / "artifacts")
    assert "::warning::" in job.provide(artifact({"path": "nothing/*"}))
    recipe = artifact({"path": "nothing", "if-no-files-found": "error"})
    job.run(recipe.script, recipe.env, check=False)
    missing = judge("actions/download-artifact@v4", {"name": "x"}, Facts(artifacts=True), TABLE)
    assert missing.recipe is not None
    job.run(missing.recipe.script, missing.recipe.env, check=False)
