"""Run git: an argument list, a scrubbed environment, and an answer. Never a shell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from grind.adapters.git.spawn import Answer as Answer
from grind.adapters.git.spawn import Running
from grind.adapters.git.text import shown
from grind.core.errors import ExitCode, GrindError

# What a person sets on purpose and git needs to reach a remote or to know who commits. Everything
# else that begins with GIT_ was set by a git that started us (a hook) or points somewhere else.
KEPT = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_PROXY_COMMAND",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
        "GIT_SSL_NO_VERIFY",
        "GIT_TERMINAL_PROMPT",
    }
)
KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git: messages in English, objects as they are, nothing of the
    repository that a surrounding git may have exported (hooks run with GIT_DIR set)."""
    env = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name in KEPT or name.startswith(KEPT_PREFIXES)
    }
    env["LC_ALL"] = "C"
    env["GIT_NO_REPLACE_OBJECTS"] = "1"  # a push sends objects, never their replacements
    env["GIT_OPTIONAL_LOCKS"] = "0"  # a question never rewrites the user's index
    return env


class Git:
    """One way to call git: fixed folder, fixed environment."""

    __slots__ = ("cwd", "env")

    def __init__(self, cwd: str, env: Mapping[str, str]) -> None:
        self.cwd = cwd
        self.env = env

    def with_env(self, **extra: str) -> Git:
        """Return the same with more variables."""
        return Git(self.cwd, {**self.env, **extra})

    def start(self, args: Sequence[str], request: bytes = b"") -> Running:
        """Start git, write a short `request` (less than a pipe holds) and do not wait: its `finish`
        does."""
        running = self._start(args, stdin=bool(request))
        running.send(request)
        return running

    def _start(self, args: Sequence[str], *, stdin: bool) -> Running:
        program = _found("git", self.env)
        if program is None:
            raise GrindError("git is not installed", remedy="install git")
        if not os.path.isdir(self.cwd):
            raise GrindError(f"the folder {shown(self.cwd)} does not exist")
        return Running(program, ("git", "-C", self.cwd, *args), self.env, stdin=stdin)

    def ask(self, args: Sequence[str], data: bytes | None = None) -> Answer:
        """Run git, feed it `data`, and return what it said, whatever the exit code."""
        return self._start(args, stdin=data is not None).finish(data)

    def run(self, args: Sequence[str], data: bytes | None = None, *, doing: str = "") -> bytes:
        """Run git and return its standard output.

        Raises GrindError, with git's words, when the exit code is not 0; `doing` says what for.
        """
        return demand(self.ask(args, data), doing or f"git {args[0]}")


def _found(name: str, env: Mapping[str, str]) -> str | None:
    """Return the program that a name calls on the PATH of `env`."""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


_FULL = ("No space left on device", "Out of diskspace", "Disk quota exceeded", "File too large")
"""What git and the C library say of a full disk (in the C locale, see `environment`)."""


def demand(answer: Answer, doing: str) -> bytes:
    """Return the output of a git that succeeded; raise GrindError for one that did not."""
    if answer.code:
        said = shown(answer.err) or f"exit code {answer.code}"
        if any(sign in said for sign in _FULL):
            raise GrindError(
                f"{doing} failed, the disk is full: {said}",
                remedy="free some space, then run the same command again",
                code=ExitCode.PAUSED,
            )
        raise GrindError(f"{doing} failed: {said}")
    return answer.out


def config(**settings: str) -> list[str]:
    """Return `-c` arguments; in names, `__` stands for the dot."""
    return [
        part
        for name, value in settings.items()
        for part in ("-c", f"{name.replace('__', '.')}={value}")
    ]


def zlist(data: bytes) -> list[bytes]:
    """Split what git wrote with -z."""
    return data.split(b"\0")[:-1]


def zjoin(items: Iterable[bytes]) -> bytes:
    """Write what git reads with -z."""
    return b"".join(item + b"\0" for item in items)
