"""Questions about a command's arguments."""

from __future__ import annotations

from grind.rules.shell.model import Word
from grind.rules.shell.programs import Call


def has(call: Call, short: str = "", *long: str) -> bool:
    """Whether a short option (alone or in a cluster) or one of the long ones is given."""
    for word in call.arguments:
        text = word.text
        if text.startswith("--"):
            if text.split("=", 1)[0] in long:
                return True
        elif short and text.startswith("-") and any(letter in text[1:] for letter in short):
            return True
    return False


def values(call: Call, *names: str) -> list[Word]:
    """The values of these options: the word after `-o` or `--opt`, or `--opt=x` whole."""
    out: list[Word] = []
    arguments = call.arguments
    for index, word in enumerate(arguments):
        text = word.text
        for name in names:
            if text == name or (_clusters(name, text)):
                if index + 1 < len(arguments):
                    out.append(arguments[index + 1])
            elif name.startswith("--"):
                if text.startswith(name + "="):
                    out.append(word)
            elif text.startswith(name) and len(text) > 2 and not text.startswith("--"):
                out.append(word)
    return out


def _clusters(name: str, text: str) -> bool:
    """`-sSo` for `-o`."""
    single = len(name) == 2 and name[0] == "-" and name[1] != "-"
    return single and len(text) > 2 and text[0] == "-" and text[1] != "-" and text.endswith(name[1])


def positionals(call: Call, valued: frozenset[str] = frozenset()) -> list[Word]:
    """Arguments that are no options; `valued` names options that take the next word."""
    out: list[Word] = []
    skip = False
    rest = False
    for word in call.arguments:
        text = word.text
        if skip:
            skip = False
        elif rest:
            out.append(word)
        elif text == "--":
            rest = True
        elif text.startswith("-") and len(text) > 1:
            skip = text in valued
        else:
            out.append(word)
    return out


def before_dashes(call: Call) -> list[Word]:
    """Arguments up to `--`."""
    for index, word in enumerate(call.arguments):
        if word.text == "--":
            return list(call.arguments[:index])
    return list(call.arguments)
