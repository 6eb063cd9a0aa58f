"""What becomes of a job that asks for a container, or for service containers. Pure.

They are not carried out yet. What is missing is said for this very host: an engine, or grind's part.
"""

from __future__ import annotations

from typing import Any

from grind.workflows.expressions import ExpressionError
from grind.workflows.facts import Facts
from grind.workflows.nodes import to_value
from grind.workflows.scope import Scope
from grind.workflows.syntax import Data, Job, Map, Scalar

ENGINES = ("podman", "docker")


def judge_containers(job: Job, scope: Scope, facts: Facts) -> tuple[str, str] | None:
    """Return why a job cannot run for its containers, with the remedy; None when it has none.

    A `container:` or a service whose image comes to an empty text is none, as on GitHub.
    """
    wants = []
    try:
        if job.container is not None and _image(job.container, scope):
            wants.append("runs in a container")
        services = _services(job.services, scope)
    except ExpressionError as error:
        return f"container: {error}", ""
    if services:
        wants.append(f"needs the service container {', '.join(services)}")
    if not wants:
        return None
    what = " and ".join(wants)
    answers = {engine: facts.ask((engine, "info")) for engine in ENGINES}
    has = [name for name, answer in answers.items() if answer is not None and not answer.exit_code]
    if has:
        return f"{what}: grind does not start containers yet, though {has[0]} is on this host", ""
    return (
        f"{what}, and neither podman nor docker answers on this host",
        "run it in CI; grind does not start containers yet, with an engine neither",
    )


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
