"""Which commands change the machine itself: packages, services, files outside the job's folders.

Language installs (`pip install`, `npm ci`, `cargo install`, `gem install`, `go install` …) are no
provision: the job's private environment contains them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grind.workflows.commandline import first_verb, has, is_information, positionals
from grind.workflows.provisiontable import (
    ABSOLUTE,
    CONTAINED_INSTALLERS,
    DOCKER_CHANGES,
    MANAGERS,
    OWN_FOLDERS,
    PACKAGES,
    READ_ONLY_OPTIONS,
    WRITERS,
)
from grind.workflows.shellmodel import Command


def changes_machine(command: Command) -> str | None:
    """Say how `command` changes the machine it runs on, None when it does not."""
    if "sudo" in command.wrappers or "doas" in command.wrappers or command.name in ("sudo", "su"):
        what = " ".join(command.argv[:3])
        return f"`sudo {what}` needs root" if what else "`sudo` needs root"
    for redirect in command.redirects:
        if redirect.writes and outside(redirect.target.text):
            return f"writes to {redirect.target.text}"
    if not command.words:
        return None
    argv = command.argv
    return (
        _installer(argv)
        or _manager(argv)
        or _nix(argv)
        or _container(argv)
        or _download_to_system(argv)
        or _writes(argv)
        or _browsers(argv)
    )


def outside(path: str) -> bool:
    """Whether a path is surely outside of the folders that a job may write to.

    Relative paths and those that begin with a variable are the job's own as far as can be known.
    """
    if path.startswith("~"):
        return path[1:2] not in ("", "/")
    if not ABSOLUTE.match(path):
        return False
    return not (path + "/").startswith(OWN_FOLDERS)


def pipes_download(commands: Sequence[Command]) -> tuple[tuple[Command, ...], str] | None:
    """Find `curl … | sh` and `sh <(curl …)` whose installer is not known to stay in the home."""
    shells = [
        c
        for c in commands
        if (
            c.name in ("sh", "bash", "zsh", "dash")
            and (c.place.pipe or any("$(" in w or "<(" in w or "curl" in w for w in c.argv[1:]))
        )
        or (c.wrappers and c.wrappers[-1] in ("bash", "sh") and not c.words)
    ]
    for shell in shells:
        for command in commands:
            near = command.line <= shell.line and shell.line - command.line <= 3
            if command.name in ("curl", "wget") and near:
                if command.place.pipe_length == 1 and command.place.substitution is None:
                    continue
                text = " ".join(command.argv)
                if "codecov.io" in text or CONTAINED_INSTALLERS.search(text):
                    continue
                return (command, shell), "pipes a downloaded installer into a shell"
    return None


def _installer(argv: Sequence[str]) -> str | None:
    """A script of the repository that installs the system's packages, by its name alone: what it does is
    not read, and to be asked once too often is better than a host that a check has changed."""
    script = argv[1] if argv[0] in ("sh", "bash") and len(argv) > 1 else argv[0]
    words = set(re.split(r"[^a-z]+", script.rpartition("/")[2].lower()))
    if "/" in script and "install" in words and words & PACKAGES:
        return f"`{script}` installs packages, by its name"
    return None


def _manager(argv: Sequence[str]) -> str | None:
    name = argv[0].rpartition("/")[2]
    verbs = MANAGERS.get("mkfs" if name.startswith("mkfs.") else name)
    if verbs is None or is_information(argv):
        return None
    if has(argv, *READ_ONLY_OPTIONS.get(name, ("\0",))):
        return None
    if not verbs:
        if len(argv) == 1 and name in ("mount", "ip", "sysctl", "iptables"):
            return None
        return f"`{name}` changes the machine"
    plain = [argv[0], *(word for word in argv[1:] if not word.startswith("+"))]
    verb = first_verb(plain, tuple(v.replace("_", " ") for v in verbs if not v.startswith("-")))
    if verb is None and any(word in verbs for word in argv[1:]):
        verb = next(word for word in argv[1:] if word in verbs)
    return f"`{name} {verb}` changes the machine" if verb else None


def _nix(argv: Sequence[str]) -> str | None:
    name = argv[0].rpartition("/")[2]
    if name == "nix-env" and has(argv, "-i", "-iA", "-if", "-e", "-u", "--install", "--set"):
        return "`nix-env` changes a profile"
    words = positionals(argv)
    if name == "nix" and words[:1] == ("profile",) and words[1:2] != ("list",):
        return f"`nix {' '.join(words[:2])}` changes a profile"
    return None


def _container(argv: Sequence[str]) -> str | None:
    name = argv[0].rpartition("/")[2]
    if name == "docker-compose":
        name, argv = "docker", ["docker", "compose", *argv[1:]]
    if name not in ("docker", "podman", "nerdctl"):
        return None
    words = positionals(argv)
    detached = has(argv, "-d", "--detach", "--wait") or any(
        re.fullmatch(r"-[a-z]*d[a-z]*", word) for word in argv[1:6]
    )
    if words[:1] == ("run",) and detached:
        return f"`{name} run -d` starts a container that outlives the job"
    if words[:1] == ("compose",) or words[:1] == ("stack",):
        up = first_verb(argv, ("up", "start", "restart", "down", "rm"))
        if up in ("up", "start", "restart") and (
            detached or not has(argv, "--abort-on-container-exit", "--exit-code-from")
        ):
            return f"`{name} compose {up}` starts services that outlive the job"
        return None
    if words[:1] in (("run",), ("exec",), ("build",)):
        volumes = [
            word for word in argv if re.match(r"(?:--volume=|-v)?/(?:etc|root|home)?:", word)
        ]
        return f"`{name} run` mounts {volumes[0]}" if volumes else None
    verb = first_verb(argv[:4], DOCKER_CHANGES)
    return f"`{name} {verb}` changes the host's containers" if verb else None


def _download_to_system(argv: Sequence[str]) -> str | None:
    name = argv[0].rpartition("/")[2]
    if name not in ("curl", "wget"):
        return None
    for index, word in enumerate(argv[:-1]):
        if word in ("-o", "--output", "-O", "--output-document", "-P", "--output-dir"):
            target = argv[index + 1]
            if outside(target):
                return f"writes to {target}"
    return None


def _writes(argv: Sequence[str]) -> str | None:
    name = argv[0].rpartition("/")[2]
    if name not in WRITERS:
        return None
    words = [word for word in argv[1:] if not word.startswith("-")]
    if name in ("cp", "mv", "install", "ln") and words:
        words = words[-1:]
        target = next((w for i, w in enumerate(argv) if argv[i - 1] in ("-t", "-D")), None)
        words = [target] if target and name != "ln" and argv[1] == "-t" else words
    elif name == "tar":
        words = [argv[i + 1] for i, w in enumerate(argv[:-1]) if w in ("-C", "--directory")]
    elif name == "unzip":
        words = [argv[i + 1] for i, w in enumerate(argv[:-1]) if w == "-d"]
    elif name == "dd":
        words = [word[3:] for word in words if word.startswith("of=")]
    elif name in ("chmod", "chown", "chgrp"):
        words = words[1:]
    target = next((word for word in words if outside(word)), None)
    return f"`{name}` writes to {target}" if target else None


def _browsers(argv: Sequence[str]) -> str | None:
    if "playwright" in argv and "install-deps" in argv:
        return "`playwright install-deps` installs system packages"
    if argv[0] == "playwright" and "install" in argv and has(argv, "--with-deps"):
        return "`playwright install --with-deps` installs system packages"
    return None
