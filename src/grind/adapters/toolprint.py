"""A cheap fingerprint of the programs a plan asked the host about.

A cached result may be reused only while the tools are the same. Asking each for its version costs
tens of milliseconds a piece, so what is compared is where each program is found and its file's size
and times; for a program that only picks another one (a shim of pyenv, rustup's proxies), also the
files that decide which. A difference never makes a wrong green: it makes grind ask again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from grind.core.sha import sha256

_ALWAYS = (
    "bash",
    "git",
    "python3",
    "python",
    "node",
    "go",
    "cargo",
    "rustc",
    "java",
    "ruby",
    "nix",
)
"""Questions may be scripts that look for any of these."""
_SELECTORS = (
    ("PYENV_ROOT", "version"),
    ("PYENV_ROOT", "versions"),
    ("RUSTUP_HOME", "settings.toml"),
    ("RUSTUP_HOME", "toolchains"),
    ("HOME", ".nvm/alias/default"),
    ("HOME", ".tool-versions"),
    ("HOME", ".config/mise/config.toml"),
    ("HOME", ".local/share/mise/installs"),
    ("HOME", ".asdf/installs"),
)


def tools_print(questions: Iterable[tuple[str, ...]], env: Mapping[str, str]) -> str:
    """Return a digest over the programs that `questions` call, as found on the PATH of `env`."""
    names = {word for question in questions for word in question if _may_be_program(word)}
    if not names:
        return ""
    digest = sha256()
    for part in _parts(sorted(names | set(_ALWAYS)), env):
        digest.update(os.fsencode(part) + b"\0")
    return digest.hexdigest()


def _may_be_program(word: str) -> bool:
    """A question may name its program in any place, as `bash -c 'command -v "$0"' NAME` does."""
    return 0 < len(word) < 64 and not set(word) & set(" \n\t/'\"$;|&<>(){}=") and word[0] != "-"


def _parts(names: list[str], env: Mapping[str, str]) -> Iterator[str]:
    folders = [folder for folder in env.get("PATH", "").split(":") if folder]
    for name in names:
        yield name
        for folder in folders:
            path = os.path.join(folder, name)
            stamp = _stamp(path)
            if stamp and os.access(path, os.X_OK):
                yield f"{path} {stamp}"
                break
    home = os.path.expanduser("~")
    for variable, path in _SELECTORS:
        base = home if variable == "HOME" else env.get(variable, "")
        if base:
            yield f"{variable} {_stamp(os.path.join(base, path))}"


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
