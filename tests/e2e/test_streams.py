"""What programs read: `--json` of every command holds its schema, line by line; exit codes hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from tests.e2e.world import CHECKOUT, CI, Done, World, workflow

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema: Any = json.loads((SCHEMAS / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _stream(done: Done) -> list[dict[str, Any]]:
    """Every line is one event of the schema, numbered from 1 without gaps but for output."""
    validator = _validator("events.json")
    for line in done.out.splitlines():
        validator.validate(json.loads(line))
    assert done.out.endswith("\n")
    numbers = [line["seq"] for line in done.lines if line["event"]["type"] != "step.output"]
    assert numbers == sorted(numbers)
    return done.events


RICH = (
    '- id: one\n  name: "\\u001b[31mred\\u0007 \\u202e name"\n'
    "  run: |\n    echo '::error file=a.py,line=3,col=4,title=T::bad thing'\n"
    "    echo '::add-mask::hunter2'; echo hunter2; printf '\\377\\033[1m x\\n'\n"
    "- run: sudo apt-get install -y no-such-thing\n"
    "- run: test ! -e red\n"
)


def test_check_stream(world: World) -> None:
    world.start({CI: workflow(CHECKOUT + RICH)})
    partial = world.grind("check", "--json")
    events = _stream(partial)
    assert partial.code == 3
    assert (events[0]["type"], events[-1]["type"]) == ("run.started", "run.ended")
    assert events[-1]["exit_code"] == 3
    assert "hunter2" not in partial.out
    assert [e["line"] for e in events if e["type"] == "annotation"] == [3]
    toml = '[[verdict]]\njob = "test"\nstep = 2\nverdict = "overridden"\nreason = "r"\n'
    world.write({"grind.toml": toml})
    assert _stream(world.grind("check", "--json"))[-1]["state"] == "green"
    cached = world.grind("check", "--json")
    assert cached.code == 0
    assert _stream(cached)[-1]["cached"] is True
    world.write({"red": ""})
    red = world.grind("check", "--json")
    assert (red.code, _stream(red)[-1]["state"]) == (1, "red")
    _stream(world.grind("log", "--json"))
    _validator("receipt.json" if (SCHEMAS / "receipt.json").exists() else "status.json")


def test_documents(world: World) -> None:
    world.start({CI: workflow(CHECKOUT + RICH)})
    plan, status = _validator("plan.json"), _validator("status.json")
    plan.validate(world.plan())
    plan.validate(world.plan("--event", "pull_request"))
    status.validate(world.status())
    world.grind("check")
    status.validate(world.status())
    world.write({"new\n\x1b[2J": "x"})
    status.validate(world.status())


def test_errors(world: World) -> None:
    error = _validator("error.json")
    outside = world.grind("plan", "--json", cwd=world.outside)
    error.validate(outside.document)
    assert outside.document["code"] == outside.code == 2
    world.start({CI: "on: push\njobs:\n  a:\n    needs: b\n"})
    broken = world.grind("check", "--json")
    error.validate(broken.document)
    assert {p["line"] for p in broken.document["problems"]} >= {4}
    for args in (("status", "--nope"), ("log", "gone"), ("check", "x"), ("check", "--fast")):
        done = world.grind(*args, "--json")
        error.validate(done.document)
        assert done.document["code"] == done.code == 2
        assert done.err == ""


def test_output_to_a_closed_pipe(world: World) -> None:
    """`grind plan | head -0`: no traceback; a run goes on or ends, but is never green by it."""
    import subprocess
    import sys

    world.start({CI: workflow("- run: seq 100000\n- run: test 1\n")})
    for command in ("plan", "log", "check --again --follow", "check --again --json"):
        done = subprocess.run(
            [
                "bash",
                "-c",
                f"{sys.executable} -m grind {command} | head -c 5; echo ${{PIPESTATUS[0]}}",
            ],
            cwd=world.repo,
            env=world.env,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Traceback" not in done.stderr, done
        assert "a fault in grind" not in done.stderr, done
    world.until(lambda: not world.processes(), "something goes on")


def test_no_colour_and_plain_lines_when_not_on_a_terminal(world: World) -> None:
    world.start({CI: workflow("- run: test 1\n")})
    for env in ({}, {"FORCE_COLOR": ""}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}):
        done = world.grind("check", "--again", env=env)
        assert done.code == 0
        assert "\x1b" not in done.out


def test_every_command_has_help(world: World) -> None:
    for command in ("plan", "check", "build", "land", "status", "log", "demo"):
        done = world.grind(command, "--help", cwd=world.outside)
        assert done.code == 0
        assert f"grind {command}" in done.out
