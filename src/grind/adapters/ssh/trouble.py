"""What ssh has said when it did not get through, as an error with a remedy."""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.core.errors import UnreachableError
from grind.core.texts import one_line


class _Kind(NamedTuple):
    name: str
    pattern: str
    message: str
    remedy: str


# The words are those of OpenSSH 7 to 10 (sshconnect.c, ssh.c, packet.c) and of the C library.
_KINDS = (
    _Kind(
        "host-key-changed",
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed|differs from the key for the IP",
        "the host key of {alias} is not the one that you know: this is another machine, or somebody in between",
        "ask whoever runs the host; when the change is meant: ssh-keygen -R the name in the message, then ssh {alias}",
    ),
    _Kind(
        "host-key-unknown",
        r"Host key verification failed|authenticity of host|No .* host key is known",
        "the host key of {alias} is not known here",
        "connect once by hand and compare the fingerprint: ssh {alias}",
    ),
    _Kind(
        "name",
        r"Could not resolve hostname|Name or service not known|nodename nor servname",
        "no host is known by the name of {alias}",
        "look at `ssh -G {alias}`: is the alias in ~/.ssh/config, and does its HostName resolve?",
    ),
    _Kind(
        "authentication",
        r"Permission denied|Too many authentication failures|no matching (?:host key|key exchange|cipher)"
        r"|sign_and_send_pubkey|Authentication failed|UNPROTECTED PRIVATE KEY",
        "{alias} does not let you in",
        "grind asks for no password: load your key into the agent (ssh-add), or see `ssh -v {alias}`",
    ),
    _Kind(
        "refused",
        r"Connection refused",
        "{alias} refuses connections: the machine answers, sshd does not",
        "is sshd running there, and is the port right? `ssh -G {alias}` shows it",
    ),
    _Kind(
        "timeout",
        r"Connection timed out|Operation timed out|timed out|No route to host|Network is unreachable"
        r"|Network is down|Host is down|not responding",
        "{alias} does not answer",
        "is the network (or the VPN) up, and the machine on?",
    ),
    _Kind(
        "config",
        r"Bad configuration option|Bad owner or permissions|terminating, \d+ bad configuration|Can't open user config",
        "ssh does not accept its own configuration",
        "see `ssh -G {alias}`",
    ),
    _Kind(
        "no-bash",
        r"bash: (?:command )?not found|Unknown command.*bash|(?:exec|bash).*(?:No such file|not found)",
        "{alias} has no bash for a login of yours",
        "install bash 4.4 or newer there, on the PATH of a non-login shell",
    ),
    _Kind(
        "dropped",
        r"Connection (?:closed|reset)|Broken pipe|kex_exchange_identification|banner exchange"
        r"|Session open refused|mux_client",
        "the connection to {alias} was closed",
        "try again; `ssh -v {alias}` shows how far it gets",
    ),
)

LASTING = frozenset(
    {"host-key-changed", "host-key-unknown", "authentication", "config", "no-bash", "name"}
)
"""What trying again in a moment does not mend."""


class SshError(UnreachableError):
    """The host could not be reached; `kind` says in which way."""

    def __init__(self, message: str, *, remedy: str, kind: str) -> None:
        super().__init__(message, remedy=remedy)
        self.kind = kind

    @property
    def lasting(self) -> bool:
        """Whether trying again in a moment is of no use."""
        return self.kind in LASTING


def trouble(alias: str, said: bytes, code: int | None = None) -> SshError:
    """Return the error that ssh's words stand for."""
    text = said.decode("utf-8", "replace")
    for kind in _KINDS:
        if re.search(kind.pattern, text, re.IGNORECASE):
            words = _last(text)
            message = kind.message.format(alias=alias)
            return SshError(
                f"{message} ({words})" if words else message,
                remedy=kind.remedy.format(alias=alias),
                kind=kind.name,
            )
    if code == 127:
        return trouble(alias, b"bash: not found")
    return SshError(
        f"the connection to {alias} ended: {_last(text) or 'ssh said nothing'}",
        remedy=f"see `ssh -v {alias}`",
        kind="dropped",
    )


def _last(text: str) -> str:
    """Return the line that tells most: the last one that is not a frame of signs."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if re.search(r"\w", line)]
    return one_line(telling[-1])[:300] if telling else ""
