"""A /health endpoint for services: what runs here, since when, and whether it is well.

The doors for a framework are `grind_health.asgi` and `grind_health.wsgi`, each with a `HealthApp`
and a `HealthMiddleware`; anything else calls `Health.live`, `Health.ready` or `Health.ready_async`.
"""

from grind_health.checks import Check, CheckFailed, Outcome, failed, passed, warned
from grind_health.context import OPENTELEMETRY_NAMES, DeploymentContext
from grind_health.facts import System
from grind_health.health import MEDIA_TYPE, Answer, Health

__all__ = [
    "MEDIA_TYPE",
    "OPENTELEMETRY_NAMES",
    "Answer",
    "Check",
    "CheckFailed",
    "DeploymentContext",
    "Health",
    "Outcome",
    "System",
    "failed",
    "passed",
    "warned",
]
