"""See through the commands that only run another command.

Tables of facts about programs' command lines, each from the program's own manual. A wrapper that
is called in a form that is not in the table is left alone: its command is then judged as written.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.workflows.commandline import row
from grind.workflows.shellmodel import Word


class Unwrapped(NamedTuple):
    """What a command line runs in the end: words, or a shell text, never both."""

    wrappers: tuple[str, ...]
    words: tuple[Word, ...]
    script: str | None = None
    """The text that a shell is given: `bash -c TEXT`, `eval TEXT`, `nix-shell --run TEXT`."""
    also: tuple[tuple[Word, ...], ...] = ()
    """Further commands that it runs, such as those of `find -exec`."""


_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
_PYTHON = re.compile(r"(python|pypy)[0-9.]*t?|py", re.ASCII)
SHELLS = frozenset({"bash", "sh", "dash", "zsh", "ash", "ksh"})

_PREFIXES: dict[str, tuple[frozenset[str], int]] = {
    # name: (options that take a value of their own, positional arguments before the command)
    "sudo": (
        frozenset(row("-u -g -h -p -C -D -R -T -U -r -t --user --group --host --prompt --chdir")),
        0,
    ),
    "doas": (frozenset({"-u", "-C"}), 0),
    "env": (frozenset({"-u", "-C", "--unset", "--chdir"}), 0),
    "timeout": (frozenset({"-k", "-s", "--kill-after", "--signal"}), 1),
    "gtimeout": (frozenset({"-k", "-s", "--kill-after", "--signal"}), 1),
    "nice": (frozenset({"-n", "--adjustment"}), 0),
    "ionice": (frozenset({"-c", "-n", "--class", "--classdata"}), 0),
    "time": (frozenset({"-f", "-o", "--format", "--output"}), 0),
    "xargs": (
        frozenset(row("-I -n -P -L -d -a -E -s --max-args --max-procs --delimiter --arg-file")),
        0,
    ),
    "nohup": (frozenset(), 0),
    "setsid": (frozenset(), 0),
    "exec": (frozenset({"-a"}), 0),
    "command": (frozenset(), 0),
    "builtin": (frozenset(), 0),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "unbuffer": (frozenset(), 0),
    "chronic": (frozenset(), 0),
    "xvfb-run": (
        frozenset(row("-s -n -e -f -w --server-args --server-num --error-file --auth-file")),
        0,
    ),
    "dbus-run-session": (frozenset({"--config-file"}), 0),
    "taskset": (frozenset(), 1),
    "flock": (frozenset({"-w", "--timeout", "-E"}), 1),
    "npx": (frozenset({"-p", "--package", "-w", "--workspace"}), 0),
    "bunx": (frozenset(), 0),
    "pnpx": (frozenset(), 0),
    "uvx": (
        frozenset(row("-p --python --from --with --index --index-url --with-requirements")),
        0,
    ),
    "systemd-run": (frozenset(row("-p -u --unit --property --uid --slice -E --setenv")), 0),
}

_RUNNERS: dict[tuple[str, str], tuple[frozenset[str], int]] = {
    ("uv", "run"): (
        frozenset(
            row(
                "-p --python --with --extra --group --only-group --no-group --package --project "
                "--directory --env-file --with-requirements --with-editable --index --script"
            )
        ),
        0,
    ),
    ("poetry", "run"): (frozenset({"-C", "--directory", "-P", "--project"}), 0),
    ("pipenv", "run"): (frozenset(), 0),
    ("pdm", "run"): (frozenset({"-p", "--project"}), 0),
    ("rye", "run"): (frozenset(), 0),
    ("pixi", "run"): (frozenset({"-e", "--environment", "--manifest-path"}), 0),
    ("pipx", "run"): (frozenset({"--spec", "--python", "--pip-args"}), 0),
    ("uv tool", "run"): (frozenset({"--from", "--with", "-p", "--python"}), 0),
    ("bundle", "exec"): (frozenset(), 0),
    ("npm", "exec"): (frozenset({"-p", "--package", "-w", "--workspace"}), 0),
    ("pnpm", "exec"): (frozenset(), 0),
    ("pnpm", "dlx"): (frozenset({"--package"}), 0),
    ("yarn", "exec"): (frozenset(), 0),
    ("yarn", "dlx"): (frozenset({"-p", "--package"}), 0),
    ("bun", "x"): (frozenset(), 0),
    ("mise", "exec"): (frozenset({"-c", "-C"}), 0),
    ("mise", "x"): (frozenset({"-c", "-C"}), 0),
    ("direnv", "exec"): (frozenset(), 1),
    ("asdf", "exec"): (frozenset(), 0),
    ("rbenv", "exec"): (frozenset(), 0),
    ("pyenv", "exec"): (frozenset(), 0),
    ("conda", "run"): (frozenset({"-n", "--name", "-p", "--prefix", "--cwd"}), 0),
    ("mamba", "run"): (frozenset({"-n", "--name", "-p", "--prefix", "--cwd"}), 0),
    ("micromamba", "run"): (frozenset({"-n", "--name", "-p", "--prefix", "--cwd"}), 0),
    ("rustup", "run"): (frozenset(), 1),
    ("op", "run"): (frozenset({"--env-file"}), 0),
    ("doppler", "run"): (frozenset({"-p", "-c", "--project", "--config"}), 0),
    ("infisical", "run"): (frozenset({"--env", "--path"}), 0),
    ("dotenv", "run"): (frozenset({"-f"}), 0),
    ("devbox", "run"): (frozenset({"-c", "--config"}), 0),
}

_DEPTH = 12
"""Wrappers in wrappers; more than this is somebody playing."""


def unwrap(words: tuple[Word, ...]) -> Unwrapped:
    """Return what the command line `words` runs in the end."""
    wrappers: list[str] = []
    also: tuple[tuple[Word, ...], ...] = ()
    for _ in range(_DEPTH):
        if not words:
            break
        name = words[0].text.rpartition("/")[2]
        script = _script(name, words)
        if script is not None:
            return Unwrapped((*wrappers, name), (), script, also)
        inner = _inner(name, words)
        if inner is None:
            break
        if name == "find":
            also = (inner,)
            break
        wrappers.append(name)
        words = inner
    return Unwrapped(tuple(wrappers), words, None, also)


def _script(name: str, words: tuple[Word, ...]) -> str | None:
    """Return the text that a shell is asked to run, if `words` ask one."""
    rest = words[1:]
    if name in SHELLS:
        for index, word in enumerate(rest):
            if word.text.startswith("-") and not word.text.startswith("--") and "c" in word.text:
                following = [w for w in rest[index + 1 :] if not w.text.startswith(("-", "+"))]
                return following[0].text if following else None
            if not word.text.startswith(("-", "+")) and not (
                index and rest[index - 1].text.startswith("-") and rest[index - 1].text[-1] in "oO"
            ):
                return None
        return None
    if name == "eval" and rest:
        return " ".join(word.text for word in rest)
    if name == "trap" and len(rest) >= 2 and rest[0].text not in ("-", "", "-p", "-l"):
        return rest[0].text
    if name in ("su", "runuser"):
        return _value(rest, "-c", "--command")
    if name == "nix-shell":
        return _value(rest, "--run", "--command")
    if name == "script":
        return _value(rest, "-c", "--command")
    return None


def _value(words: tuple[Word, ...], *options: str) -> str | None:
    for index, word in enumerate(words[:-1]):
        if word.text in options:
            return words[index + 1].text
    return None


def _inner(name: str, words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """Return the words of the command that `words` wrap, or None when they wrap none."""
    if name == "nix" and len(words) > 1:
        return _nix(words)
    if name == "find":
        return _after(words, "-exec", "-execdir", "-ok") or None
    if _PYTHON.fullmatch(name):
        return _module(words)
    if name == "command" and len(words) > 1 and words[1].text in ("-v", "-V", "-pv"):
        return None
    if name in _PREFIXES:
        options, positional = _PREFIXES[name]
        return _skip(words[1:], options, positional) or None
    for depth in (1, 2):
        if len(words) > depth + 1:
            key = (" ".join(w.text for w in words[:depth]).rpartition("/")[2], words[depth].text)
            if key in _RUNNERS:
                options, positional = _RUNNERS[key]
                return _skip(words[depth + 1 :], options, positional) or None
    return None


def _nix(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """`nix develop|shell … --command CMD…`; options such as `--extra-…` may stand anywhere."""
    texts = [word.text for word in words]
    if not {"develop", "shell", "env"} & set(texts[1:8]):
        return None
    return _after(words, "--command", "-c") or None


def _after(words: tuple[Word, ...], *options: str) -> tuple[Word, ...]:
    for index, word in enumerate(words):
        if word.text in options:
            return words[index + 1 :]
    return ()


def _module(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """`python -X dev -m MODULE args` as `MODULE args`."""
    for index, word in enumerate(words[1:], start=1):
        if word.text == "-m":
            return words[index + 1 :] or None
        if not word.text.startswith("-"):
            if words[index - 1].text in ("-X", "-W"):
                continue
            return None
        if word.text.startswith("-c"):
            return None
    return None


def _skip(
    words: tuple[Word, ...], valued: frozenset[str], positional: int
) -> tuple[Word, ...] | None:
    """Drop a wrapper's own options, assignments and leading positional arguments."""
    index = 0
    while index < len(words):
        text = words[index].text
        if text == "--":
            index += 1
            break
        if text in valued:
            index += 2
        elif (text.startswith("-") and len(text) > 1) or _ASSIGNMENT.match(text):
            index += 1
        elif positional:
            positional -= 1
            index += 1
        else:
            break
    while positional and index < len(words):
        positional -= 1
        index += 1
    return words[index:]
