"""How the tables say what may stand somewhere: rules, shapes and the few words to write them."""

from __future__ import annotations

from typing import Final, NamedTuple

STATUS: Final = ("always()", "failure()", "cancelled()", "success()")
"""Functions that only conditions may call."""


class Shape(NamedTuple):
    """One form a mapping may take: known keys, or `value` for keys that anybody may choose."""

    keys: dict[str, str]
    required: tuple[str, ...] = ()
    value: str = ""
    """The rule of every key that is not in `keys`; empty when there may be no such key."""
    when: str = ""
    """The key whose presence chooses this shape among several."""
    what: str = "mapping"
    """What a person calls it."""


class Rule(NamedTuple):
    """What one node may be. Literals that are no strings are turned into strings where needed."""

    expected: str
    null: bool = False
    boolean: bool = False
    number: bool = False
    text: bool = False
    empty: bool = False
    """Whether a text may be empty (and so also be absent: null)."""
    words: tuple[str, ...] = ()
    """The only texts allowed, when there are any."""
    item: str = ""
    """The rule of a sequence's items; empty when it may be no sequence."""
    shapes: tuple[Shape, ...] = ()
    contexts: tuple[str, ...] = ()
    """Contexts and special functions (with `()`) that expressions may use here and below."""
    condition: bool = False
    """An `if`: an expression with or without `${{ }}`."""


def text(*contexts: str) -> Rule:
    """Any text, which may be absent."""
    return Rule("text", null=True, text=True, empty=True, contexts=contexts)


def name(*contexts: str) -> Rule:
    """A text that is not empty."""
    return Rule("text that is not empty", text=True, contexts=contexts)


def flag(*contexts: str) -> Rule:
    """A boolean."""
    return Rule("true or false", boolean=True, contexts=contexts)


def number(*contexts: str) -> Rule:
    """A number."""
    return Rule("a number", number=True, contexts=contexts)


def scalar(*contexts: str) -> Rule:
    """Any single value."""
    return text(*contexts)._replace(boolean=True, number=True)


def word(*words: str) -> Rule:
    """One of some texts."""
    expected = "one of " + ", ".join(words) if len(words) > 1 else words[0]
    return Rule(expected, text=True, words=words)


def list_of(item: str, *contexts: str) -> Rule:
    """A sequence whose items follow the rule `item`."""
    return Rule("a list", item=item, contexts=contexts)


def mapping(
    keys: dict[str, str], *contexts: str, required: tuple[str, ...] = (), value: str = ""
) -> Rule:
    """A mapping with these keys, and others where `value` names their rule."""
    return Rule("a mapping", shapes=(Shape(keys, required, value),), contexts=contexts)


def open_map(value: str, *contexts: str) -> Rule:
    """A mapping with keys that anybody may choose."""
    return mapping({}, *contexts, value=value)


def either(first: Rule, *others: Rule, contexts: tuple[str, ...] = ()) -> Rule:
    """Join rules that differ in kind (text, list, mapping)."""
    joined = first
    for other in others:
        joined = Rule(
            f"{joined.expected}, or {other.expected}",
            joined.null or other.null,
            joined.boolean or other.boolean,
            joined.number or other.number,
            joined.text or other.text,
            joined.empty or other.empty,
            joined.words or other.words,
            joined.item or other.item,
            joined.shapes + other.shapes,
        )
    return joined._replace(contexts=contexts)


NULL: Final = Rule("nothing", null=True)
NAMES: Final = either(name(), list_of("name"))
COMMON: Final[dict[str, Rule]] = {
    "any": Rule("anything", True, True, True, True, True, (), "any", (Shape({}, value="any"),)),
    "text": text(),
    "name": name(),
    "flag": flag(),
    "null-or-flag": either(flag(), NULL),
    "number": number(),
    "scalar": scalar(),
    "names": NAMES,
    "name-list": list_of("name"),
    "text-list": list_of("text"),
}
"""Rules that workflows and actions share."""
