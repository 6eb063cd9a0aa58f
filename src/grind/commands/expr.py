"""`grind expr`: what an expression answers, for people who ask why an `if:` went the way it did."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from operator import eq
from pathlib import Path
from typing import TextIO

from grind.core.errors import GrindError
from grind.workflows.expressions import (
    Array,
    EvaluationError,
    ExpressionError,
    Functions,
    LexingError,
    Object,
    ParsingError,
    Value,
    evaluate,
    evaluate_template,
    from_python,
    kind,
    to_text,
)

HELP = "evaluate a GitHub Actions expression, and say why it is wrong"
EXAMPLES = """\
  grind expr "contains('v1.2-rc', 'rc') && 'pre' || 'release'"
  grind expr 'github.event.pull_request.draft == false' --contexts event.json
  grind expr --template 'build-${{ matrix.os }}' --contexts matrix.json
  grind expr "failure() && 'notify'" --status failure
  grind expr --batch < expressions.ndjson
  grind expr -- -Infinity

A Number that JSON cannot hold (NaN, Infinity, -Infinity) is written as GitHub's evaluator writes
it, null, with its text beside it: {"kind": "Number", "value": null, "text": "NaN"}; -0 is 0.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("expression", nargs="?", metavar="EXPR", help="with or without ${{ }}")
    parser.add_argument(
        "--contexts", metavar="FILE.json", type=Path, help="an object: context name to value"
    )
    parser.add_argument("--template", action="store_true", help="EXPR is text with ${{ }} in it")
    parser.add_argument(
        "--status",
        choices=("success", "failure", "cancelled"),
        help="how the job stands: gives success(), failure(), cancelled() and always()",
    )
    parser.add_argument(
        "--batch",
        action="store_true",
        help="read {expr, contexts} objects, one a line, from stdin; answer one a line",
    )


def run(
    options: argparse.Namespace,
    stdin: Iterable[str] | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Run the command; 0 when there is an answer (in a batch: always), 2 when there is none."""
    out = sys.stdout if stdout is None else stdout
    err = sys.stderr if stderr is None else stderr
    if options.batch:
        for line in sys.stdin if stdin is None else stdin:
            if line.strip():
                out.write(answer_line(line) + "\n")
                out.flush()
        return 0
    if options.expression is None:
        raise GrindError("EXPR or --batch is needed", remedy="`grind expr --help` has examples")
    try:
        contexts = _read_contexts(options.contexts)
        functions = _status_functions(options.status)
        answer = _evaluate(options.expression, contexts, functions, template=options.template)
    except ExpressionError as error:
        err.write(_pointed(error, options.expression))
        if isinstance(error, LexingError) and "${{" in options.expression and not options.template:
            err.write("try: grind expr --template, when this is text with ${{ }} in it\n")
        return 2
    except (OSError, ValueError, RecursionError) as error:
        err.write(f"grind expr: {options.contexts}: {error}\n")
        return 2
    out.write(json.dumps(answer) + "\n")
    return 0


def answer_line(line: str) -> str:
    """Answer one line of a batch; never raises."""
    try:
        request = _request(line)
        contexts = request.get("contexts")
        if contexts is not None and not isinstance(contexts, dict):
            raise ParsingError("'contexts' is no object")
        answer = _evaluate(str(request["expr"]), contexts, template=bool(request.get("template")))
        return json.dumps(answer)
    except ExpressionError as error:
        problem = {"class": error.kind, "message": error.message, "position": error.position}
        return json.dumps({"error": problem})


def _request(line: str) -> dict[str, object]:
    try:
        request = json.loads(line, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise ParsingError(f"the line is no JSON: {error}") from None
    if not isinstance(request, dict) or not isinstance(request.get("expr"), str):
        raise ParsingError("the line is no object with a text 'expr'")
    return request


def _evaluate(
    source: str,
    contexts: Mapping[str, object] | None,
    functions: Functions | None = None,
    *,
    template: bool,
) -> dict[str, object]:
    # A source with half a surrogate pair cannot come from a file: refuse it as text.
    checked = from_python(source)
    assert isinstance(checked, str)
    ask = evaluate_template if template else evaluate
    value = ask(checked, contexts, functions)
    answer: dict[str, object] = {"kind": kind(value), "value": _plain(value, 0)}
    if isinstance(value, float) and not math.isfinite(value):
        answer["text"] = to_text(value)
    return answer


def _plain(value: object, depth: int) -> object:
    """Give JSON data for a value: whole numbers without a fraction, as JavaScript writes them."""
    if depth > 100:
        raise EvaluationError("the answer is nested more than 100 levels deep")
    if isinstance(value, Object):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Array):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    return value


def _status_functions(status: str | None) -> Functions | None:
    if status is None:
        return None
    names = ("success", "failure", "cancelled")
    return {"always": lambda: True, **{name: partial(eq, name, status) for name in names}}


def _read_contexts(path: Path | None) -> dict[str, Value] | None:
    if path is None:
        return None
    data = json.loads(path.read_text(encoding="utf-8"), parse_int=float)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")
    return data


def _pointed(error: ExpressionError, source: str) -> str:
    """Word an error with the line it is in and a caret under its place."""
    text = f"{error.kind} error: {error.message}\n"
    if error.position is not None and error.position <= len(source):
        start = source.rfind("\n", 0, error.position) + 1
        line = source[start:].split("\n", 1)[0]
        text += f"  {line}\n  {' ' * (error.position - start)}^\n"
    if error.remedy:
        text += f"try: {error.remedy}\n"
    return text
