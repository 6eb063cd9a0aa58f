"""What the name of a task or a script says: `make deploy`, `npm run release`, `./publish.sh`.

The text of such a task is not read here, so its name decides, and it decides conservatively: a
name that says deploy is a deploy, unless a word says that it only looks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grind.workflows.commandline import has, is_dry, name_words, positionals, row

_OUTWARD = frozenset(
    row("deploy redeploy undeploy publish unpublish release promote rollout rollback ship")
)
_LOOKS_BEFORE = frozenset(
    row(
        "test tests check checks lint verify validate dry dryrun simulate pack prepare before "
        "detect get find is has list show print plan compute parse compare"
    )
)
"""`test-deploy` tests; `deploy-test` deploys to a place called test."""
_LOOKS_AFTER = frozenset(row("check checks lint dry dryrun verify validate notes note diff"))
_MAKE_BUILDS = ("", "all", "install", "default")
_MESSAGES = frozenset({"announce", "notify", "notification", "slack", "discord", "tweet"})
_E2E = frozenset({"e2e", "playwright", "cypress", "selenium", "nightwatch", "endtoend"})
_TEST = frozenset(
    row("test tests testing spec specs check checks lint coverage verify clippy fmt format")
)
_BUILD = frozenset(row("build builds compile dist bundle package assemble"))

_SCRIPT = re.compile(r"\S+\.(?:sh|bash|py|js|mjs|cjs|ts|rb|pl|ps1|php)")
_PATH = re.compile(r"\S*/\S*")
_HOLE = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_INTERPRETERS = frozenset(
    row("bash sh dash zsh python python3 node ruby perl php deno bun tsx ts-node source .")
)
_HARMLESS = ("--check", "--help", "--version", "--snapshot", "--local")
_NPM_BUILTIN = frozenset(
    row(
        "install ci i add remove init exec config cache ls list view info outdated audit link pack "
        "prune version why dlx set global npm import dedupe upgrade up workspaces --version "
        "publish login logout whoami token owner dist-tag deprecate unpublish node x create env "
        "store fetch approve-builds rebuild licenses policies plugin patch"
    )
)


def task_name(argv: Sequence[str]) -> str | None:
    """The name of the task or script that `argv` runs, None when it is no task runner.

    Several targets (`make build deploy`) are joined with a space, each being a name.
    """
    name = argv[0].rpartition("/")[2]
    words = positionals(argv[: argv.index("--")] if "--" in argv else argv)
    words = tuple(_HOLE.sub("", word) for word in words)
    if name in ("make", "gmake", "just", "task", "rake", "invoke", "inv", "mage", "ninja"):
        return " ".join(word for word in words if "=" not in word)
    if name in ("npm", "pnpm", "yarn", "bun"):
        return _package_script(words)
    if name in ("lerna", "nx", "turbo") and words[:1] in (("run",), ("run-many",)):
        return " ".join(words[1:2])
    if name in ("gradle", "gradlew", "sbt", "mill", "ant", "fastlane", "cap", "fab", "rush"):
        return " ".join(words)
    if name == "cargo" and words[:1] in (("xtask",), ("make",)):
        return " ".join(words[1:2])
    if name == "nix" and words[:1] == ("run",):
        return words[1].rpartition("#")[2].rpartition("/")[2] if len(words) > 1 else ""
    if name in ("tox", "nox", "hatch", "composer", "mix", "deno", "pixi", "poe", "pdm"):
        return " ".join(words[:3])
    if name in _INTERPRETERS or name in ("bash", "sh"):
        script = next((w for w in words if _SCRIPT.fullmatch(w) or _PATH.fullmatch(w)), None)
        return script.rpartition("/")[2] if script is not None else None
    if _SCRIPT.fullmatch(name) or "/" in argv[0]:
        return name
    return None


def _package_script(words: Sequence[str]) -> str | None:
    for index, word in enumerate(words):
        if word in ("run", "run-script", "rum", "urn"):
            return " ".join(words[index + 1 : index + 2])
        if word in ("test", "t", "tst", "start"):
            return "test" if word != "start" else "start"
        if word in _NPM_BUILTIN:
            return None
        if word in ("workspace",):
            continue
        if not word.startswith((".", "/", "$", "@")):
            return word
    return None


def package_binary(argv: Sequence[str]) -> tuple[str, ...]:
    """`pnpm -C docs wrangler deploy` as `wrangler deploy`; empty when it is no such call."""
    if argv[0] not in ("pnpm", "yarn", "bun"):
        return ()
    index = 1
    while index < len(argv) and argv[index].startswith("-"):
        valued = argv[index] in ("-C", "-F", "--filter", "--dir", "--cwd")
        index += 2 if valued else 1
    rest = tuple(argv[index:])
    if rest[:1] == ("workspace",):
        rest = rest[2:]
    return rest if rest and rest[0] not in _NPM_BUILTIN and rest[0] != "run" else ()


def says_message(argv: Sequence[str]) -> str | None:
    """The task's name when it says that the task writes to people."""
    name = task_name(argv)
    if name is None or is_dry(argv):
        return None
    return next((p for p in name.split() if _MESSAGES & {*name_words(p)}), None)


def says_deploy(argv: Sequence[str]) -> str | None:
    """The task's name when it says that the task acts on the outside."""
    name = task_name(argv)
    if name is None or is_dry(argv) or has(argv, *_HARMLESS):
        return None
    if argv[0] == "mix":
        return None  # `mix release` builds; what publishes has a name of its own
    for part in name.split():
        if _outward_name(part):
            return part
    return None


def _outward_name(name: str) -> bool:
    words = name_words(name)
    at = next((i for i, word in enumerate(words) if word in _OUTWARD), None)
    if at is None:
        return False
    if "and" in words or "then" in words:
        return True
    before, after = set(words[:at]), set(words[at + 1 :])
    if before & _LOOKS_BEFORE or after & _LOOKS_AFTER:
        return False
    if words[at] == "release" and (before | after) & (_BUILD | {"assemble", "bin", "binary"}):
        # A release build is a build; `build-and-release` was seen above.
        return "upload" in words or "publish" in words
    local = {"local", "locally"}
    return not (words[at] == "publish" and after & local)


def kind_of_task(argv: Sequence[str]) -> str | None:
    """`e2e`, `test` or `build` when the task's name says so."""
    name = task_name(argv)
    if name is None:
        return None
    words = {word for part in name.split() for word in name_words(part)}
    spelled = name.lower()
    if words & _E2E or "e2e" in spelled or "end-to-end" in spelled:
        return "e2e"
    if words & _TEST:
        return "test"
    if words & _BUILD:
        return "build"
    if argv[0].rpartition("/")[2] in ("make", "gmake", "ninja") and name in _MAKE_BUILDS:
        return "build"
    return None
