"""The flake, evaluated by the real Nix against the interface of nixpkgs that it uses.

nixpkgs itself cannot be had in these tests. What stands in for it (STUB) takes exactly the arguments
that nixpkgs takes and gives back what was asked, so that every attribute that the flake asks for is
looked at; that nixpkgs has these names is known from its manual.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

STUB = """
{
  outputs = { self }: let
    fake = name: { inherit name; outPath = "/nix/store/00000000000000000000000000000000-${name}"; };
    names = list: builtins.listToAttrs (map (name: { inherit name; value = fake name; }) list);
    lib = {
      genAttrs = keys: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) keys);
      importTOML = path: builtins.fromTOML (builtins.readFile path);
      fileset = { unions = paths: paths; toSource = { root, fileset }: { inherit root fileset; }; };
      makeBinPath = list: builtins.concatStringsSep ":" (map (one: "${one}/bin") list);
      licenses.mit = "mit";
      platforms.linux = [ "x86_64-linux" ];
      hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
      mkIf = condition: value: if condition then value else { };
      mkOption = option: option;
      mkEnableOption = text: { default = false; description = text; };
      types = names [ "package" "str" "int" "path" ] // { nullOr = x: x; listOf = x: x; };
    };
    pythonPackages = names [
      "httpx" "jinja2" "msgspec" "pyyaml" "regex" "rich" "tree-sitter" "hatchling"
    ] // {
      tree-sitter-grammars = names [ "tree-sitter-bash" ];
      buildPythonApplication = asked: asked // { outPath = "/nix/store/00000000000000000000000000000000-grind"; };
    };
    pkgs = names [ "makeWrapper" "bash" "coreutils" "git" "openssh" "shfmt" "util-linux" "gnumake" "uv" ] // {
      inherit lib;
      python3 = { pkgs = pythonPackages; };
      stdenv.hostPlatform.system = "x86_64-linux";
      mkShell = asked: asked;
      callPackage = path: more: let f = import path; in
        f (builtins.intersectAttrs (builtins.functionArgs f) pkgs // more);
    };
  in { inherit lib; legacyPackages = { x86_64-linux = pkgs; aarch64-linux = pkgs; }; };
}
"""


@pytest.fixture(scope="module")
def flake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("nix") is None:
        if os.environ.get("CI"):
            pytest.fail("nix is not installed: tools/parts.sh installs it")
        pytest.skip("no nix here: tools/parts.sh installs it")
    folder = tmp_path_factory.mktemp("flake")
    (folder / "nixpkgs").mkdir()
    (folder / "nixpkgs" / "flake.nix").write_text(STUB)
    (folder / "registry.json").write_text('{"version": 2, "flakes": []}')
    return folder


def nix(flake: Path, *argv: str) -> Any:
    """Ask Nix something of the flake, with the stub in the place of nixpkgs, and offline."""
    options = {
        "experimental-features": "nix-command flakes",
        "flake-registry": str(flake / "registry.json"),
        "substituters": "",
        "sandbox": "false",
        "build-users-group": "",
    }
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(flake),
        "NIX_STORE_DIR": str(flake / "store"),
        "NIX_STATE_DIR": str(flake / "var"),
        "NIX_LOG_DIR": str(flake / "log"),
        "NIX_CONF_DIR": str(flake / "etc"),
        "XDG_CACHE_HOME": str(flake / "cache"),
        "NIX_CONFIG": "".join(f"{name} = {value}\n" for name, value in options.items()),
    }
    done = subprocess.run(
        ["nix", *argv], cwd=flake, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def value(flake: Path, attribute: str, apply: str = "x: x") -> Any:
    return nix(
        flake,
        *("eval", "--json", "--impure", "--no-write-lock-file"),
        *("--override-input", "nixpkgs", f"path:{flake / 'nixpkgs'}"),
        *(f"path:{checkout(flake)}#{attribute}", "--apply", apply),
    )


def checkout(flake: Path) -> Path:
    """What a clone has: tracked files alone, as a flake in git sees them."""
    place = flake / "clone"
    if not place.exists():
        place.mkdir()
        for name in (
            "flake.nix",
            "flake.lock",
            "pyproject.toml",
            "README.md",
            "LICENSE",
            "Makefile",
        ):
            shutil.copy(ROOT / name, place / name)
        shutil.copytree(ROOT / "nix", place / "nix")
        (place / "src").mkdir()
    return place


def test_the_package(flake: Path) -> None:
    package = value(
        flake,
        "packages.x86_64-linux.default",
        "p: { inherit (p) pname version pyproject doCheck pythonRemoveDeps makeWrapperArgs;"
        " deps = map (d: d.name) p.dependencies; main = p.meta.mainProgram; }",
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (package["pname"], package["version"]) == (project["name"], project["version"])
    assert package["main"] == "grind"
    asked = {re.split(r"[^A-Za-z0-9-]", one)[0].lower() for one in project["dependencies"]}
    given = {*package["deps"], *package["pythonRemoveDeps"]}
    assert given == asked, "pyproject.toml and nix/package.nix differ"
    assert "git/bin" in package["makeWrapperArgs"][0]


@pytest.mark.parametrize("system", ["x86_64-linux", "aarch64-linux"])
def test_app_shell_and_overlay(flake: Path, system: str) -> None:
    app = value(flake, f"apps.{system}.default")
    assert app["type"] == "app"
    assert app["program"].endswith("-grind/bin/grind")
    tools = value(flake, f"devShells.{system}.default", "s: map (p: p.name) s.packages")
    assert "uv" in tools
    overlay = "o: (o { callPackage = path: _: toString path; lib = { }; } { }).grind-loop"
    assert value(flake, "overlays.default", overlay).endswith("nix/package.nix")


MODULE = """m: let
  pkgs = { stdenv.hostPlatform.system = "x86_64-linux"; git = "git"; };
  lib = (builtins.getFlake "path:%s").lib;
  options = (m { inherit lib pkgs; config = { }; }).options.services.grind;
  defaults = builtins.mapAttrs (_: option: option.default) options;
  config = (m { inherit lib pkgs; config.services.grind = defaults // { enable = true; } // %s; }).config;
in %s"""


def module(flake: Path, given: str, wanted: str) -> Any:
    return value(flake, "nixosModules.default", MODULE % (flake / "nixpkgs", given, wanted))


def test_the_module(flake: Path) -> None:
    assert module(flake, '{ keys = [ "k" ]; }', "config.users.users.grind") == {
        "isNormalUser": True,
        "uid": 1907,
        "home": "/var/lib/grind",
        "createHome": True,
        "linger": True,
        "openssh": {"authorizedKeys": {"keys": ["k"]}},
    }
    limits = 'config.systemd.slices."user-1907".sliceConfig'
    assert module(flake, '{ memoryMax = "8G"; }', limits) == {"MemoryMax": "8G", "TasksMax": 4096}
    job = module(flake, "{ keepDays = 3; }", "config.systemd.services.grind-gc.serviceConfig")
    assert job["ExecStart"].endswith("/bin/grind collect --days 3")
    assert job["User"] == "grind"


def test_root_only_for_exactly_the_supervisor(flake: Path) -> None:
    assert module(flake, "{ }", "config.security.sudo.extraRules") == {}
    path = f"{flake / 'store'}/11111111111111111111111111111111-grind-activate"
    rules = module(flake, f'{{ supervisor = "{path}"; }}', "config.security.sudo.extraRules")
    assert rules == [{"users": ["grind"], "commands": [{"command": path, "options": ["NOPASSWD"]}]}]
    right = "map (a: a.assertion) config.assertions"
    assert module(flake, f'{{ supervisor = "{path}"; }}', right) == [True]
    assert module(flake, '{ supervisor = "/home/ada/mine"; }', right) == [False]


def test_nothing_when_it_is_off(flake: Path) -> None:
    assert module(flake, "{ enable = false; }", "config") == {}


def test_the_lock_names_nixpkgs_and_no_address(flake: Path) -> None:
    lock = json.loads((ROOT / "flake.lock").read_text())
    locked = lock["nodes"]["nixpkgs"]["locked"]
    assert set(lock["nodes"]) == {"nixpkgs", "root"}
    assert re.fullmatch(r"[0-9a-f]{40}", locked["rev"])
    assert locked["narHash"].startswith("sha256-")
    assert "://" not in (ROOT / "flake.lock").read_text()
    original = lock["nodes"]["nixpkgs"]["original"]
    url = f"{original['type']}:{original['owner']}/{original['repo']}/{original['ref']}"
    assert f'"{url}"' in (ROOT / "flake.nix").read_text()


def test_the_source_of_the_package_is_all_that_a_wheel_needs(tmp_path: Path) -> None:
    """F4: a build input that the flake filters out is green on the laptop and red in the build."""
    text = (ROOT / "nix" / "package.nix").read_text()
    block = text[text.index("unions [") : text.index("];", text.index("unions ["))]
    names = re.findall(r"\.\./(\S+)", block)
    for name in names:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, tmp_path / "source" / name, ignore=ignore)
        else:
            (tmp_path / "source").mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / "source" / name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=tmp_path / "source",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= inside
    # nixpkgs installs a wheel's data into the package, whose share/ a profile links where shells look.
    share = {name.partition(".data/data/")[2] for name in inside if ".data/data/" in name}
    assert share == {
        "share/bash-completion/completions/grind",
        "share/zsh/site-functions/_grind",
        "share/fish/vendor_completions.d/grind.fish",
    }
