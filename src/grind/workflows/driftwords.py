"""One command in the form in which two command lines are compared. Pure.

What does not matter to the result is gone: the order of flags, `--flag=value` against
`--flag value`, the folder of the program, flags that only change what is printed, and Nix's
experimental features. What might matter stays: `--locked`, a toolchain, the order of operands. Where
it is not known whether a flag takes a value, it is taken to, so that two commands are rather called
different than the same.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from grind.workflows.commandline import row


class Unit(NamedTuple):
    """A command, normalised. Equal units do the same."""

    folder: str
    """Relative to the repository's root, `` for the root itself; as written where not known."""
    head: tuple[str, ...]
    """The program and its subcommand."""
    operands: tuple[str, ...] = ()
    flags: tuple[tuple[str, ...], ...] = ()
    """Each with its value, sorted."""
    tail: tuple[str, ...] = ()
    """What follows `--`, with it; the mark of a heredoc."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The command's words; normalising them again gives the same unit."""
        flags = tuple(word for group in self.flags for word in group)
        return (*self.head, *self.operands, *flags, *self.tail)

    @property
    def text(self) -> str:
        """The command for people."""
        return " ".join(map(_shown, self.argv))


_VERBED = frozenset(
    row(
        "cargo go npm pnpm yarn bun deno node nix nixos-rebuild colmena docker podman buildah mvn "
        "gradle gradlew dotnet swift zig bazel bazelisk stack cabal mix rebar3 sbt lein meson "
        "flutter dart composer hatch poetry uv pdm maturin gem mkdocs goreleaser next vite ng "
        "turbo nx helm terraform tofu twine playwright cypress firebase tauri bundle ruff git gh "
        "pre-commit prek rustup just make pip kubectl task rake nox tox"
    )
)
"""Programs whose first operand says what they do."""
_DEEPER = frozenset(
    {
        ("nix", "flake"),
        ("nix", "store"),
        ("nix", "profile"),
        ("docker", "buildx"),
        ("docker", "compose"),
        ("podman", "compose"),
        ("cargo", "nextest"),
        ("cargo", "llvm-cov"),
        ("go", "mod"),
        ("go", "tool"),
        ("uv", "pip"),
        ("uv", "tool"),
        ("npm", "run"),
        ("pnpm", "run"),
        ("yarn", "run"),
        ("bun", "run"),
        ("git", "submodule"),
    }
)
_ALIASES = {
    ("cargo", "t"): "test",
    ("cargo", "b"): "build",
    ("cargo", "c"): "check",
    ("cargo", "r"): "run",
    ("cargo", "d"): "doc",
    ("npm", "run-script"): "run",
    ("npm", "t"): "test",
}
"""Built-in aliases, from the programs' own manuals."""

_ALONE = frozenset(
    row(
        "--release --locked --frozen --offline --all --workspace --all-targets --all-features "
        "--no-default-features --lib --bins --tests --examples --benches --doc --no-run --no-fail-fast "
        "--check --fix --write --verbose --quiet --force --strict --watch --ci --no-link --impure "
        "--keep-going --no-build --no-restore --no-deps --diff --show-files --all-files --dry-run "
        "--race --short --cover --no-cache --pull --push --recursive --silent --if-present "
        "--print-build-logs --show-trace --no-write-lock-file --no-update-lock-file --help --version "
        "--no-install --frozen-lockfile --immutable --production --watchAll=false -v -vv -vvv -q -qq"
    )
)
"""Flags that take no value in any of the common programs."""
_ALONE_OF: dict[str, frozenset[str]] = {
    "cargo": frozenset(row("-q -v -r")),
    "nix": frozenset(row("-L -v --refresh --no-eval-cache --accept-flake-config")),
    "pytest": frozenset(row("-x -s -l --lf --ff --exitfirst --no-header --no-cov --pdb")),
    "go": frozenset(row("-v -race -short -cover -a -x")),
    "black": frozenset(row("--color")),
    "make": frozenset(row("-B -k -n -s -i")),
    "npm": frozenset(row("-s -ws --workspaces")),
}
_SILENT: dict[str, dict[str, int]] = {
    # program: flags that change what is printed, or nothing at all, with how many values they take
    "nix": {
        "-L": 0,
        "--print-build-logs": 0,
        "--show-trace": 0,
        "-v": 0,
        "--verbose": 0,
        "--quiet": 0,
        "--log-format": 1,
        "--extra-experimental-features": 1,
        "--experimental-features": 1,
    },
    "nix-build": {"--show-trace": 0, "-v": 0, "--verbose": 0},
    "cargo": {"-v": 0, "-vv": 0, "--verbose": 0, "-q": 0, "--quiet": 0, "--color": 1},
    "pytest": {"-v": 0, "-vv": 0, "--verbose": 0, "-q": 0, "--quiet": 0, "--color": 1, "--tb": 1},
    "npm": {"--silent": 0, "-s": 0, "--no-progress": 0, "--loglevel": 1},
    "make": {"--no-print-directory": 0, "-s": 0, "--silent": 0, "--quiet": 0},
    "ruff": {"-q": 0, "--quiet": 0, "-v": 0, "--output-format": 1},
    "mypy": {"--pretty": 0, "--no-pretty": 0, "--show-error-codes": 0, "--color-output": 0},
}
_FEATURES = frozenset({"experimental-features", "extra-experimental-features"})
_IN_ORDER = frozenset(row("find test [ jq sed awk rsync ffmpeg expr printf xargs sh bash"))
"""Programs to which the order of their words is what they are told."""
_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*t?")
_PLAIN = re.compile(r"[^\s'\"]+")


def normalise(words: Sequence[str], folder: str = "") -> Unit:
    """Return the unit of a command line, its program first. `words` may not be empty."""
    program = _program(words[0], folder)
    if program in _IN_ORDER:
        return Unit(folder, (program,), tuple(words[1:]))
    before, tail = _split(words[1:])
    operands, flags = _grouped(program, before)
    head, operands = _head(program, operands)
    return Unit(folder, head, operands, tuple(sorted(flags)), tail)


def _split(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Cut at `--`, or at the mark of a heredoc."""
    for index, word in enumerate(words):
        if word == "--" or word.startswith("<<#"):
            return list(words[:index]), tuple(words[index:])
    return list(words), ()


def _program(word: str, folder: str) -> str:
    """The program's name; a path inside of the repository stays a path, from its root."""
    if "/" not in word:
        return "python" if _PYTHON.fullmatch(word) else word
    if word.startswith(("/", "~", "$")):
        return word.rpartition("/")[2] if word.startswith("/") else word
    if folder.startswith(("/", "~", "$", "?")):
        return posixpath.normpath(word)
    path = posixpath.normpath(posixpath.join(folder, word))
    if "/node_modules/.bin/" in f"/{path}":
        return path.rpartition("/")[2]
    # Kept apart from a program of the same name on the PATH, and relative to the folder again.
    inner = posixpath.relpath(path, folder or ".")
    return inner if "/" in inner else f"./{inner}"


def _grouped(program: str, words: list[str]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Tell operands from flags with their values; leave out what only changes the output."""
    silent = _SILENT.get(program, {})
    alone = _ALONE | _ALONE_OF.get(program, frozenset())
    operands: list[str] = []
    flags: list[tuple[str, ...]] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if program == "cargo" and word.startswith("+"):
            flags.append((word,))
            continue
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        name, equals, value = word.partition("=")
        if name in silent:
            index += 0 if equals else silent[name]
            continue
        if program == "nix" and word == "--option" and len(words) > index + 1:
            pair = (words[index], words[index + 1])
            index += 2
            flags += [] if pair[0] in _FEATURES else [(f"--option={pair[0]}={pair[1]}",)]
        elif equals and name.startswith("--"):
            joined = name in alone or not value or value.startswith(("-", "<<#"))
            joined = joined or name == "--option"
            flags.append((word,) if joined else (name, value))
        elif word in alone or _is_flag(words, index):
            flags.append((word,))
        else:
            flags.append((word, words[index]))
            index += 1
    return tuple(operands), flags


def _is_flag(words: list[str], index: int) -> bool:
    return index >= len(words) or (words[index].startswith("-") and words[index] != "-")


def _head(program: str, operands: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if program not in _VERBED or not operands:
        return (program,), operands
    verb = _ALIASES.get((program, operands[0]), operands[0])
    depth = 2 if (program, verb) in _DEEPER else 1
    return (program, verb, *operands[1:depth]), operands[depth:]


def _shown(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
