"""What is generated is not stale, and says what is true of real documents."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from grind.core.config import load
from grind.core.drift import document as drift_document
from grind.core.errors import GrindError, Problem, ProblemsError, RefusedError
from grind.core.events import encode
from grind.core.plandoc import document
from grind.ui.error_text import document as error_document
from grind.ui.status_text import status_document
from tests.ui.sample import LANDED, PLAN, RED
from tests.ui.test_drift_text import DRIFT, NONE
from tests.ui.test_log_and_status import GREEN_STATUS, RED_STATUS

ROOT = Path(__file__).parents[1]


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_docs", ROOT / "tools" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def validator(name: str) -> Draft202012Validator:
    """The schema as the installed package has it."""
    schema = json.loads(files("grind").joinpath("schemas", f"{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_nothing_generated_is_stale() -> None:
    for name, text in tool().generated().items():
        assert (ROOT / name).read_text() == text, f"{name} is stale: run `make docs`"


def test_every_event_of_a_run_is_as_the_schema_says() -> None:
    check = validator("events")
    for entry in [*RED, *LANDED]:
        check.validate(json.loads(encode(entry)))
    with pytest.raises(ValidationError):
        check.validate(json.loads(encode(RED[0])) | {"schema": "grind.events/2"})
    with pytest.raises(ValidationError):
        check.validate(json.loads(encode(RED[0])) | {"event": {"type": "no.such"}})


def test_a_plan_is_as_the_schema_says() -> None:
    check = validator("plan")
    told = json.loads(msgspec.json.encode(document(PLAN)))
    check.validate(told)
    for key in told:
        with pytest.raises(ValidationError):
            check.validate({k: v for k, v in told.items() if k != key})
    with pytest.raises(ValidationError):
        check.validate(told | {"surprise": 1})


def test_drift_is_as_the_schema_says() -> None:
    for drift in (DRIFT, NONE):
        validator("drift").validate(json.loads(msgspec.json.encode(drift_document(drift))))
    assert drift_document(DRIFT)["drifted"]
    assert not drift_document(NONE)["drifted"]


@pytest.mark.parametrize(
    "error",
    [
        GrindError("no"),
        RefusedError("no", remedy="do"),
        ProblemsError("no:", (Problem("a", 1, None, "b"), Problem("a", None, None, "b", "c"))),
    ],
)
def test_an_error_is_as_the_schema_says(error: GrindError) -> None:
    validator("error").validate(json.loads(error_document(error)))


def test_a_status_is_as_the_schema_says() -> None:
    for status in (RED_STATUS, GREEN_STATUS):
        told = json.loads(status_document(status))
        validator("status").validate(told)


GOOD = (
    "",
    'main = "main"\njobs = 3\n[receipt]\nmax_age = "2w"\n[land]\nconventional = true',
    '[[check]]\nname = "a"\nrun = "x"\ntimeout = 90\n[[check]]\nname = "b"\nrun = "x"\n'
    'needs = ["a"]\ntimeout = "1m30s"\nenv = { A = "1" }\nmin_tests = 1\ninputs = ["src/**"]',
    '[[verdict]]\njob = "a"\nstep = 2\nverdict = "overridden"\nreason = "r"\nrun = "x"',
    '[[ignore]]\nworkflow = "a"\nreason = "r"\n[hosts.local]\nlabels = ["x"]\nenv = ["A"]',
)
BAD = (
    "mian = 1",
    "jobs = 0",
    'jobs = "3"',
    'main = "-x"',
    "[receipt]\nmax_age = 0",
    '[receipt]\nmax_age = "5 m"',
    '[[check]]\nname = "a b"\nrun = "x"',
    '[[check]]\nrun = "x"',
    '[[check]]\nname = "a"\nrun = "x"\nenv = { A = 1 }',
    '[[check]]\nname = "a"\nrun = "x"\nenv = { "A B" = "1" }',
    '[[verdict]]\njob = "a"\nverdict = "skiped"\nreason = "r"',
    '[[verdict]]\njob = "a"\nverdict = "skipped"\nreason = ""',
)


@pytest.mark.parametrize("source", GOOD)
def test_what_the_reader_takes_the_schema_takes(source: str) -> None:
    load("grind.toml", source.encode())
    validator("grind.toml").validate(plain(source))


@pytest.mark.parametrize("source", BAD)
def test_what_the_schema_refuses_the_reader_refuses(source: str) -> None:
    with pytest.raises(ProblemsError):
        load("grind.toml", source.encode())
    with pytest.raises(ValidationError):
        validator("grind.toml").validate(plain(source))


def plain(source: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(source)))


def test_every_key_is_explained() -> None:
    """An editor shows these sentences; a key without one is a key that nobody understands."""
    schema = validator("grind.toml").schema
    assert isinstance(schema, dict)
    for name, definition in schema["$defs"].items():
        assert definition["description"], name
        for key, value in definition["properties"].items():
            ref = value.get("$ref") or value.get("items", {}).get("$ref")
            told = value.get("description") or ref
            assert told, f"{name}.{key}"
