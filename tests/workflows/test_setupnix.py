"""Languages out of the pinned nixpkgs, asked of a real Nix on a host that has none by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from grind.core.flakelock import pin
from grind.core.plan import Verdict
from grind.workflows.actions import Answer, Facts, Judgement, judge, load_table
from tests.nixworld import FEATURES, SYSTEM, NixWorld, raw
from tests.workflows.test_provide import Job

TABLE = load_table()
LANGUAGES = ("python", "pypy", "node", "go", "java", "ruby", "rustc", "cargo", "rustup", "getent")
PYTHON = "PATH=/usr/bin:/bin; mkdir -p $out/bin; ln -s {} $out/bin/python3"
GO = (
    "PATH=/usr/bin:/bin; mkdir -p $out/bin; printf '#!/bin/sh\\ncase $2 in GOVERSION) echo go1.97.5 ;; "
    "GOROOT) echo '$out' ;; *) echo go version go1.97.5 ;; esac\\n' > $out/bin/go; chmod +x $out/bin/go"
)
RUSTC = (
    "PATH=/usr/bin:/bin; mkdir -p $out/bin; printf '#!/bin/sh\\necho {} 1.80.1\\n' > $out/bin/{}; "
    "chmod +x $out/bin/{}"
)


class PinnedWorld(NixWorld):
    """A stand-in for nixpkgs with languages in it, and a host that has Nix and no language."""

    def __init__(self, root: Path, own: str) -> None:
        super().__init__(root)
        self.own = own
        """The version of the real Python that the pinned one leads to."""
        rows = {
            f"python3{own.split('.')[1]}": (
                own,
                PYTHON.format(os.path.realpath("/usr/bin/python3")),
            ),
            "python399": ("3.99.1", "echo > $out"),
            "go_1_97": ("1.97.5", GO),
            "rustc": ("1.80.1", RUSTC.format("rustc", "rustc", "rustc")),
            "cargo": ("1.80.1", RUSTC.format("cargo", "cargo", "cargo")),
        }
        body = " ".join(
            f'{name} = {raw(name, script)} // {{ version = "{version}"; }};'
            for name, (version, script) in rows.items()
        )
        body += ' python27 = throw "python27 is gone"; python398 = { notA = "package"; };'
        text = f"{{ outputs = _: {{ legacyPackages.{SYSTEM} = {{ {body} }}; }}; }}\n"
        (self.nixpkgs / "flake.nix").write_text(text)
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        subprocess.run(
            ["git", *who, "-C", self.nixpkgs, "commit", "-q", "-a", "-m", "two"],
            check=True,
            env=clean,
        )
        self.repo = root / "repo"
        self.repo.mkdir()
        (self.repo / "flake.nix").write_text(self.flake())
        self.lock(self.repo)
        self.bin = root / "bin"
        self.bin.mkdir()
        for folder in ("/usr/bin", "/bin", os.path.dirname(shutil.which("nix") or "")):
            for program in Path(folder).iterdir():
                link = self.bin / program.name
                if not program.name.startswith(LANGUAGES) and not link.is_symlink():
                    link.symlink_to(program)
        self.host = self.env | {"PATH": str(self.bin), "HOME": str(root)}
        self.asked: list[tuple[str, ...]] = []

    def build(self, name: str) -> str:
        """Put an attribute into the store, as the remedy does."""
        argv = ["nix", *FEATURES, "build", "--no-link", "--json", "--inputs-from", "."]
        subprocess.run(
            [*argv, f"nixpkgs#{name}"],
            cwd=self.repo,
            env=self.host,
            check=True,
            capture_output=True,
        )
        found = [path for path in (self.root / "store").glob(f"*-{name}") if path.exists()]
        return str(found[0])

    def settle(self, uses: str, inputs: Mapping[str, str], lock: bool = True) -> Judgement:
        """Judge with what this host answers."""
        text = (self.repo / "flake.lock").read_text()
        known: dict[tuple[str, ...], Answer] = {}
        while True:
            facts = Facts(known, read=lambda path: text if lock and path == "flake.lock" else None)
            found = judge(uses, inputs, facts, TABLE)
            if not found.pending:
                return found
            for argv in facts.wanted:
                self.asked.append(argv)
                done = subprocess.run(
                    argv, env=self.host, capture_output=True, text=True, check=False, cwd="/"
                )
                known[argv] = Answer(done.returncode, done.stdout, done.stderr)


def python_here() -> str:
    """The version of the Debian Python that the stand-in's leads to."""
    told = ["/usr/bin/python3", "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def world(tmp_path: Path) -> PinnedWorld:
    return PinnedWorld(tmp_path / "nix", python_here())


def test_a_language_in_the_store_is_given_to_the_job(world: PinnedWorld, tmp_path: Path) -> None:
    short = ".".join(world.own.split(".")[:2])
    folder = world.build(f"python3{short.split('.')[1]}")
    found = world.settle("actions/setup-python@v5", {"python-version": short})
    assert found.verdict is Verdict.SATISFIED, found
    assert f"{folder}/bin/python3" in found.reason
    assert "from nixpkgs as flake.lock pins it" in found.reason
    assert found.recipe is not None
    assert found.recipe.env["GRIND_KEEP"] == folder
    job = Job(tmp_path)
    job.env |= world.host | {"HOME": str(job.home)}
    job.provide(found.recipe)
    said = job.run("python3 -c 'import sys; print(sys.version.split()[0], sys.prefix)'").split(
        " ", 1
    )
    assert said[0] == world.own
    assert said[1].startswith(str(job.temp))
    # A collection of garbage meanwhile leaves the job what it uses.
    subprocess.run(["nix-store", "--gc"], env=world.host, check=True, capture_output=True)
    assert Path(folder).exists()


def test_what_has_gone_from_the_store_fails_the_step(world: PinnedWorld, tmp_path: Path) -> None:
    folder = world.build("go_1_97")
    found = world.settle("actions/setup-go@v5", {"go-version": "1.97.x"})
    assert found.recipe is not None, found
    subprocess.run(
        ["nix-store", "--delete", folder], env=world.host, check=True, capture_output=True
    )
    job = Job(tmp_path)
    job.env |= world.host | {"HOME": str(job.home)}
    said = job.run(found.recipe.script, found.recipe.env, check=False)
    assert "has gone from the Nix store since the plan was made" in said


def test_what_is_not_in_the_store_is_neither_built_nor_fetched(world: PinnedWorld) -> None:
    before = None
    for _ in range(2):
        found = world.settle("actions/setup-python@v5", {"python-version": "3.99"})
        assert found.verdict is Verdict.REFUSED
        assert (
            "build --no-link --inputs-from . nixpkgs#python399 (flake.lock pins 3.99.1)"
            in found.remedy
        )
        assert "[[verdict]]" in found.remedy
        there = sorted(path.name for path in (world.root / "store").iterdir())
        assert not [name for name in there if "python399" in name]
        assert before in (None, there)
        before = there
    world.build("python399")
    # In the store, but its program answers no question: it is no Python.
    assert (
        world.settle("actions/setup-python@v5", {"python-version": "3.99"}).verdict
        is Verdict.REFUSED
    )


def test_a_version_that_nothing_pins_is_refused_as_before(world: PinnedWorld) -> None:
    found = world.settle("actions/setup-python@v5", {"python-version": "3.97"})
    assert found.verdict is Verdict.REFUSED
    assert "nix " not in found.remedy


def test_the_source_of_nixpkgs_is_not_fetched_either(world: PinnedWorld) -> None:
    world.build("go_1_97")
    assert world.settle("actions/setup-go@v5", {"go-version": "1.97"}).verdict is Verdict.SATISFIED
    pinned = pin((world.repo / "flake.lock").read_bytes())
    assert pinned is not None
    told = ["nix-store", "--print-fixed-path", "--recursive", "sha256", pinned.nar_hash, "source"]
    path = subprocess.run(told, env=world.host, capture_output=True, text=True, check=True)
    delete = ["nix-store", "--delete", path.stdout.strip()]
    subprocess.run(delete, env=world.host, capture_output=True, check=True)
    # Where it would come from is there, and is left alone.
    assert (world.nixpkgs / "flake.nix").exists()
    found = world.settle("actions/setup-go@v5", {"go-version": "1.97"})
    assert found.verdict is Verdict.REFUSED
    assert "flake archive" in found.remedy
    assert not Path(path.stdout.strip()).exists()


def test_nothing_is_evaluated_without_a_lock_a_need_or_a_version(world: PinnedWorld) -> None:
    world.build("go_1_97")
    assert world.settle("actions/setup-go@v5", {"go-version": "1.97"}, lock=False).verdict is (
        Verdict.REFUSED
    )
    assert world.settle("actions/setup-python@v5", {}).verdict is Verdict.REFUSED
    assert len(world.asked) == 2, "one question for what the host has by itself, each time"


def test_rust_is_put_together_from_its_parts(world: PinnedWorld, tmp_path: Path) -> None:
    uses = "dtolnay/rust-toolchain@stable"
    found = world.settle(uses, {})
    assert found.verdict is Verdict.REFUSED
    assert "nixpkgs#cargo nixpkgs#rustc (flake.lock pins 1.80.1)" in found.remedy
    world.build("rustc")
    assert world.settle(uses, {}).verdict is Verdict.REFUSED, "a compiler without cargo"
    world.build("cargo")
    found = world.settle(uses, {})
    assert found.verdict is Verdict.SATISFIED, found
    assert world.settle(uses, {"components": "clippy"}).verdict is Verdict.REFUSED
    job = Job(tmp_path)
    job.env |= world.host | {"HOME": str(job.home)}
    job.provide(found.recipe)
    assert job.run("rustc --version; cargo --version") == "rustc 1.80.1\ncargo 1.80.1\n"
