"""Bytes to expressions and contexts, over the whole grammar and a little beyond it.

Every byte is a choice, so that hypothesis can shrink, a fuzzer can steer and a plain random source
will do. When the bytes run out, each choice is the first and simplest one.
"""

from __future__ import annotations

from typing import Any

NUMBERS = [
    "0", "1", "2", "-1", "+1", "3.5", ".5", "-.5", "1.", "0.1", "0.30000000000000004", "-0", "-0.0",
    "10", "100", "255", "1e3", "1E-3", "1.5e+2", "0xff", "0xFF", "0o17", "0x7fffffff", "0xffffffff",
    "0b11", "0X1F", "0O7", "1e15", "999999999999999", "123456789012345678", "1e21", "1e-5",
    "0.0001", "1e-7", "1e400", "Infinity", "-Infinity", "+Infinity", "NaN",
    "1.7976931348623157e308",
    "33.333333333333336", "0.000015258789062500", "5e-324", "1_0", "1e", "--1", "0x", "1.2.3", "-",
    "1-2", "4294967296", "2147483647", "2147483648", "0.1e1", "123456.789", "9007199254740993",
]  # fmt: skip
TEXTS = [
    "", "a", "A", "b", "abc", "ABC", "abcabc", "bc", "0", "1", " 1 ", "01", "-1", "+1", "1.0",
    "0x1",
    " 0x1F ", "0o7", "0b1", "1e3", ".5", "1.", "Infinity", "-Infinity", "infinity", "NaN", "nan",
    "true", "false", "True", "null", "Array", "Object", " ", "\t\n", "\u00a0", "\ufeff", "\u0085",
    "1\u0085", "é", "É", "ß", "SS", "ss", "ı", "I", "i", "İ", "K", "k", "ſ", "s", "σ", "ς", "Σ",
    "ﬁ", "FI", "ᾳ", "ᾼ", "😊", "\U00010428", "\U00010400", "\ue000", "\u2028", "\x7f", "\x01", '"',
    "\\", "{0}", "{1}", "{0}{0}", "{{", "}}", "{{0}}", "{", "}", "{0", "{0}}", "{}", "{ 0}", "{00}",
    "{0:N}", "{0x}", "{256}", "{0}-{1}", "refs/heads/main", "push", "line\nline", "it''s", "''",
    "[1,2,3]", '["a","b"]', "[]", "{}", '{"a":1}', '{"A":{"b":[1,null,true]}}', '{"a":1,"A":2}',
    '{"a":1,"a":2}', '{"b":1,"2":2,"1":3}', "[[1],[2,[3]]]", '[{"a":1},{"a":2},{"b":3}]', "-0",
    '"x"', '"\\u0041"', "tru", "01", "[1,]", "{'a':1}", "// c\n1", "1 2", "NaN", " 7 ", "1E400",
    '"\\ud83d\\ude0a"', "1.0", "1e2", '{"é":1}', '[1.5,"1.5",true]', "\u20281",
    "100000000000000000000",
]  # fmt: skip
NAMES = ["a", "A", "b", "c", "Obj", "list", "outputs", "true", "null", "NaN", "x-y", "_1", "é"]
CONTEXTS = ["github", "env", "matrix", "steps", "needs", "GitHub", "nothere"]
FUNCTIONS = [
    "contains", "startsWith", "endsWith", "format", "join", "toJSON", "fromJSON", "case",
    "CONTAINS", "tojson", "success", "hashFiles", "nofunc",
]  # fmt: skip
ARITY = {"contains": 2, "startswith": 2, "endswith": 2, "format": 2, "join": 2, "case": 3}
OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "&&", "||"]
SPACES = ["", " ", "  ", "\n", "\t", "\r\n"]
JUNK = [
    "'", '"', "(", ")", "[", "]", ",", ".", "*", "!", "=", "&", "|", "<", ">", "+", "-", "@", "{",
    "}", "$", "#", "/", "\\", "~", "^", "%", ";", ":", "?", "0", "a", " ", "\n", "\f", "\u00a0",
    "\ufeff", "😊", "true", "null", "==", "&&", "||", "()", "[]", ".*", "[*]", "..", "1", "''",
    ",)",
]  # fmt: skip


class Choices:
    """A source of choices made of bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def spent(self) -> bool:
        return self.at >= len(self.data)

    def below(self, limit: int) -> int:
        if self.spent:
            return 0
        value = self.data[self.at]
        self.at += 1
        if limit > 256 and not self.spent:
            value = value << 8 | self.data[self.at]
            self.at += 1
        return value % limit

    def pick(self, options: list[Any]) -> Any:
        return options[self.below(len(options))]

    def one_in(self, chance: int) -> bool:
        return self.below(chance) == chance - 1


def value(choices: Choices, depth: int = 0) -> Any:
    """JSON data for a context."""
    kind = choices.below(7 if depth < 3 else 5)
    if kind == 0:
        return choices.pick(TEXTS)
    if kind == 1:
        return choices.pick([0, 1, -1, 2.5, 255, 1e15, 0.1 + 0.2, 1e21, 3, 123456.789])
    if kind == 2:
        return choices.pick([True, False, None])
    if kind == 3:
        return choices.pick(["a", "push", "success", "failure", ""])
    if kind == 4:
        return choices.pick([[], {}, [1, 2, 3], {"a": 1, "b": "x"}, [{"a": 1}, {"A": 2}, [3]]])
    if kind == 5:
        return [value(choices, depth + 1) for _ in range(choices.below(4))]
    keys = [choices.pick([*NAMES, *TEXTS[:12]]) for _ in range(choices.below(4))]
    return {key: value(choices, depth + 1) for key in keys}


def contexts(choices: Choices) -> dict[str, Any]:
    """Contexts as a caller gives them; `nothere` is never among them."""
    return {name: value(choices) for name in ("github", "env", "matrix", "steps", "needs")}


def expression(choices: Choices) -> str:
    """An expression, mostly a well-formed one."""
    text = spaced(choices, node(choices, 4))
    if choices.one_in(6):
        for _ in range(1 + choices.below(2)):
            at = choices.below(max(1, len(text)))
            cut = choices.below(2) + (choices.below(8) if choices.one_in(8) else 0)
            text = text[:at] + choices.pick(["", *JUNK]) + text[at + cut :]
    return text


def spaced(choices: Choices, text: str) -> str:
    return choices.pick(SPACES) + text if choices.one_in(4) else text


def node(choices: Choices, depth: int) -> str:
    if depth == 0:
        return leaf(choices)
    kind = choices.below(12)
    if kind <= 2:
        return leaf(choices)
    if kind <= 5:
        return call(choices, depth - 1)
    if kind == 6:
        return f"!{spaced(choices, node(choices, depth - 1))}"
    if kind == 7:
        return f"({spaced(choices, node(choices, depth - 1))})"
    if kind == 8 and choices.one_in(12):
        return tower(choices)
    if kind <= 9:
        return path(choices, depth - 1)
    operator = choices.pick(OPERATORS)
    count = 2 + choices.below(2)
    parts = [spaced(choices, node(choices, depth - 1)) for _ in range(count)]
    return f" {operator}".join(parts)


def leaf(choices: Choices) -> str:
    kind = choices.below(8)
    if kind <= 2:
        return quoted(choices.pick(TEXTS))
    if kind <= 4:
        return choices.pick(NUMBERS)
    if kind == 5:
        return choices.pick(["true", "false", "null", "True", "NULL"])
    return path(choices, 0)


def quoted(text: str) -> str:
    # The service un-doubles the first quote only: one at most, but for `''` itself.
    return "'" + text.replace("''", "'").replace("'", "''", 1) + "'"


def path(choices: Choices, depth: int) -> str:
    kind = choices.below(6)
    if kind == 0 and depth:
        text = call(choices, depth)
    elif kind == 1 and depth:
        text = f"({node(choices, depth)})"
    else:
        text = choices.pick(CONTEXTS[:-1]) if not choices.one_in(20) else CONTEXTS[-1]
    for _ in range(choices.below(4)):
        text += spaced(choices, step(choices, depth))
    return text


def step(choices: Choices, depth: int) -> str:
    kind = choices.below(7)
    if kind <= 2:
        return "." + spaced(choices, choices.pick(NAMES[:-1]))
    if kind == 3:
        return choices.pick([".*", "[*]", ". *", "[ * ]"])
    if kind == 4:
        return f"[{quoted(choices.pick(NAMES + TEXTS))}]"
    if kind == 5:
        return f"[{choices.pick(NUMBERS)}]"
    return f"[{node(choices, min(depth, 1))}]"


def call(choices: Choices, depth: int) -> str:
    name = choices.pick(FUNCTIONS[:10]) if not choices.one_in(30) else choices.pick(FUNCTIONS)
    count = ARITY.get(name.lower(), 1)
    if name == "case":
        count += 2 * choices.below(2)
        parts = [case_part(choices, depth, at, count) for at in range(count)]
    else:
        parts = [node(choices, depth) for _ in range(count)]
    if choices.one_in(12):
        parts = parts[: choices.below(3)] + [leaf(choices) for _ in range(choices.below(3))]
    if name == "format" and parts and not choices.one_in(6):
        parts[0] = quoted(
            "".join(choices.pick(["{0}", "x", "{{", "}}", "{1}", "-", " "]) for _ in "abc")
        )
    if name == "fromJSON" and not choices.one_in(4):
        parts[:1] = [quoted(choices.pick(TEXTS[-38:]))]
    return f"{name}{spaced(choices, '(')}{','.join(spaced(choices, part) for part in parts)})"


def case_part(choices: Choices, depth: int, at: int, count: int) -> str:
    if at % 2 == 0 and at < count - 1 and not choices.one_in(8):
        return choices.pick(["true", "false", f"{leaf(choices)} == {leaf(choices)}", "!github.a"])
    return node(choices, depth)


def tower(choices: Choices) -> str:
    """Something deep: around the limit of 50."""
    height = 20 + choices.below(40)
    kind = choices.below(6)
    if kind == 0:
        return "!" * height + "true"
    if kind == 1:
        return "(" * height + "1" + ")" * height
    if kind == 2:
        return "github" + choices.pick([".a", "['a']", ".*", "[0]"]) * height
    if kind == 3:
        return "format(" * height + "'x'" + ")" * height
    if kind == 4:
        return choices.pick([" && ", " || ", " == ", " < "]).join(["1"] * height)
    return "toJSON(fromJSON(" * (height // 2) + "'1'" + "))" * (height // 2)
