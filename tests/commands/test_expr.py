"""`grind expr`: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from grind.commands import expr as command
from grind.commands.expr import answer_line
from grind.core.errors import GrindError
from grind.ui.arguments import parser_for


def run(argv: list[str], *args: object, **more: object) -> int:
    parser = parser_for("expr", command.HELP, command.EXAMPLES)
    command.add_arguments(parser)
    return command.run(parser.parse_args(argv), *args, **more)  # type: ignore[arg-type]


def ask(*argv: str, stdin: str = "") -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = run(list(argv), io.StringIO(stdin), out, err)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("1 == 1", '{"kind": "Boolean", "value": true}'),
        ("${{ 'x' }}", '{"kind": "String", "value": "x"}'),
        ("null", '{"kind": "Null", "value": null}'),
        ("", '{"kind": "Null", "value": null}'),
        ("2", '{"kind": "Number", "value": 2}'),
        ("2.5", '{"kind": "Number", "value": 2.5}'),
        ("-0", '{"kind": "Number", "value": 0}'),
        ("1e21", '{"kind": "Number", "value": 1e+21}'),
        ("NaN", '{"kind": "Number", "value": null, "text": "NaN"}'),
        ("${{ -Infinity }}", '{"kind": "Number", "value": null, "text": "-Infinity"}'),
        ("fromJSON('[1, {\"A\": null}]')", '{"kind": "Array", "value": [1, {"A": null}]}'),
        ("fromJSON('{}')", '{"kind": "Object", "value": {}}'),
    ],
)
def test_answer(source: str, answer: str) -> None:
    assert ask(source) == (0, answer + "\n", "")


def test_contexts_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "contexts.json"
    path.write_text('{"github": {"ref": "é"}}', encoding="utf-8")
    code, out, _ = ask("github.ref", "--contexts", str(path))
    assert (code, json.loads(out)) == (0, {"kind": "String", "value": "é"})


def test_a_template_that_is_asked_as_an_expression_is_told_the_way() -> None:
    code, out, err = ask("a${{ 1 }}b")
    assert (code, out) == (2, "")
    assert err.endswith("try: grind expr --template, when this is text with ${{ }} in it\n")
    assert "--template" not in ask("a@b")[2]
    assert "--template" not in ask("--template", "a${{ @ }}b")[2]


def test_template(tmp_path: Path) -> None:
    assert ask("--template", "a${{ 1 }}b")[1] == '{"kind": "String", "value": "a1b"}\n'
    code, _, err = ask("--template", "a${{ 1 @ }}b")
    assert code == 2
    assert err.splitlines()[1:] == ["  a${{ 1 @ }}b", "         ^"]


def test_an_error_has_a_caret_at_its_place() -> None:
    code, out, err = ask("true &&\n  github.ref")
    assert (code, out) == (2, "")
    assert err.splitlines()[-2:] == ["    github.ref", "    ^"]
    assert err.startswith("parsing error: Unrecognized named-value: 'github'")


def test_a_disputed_answer_comes_with_advice() -> None:
    code, _, err = ask("format('{0}', 1e15)")
    assert code == 2
    assert "disagree" in err
    assert "try: " in err


@pytest.mark.parametrize("text", ["[]", "{", "\udcff"])
def test_a_bad_contexts_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "contexts.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    code, out, err = ask("1", "--contexts", str(path))
    assert (code, out) == (2, "")
    assert str(path) in err
    assert ask("1", "--contexts", str(tmp_path / "none.json"))[0] == 2


def test_a_number_of_many_digits_is_a_double_as_in_javascript() -> None:
    line = '{"expr": "a == Infinity", "contexts": {"a": ' + "1" * 5000 + "}}"
    assert json.loads(answer_line(line)) == {"kind": "Boolean", "value": True}


def test_status_functions_exist_where_a_status_is_given() -> None:
    source = "format('{0} {1} {2} {3}', success(), failure(), cancelled(), always())"
    assert json.loads(ask(source, "--status", "failure")[1])["value"] == "false true false true"
    assert ask(source)[0] == 2


def test_without_an_expression_it_is_a_usage_error() -> None:
    with pytest.raises(GrindError, match="EXPR") as caught:
        ask()
    assert caught.value.code == 2


def test_batch() -> None:
    lines = [
        {"expr": "a.b", "contexts": {"a": {"B": 1}}},
        {"expr": "'x"},
        {"expr": "nope", "contexts": None},
        {"expr": "fromJSON('')"},
    ]
    code, out, err = ask("--batch", stdin="\n".join(map(json.dumps, lines)) + "\n\n")
    answers = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert answers[0] == {"kind": "Number", "value": 1}
    assert [answer["error"]["class"] for answer in answers[1:]] == [
        "lexing",
        "parsing",
        "evaluation",
    ]
    assert answers[1]["error"] == {
        "class": "lexing",
        "message": "Unexpected symbol: ''x'. Located at position 1 within expression: 'x",
        "position": 0,
    }


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "[]", "1", '{"expr": 1}', '{"contexts": {}}', '{"expr": "1", "contexts": []}',
        '{"expr": "\\ud83d"}', '{"expr": "a", "contexts": {"a": "\\ud83d"}}', "[" * 100_000,
        '{"expr": "a", "contexts": {"a": ' + "[" * 500 + "]" * 500 + "}}",
        '{"expr": "a", "contexts": {"a": {"x": 1, "X": 2}}}',
    ],
)  # fmt: skip
def test_a_hostile_line_is_answered_with_an_error(line: str) -> None:
    answer = json.loads(answer_line(line))
    assert answer["error"]["class"] in ("lexing", "parsing", "evaluation")
    assert answer["error"]["message"]
