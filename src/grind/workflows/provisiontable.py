"""What is known of programs that change a machine: their verbs, their options, where they write."""

from __future__ import annotations

import re

from grind.workflows.commandline import row

MANAGERS: dict[str, tuple[str, ...]] = {
    # system package managers: verbs that change the system; () means every call
    "apt-get": tuple(
        row(
            "install update upgrade dist-upgrade remove purge autoremove clean build-dep "
            "satisfy full-upgrade"
        )
    ),
    "apt": row("install update upgrade full-upgrade remove purge autoremove build-dep"),
    "aptitude": ("install", "update", "upgrade", "remove"),
    "add-apt-repository": (),
    "apt-add-repository": (),
    "apt-key": ("add", "adv", "del"),
    "dpkg": (),
    "dnf": row("install update upgrade remove copr config-manager groupinstall builddep"),
    "yum": row("install update upgrade remove groupinstall"),
    "microdnf": ("install", "update"),
    "zypper": ("install", "in", "refresh", "update", "addrepo"),
    "rpm": (),
    "apk": ("add", "del", "update", "upgrade"),
    "pacman": (),
    "brew": tuple(
        row("install upgrade update uninstall tap link unlink reinstall cask bundle services")
    ),
    "port": ("install",),
    "choco": ("install", "upgrade", "uninstall"),
    "winget": ("install", "upgrade"),
    "scoop": ("install",),
    "snap": ("install", "remove", "refresh", "connect", "set"),
    "flatpak": ("install", "remote-add", "uninstall"),
    "vcpkg": (),
    "pkg": ("install", "update"),
    "xcode-select": ("-s", "--switch", "--install"),
    "nix-channel": ("--add", "--update"),
    "microk8s": (),
    "minikube": ("start", "delete"),
    "kind": ("create", "delete", "load"),
    "k3d": (),
    "ctlptl": (),
    # the machine
    "systemctl": tuple(
        row(
            "start stop restart reload enable disable mask unmask daemon-reload "
            "set-property isolate kill edit reboot poweroff halt"
        )
    ),
    "service": (),
    "initctl": (),
    "update-alternatives": (),
    "alternatives": (),
    "update-ca-certificates": (),
    "ldconfig": (),
    "locale-gen": (),
    "useradd": (),
    "usermod": (),
    "userdel": (),
    "groupadd": (),
    "adduser": (),
    "addgroup": (),
    "groupmod": (),
    "passwd": (),
    "chpasswd": (),
    "visudo": (),
    "chsh": (),
    "newgrp": (),
    "mount": (),
    "umount": (),
    "losetup": (),
    "mkfs": (),
    "mkswap": (),
    "swapon": (),
    "swapoff": (),
    "fallocate": (),
    "modprobe": (),
    "insmod": (),
    "sysctl": (),
    "setenforce": (),
    "iptables": (),
    "nft": (),
    "ufw": (),
    "ip": ("add", "set", "del", "link_add"),
    "hostnamectl": ("set-hostname",),
    "timedatectl": ("set-timezone",),
    "reboot": (),
    "shutdown": (),
    "poweroff": (),
    "halt": (),
    "loginctl": ("enable-linger",),
    "crontab": (),
    # toolchains that live in the host's own folders
    "rustup": (
        "update",
        "default",
        "install",
        "toolchain install",
        "toolchain add",
        "toolchain uninstall",
        "toolchain link",
        "target add",
        "target install",
        "component add",
        "override set",
        "self update",
        "set profile",
        "target remove",
        "component remove",
        "set auto-self-update",
    ),
    "rustup-init": (),
    "sdkmanager": (),
}

READ_ONLY_OPTIONS: dict[str, tuple[str, ...]] = {
    "dpkg": (
        "-l",
        "-s",
        "-L",
        "-S",
        "--list",
        "--status",
        "--print-architecture",
        "--version",
        "-c",
        "--contents",
        "-x",
        "--extract",
        "-I",
        "--info",
        "--get-selections",
    ),
    "rpm": ("-q", "-qa", "-ql", "-qi", "-qpl", "-qpR", "--query", "--eval", "-E", "--version"),
    "pacman": ("-Q", "-Qs", "-Qi", "-Ss", "-Si"),
    "mount": ("-l",),
    "sysctl": ("-n", "-a"),
    "update-alternatives": ("--list", "--display", "--query"),
    "ldconfig": ("-p",),
    "crontab": ("-l",),
    "vcpkg": ("version",),
}
WRITERS = frozenset(
    row("cp mv install tee mkdir ln chmod chown chgrp touch rm rmdir truncate dd unzip tar")
)
DOCKER_CHANGES = (
    "login",
    "network create",
    "volume create",
    "system prune",
    "image prune",
    "image rm",
    "rmi",
    "volume rm",
    "volume prune",
    "builder prune",
    "buildx create",
    "swarm init",
    "container prune",
    "stop",
    "rm",
    "kill",
    "restart",
    "network rm",
    "buildx rm",
    "context create",
    "plugin install",
)

OWN_FOLDERS = (
    "/tmp/",
    "/var/tmp/",
    "/dev/",
    "/proc/self/",
    "/github/",
    "/home/runner/",
    "/opt/hostedtoolcache/",
)
CONTAINED_INSTALLERS = re.compile(
    r"astral\.sh/|install\.python-poetry\.org|get\.pnpm\.io|bun\.sh/|deno\.land/|"
    r"raw\.githubusercontent\.com/nvm-sh/|get-poetry|pixi\.sh/|install-poetry|"
    r"raw\.githubusercontent\.com/golangci/golangci-lint|golangci-lint\.run/",
)
PACKAGES = frozenset(row("packages apt brew system ubuntu debian fedora alpine linux macos"))
ABSOLUTE = re.compile(r"/(?:[^/]|$)")
