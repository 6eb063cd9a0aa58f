"""The bundled scripts and data of this package, read when asked for."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> str:
    """Return the text of `provide/<name>`; FileNotFoundError when there is none."""
    return (files("grind.workflows") / "provide" / name).read_text(encoding="utf-8")


def data(name: str) -> str:
    """Return the text of a data file of this package."""
    return (files("grind.workflows") / name).read_text(encoding="utf-8")


def provide(name: str) -> str:
    """Return a script that gives a job its environment, with what is common to all before it."""
    return script("common.sh") + script(name)
