"""The bundled scripts and data of this package, read when asked for."""

from __future__ import annotations

from grind.core.bundled import bundled_text


def script(name: str) -> str:
    """Return the text of `provide/<name>`; FileNotFoundError when there is none."""
    return bundled_text("grind.workflows", f"provide/{name}")


def data(name: str) -> str:
    """Return the text of a data file of this package."""
    return bundled_text("grind.workflows", name)


def provide(name: str) -> str:
    """Return a script that gives a job its environment, with what is common to all before it."""
    return script("common.sh") + script(name)
