"""What becomes of a job that asks for a container, or for service containers. Pure.

Service containers are started by the podman or docker of the host, where that has the image. Steps
in a container are not run yet.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from grind.core.plan import Service
from grind.core.remedy import verdict_rule
from grind.workflows.expressions import ExpressionError
from grind.workflows.facts import Facts
from grind.workflows.nodes import to_value
from grind.workflows.scope import Scope
from grind.workflows.services import Unfit, service_of
from grind.workflows.syntax import Data, Job, Map, Scalar, Workflow

ENGINES = ("podman", "docker")
_NO_ENGINE = "install podman or docker on this host, or let it reach the one it has"


class Containers(NamedTuple):
    """What a job's containers come to: a refusal with its remedy, or services to start."""

    refusal: tuple[str, str] | None = None
    engine: str = ""
    services: tuple[Service, ...] = ()


def judge_containers(job: Job, scope: Scope, facts: Facts) -> Containers:
    """Say whether a job's containers can be had on this host.

    A `container:` or a service whose image comes to an empty text is none, as on GitHub.
    """
    try:
        inside = job.container is not None and bool(_image(job.container, scope))
        names = _services(job.services, scope)
    except ExpressionError as error:
        return Containers((f"container: {error}", ""))
    if not inside and not names:
        return Containers()
    what = f"needs the service container {', '.join(names)}" if names else ""
    if inside:
        what = f"runs in a container and {what}" if what else "runs in a container"
    answers = {engine: facts.ask((engine, "info")) for engine in ENGINES}
    has = [name for name, answer in answers.items() if answer is not None and not answer.exit_code]
    if not has:
        why = f"{what}, and neither podman nor docker answers on this host"
        if inside:
            return Containers((f"{why}; grind does not run steps in a container yet", ""))
        return Containers((why, _NO_ENGINE))
    if inside:
        return Containers(
            (f"{what}: grind does not run steps in one yet, though {has[0]} is on this host", "")
        )
    return _judge_services(job, scope, facts, has[0], what)


def with_remedy(
    refusal: tuple[str, str] | None, workflow: Workflow, job: Job
) -> tuple[str, str] | None:
    """Return a refusal with its remedy; where nothing on the host would do, rules for the steps."""
    if refusal is None or refusal[1]:
        return refusal
    file = workflow.path.rpartition("/")[2]
    step: dict[str, str | int] = {"workflow": file, "job": job.id, "step": 0}
    rule = verdict_rule("overridden", step, run="a command that does what the step does")
    return refusal[0], f"one for each of its steps, in grind.toml:\n{rule}"


def _judge_services(job: Job, scope: Scope, facts: Facts, engine: str, what: str) -> Containers:
    if not isinstance(job.services, Map):
        return Containers((f"{what}: services from an expression are not started here", ""))
    services: list[Service] = []
    for key, node in job.services.entries:
        try:
            service = service_of(key.text, node, scope)
        except Unfit as why:
            return Containers((f"{what}: {why}", ""))
        except ExpressionError as error:
            return Containers((f"services: {error}", ""))
        if service is None:
            continue
        image = ("image", "inspect", "--format", "{{.Id}}", service.image)
        answer = facts.ask((engine, *image))
        if answer is not None and answer.exit_code:
            return Containers(
                (
                    f"{what}: the image {service.image} is not on this host",
                    f"{engine} pull {service.image}",
                )
            )
        services.append(service)
    return Containers(None, engine, tuple(services))


def _services(services: Data | None, scope: Scope) -> list[str]:
    if services is None:
        return []
    if not isinstance(services, Map):
        value = to_value(services, scope)
        return [name for name, one in value.items() if _of(one)] if isinstance(value, dict) else []
    return [key.text for key, one in services.entries if _image(one, scope)]


def _image(node: Data, scope: Scope) -> str:
    image = node.get("image") if isinstance(node, Map) else node
    if image is None:
        return "?"  # built by an expression in its keys: not known to be none
    if not isinstance(image, Scalar):
        return "?"
    return _of(to_value(image, scope))


def _of(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("image")
    return "" if value is None else str(value)
