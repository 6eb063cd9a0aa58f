"""An expected error as a message for people, or as one document for programs."""

from __future__ import annotations

import json

from grind.core.errors import GrindError, ProblemsError
from grind.core.texts import clean

ERROR_SCHEMA = "grind.error/1"


def text(error: GrindError) -> str:
    """Return what is wrong and what to do next. Names in it may be hostile: it is made clean."""
    message = f"grind: {clean(error.message).rstrip()}\n"
    return message + (f"→ {clean(error.remedy).rstrip()}\n" if error.remedy else "")


def document(error: GrindError) -> str:
    """Return the `grind.error/1` document, on one line."""
    problems = error.problems if isinstance(error, ProblemsError) else ()
    told = {
        "schema": ERROR_SCHEMA,
        "code": int(error.code),
        "name": error.code.name.lower().replace("_", "-"),
        "message": error.message,
        "remedy": error.remedy,
        "problems": [problem._asdict() for problem in problems],
    }
    return json.dumps(told) + "\n"
