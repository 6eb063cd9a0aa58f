"""The `[lint]` and `[python]` tables of grind.toml, as far as lint reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

from grind.core.errors import Problem
from grind.core.findings import SEVERITIES
from grind.rules.engine import UNPARSEABLE, UNREADABLE
from grind.rules.suppress import UNREASONED, UNUSED

_META = (UNPARSEABLE, UNREADABLE, UNREASONED, UNUSED)


class Settings(NamedTuple):
    """How to lint."""

    disable: frozenset[str] = frozenset()
    severity: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()
    baseline: str = ""
    fail_on: str = "error"
    python_form: str = ""


def read(
    document: dict[str, Any], rules: frozenset[str], file: str = "grind.toml"
) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings, and everything that is wrong with them at once."""
    problems: list[Problem] = []

    def wrong(message: str, expected: str) -> None:
        problems.append(Problem(file, None, None, message, expected))

    table = document.get("lint", {})
    if not isinstance(table, dict):
        wrong("[lint] is not a table", "a table")
        return Settings(), tuple(problems)
    known = rules | set(_META)
    out = Settings()
    for key, value in table.items():
        if key == "disable" and _strings(value):
            out = out._replace(disable=frozenset(value))
            for name in sorted(set(value) - known):
                wrong(f"lint.disable names no rule: `{name}`", "a rule's name")
        elif key == "exclude" and _strings(value):
            out = out._replace(exclude=tuple(value))
        elif key == "baseline" and isinstance(value, str):
            out = out._replace(baseline=value)
        elif key == "fail_on" and value in SEVERITIES:
            out = out._replace(fail_on=value)
        elif key == "severity" and isinstance(value, dict):
            out = out._replace(severity=tuple(value.items()))
            for name, level in value.items():
                if name not in known:
                    wrong(f"lint.severity names no rule: `{name}`", "a rule's name")
                if level not in SEVERITIES:
                    wrong(f"lint.severity.{name} is `{level}`", "error, warning or note")
        else:
            wrong(f"lint.{key} is not understood", "disable, exclude, severity, baseline, fail_on")
    form = document.get("python", {})
    if isinstance(form, dict) and isinstance(form.get("form"), str):
        out = out._replace(python_form=form["form"])
    return out, tuple(problems)


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
