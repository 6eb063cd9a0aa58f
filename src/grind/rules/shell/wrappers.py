"""Commands that run another command, and what that changes: machine, PATH, user.

Each entry says how to find the inner command among the words. Sources: the manual pages of each.
"""

from __future__ import annotations

from typing import NamedTuple


class Wrapper(NamedTuple):
    """How to skip a wrapper's own words."""

    short: str = ""
    """Short options that take a value."""
    long: frozenset[str] = frozenset()
    """Long options that take a value as the next word."""
    skip: int = 0
    """Positional words before the inner command."""
    assigns: bool = False
    """`NAME=value` words may come first."""
    sub: frozenset[str] = frozenset()
    """Subcommands, one of which must be there (`uv run`)."""
    marker: frozenset[str] = frozenset()
    """The inner command starts after one of these words (`--command`, `--`)."""
    python: str = ""
    machine: str = ""
    glued: frozenset[str] = frozenset()
    """Options whose value is one word of shell text (`--run 'text'`)."""
    optional: bool = False
    """With `marker`: the inner command may also follow without it."""


def _set(*names: str) -> frozenset[str]:
    return frozenset(names)


_CONTAINER_VALUES = _set(
    *(
        "--volume --env --env-file --name --network --user --workdir --entrypoint --mount"
        " --publish --platform --label --hostname --memory --cpus --add-host --device"
        " --cap-add --cap-drop --ulimit --shm-size --gpus --pid --ipc --uts --security-opt"
        " --volumes-from --log-driver --log-opt --restart --tmpfs --net --dns --link --expose"
        " --cidfile --pull --index"
    ).split()
)
_NIX_VALUES = _set(
    *(
        "--extra-experimental-features --option --profile --inputs-from --override-input"
        " --file --expr --set-env-var --unset --keep --redirect --store --max-jobs --cores"
        " --log-format"
    ).split()
)
_NIX_INNER = _set("--command", "-c")

WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(
        "ugpChrtTUDR",
        _set("--user", "--group", "--host", "--prompt", "--chdir", "--chroot"),
        assigns=True,
    ),
    "doas": Wrapper("uC"),
    "env": Wrapper("uC", _set("--unset", "--chdir"), assigns=True),
    "timeout": Wrapper("ks", _set("--kill-after", "--signal"), skip=1),
    "gtimeout": Wrapper("ks", _set("--kill-after", "--signal"), skip=1),
    "nice": Wrapper("n", _set("--adjustment")),
    "ionice": Wrapper("cnp", _set("--class", "--classdata")),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "stdbuf": Wrapper("ioe", _set("--input", "--output", "--error")),
    "time": Wrapper("fo", _set("--format", "--output")),
    "gtime": Wrapper("fo"),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "exec": Wrapper("a"),
    "xargs": Wrapper(
        "IdEnLPsa",
        _set("--max-args", "--max-procs", "--replace", "--delimiter", "--arg-file", "--max-lines"),
    ),
    "chroot": Wrapper("", _set("--userspec", "--groups"), skip=1),
    "flock": Wrapper("wEc", _set("--timeout", "--wait", "--conflict-exit-code"), skip=1),
    "systemd-run": Wrapper(
        "pEutMH",
        _set(
            "--unit",
            "--property",
            "--setenv",
            "--uid",
            "--gid",
            "--slice",
            "--description",
            "--machine",
        ),
    ),
    "systemd-inhibit": Wrapper("", _set("--what", "--who", "--why", "--mode")),
    "unbuffer": Wrapper(),
    "chronic": Wrapper(),
    "caffeinate": Wrapper("tw"),
    "dbus-run-session": Wrapper(),
    "xvfb-run": Wrapper("neflpsw", _set("--server-args", "--server-num", "--error-file")),
    "strace": Wrapper("eopsSauEPX"),
    "catchsegv": Wrapper(),
    "taskset": Wrapper("", skip=1),
    "runuser": Wrapper("ugG", _set("--user", "--group"), glued=_set("-c", "--command")),
    "su": Wrapper("gGswT", _set("--group", "--shell"), glued=_set("-c", "--command")),
    "direnv": Wrapper(sub=_set("exec"), skip=1, python="nix"),
    "uv": Wrapper(
        "p",
        _set(
            "--with",
            "--python",
            "--project",
            "--directory",
            "--extra",
            "--group",
            "--package",
            "--with-requirements",
        ),
        sub=_set("run"),
        python="uv",
    ),
    "uvx": Wrapper("p", _set("--with", "--python", "--from"), python="uv"),
    "poetry": Wrapper("C", _set("--directory", "--project"), sub=_set("run"), python="poetry"),
    "pipenv": Wrapper(sub=_set("run"), python="pipenv"),
    "pdm": Wrapper("p", _set("--project"), sub=_set("run"), python="pdm"),
    "hatch": Wrapper("e", _set("--env"), sub=_set("run"), python="hatch"),
    "rye": Wrapper(sub=_set("run"), python="rye"),
    "pixi": Wrapper("e", _set("--environment", "--manifest-path"), sub=_set("run"), python="pixi"),
    "conda": Wrapper("np", _set("--name", "--prefix"), sub=_set("run"), python="conda"),
    "mamba": Wrapper("np", _set("--name", "--prefix"), sub=_set("run"), python="conda"),
    "micromamba": Wrapper("np", _set("--name", "--prefix"), sub=_set("run"), python="conda"),
    "devbox": Wrapper("c", _set("--config"), sub=_set("run"), python="nix"),
    "devenv": Wrapper(sub=_set("shell"), python="nix"),
    "flox": Wrapper("drD", sub=_set("activate"), marker=_set("--"), python="nix"),
    "mise": Wrapper("C", sub=_set("exec", "x"), marker=_set("--"), python="mise"),
    "coverage": Wrapper(sub=_set("exec")),
    "nix": Wrapper("", _NIX_VALUES, sub=_set("develop", "shell"), marker=_NIX_INNER, python="nix"),
    "nix-shell": Wrapper(
        "",
        _set("--option", "--arg", "--argstr", "--keep"),
        glued=_set("--run", "--command"),
        python="nix",
    ),
    "docker": Wrapper(
        "vepwumhlan",
        _CONTAINER_VALUES,
        sub=_set("exec", "run"),
        skip=1,
        machine="container",
        python="container",
    ),
    "podman": Wrapper(
        "vepwumhlan",
        _CONTAINER_VALUES,
        sub=_set("exec", "run"),
        skip=1,
        machine="container",
        python="container",
    ),
    "docker-compose": Wrapper(
        "fpTuwevl",
        _CONTAINER_VALUES,
        sub=_set("exec", "run"),
        skip=1,
        machine="container",
        python="container",
    ),
    "kubectl": Wrapper(
        "ncf",
        _set("--namespace", "--context", "--container", "--kubeconfig"),
        sub=_set("exec", "run"),
        marker=_set("--"),
        machine="container",
        python="container",
    ),
    "nixos-container": Wrapper(sub=_set("run"), skip=1, marker=_set("--"), machine="container"),
    "machinectl": Wrapper("", sub=_set("shell"), skip=1, machine="container"),
    "lxc": Wrapper("", sub=_set("exec"), skip=1, marker=_set("--"), machine="container"),
}

SSH_VALUES = frozenset("BbcDEeFIiJLlmOopQRSWw")
SSH_COMMANDS = frozenset(("ssh", "autossh", "mosh"))
SHELL_NAMES = frozenset(("bash", "sh", "dash", "ash", "ksh", "zsh"))
