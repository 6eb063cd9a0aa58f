"""Python from Nix on one host: what a flake's shell gives, nixpkgs' Python as its lock pins it, and
promoted apps. Each is made once and kept with a GC root, so that later runs evaluate nothing.

`ask` runs a program on the host to its end; nothing here knows which host that is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from grind.core.errors import GrindError, RefusedError
from grind.core.flakeshell import Delta, Shell, find_delta

FEATURES = ("--extra-experimental-features", "nix-command flakes")
"""Given on every call: some hosts need it, and it does no harm elsewhere."""
NIX = ("nix", *FEATURES)
_VERSIONS = """
import importlib.metadata as m, json, platform, re
found = {}
for d in m.distributions():
    n = d.metadata["Name"]
    if n:
        found.setdefault(re.sub(r"[-_.]+", "-", n).lower(), d.version or "")
print(json.dumps([platform.python_version(), found]))
"""


_NO_SHELL = "does not provide attribute"


class Answer(NamedTuple):
    """What a program said."""

    exit_code: int
    out: bytes
    err: bytes


Ask = Callable[[Sequence[str], Mapping[str, str]], Answer]
"""Runs a program in an environment, to its end."""


class NixPython:
    """Makes and keeps what Nix gives, for one repository on one host.

    `roots` is a folder on the host, for profiles and GC roots; `notes` one on this machine, private,
    for what was seen. `environ` is the environment that programs run in, at the repository's top.
    """

    def __init__(self, ask: Ask, roots: str, notes: str, environ: Mapping[str, str]) -> None:
        self._ask = ask
        self._roots = roots
        self._notes = notes
        self._environ = environ

    def profile(self, digest: str) -> str:
        """Return where the profile of a shell is: the link that keeps it from being collected."""
        return os.path.join(self._roots, f"{digest}.shell")

    def known_shell(self, digest: str) -> Shell | None:
        """Return what was seen of a shell before; None when nobody has looked at this one."""
        data = self._note(f"{digest}.shell.json")
        try:
            return msgspec.json.decode(data, type=Shell) if data is not None else None
        except msgspec.MsgspecError:
            return None

    def shell(self, flake: str, digest: str) -> Shell:
        """Make the shell of a flake, look for Python in it, and remember what was seen.

        What cannot be made (a lock that does not fit, a builder that fails) is an answer too, but is
        not remembered: the network may be back in a minute.
        """
        make = (
            *NIX,
            "develop",
            "--no-update-lock-file",
            "--profile",
            self.profile(digest),
            flake,
        )
        answer = self._run((*make, "--command", "bash", "-c", "printf '\\0'; exec env -0"))
        if answer.exit_code:
            said = last_words(answer.err)
            if _NO_SHELL not in said:
                return Shell(error=said)
            self._keep(f"{digest}.shell.json", msgspec.json.encode(Shell()))
            return Shell()
        # What a shellHook prints comes before the first NUL.
        rows = answer.out.partition(b"\0")[2].split(b"\0")
        pairs = (os.fsdecode(row).partition("=") for row in rows if b"=" in row)
        delta = find_delta(self._environ, {name: value for name, _, value in pairs})
        seen = Shell(
            python=self._python_in(delta),
            delta=delta,
            hook=bool(delta.put.get("shellHook", "").strip()),
        )
        self._keep(f"{digest}.shell.json", msgspec.json.encode(seen))
        return seen

    def _python_in(self, delta: Delta) -> str | None:
        """Return the python3 of a shell's own part of the PATH; the caller's does not count."""
        path = delta.before.get("PATH") or delta.put.get("PATH", "")
        candidates = [os.path.join(folder, "python3") for folder in path.split(":") if folder]
        # `test` of coreutils is on every host; `command -v` would need a shell.
        return next((c for c in candidates if not self._run(("test", "-x", c)).exit_code), None)

    def nixpkgs(self, flake: str, digest: str) -> str:
        """Return the folder with nixpkgs' python3 as the lock of a flake pins it, made when missing.

        Raises GrindError with what Nix said.
        """
        link = os.path.join(self._roots, f"{digest}.python")
        if self._run(("test", "-x", f"{link}/bin/python3")).exit_code:
            folder = flake.partition("#")[0]
            self._build(("--inputs-from", folder, "nixpkgs#python3"), link)
        return f"{link}/bin"

    def app(self, name: str, digest: str) -> str:
        """Return the program of a promoted app, built when it is missing. Raises GrindError."""
        link = os.path.join(self._roots, f"{digest}.{name}.app")
        program = f"{link}/bin/{name}"
        if self._run(("test", "-x", program)).exit_code:
            self._build((f"./grind#{name}",), link)
        return program

    def _build(self, what: Sequence[str], link: str) -> None:
        answer = self._run(
            (
                *NIX,
                "build",
                "--no-update-lock-file",
                "--no-write-lock-file",
                "--out-link",
                link,
                *what,
            )
        )
        if answer.exit_code:
            raise RefusedError(
                f"Nix could not make {what[-1]}: {last_words(answer.err)}",
                remedy=f"nix build {' '.join(what)}",
            )

    def versions(
        self, prefix: Sequence[str], delta: Delta, digest: str
    ) -> tuple[str, dict[str, str]]:
        """Return an interpreter's version and what is installed for it.

        `prefix` calls it, in an environment that `delta` was laid over. An empty digest says that
        nobody pins the interpreter: it is asked every time.
        """
        name = f"{digest}.versions.json"
        data = self._note(name) if digest else None
        if data is None:
            answer = self._ask((*prefix, "-c", _VERSIONS), delta.over(self._environ))
            if answer.exit_code:
                raise GrindError(f"{prefix[-1]} does not run: {last_words(answer.err)}")
            data = answer.out[answer.out.find(b"[") :]
            if digest:
                self._keep(name, data)
        try:
            version, found = msgspec.json.decode(data, type=tuple[str, dict[str, str]])
        except msgspec.MsgspecError:
            raise GrindError(f"{prefix[-1]} does not tell what is installed for it") from None
        return version, found

    def in_shell(self, digest: str, argv: Sequence[str]) -> tuple[str, ...]:
        """Return the command that runs a program in a shell that was made before."""
        return (*NIX, "develop", self.profile(digest), "--command", *argv)

    def _run(self, argv: Sequence[str]) -> Answer:
        return self._ask(argv, self._environ)

    def _note(self, name: str) -> bytes | None:
        try:
            with open(os.path.join(self._notes, name), "rb") as file:
                return file.read()
        except OSError:
            return None

    def _keep(self, name: str, data: bytes) -> None:
        from grind.adapters.files import replace_file

        replace_file(os.path.join(self._notes, name), data, sync=False)


def last_words(err: bytes) -> str:
    """Return the line of Nix's messages that says why, without its colours."""
    from grind.core.texts import one_line

    rows = [one_line(row) for row in err.decode("utf-8", "replace").splitlines()]
    rows = [row for row in rows if row.strip() and "(ignored)" not in row]
    told = [row for row in rows if row.lstrip().startswith("error:")]
    return (told or rows or ["no word why"])[-1].strip()
