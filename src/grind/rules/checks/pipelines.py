"""What the rules about lost exit codes share: which commands are checks, and what may follow them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.shell.model import Compound, Node, Pipe, Simple
from grind.rules.shell.programs import Call
from grind.rules.units import Unit, walk

_VERIFY: dict[str, tuple[str, ...]] = {
    "cargo": ("test", "clippy", "check", "fmt", "nextest", "audit", "deny", "doc", "miri", "t", "c"),
    "npm": ("test", "t", "run", "audit"), "pnpm": ("test", "run", "lint", "check"), "bun": ("test", "run"),
    "yarn": ("test", "run", "lint", "check", "tsc", "jest"), "deno": ("test", "lint", "check", "fmt"),
    "go": ("test", "vet"), "pytest": (), "py.test": (), "tox": (), "nox": (), "jest": (), "vitest": (),
    "eslint": (), "tsc": (), "mypy": (), "ruff": ("check", "format"), "flake8": (), "pylint": (), "pyright": (),
    "ctest": (), "rspec": (), "phpunit": (), "phpstan": (), "golangci-lint": (), "shellcheck": (), "bats": (),
    "playwright": ("test",), "mocha": (), "prove": (), "hadolint": (), "yamllint": (), "staticcheck": (),
    "nix": ("flake",), "statix": (), "deadnix": (), "ktlint": (), "swiftlint": (), "rubocop": (), "clippy": (),
    "mix": ("test", "credo", "dialyzer"), "dotnet": ("test",), "swift": ("test",), "gradle": (), "gradlew": (),
    "mvn": (), "mvnw": (), "bazel": ("test",), "meson": ("test",), "just": (), "make": (), "ninja": ("test",),
    "terraform": ("validate", "plan"), "black": ("--check",), "isort": ("--check", "--check-only"), "sbt": (),
    "cypress": ("run",), "stylelint": (), "prettier": ("--check", "-c"), "actionlint": (), "zig": ("test",),
    "stack": ("test",), "cabal": ("test",), "rake": (), "promtool": ("check", "test"), "buf": ("lint",),
}  # fmt: skip
_BUILD: dict[str, tuple[str, ...]] = {
    "cargo": ("build", "run", "bench", "b", "r", "publish"), "nix": ("build", "eval", "develop", "run", "copy"),
    "nix-build": (), "nixos-rebuild": (), "docker": ("build", "buildx", "push"), "colmena": (),
    "go": ("build", "generate", "install"), "cmake": ("--build",), "bazel": ("build",), "ninja": (), "swift": ("build",),
    "dotnet": ("build", "publish"), "yarn": (), "npm": ("ci", "install"), "pnpm": ("install", "build"),
    "terraform": ("apply",), "ansible-playbook": (), "helm": ("upgrade", "install", "lint"), "kubectl": ("apply",),
    "xcodebuild": (), "stack": ("build",), "cabal": ("build",), "zig": ("build",), "meson": ("compile",), "deploy": (),
    "mix": ("compile",), "packer": ("build",), "pulumi": ("up",), "vercel": (), "wrangler": ("deploy",), "twine": (),
}  # fmt: skip
_SCRIPT = re.compile(
    r"(^|[/_-])(test|tests|check|checks|lint|verify|build|validate|ci|e2e)([._-]|$)"
)


def is_check(call: Call) -> bool:
    """Whether this command's exit code says whether something is right: tests, linters."""
    return _listed(call, _VERIFY) or _script(call)


def is_work(call: Call) -> bool:
    """Whether this command's failure matters: checks, and builds and deployments."""
    return is_check(call) or _listed(call, _BUILD)


def _listed(call: Call, table: dict[str, tuple[str, ...]]) -> bool:
    wanted = table.get(call.name)
    if wanted is None:
        return False
    texts = [w.text for w in call.arguments]
    if "--version" in texts or "--help" in texts or "-V" in texts:
        return False
    if call.name == "nix" and texts[:1] == ["flake"]:
        return "check" in texts[:2]
    if call.name == "make" and (
        "-s" in texts or "-p" in texts or any(t.startswith("print-") for t in texts)
    ):
        return False
    if call.name in ("npm", "pnpm", "yarn", "bun") and texts[:1] == ["run"] and len(texts) > 1:
        return bool(re.search(r"test|lint|check|type|build|e2e|verify|format", texts[1]))
    if call.name in ("gradle", "gradlew", "mvn", "mvnw", "just", "make", "rake", "sbt"):
        return not any(
            re.search(r"clean|stop|version|dependencies|help|list|--dry-run|^-n$", t) for t in texts
        )
    return not wanted or any(t in wanted for t in texts[:6])


def _script(call: Call) -> bool:
    """A checked-in script whose name says that it checks."""
    literal = call.head.literal or ""
    if call.name in ("bash", "sh") and call.arguments:
        literal = call.arguments[0].literal or ""
    return (
        "/" in literal
        and not literal.startswith("/")
        and bool(_SCRIPT.search(literal.rsplit("/", 1)[-1]))
    )


def pipes(unit: Unit) -> Iterator[tuple[Pipe, bool]]:
    """All pipelines, and whether each stands in a condition."""
    seen: set[int] = set()
    for nodes in (
        unit.script.statements,
        *(body for _, body in unit.script.substitutions.values()),
    ):
        for node in walk(nodes):
            if isinstance(node, Pipe) and len(node.stages) > 1 and id(node) not in seen:
                seen.add(id(node))
                yield node, False


def in_condition(unit: Unit, node: Node) -> bool:
    """Whether a statement is (part of) the condition of an if, while or until."""
    for outer in walk(unit.script.statements):
        if isinstance(outer, Compound) and outer.kind in ("if", "while", "until"):
            for role, body in outer.blocks:
                if role == "cond" and body and body[0].start <= node.start < body[-1].end:
                    return True
    return False


def calls_of(unit: Unit, node: Node) -> list[Call]:
    """The calls that a stage consists of: a simple command and what it wraps, or all of a group."""
    if isinstance(node, Simple):
        return [c for c in unit.calls if c.site.command is node]
    return [c for c in unit.calls if node.start <= c.head.start < node.end]


def last_call(unit: Unit, node: Node) -> Call | None:
    """The innermost call of a stage that is one simple command."""
    found = calls_of(unit, node)
    return found[-1] if found and isinstance(node, Simple) else None


def options_unknown(unit: Unit, at: int) -> bool:
    """Whether another file was read in before, which may have set any option."""
    return any(c.name in ("source", ".") for c in unit.calls_before(at))


def handles_status(unit: Unit, pipe: Pipe) -> bool:
    """Whether the statuses of the stages are looked at right after."""
    after = unit.text[pipe.end : pipe.end + 240]
    return "PIPESTATUS" in after or "pipestatus" in after
