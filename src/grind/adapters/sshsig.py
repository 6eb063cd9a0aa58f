"""Sign and verify with OpenSSH: `ssh-keygen -Y`, driven as a program, as git does it.

Keys stay where they are: a file, or an agent. Data, signatures and lists of signers travel through
pipes and anonymous memory; nothing is written to disk. A key that would ask for a passphrase is
refused with the way out: grind signs at the end of long runs, when nobody may sit there.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from grind.adapters.git.process import Git
from grind.adapters.git.text import shown
from grind.core.envelope import NAMESPACE, Envelope, Signature, armoured, from_armour
from grind.core.errors import GrindError

_SECONDS = 60.0
"""A key on a token waits for a touch."""
_LITERALS = ("key::", "ssh-", "ecdsa-", "sk-")


class SigningKey(NamedTuple):
    """What signs: a key file (private, or public with the private half in an agent), or the text
    of a public key whose private half is in an agent."""

    path: str
    text: str = ""
    program: str = "ssh-keygen"

    @property
    def shown(self) -> str:
        """How to name it to a person."""
        return self.path or f"the key {' '.join(self.text.split()[2:]) or self.text[:24]}"


def signing_key(git: Git, environ: Mapping[str, str]) -> SigningKey | None:
    """Find the key that the user signs with; None when git's settings name none.

    First `grind.signingKey` (a host's own key, say), then git's own with `gpg.format` `ssh`:
    `user.signingKey`, or the first key that `gpg.ssh.defaultKeyCommand` prints. Source:
    git-config(1).
    """
    said = _settings(git)
    program = said.get("gpg.ssh.program") or "ssh-keygen"
    named = said.get("grind.signingkey", "")
    if not named and said.get("gpg.format") == "ssh":
        named = said.get("user.signingkey", "") or _default_key(said, environ)
    if not named:
        return None
    if named.startswith(_LITERALS):
        return SigningKey("", named.removeprefix("key::"), program)
    return SigningKey(_expanded(named, environ), "", program)


def _settings(git: Git) -> dict[str, str]:
    pattern = r"^(gpg\.format|gpg\.ssh\.(program|defaultkeycommand)|(user|grind)\.signingkey)$"
    answer = git.ask(["config", "-z", "--get-regexp", pattern])
    rows = os.fsdecode(answer.out).split("\0") if answer.code == 0 else []
    return {name: value for name, _, value in (row.partition("\n") for row in rows) if name}


def _default_key(said: Mapping[str, str], environ: Mapping[str, str]) -> str:
    command = said.get("gpg.ssh.defaultkeycommand", "")
    if not command:
        return ""
    try:
        done = subprocess.run(
            shlex.split(command),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise GrindError(f"gpg.ssh.defaultKeyCommand cannot be run: {error}") from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return next((line for line in lines if line.startswith(_LITERALS)), "")


def _expanded(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    return os.path.join(home, path[2:]) if path.startswith("~/") and home else path


def sign(envelope: Envelope, key: SigningKey, environ: Mapping[str, str]) -> Envelope:
    """Return the envelope with one signature, by this key.

    Raises GrindError, with the way out, when the key is not there or would ask for a passphrase.
    """
    with _memory(key.text.encode() + b"\n" if key.text else b"") as (name, fd):
        argv = [key.program, "-Y", "sign", "-n", NAMESPACE, "-f", key.path or name]
        argv += ["-U"] if key.text else []
        code, out, err = _run(argv, environ, envelope.signed_bytes(), fds=(fd,))
    if code == 0:
        try:
            return envelope._replace(signatures=(from_armour(out),))
        except ValueError:
            err = f"{key.program} did not write a signature".encode()
    raise _cannot(key, shown(err))


def _cannot(key: SigningKey, words: str) -> GrindError:
    if "passphrase" in words:
        return GrindError(
            f"{key.shown} needs its passphrase, and no agent has it: the receipt is not signed",
            remedy=f"ssh-add {shlex.quote(key.path)}" if key.path else "ssh-add KEY",
        )
    if key.path and not os.path.exists(key.path):
        words = "there is no such file"
    return GrindError(
        f"{key.shown} cannot sign a receipt: {words}",
        remedy="git config gpg.format ssh && git config user.signingKey ~/.ssh/KEY.pub",
    )


class Verified(NamedTuple):
    """Whose signature it is."""

    principal: str
    keyid: str


def verify(
    envelope: Envelope, signers: bytes, environ: Mapping[str, str]
) -> tuple[Verified | None, str]:
    """Return who of the allowed signers signed this, or None and why nobody did.

    `signers` is an allowed_signers file (ssh-keygen(1)); its options (namespaces, valid-before, …)
    are honoured by ssh-keygen itself.
    """
    if not envelope.signatures:
        return None, "it is not signed"
    why = ""
    for signature in envelope.signatures:
        found, why = _verify(envelope, signature, signers, environ)
        if found is not None:
            return found, ""
    return None, why


def _verify(
    envelope: Envelope, signature: Signature, signers: bytes, environ: Mapping[str, str]
) -> tuple[Verified | None, str]:
    with _memory(signers) as (list_, one), _memory(armoured(signature.blob)) as (sig, two):
        fds = (one, two)
        argv = ["ssh-keygen", "-Y", "find-principals", "-s", sig, "-f", list_]
        code, out, err = _run(argv, environ, b"", fds=fds)
        if code == 127:
            return None, shown(err)
        principals = out.decode("utf-8", "replace").split("\n")[0] if code == 0 else ""
        # a principal of the file may be a list of patterns; `-I` wants a name that they match
        name = re.sub(r"[*?]", "x", principals.split(",")[0].lstrip("!"))
        if not name:
            return None, f"{signature.keyid} is not among the allowed signers"
        argv = ["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", name, "-s", sig, "-f", list_]
        code, out, err = _run(argv, environ, envelope.signed_bytes(), fds=fds)
    if code == 0:
        return Verified(shown(name), signature.keyid), ""
    return None, f"{signature.keyid} did not sign this: {shown(err or out)}"


@contextmanager
def _memory(data: bytes) -> Iterator[tuple[str, int]]:
    """Data under a file's name that only the processes which inherit it can open."""
    fd = os.memfd_create("grind")
    try:
        os.write(fd, data)
        yield f"/proc/self/fd/{fd}", fd
    finally:
        os.close(fd)


def _run(
    argv: Sequence[str], environ: Mapping[str, str], data: bytes, *, fds: tuple[int, ...]
) -> tuple[int, bytes, bytes]:
    """Run without a terminal to ask on: a new session has none, and no window may open."""
    env = {**environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(
            argv,
            input=data,
            env=env,
            capture_output=True,
            pass_fds=fds,
            start_new_session=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return 127, b"", f"{argv[0]} is not installed".encode()
    except OSError as error:
        return 126, b"", f"{argv[0]}: {error.strerror}".encode()
    except subprocess.TimeoutExpired:
        return 124, b"", f"{argv[0]} did not answer in {_SECONDS:g} seconds".encode()
    return done.returncode, done.stdout, done.stderr
