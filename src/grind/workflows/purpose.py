"""Whether a command tests, builds, or tests the whole product (e2e). Pure tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grind.workflows.commandline import has, is_information, positionals, row
from grind.workflows.tasknames import kind_of_task, package_binary

_TESTS = frozenset(
    row(
        "pytest py.test unittest nose2 nosetests tox nox ctest jest vitest mocha ava tap rspec "
        "minitest phpunit pest behat gotestsum ginkgo bats shellcheck ruff flake8 pylint mypy "
        "pyright black isort eslint prettier stylelint biome tsc golangci-lint staticcheck "
        "yamllint actionlint hadolint rubocop standardrb phpstan psalm phpcs php-cs-fixer ktlint "
        "detekt swiftlint clippy-driver typos codespell markdownlint markdownlint-cli2 commitlint "
        "zizmor bandit pip-audit semgrep trivy grype cargo-deny cargo-audit cargo-nextest buf "
        "sqlfluff djlint vale lychee checkov tflint deadnix statix nixfmt alejandra treefmt "
        "pre-commit prek coverage xunit karma oxlint knip"
    )
)
_E2E = frozenset(row("cypress nightwatch wdio testcafe codecept detox maestro chromedriver"))
_BUILDS = frozenset(
    row(
        "ninja gcc g++ clang cc rustc javac webpack rollup esbuild parcel sphinx-build hugo jekyll "
        "pyinstaller cibuildwheel nix-build wasm-pack trunk mdbook tsup xcodebuild dune ghc scons "
        "makepkg dpkg-buildpackage rpmbuild electron-builder vue-tsc build"
    )
)
_VERBS: dict[str, dict[str, str]] = {
    # program: its verbs and what they do
    "cargo": {
        **dict.fromkeys(
            row(
                "test nextest clippy fmt check bench miri deny audit llvm-cov hack doc "
                "semver-checks machete udeps tarpaulin t c"
            ),
            "test",
        ),
        **dict.fromkeys(["build", "b", "zigbuild", "package", "dist", "tauri"], "build"),
    },
    "go": {"test": "test", "vet": "test", "build": "build", "generate": "build"},
    "npm": {"test": "test", "t": "test", "audit": "test", "pack": "build"},
    "pnpm": {"test": "test", "t": "test", "audit": "test", "pack": "build"},
    "yarn": {"test": "test", "pack": "build"},
    "bun": {"test": "test", "build": "build"},
    "node": {"--test": "test"},
    "deno": dict.fromkeys(["test", "lint", "fmt", "check", "bench"], "test") | {"compile": "build"},
    "nix": {"build": "build", "flake check": "test", "fmt": "test"},
    "nixos-rebuild": {"build": "build", "dry-build": "build"},
    "colmena": {"build": "build"},
    "docker": {"build": "build", "buildx build": "build", "compose build": "build"},
    "podman": {"build": "build"},
    "buildah": {"bud": "build", "build": "build"},
    "mvn": dict.fromkeys(["test", "verify", "integration-test"], "test")
    | dict.fromkeys(["package", "compile", "install"], "build"),
    "gradle": dict.fromkeys(["test", "check", "lint"], "test")
    | dict.fromkeys(["build", "assemble", "jar"], "build"),
    "dotnet": {"test": "test", "format": "test"}
    | dict.fromkeys(["build", "publish", "pack", "msbuild"], "build"),
    "swift": {"test": "test", "build": "build"},
    "zig": {"test": "test", "build": "build", "fmt": "test"},
    "bazel": {"test": "test", "build": "build", "coverage": "test"},
    "bazelisk": {"test": "test", "build": "build"},
    "stack": {"test": "test", "build": "build"},
    "cabal": {"test": "test", "build": "build", "check": "test"},
    "mix": dict.fromkeys(["test", "format", "credo", "dialyzer"], "test")
    | {"compile": "build", "release": "build"},
    "rebar3": {"eunit": "test", "ct": "test", "compile": "build"},
    "sbt": {"test": "test", "compile": "build", "assembly": "build"},
    "lein": {"test": "test", "uberjar": "build"},
    "meson": {"test": "test", "compile": "build", "setup": "build"},
    "cmake": {"--build": "build"},
    "flutter": {"test": "test", "analyze": "test", "build": "build"},
    "dart": {"test": "test", "analyze": "test", "format": "test", "compile": "build"},
    "composer": {"test": "test", "validate": "test"},
    "hatch": {"build": "build", "test": "test", "fmt": "test"},
    "poetry": {"build": "build", "check": "test"},
    "uv": {"build": "build"},
    "pdm": {"build": "build", "test": "test"},
    "maturin": {"build": "build", "develop": "build"},
    "gem": {"build": "build"},
    "mkdocs": {"build": "build"},
    "goreleaser": {"build": "build", "check": "test", "release": "build"},
    "next": {"build": "build", "lint": "test"},
    "vite": {"build": "build"},
    "ng": {"build": "build", "test": "test", "lint": "test", "e2e": "e2e"},
    "turbo": {"test": "test", "lint": "test", "build": "build"},
    "helm": {"lint": "test", "template": "test", "package": "build"},
    "terraform": {"validate": "test", "fmt": "test", "plan": "test"},
    "twine": {"check": "test"},
    "playwright": {"test": "e2e"},
    "firebase": {"emulators:exec": "e2e"},
    "tauri": {"build": "build"},
    "bundle": {"audit": "test"},
    "ruby": {},
}
_ALIASES = {"gradlew": "gradle", "mvnw": "mvn", "py.test": "pytest"}
_CMAKE_BUILD = re.compile(r"--build\b")


def is_check_tool(name: str) -> bool:
    """Whether the program only tests or lints; what it is given are files."""
    return name in _TESTS


def purpose(argv: Sequence[str]) -> str | None:
    """Return `e2e`, `test` or `build` for what `argv` does, None when it says nothing of it."""
    name = argv[0].rpartition("/")[2]
    name = _ALIASES.get(name, name)
    inner = package_binary(argv)
    if inner and (inner[0] in _VERBS or inner[0] in _TESTS | _E2E | _BUILDS):
        return purpose(inner)
    if is_information(argv):
        return None
    if name in _E2E or any("e2e" in word for word in argv[1:] if not word.startswith("-")):
        return "e2e"
    verbs = _VERBS.get(name)
    if verbs is not None:
        words = [word for word in positionals(argv) if not word.startswith("+")]
        flags = [word for word in argv[1:] if word.startswith("--")]
        if name == "playwright" and words[:1] != ["test"]:
            return None
        for word in [
            *(" ".join(words[i : i + 2]) for i in range(min(3, len(words)))),
            *words,
            *flags,
        ]:
            if word in verbs:
                return verbs[word]
    if name in _TESTS and not has(argv, "install"):
        return "test"
    if name in _BUILDS:
        return "build"
    return kind_of_task(argv)
