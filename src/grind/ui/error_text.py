"""An expected error as a message for people, or as one document for programs."""

from __future__ import annotations

import json

from grind.core.errors import GrindError, ProblemsError
from grind.core.texts import clean
from grind.core.topics import topic_of_error

ERROR_SCHEMA = "grind.error/1"


def text(error: GrindError, *, pointer: bool = False) -> str:
    """Return what is wrong and what to do next. Names in it may be hostile: it is made clean.

    With `pointer` the last line names the page about errors of this kind.
    """
    told = f"grind: {clean(error.message).rstrip()}\n"
    if error.remedy:
        told += f"→ {clean(error.remedy).rstrip()}\n"
    topic = topic_of_error(error.__traceback__) if pointer else ""
    return f"{told}  [{topic}] grind help {topic}\n" if topic else told


def document(error: GrindError) -> str:
    """Return the `grind.error/1` document, on one line."""
    problems = error.problems if isinstance(error, ProblemsError) else ()
    told = {
        "schema": ERROR_SCHEMA,
        "code": int(error.code),
        "name": error.code.name.lower().replace("_", "-"),
        "topic": topic_of_error(error.__traceback__),
        "message": error.message,
        "remedy": error.remedy,
        "problems": [problem._asdict() for problem in problems],
    }
    return json.dumps(told) + "\n"
