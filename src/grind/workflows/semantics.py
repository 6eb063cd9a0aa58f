"""What a workflow must satisfy beyond the shape of its keys: names, references, graphs."""

from __future__ import annotations

from typing import Final

from grind.workflows.conform import Problems
from grind.workflows.syntax import Workflow

_MAX_ID: Final = 100


def check_workflow(workflow: Workflow, problems: Problems) -> None:
    """Check what the table of rules cannot say."""
    _check_needs(workflow, problems)


def _check_needs(workflow: Workflow, problems: Problems) -> None:
    pass
