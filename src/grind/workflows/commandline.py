"""Small questions about one command line that the rules of `classify` share. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_DRY = re.compile(
    r"--?(?:dry-?run|dryrun|simulate|check-only|noop|no-op|whatif)"
    r"(?:=(?!none$|false$|no$|0$).*)?",
    re.ASCII,
)
_INFORMATION = frozenset({"--help", "--version", "-h", "-V", "help", "version"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", re.ASCII)
_LOCAL = re.compile(
    r"(?:https?://)?(?:[^/@]*@)?(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\])(?:[:/]|$)",
    re.ASCII,
)


def row(text: str) -> tuple[str, ...]:
    """A table's row of words, written as one string so that it can be read."""
    return tuple(text.split())


def positionals(argv: Sequence[str]) -> tuple[str, ...]:
    """The arguments that are no options; an option's value counts as positional when separate."""
    return tuple(word for word in argv[1:] if not word.startswith("-"))


def has(argv: Sequence[str], *options: str) -> bool:
    """Whether one of the options is given, alone or as `--option=value`."""
    return any(word == o or word.startswith(o + "=") for word in argv[1:] for o in options)


def value(argv: Sequence[str], *options: str) -> str | None:
    """The value of an option: `--option value`, `--option=value` or `-ovalue`."""
    for index, word in enumerate(argv):
        for option in options:
            if word == option:
                return argv[index + 1] if index + 1 < len(argv) else ""
            if word.startswith(option + "=") and option.startswith("--"):
                return word[len(option) + 1 :]
            short = len(option) == 2 and not option.startswith("--")
            if short and index and word.startswith(option) and len(word) > 2:
                return word[2:]
    return None


def is_dry(argv: Sequence[str]) -> bool:
    """Whether it only says what it would do: `--dry-run` and its kin, not `--dry-run=none`."""
    for index, word in enumerate(argv):
        if _DRY.fullmatch(word):
            following = argv[index + 1] if index + 1 < len(argv) else ""
            return following.lower() not in ("false", "none")
    return False


def is_information(argv: Sequence[str]) -> bool:
    """Whether it only asks the program about itself: `--version`, `--help`, or no argument."""
    return (len(argv) >= 2 and argv[1] in _INFORMATION) or has(argv, "--help", "--version")


def first_verb(argv: Sequence[str], *verbs: Iterable[str]) -> str | None:
    """The first verb of any of the sets in `argv`; a verb may be several words.

    Looking for the first *known* verb, not at a position, makes options with values harmless:
    `kubectl -n prod apply` and `kubectl get pods -n apply` are both read right.
    """
    given = positionals(argv)
    known = sorted((verb.split() for group in verbs for verb in group), key=len, reverse=True)
    for index in range(len(given)):
        for verb in known:
            if list(given[index : index + len(verb)]) == verb:
                return " ".join(verb)
    return None


def name_words(name: str) -> tuple[str, ...]:
    """`build:releaseNotes.sh` → build, release, notes, sh; lower case."""
    return tuple(word.lower() for word in _WORDS.findall(name))


def is_local_url(url: str) -> bool:
    """Whether a URL or host is this machine."""
    return _LOCAL.match(url) is not None


def urls(argv: Sequence[str]) -> tuple[str, ...]:
    """The arguments that are URLs, or that hold one in a variable or a hole."""
    return tuple(
        word
        for word in argv[1:]
        if "://" in word[:12] or (word.startswith(("$", "${{")) and not word.startswith("$("))
    )
