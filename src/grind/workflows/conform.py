"""Hold a YAML tree against the table of rules and say everything that does not fit, with its place.

Literals are judged as GitHub judges them: what is no string is turned into one where a string is
wanted, an empty value is null, and a value with `${{ }}` is taken as it is wherever expressions
are allowed at all.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from grind.core.errors import Problem
from grind.workflows.literals import string_of
from grind.workflows.rule import Rule, Shape
from grind.workflows.syntax import Data, Map, Mark, Scalar
from grind.workflows.yaml12 import parse_yaml

MAX_PROBLEMS: Final = 100
"""More than this helps nobody, and hostile input must not cost more than reading it."""

_LONGEST_GUESS: Final = 40


class TooManyProblemsError(Exception):
    """Enough has been said about this file."""


class Problems:
    """Collects problems of one file: each once, in the order found, up to a limit."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: dict[Problem, None] = {}

    def add(self, mark: Mark, message: str, expected: str = "") -> None:
        """Note a problem. Raises TooManyProblemsError when the limit is reached."""
        self.take(Problem(self.path, mark.line, mark.column, message, expected))

    def take(self, problem: Problem) -> None:
        """Note a problem that somebody else has found. Raises TooManyProblemsError."""
        self._found[problem] = None
        if len(self._found) >= MAX_PROBLEMS:
            raise TooManyProblemsError

    def all(self) -> tuple[Problem, ...]:
        """Return them in the order of the file."""
        return tuple(sorted(self._found, key=lambda found: (found.line or 0, found.column or 0)))


def read_mapping(path: str, source: bytes, what: str) -> tuple[Map | None, Problems]:
    """Read a file that must be a mapping, with the problems found so far."""
    data, broken = parse_yaml(path, source)
    problems = Problems(path)
    with suppress(TooManyProblemsError):
        for problem in broken:
            problems.take(problem)
    if data is not None and not isinstance(data, Map):
        problems.add(data.mark, f"{what} is a mapping")
        return None, problems
    return data, problems


def quote(text: str) -> str:
    """Return `text` for a message: in quotes, short, and without anything a terminal obeys."""
    if len(text) > 60:
        text = text[:57] + "…"
    return "'" + "".join(sign if sign.isprintable() else "�" for sign in text) + "'"


def conform(data: Data, rules: dict[str, Rule], name: str, problems: Problems) -> None:
    """Check `data` against the rule `name` and everything below it."""
    _Walk(rules, problems).node(data, rules[name], False)


class _Walk:
    def __init__(self, rules: dict[str, Rule], problems: Problems) -> None:
        self._rules, self._problems = rules, problems

    def node(self, data: Data, rule: Rule, dynamic: bool) -> None:
        """`dynamic`: expressions are allowed by a rule further up."""
        if rule.contexts:
            dynamic = True
        if isinstance(data, Scalar):
            self._scalar(data, rule, dynamic)
        elif isinstance(data, Map):
            if rule.shapes:
                self._map(data, rule, dynamic)
            else:
                self._problems.add(data.mark, "a mapping is not allowed here", rule.expected)
        elif rule.item:
            item = self._rules[rule.item]
            for entry in data.items:
                self.node(entry, item, dynamic)
        else:
            self._problems.add(data.mark, "a list is not allowed here", rule.expected)

    def _scalar(self, data: Scalar, rule: Rule, dynamic: bool) -> None:
        value = data.value
        if isinstance(value, str):
            if "${{" in value:
                if not dynamic:
                    message = "an expression is not allowed here"
                    self._problems.add(data.mark, message, rule.expected)
                return
        elif value is None:
            if rule.null:
                return
        elif rule.boolean if isinstance(value, bool) else rule.number:
            return
        if rule.text:
            text = string_of(data)
            if rule.words and text:
                if text in rule.words:
                    return
                hint = _hint(text, rule.words)
                self._problems.add(data.mark, f"{quote(text)} is not known{hint}", rule.expected)
                return
            if not rule.words and (text or rule.empty):
                return
        if value is None or value == "":
            message = "a value is missing"
        else:
            message = f"{quote(data.text)} is not allowed here"
        self._problems.add(data.mark, message, rule.expected)

    def _map(self, data: Map, rule: Rule, dynamic: bool) -> None:
        shape = self._shape(data, rule)
        if shape is None:
            return
        keys, inserted = shape.keys, False
        for key, value in data.entries:
            name = keys.get(key.text)
            if name is None:
                if "${{" in key.text:
                    inserted = True
                    if dynamic:
                        self.node(value, self._rules[shape.value or "any"], True)
                    else:
                        self._problems.add(key.mark, "an expression is not allowed as a key here")
                    continue
                if not shape.value:
                    self._unknown(key, rule, shape)
                    continue
                if not key.text:
                    self._problems.add(key.mark, "a key must not be empty")
                name = shape.value
            self.node(value, self._rules[name], dynamic)
        if shape.required and not inserted:
            present = {key.text for key, _ in data.entries}
            for missing in shape.required:
                if missing not in present:
                    self._problems.add(data.mark, f"'{missing}' is missing in this {shape.what}")

    def _shape(self, data: Map, rule: Rule) -> Shape | None:
        shapes = rule.shapes
        if len(shapes) == 1:
            return shapes[0]
        choices = {shape.when: shape for shape in shapes}
        chosen = [key for key, _ in data.entries if key.text in choices]
        if not chosen:
            if (default := choices.get("")) is None:
                wanted = "one of " + ", ".join(choices)
                self._problems.add(data.mark, "this step does nothing", wanted)
            return default
        for other in chosen[1:]:
            message = f"a step cannot have both '{chosen[0].text}' and '{other.text}'"
            self._problems.add(other.mark, message, "one of them")
        return choices[chosen[0].text] if len(chosen) == 1 else None

    def _unknown(self, key: Scalar, rule: Rule, shape: Shape) -> None:
        name = quote(key.text)
        if any(key.text in other.keys for other in rule.shapes):
            self._problems.add(key.mark, f"{name} is not allowed in a {shape.what}")
            return
        hint = _hint(key.text, tuple(shape.keys))
        known = "one of " + ", ".join(shape.keys) if shape.keys else "no keys"
        self._problems.add(key.mark, f"unknown key {name}{hint}", known)


def _hint(text: str, known: tuple[str, ...]) -> str:
    if len(text) > _LONGEST_GUESS:
        return ""
    from difflib import get_close_matches

    close = get_close_matches(text.lower().replace("_", "-"), known, 1, 0.7)
    close = close or get_close_matches(text.lower().replace("-", "_"), known, 1, 0.7)
    return f"; did you mean '{close[0]}'?" if close else ""
