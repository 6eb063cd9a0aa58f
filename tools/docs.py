"""Generate what is generated: JSON Schemas and the page of exit codes. `make docs` writes them.

The classes are the source. Sentences that stand under a field in the source become its
description, so that an editor can show them. A test holds that the files are not stale.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import msgspec

from grind.core import (
    activateconfig,
    config,
    doctor,
    drift,
    events,
    health,
    hostevents,
    hosthistory,
    plan,
    plandoc,
    probe,
    receipt,
    standing,
    topics,
)
from grind.core.errors import ExitCode
from grind.core.typed import DURATION, DURATION_PATTERN
from grind.ui import error_text, probe_text

ROOT = Path(__file__).parents[1]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BAR = r"\|"
"""A bar inside a cell of a table."""
Schema = dict[str, Any]


def main() -> int:
    """Write every generated file; say which ones changed."""
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {name}")
    return 0


def generated() -> dict[str, str]:
    """Return every generated file: path from the repository's root, and text."""
    files = {
        "docs/errors.md": errors(),
        "docs/exit-codes.md": exit_codes(),
        "docs/compatibility.md": beside("compatibility").page(),
        "src/grind/ui/command_table.py": beside("commands").module(),
    }
    reference = beside("reference")
    made = schemas()
    files |= {
        "docs/reference/commands.md": reference.commands(),
        "docs/reference/rules.md": beside("rules").page(),
        "docs/reference/grind-toml.md": reference.configuration(made["grind.toml"]),
        "docs/reference/events.md": reference.events(made["events"]),
    }
    for name, schema in made.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        files[f"docs/schemas/{name}.json"] = text
        files[f"src/grind/schemas/{name}.json"] = text
    return files


def beside(name: str) -> ModuleType:
    """Return a module beside this one, however this one was started."""
    path = ROOT / "tools" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"tools_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exit_codes() -> str:
    """Return the page of exit codes."""
    rows = "".join(
        f"| {code.value} | {name(code)} | {code.meaning.replace('|', BAR)} |\n" for code in ExitCode
    )
    return (
        "# Exit codes\n\n"
        "Generated from `src/grind/core/errors.py` by `make docs`.\n\n"
        "Every grind process ends with one of these. They do not change their meaning; a program\n"
        "that drives grind may rely on them. With `--json`, an error is one document on standard\n"
        "output, `grind.error/1` ([schema](schemas/error.json)), which has the code and its name.\n"
        "\n| code | name | meaning |\n| ---: | --- | --- |\n" + rows
    )


def errors() -> str:
    """Return the page of errors' codes."""
    parts = [
        "# Errors",
        "Generated from `src/grind/core/topics.py` by `make docs`.",
        "Every error names what is wrong and what to do next. Its code says what it is about: it is in "
        "the last line on a terminal, and `topic` in the document of `--json`. `grind help CODE` prints "
        "the text below.",
    ]
    for topic, (title, told) in topics.TOPICS.items():
        parts += [f"## {topic}", f"**{title}.** {' '.join(told.split())}"]
    return "\n\n".join(parts) + "\n"


def name(code: ExitCode) -> str:
    """Return a code's name as the error document has it."""
    return code.name.lower().replace("_", "-")


def schemas() -> dict[str, Schema]:
    """Return every JSON Schema by the name of its file."""
    return {
        "grind.toml": _config(),
        "events": _events(),
        "plan": _plan(),
        "drift": _drift(),
        "status": _status(),
        "doctor": _doctor(),
        "probe": _probe(),
        "host": _host(),
        "error": _error(),
        "receipt": _receipt(),
    }


# --- one schema each -----------------------------------------------------------------------------


def _config() -> Schema:
    schema = _schema(config.Config, config, activateconfig, probe)
    schema["$defs"]["Check"]["anyOf"] = [{"required": ["run"]}, {"required": ["app"]}]
    return _finished(
        _without_null(schema), "grind.toml", "What a repository tells grind. Optional."
    )


def _events() -> Schema:
    schema = _schema(events.Entry, events, health, hostevents)
    schema["$defs"]["Entry"]["properties"]["schema"] = {"const": events.EVENTS_SCHEMA}
    return _finished(
        schema,
        events.EVENTS_SCHEMA,
        "One line of the NDJSON stream (running commands with --json) and of the journal.",
    )


def _plan() -> Schema:
    """The document leaves out what only the engine needs; `document` decides which fields stay."""
    schema = _schema(plan.Plan, plan)
    definitions = schema["$defs"]
    row = plandoc.document(_sample_plan())
    job = row["jobs"][0]
    _keep(definitions["JobPlan"], job, optional=("remedy", "file", "left", "open"))
    more = ("background", "control", "targets")
    optional = ("remedy", "gating_reason", "parent", "file", *more)
    _keep(definitions["StepPlan"], job["steps"][0], optional=optional)
    definitions["Plan"]["properties"] |= {
        "schema": {"const": plandoc.PLAN_SCHEMA},
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
    _keep(definitions["Plan"], row, optional=())
    return _finished(_reachable(schema), plandoc.PLAN_SCHEMA, "What `grind plan --json` prints.")


def _sample_plan() -> plan.Plan:
    step = plan.StepPlan(
        index=0,
        id="",
        name="",
        run=None,
        uses=None,
        shell="",
        working_directory="",
        env={},
        klass=plan.StepClass.CHECK,
        gating=True,
        gating_reason="x",
        verdict=plan.Verdict.EXECUTED,
        line=1,
        remedy="x",
        parent=0,
        file="x",
        background=True,
        control="wait",
        targets=(0,),
    )
    job = plan.JobPlan(
        key="",
        id="",
        name="",
        workflow="",
        line=1,
        active=True,
        klass=plan.StepClass.CHECK,
        verdict=plan.Verdict.EXECUTED,
        remedy="x",
        file="x",
        open="x",
        steps=(step,),
    )
    return plan.Plan(tree="", commit="", event="", ref="", base=None, jobs=(job,))


def _keep(definition: Schema, sample: dict[str, Any], *, optional: tuple[str, ...]) -> None:
    """Keep the properties that the sample has; all are required but the optional ones."""
    definition["properties"] = {key: definition["properties"][key] for key in sample}
    for value in definition["properties"].values():
        value.pop("default", None)
    definition["required"] = [key for key in sample if key not in optional]
    definition["additionalProperties"] = False


def _drift() -> Schema:
    """Every field is always there, and two more: the schema's name, and the answer."""
    schema = _schema(drift.Drift, drift)
    for definition in schema["$defs"].values():
        if "properties" in definition:
            for value in definition["properties"].values():
                value.pop("default", None)
            definition["required"] = list(definition["properties"])
            definition["additionalProperties"] = False
    top = schema["$defs"]["Drift"]
    first = {
        "schema": {"const": drift.DRIFT_SCHEMA},
        "drifted": {
            "type": "boolean",
            "description": "Whether the exit code is 4.",
        },
    }
    top["properties"] = first | top["properties"]
    top["required"] = list(top["properties"])
    return _finished(schema, drift.DRIFT_SCHEMA, "What `grind plan --drift --json` prints.")


def _status() -> Schema:
    hints = get_type_hints(standing.Status)
    defaults = standing.Status._field_defaults
    fields = [(n, kind, defaults[n]) if n in defaults else (n, kind) for n, kind in hints.items()]
    told = {"__doc__": standing.Status.__doc__}
    schema = _schema(msgspec.defstruct("Status", fields, namespace=told), standing)
    properties = schema["$defs"]["Status"]["properties"]
    schema["$defs"]["Status"]["properties"] = {
        "schema": {"const": standing.STATUS_SCHEMA}
    } | properties
    schema["$defs"]["Status"]["required"] = ["schema", *properties]
    return _finished(schema, standing.STATUS_SCHEMA, "What `grind status --json` prints.")


def _receipt() -> Schema:
    """The statement: its predicate is the class without its subject."""
    schema = _schema(receipt.Receipt, receipt)
    predicate = schema["$defs"]["Receipt"]
    for name in ("tree", "commit"):
        del predicate["properties"][name]
        predicate["required"].remove(name)
    predicate["properties"]["schema"] = {"const": receipt.RECEIPT_SCHEMA}
    digest = {"type": "string", "minLength": 1}
    subject = {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {
            "type": "object",
            "properties": {
                "name": {"enum": ["tree", "commit"]},
                "digest": {
                    "type": "object",
                    "properties": {"gitTree": digest, "gitCommit": digest},
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            },
            "required": ["digest"],
        },
    }
    statement = _object(
        {
            "_type": {"const": receipt.STATEMENT_TYPE},
            "subject": subject,
            "predicateType": {"const": receipt.PREDICATE_TYPE},
            "predicate": {"$ref": "#/$defs/Receipt"},
        }
    )
    statement["$defs"] = schema["$defs"]
    title = receipt.PREDICATE_TYPE
    return _finished(statement, title, "A receipt: an in-toto Statement, and its predicate.")


def _doctor() -> Schema:
    schema = _schema(doctor.Diagnosis, doctor)
    diagnosis = schema["$defs"]["Diagnosis"]
    diagnosis["properties"] = {
        "schema": {"const": doctor.DOCTOR_SCHEMA},
        "fit": {"type": "boolean", "description": "Whether grind can work there."},
    } | diagnosis["properties"]
    diagnosis["required"] = ["schema", "fit", *diagnosis.get("required", [])]
    return _finished(schema, doctor.DOCTOR_SCHEMA, "What `grind doctor --json` prints.")


def _probe() -> Schema:
    schema = _schema(probe_text.ProbeDocument, probe_text, health)
    document = schema["$defs"]["ProbeDocument"]
    document["properties"] = {"schema": {"const": probe_text.PROBE_SCHEMA}} | document["properties"]
    document["required"] = list(document["properties"])
    return _finished(schema, probe_text.PROBE_SCHEMA, "What `grind probe --json` prints.")


def _host() -> Schema:
    schema = _schema(hosthistory.HostStatus, hosthistory)
    document = schema["$defs"]["HostStatus"]
    document["properties"] = {"schema": {"const": hosthistory.HOST_SCHEMA}} | document["properties"]
    document["required"] = ["schema", *document.get("required", [])]
    return _finished(schema, hosthistory.HOST_SCHEMA, "What `grind status --host --json` prints.")


def _error() -> Schema:
    text = {"type": "string"}
    number = {"type": ["integer", "null"], "minimum": 1}
    problem = {"file": text, "line": number, "column": number, "message": text, "expected": text}
    properties = {
        "schema": {"const": error_text.ERROR_SCHEMA},
        "code": {"enum": [code.value for code in ExitCode]},
        "name": {"enum": [name(code) for code in ExitCode]},
        "topic": {"enum": ["", *topics.TOPICS], "description": "See docs/errors.md."},
        "message": text,
        "remedy": {"type": "string", "description": "The next thing to type or to edit."},
        "problems": {"type": "array", "items": _object(problem)},
    }
    return _finished(_object(properties), error_text.ERROR_SCHEMA, "An error, with --json.")


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# --- from classes to schemas ---------------------------------------------------------------------


def _finished(schema: Schema, title: str, description: str) -> Schema:
    return {"$schema": DIALECT, "title": title, "description": description} | schema


def _schema(kind: type, *modules: ModuleType) -> Schema:
    schema = msgspec.json.schema(kind)
    sentences: dict[tuple[str, str], str] = {}
    for module in modules:
        sentences |= _sentences(inspect.getsource(module))
    for class_name, definition in schema["$defs"].items():
        for field, value in definition.get("properties", {}).items():
            snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()
            names = (field, f"{field}_", snake)
            told = next(filter(None, (sentences.get((class_name, name)) for name in names)), None)
            if told:
                value["description"] = told
    return json.loads(json.dumps(schema))  # type: ignore[no-any-return]


def _sentences(source: str) -> dict[tuple[str, str], str]:
    """Return the sentence under each field: (class, field) → text."""
    found: dict[tuple[str, str], str] = {}
    for kind in ast.parse(source).body:
        if not isinstance(kind, ast.ClassDef):
            continue
        for field, below in zip(kind.body, kind.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[kind.name, field.target.id] = " ".join(below.value.value.split())
    return found


def _without_null(schema: Any) -> Any:
    """TOML has no null: what may be absent is simply not there. Durations may be text."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.pop("x-grind", None) == DURATION:
        times = [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": DURATION_PATTERN},
        ]
        kept = {key: value for key, value in schema.items() if key != "type"}
        return kept | {"anyOf": times}
    result = {key: _without_null(value) for key, value in schema.items()}
    if "default" in result and result["default"] is None:
        del result["default"]
    if "anyOf" in result:
        result["anyOf"] = [kind for kind in result["anyOf"] if kind != {"type": "null"}]
        if len(result["anyOf"]) == 1:
            result |= result.pop("anyOf")[0]
    return result


def _reachable(schema: Schema) -> Schema:
    """Leave out the definitions that nothing refers to any more."""
    wanted: set[str] = set()
    todo = [schema["$ref"]]
    while todo:
        key = todo.pop().removeprefix("#/$defs/")
        if key not in wanted:
            wanted.add(key)
            todo += _references(schema["$defs"][key])
    kept = {key: value for key, value in schema["$defs"].items() if key in wanted}
    return schema | {"$defs": kept}


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [found for item in schema for found in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"]] if "$ref" in schema else []
    return own + [found for value in schema.values() for found in _references(value)]


if __name__ == "__main__":
    sys.exit(main())
