"""Service containers of a job, as arguments for the host's podman or docker. Pure.

An image is never pulled unasked: that the host has it is a question, whose answer (the image's id)
is one of the tools a receipt hangs on. Ports are bound to the loopback address: on a runner nobody
else could reach them either.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final

from grind.core.plan import Service
from grind.workflows.expressions import UNKNOWN, to_text
from grind.workflows.nodes import to_value
from grind.workflows.scope import Scope
from grind.workflows.syntax import Data, Map, Scalar

SEPARATOR: Final = "\x1f"
"""Between the arguments of one service on their way to the host."""
_PORT: Final = re.compile(r"([0-9]{1,5}):([0-9]{1,5})(/tcp|/udp)?")
_KEYS: Final = frozenset({"image", "env", "ports", "options"})
_OPTIONS: Final = frozenset(
    {
        *("--health-cmd", "--health-interval", "--health-timeout", "--health-retries"),
        *("--health-start-period", "--hostname", "-h", "--user", "-u", "--shm-size", "--memory"),
        *("-m", "--cpus", "--ulimit", "--tmpfs", "--env", "-e", "--entrypoint", "--workdir", "-w"),
    }
)
"""Options of `docker create` that change nothing outside of the container; each has a value."""


class Unfit(Exception):  # noqa: N818 - an answer, not an error
    """A service that is not started here, with the reason."""


def service_of(name: str, node: Data, scope: Scope) -> Service | None:
    """Return what to start; None for a service without an image, which GitHub does not start.

    Raises Unfit, and ExpressionError for what is not known.
    """
    value = _plain(node, scope)
    if isinstance(value, str):
        value = {"image": value}
    if not isinstance(value, dict):
        raise Unfit(f"the service {name} is not described by keys")
    image = _text(value.get("image"))
    if not image:
        return None
    for key in value:
        if key not in _KEYS:
            raise Unfit(f"`{key}` of the service {name} is not honoured here")
    env, listed = value.get("env") or {}, value.get("ports") or []
    if not isinstance(env, dict) or not isinstance(listed, list):
        raise Unfit(f"the service {name} has an `env` or `ports` of another form")
    ports = [_port(name, _text(port)) for port in listed]
    options = _options(name, _text(value.get("options") or ""))
    args = [
        *options,
        *(part for key, one in env.items() for part in ("--env", f"{key}={_text(one)}")),
        *(part for port, inside, kind in ports for part in ("-p", _bound(port, inside, kind))),
        "--pull=never",
        image,
    ]
    if any(SEPARATOR in arg or "\0" in arg for arg in args):
        raise Unfit(f"the service {name} holds a control character")
    return Service(
        name=name,
        image=image,
        args=tuple(args),
        ports={inside: port for port, inside, _ in ports},
    )


def services_context(services: tuple[Service, ...]) -> dict[str, Any]:
    """Return `job.services`, as far as it is known: ids are the engine's."""
    return {
        one.name: {"id": UNKNOWN, "network": UNKNOWN, "ports": dict(one.ports)} for one in services
    }


def _plain(node: Data, scope: Scope) -> Any:
    """Evaluate a node whole. Raises ExpressionError."""
    if isinstance(node, Map):
        return {key.text: _plain(value, scope) for key, value in node.entries}
    if isinstance(node, Scalar):
        return to_value(node, scope)
    return [_plain(item, scope) for item in node.items]


def _text(value: Any) -> str:
    """Return the text of a value; a whole number of YAML is one of GitHub's numbers."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return to_text(float(value) if whole else value)


def _port(service: str, text: str) -> tuple[str, str, str]:
    found = _PORT.fullmatch(text)
    if found is None:
        raise Unfit(
            f"the port {text!r} of the service {service}: only HOST:CONTAINER is mapped here"
        )
    return found[1], found[2], found[3] or ""


def _bound(port: str, inside: str, kind: str) -> str:
    return f"127.0.0.1:{port}:{inside}{kind}"


def _options(service: str, text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Unfit(f"the options of the service {service}: {error}") from error
    found: list[str] = []
    while words:
        name, is_joined, value = words.pop(0).partition("=")
        if name not in _OPTIONS:
            raise Unfit(f"the option {name} of the service {service} is not passed on here")
        if not is_joined:
            if not words:
                raise Unfit(f"the option {name} of the service {service} has no value")
            value = words.pop(0)
        found += [name, value]
    return found


START: Final = r"""
# The engine is asked and used as the plan asked it: without a home of the job's.
unset -v HOME
engine=$GRIND_ENGINE
mine=label=grind.workspace=$GITHUB_WORKSPACE
remove=(rm -f -v)
[[ $engine != podman ]] || remove+=(-t 0)
# What a run that was killed has left.
for id in $("$engine" ps -aq --filter "$mine"); do "$engine" "${remove[@]}" "$id" >/dev/null; done
for ((i = 0; i < GRIND_SERVICES; i++)); do
  given=GRIND_SERVICE_$i
  IFS=$'\x1f' read -r -d '' -a args < <(printf '%s\0' "${!given}")
  "$engine" run -d --name "${RUNNER_TRACKING_ID##*/}-$i" --label "${mine#label=}" "${args[@]}"
done
for ((i = 0; i < GRIND_SERVICES; i++)); do
  name=${RUNNER_TRACKING_ID##*/}-$i
  while :; do
    # Without systemd nobody but us starts podman's health checks.
    if [[ $engine == podman ]]; then "$engine" healthcheck run "$name" >/dev/null 2>&1 || :; fi
    state=$("$engine" inspect --format '{{.State.Running}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$name")
    case $state in
      'true ' | 'true healthy') break ;;
      'true starting') sleep 1 ;;
      *)
        printf 'the service container %s is not healthy (%s)\n' "$i" "$state"
        "$engine" logs "$name" 2>&1 | tail -n 30
        exit 1
        ;;
    esac
  done
done
"""
"""Starts the services and waits until those with a health check are well, as GitHub's runner."""

STOP: Final = r"""
unset -v HOME
remove=(rm -f -v)
[[ $GRIND_ENGINE != podman ]] || remove+=(-t 0)
for id in $("$GRIND_ENGINE" ps -aq --filter "label=grind.workspace=$GITHUB_WORKSPACE"); do
  "$GRIND_ENGINE" "${remove[@]}" "$id" >/dev/null
done
"""

END_RUN: Final = r"""
unset -v HOME
remove=(rm -f -v)
[[ $1 != podman ]] || remove+=(-t 0)
for id in $("$1" ps -aq --filter "name=$2"); do "$1" "${remove[@]}" "$id" >/dev/null; done
"""
"""Removes the containers of a run that was ended from outside: ENGINE NAME."""


def end_of_run(engine: str, run: str) -> tuple[str, ...]:
    """Return the command that removes all service containers of a run."""
    return ("bash", "-c", END_RUN, "bash", engine, f"grind-{run}-")


def services_env(engine: str, services: tuple[Service, ...]) -> dict[str, str]:
    """Return the variables that START and STOP read."""
    return {
        "GRIND_ENGINE": engine,
        "GRIND_SERVICES": str(len(services)),
        **{f"GRIND_SERVICE_{i}": SEPARATOR.join(one.args) for i, one in enumerate(services)},
    }
