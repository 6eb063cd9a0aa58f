"""Reference pages made from code: commands, configuration, events."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from grind.cli import Commands
from grind.ui.arguments import parser_for

MADE = "Generated from the code by `make docs`.\n"
Schema = dict[str, Any]
BAR = r"\|"


# --- commands ------------------------------------------------------------------------------------


def commands() -> str:
    """Return the page of commands, in the order of `grind help`."""
    known = Commands()
    return "\n".join(["# Commands\n", MADE, *_commands(known)]) + "\n"


def _commands(known: Commands) -> Iterator[str]:
    yield "Every command has `--help`. Options are never abbreviated. Exit codes: [exit-codes](../exit-codes.md).\n"
    for title, rows in known.groups:
        yield f"## {title}\n"
        for name, _ in rows:
            module = known.load(name)
            if hasattr(module, "parser"):
                parser = module.parser()
            else:
                parser = parser_for(name, module.HELP)
                module.add_arguments(parser)
            yield f"### grind {name}\n"
            yield f"{_sentence(module.HELP)}\n"
            yield from _arguments(parser, f"grind {name}")
            examples = getattr(module, "EXAMPLES", "").rstrip().removeprefix("examples:\n")
            if examples:
                yield f"```text\n{examples}\n```\n"


def _arguments(parser: argparse.ArgumentParser, path: str) -> Iterator[str]:
    rows: list[tuple[str, str]] = []
    deeper: list[tuple[str, str, argparse.ArgumentParser]] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            deeper += [(name, helps.get(name, ""), sub) for name, sub in action.choices.items()]
        elif action.help != argparse.SUPPRESS and "--help" not in action.option_strings:
            help_ = (action.help or "").replace("%(default)s", str(action.default))
            rows.append((_form(action), help_))
    if rows:
        yield "| argument | means |\n| --- | --- |"
        yield "\n".join(f"| `{form}` | {_cell(means)} |" for form, means in rows) + "\n"
    for name, told, sub in deeper:
        yield f"#### {path} {name}\n"
        if told:
            yield f"{_sentence(told)}\n"
        yield from _arguments(sub, f"{path} {name}")


def _form(action: argparse.Action) -> str:
    value = action.metavar or (action.choices and "|".join(map(str, action.choices)))
    word = str(value or action.dest.upper())
    if not action.option_strings:
        return {"*": f"[{word} …]", "+": f"{word} …", "?": f"[{word}]"}.get(
            str(action.nargs), word
        ).replace("|", BAR)
    flags = ", ".join(action.option_strings)
    return (flags if action.nargs == 0 else f"{flags} {word}").replace("|", BAR)


# --- configuration -------------------------------------------------------------------------------


def configuration(schema: Schema) -> str:
    """Return the page of `grind.toml`, from its JSON Schema."""
    definitions = schema["$defs"]
    top = definitions["Config"]
    plain, tables = {}, {}
    for name, field in top["properties"].items():
        (tables if _refers(field) else plain)[name] = field
    parts = ["# grind.toml, every key\n", MADE]
    about = _sentence(top.get("description", ""))
    parts.append(
        f"{about} The schema for editors: [grind.toml.json](../schemas/grind.toml.json).\n"
    )
    parts += ["## Top of the file\n", *_fields({"properties": plain}, definitions)]
    for name, field in tables.items():
        target = definitions[_refers(field)]
        head = f"[[{name}]]" if field.get("type") == "array" else f"[{name}]"
        if field.get("type") == "object":
            head = f"[{name}.NAME]"
        parts += [f"## `{head}`\n", f"{_sentence(target.get('description', ''))}\n"]
        parts += _fields(target, definitions)
    return "\n".join(parts) + "\n"


def _refers(field: Schema) -> str:
    """Return the definition that a field's value is (or is a list or a table of), or nothing."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    for key in ("items", "additionalProperties"):
        if isinstance(field.get(key), dict) and (found := _refers(field[key])):
            return found
    for key in ("anyOf", "allOf"):
        for one in field.get(key, ()):
            if found := _refers(one):
                return found
    return ""


def _fields(definition: Schema, definitions: Schema) -> Iterator[str]:
    required = definition.get("required", ())
    yield "| key | value | means |\n| --- | --- | --- |"
    for name, field in definition["properties"].items():
        must = " **(required)**" if name in required else ""
        means = _cell(field.get("description", ""))
        default = field.get("default")
        if default not in (None, "", [], {}) and not isinstance(default, dict):
            means = (
                f"{means} Default: `{_literal(default)}`."
                if means
                else f"Default: `{_literal(default)}`."
            )
        yield f"| `{name}`{must} | {_value(field, definitions)} | {means} |"
    yield ""


def _literal(value: Any) -> str:
    return (
        {True: "true", False: "false"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )


def _value(field: Schema, definitions: Schema) -> str:
    if "enum" in field:
        return " · ".join(f"`{one}`" for one in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "$ref" in field:
        return f"a table as {_refers(field)}"
    if "anyOf" in field:
        told = [_value(one, definitions) for one in field["anyOf"]]
        text = " or ".join(dict.fromkeys(told))
        return (
            "seconds, or text such as `90s`, `5m`, `1h30m`" if "number or string" in text else text
        )
    kind = field.get("type", "any")
    if kind == "array":
        return f"list of {_value(field.get('items', {}), definitions)}"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"table of {_value(inner, definitions)}" if isinstance(inner, dict) else "table"
    return {"integer": "number", "number": "number", "null": "nothing"}.get(kind, kind)


# --- events --------------------------------------------------------------------------------------


def events(schema: Schema) -> str:
    """Return the page of events, from their JSON Schema."""
    definitions = schema["$defs"]
    mapping = definitions["Entry"]["properties"]["event"]["discriminator"]["mapping"]
    parts = ["# Events\n", MADE, _EVENTS]
    for tag, ref in mapping.items():
        definition = definitions[ref.rpartition("/")[2]]
        parts += [f"## `{tag}`\n", f"{_sentence(definition.get('description', ''))}\n"]
        shown = {k: v for k, v in definition["properties"].items() if k != "type"}
        parts += _fields(definition | {"properties": shown}, definitions)
    others = [
        d
        for name, d in definitions.items()
        if name != "Entry" and not any(r.endswith(f"/{name}") for r in mapping.values())
    ]
    if others:
        parts.append("## Parts of events\n")
        for definition in others:
            parts += [
                f"### {definition['title']}\n",
                f"{_sentence(definition.get('description', ''))}\n",
            ]
            parts += _fields(definition, definitions)
    return "\n".join(parts) + "\n"


_EVENTS = """\
A running command with `--json` writes one JSON object a line; `grind log --json` prints the same lines
from the journal. Each has `schema` (`grind.events/1`), `seq` (counts the journal's lines from 1; 0 for
what is shown and not kept, such as output), `at` (seconds since the epoch) and `event`, whose `type` is
one of the headings below. The [JSON Schema](../schemas/events.json) is the contract: fields may be added
within a version, and what is unknown is to be passed over.
"""


# --- words ---------------------------------------------------------------------------------------


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return (
        text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".")
        if text
        else ""
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", BAR)
