"""`grind.toml`: every problem at once, each at its place."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import Check, Config, load
from grind.core.errors import ExitCode, ProblemsError
from grind.core.tomlplace import find
from grind.core.typed import seconds


def problems(source: str | bytes) -> list[str]:
    data = source.encode() if isinstance(source, str) else source
    with pytest.raises(ProblemsError) as caught:
        load("grind.toml", data)
    assert caught.value.code is ExitCode.USAGE
    return [str(problem) for problem in caught.value.problems]


def test_nothing_is_the_default() -> None:
    assert load("grind.toml", b"") == Config()
    assert Config().receipt.max_age == 30 * 86400
    assert Config().local.labels == ()


def test_everything_that_can_be_said() -> None:
    config = load(
        "grind.toml",
        b"""
main = "main"
remote = "origin"
jobs = 3
[[check]]
name = "unit"
run = "make unit"
shell = "bash"
needs = ["lint"]
inputs = ["src/**", "!src/docs/**"]
timeout = "1m30s"
min_tests = 10
working_directory = "sub"
env = { A = "1" }
[[check]]
name = "lint"
run = "make lint"
timeout = 90
[[verdict]]
uses = "docker/*@*"
workflow = "ci.yml"
job = "image"
step = 2
verdict = "overridden"
reason = "built by hand here"
run = "make image"
outputs = { digest = "x" }
env = { B = "2" }
[[verdict]]
step = "apt"
verdict = "satisfied-by-host"
check = "jq --version"
reason = "the host has jq"
[[ignore]]
workflow = "old.yml"
reason = "red since 2019"
[hosts.local]
labels = ["self-hosted"]
env = ["SSL_CERT_FILE"]
path = ["/opt/bin"]
jobs = 2
[receipt]
max_age = "2w"
[land]
conventional = true
""",
    )
    assert config.check[0] == Check(
        name="unit",
        run="make unit",
        shell="bash",
        needs=("lint",),
        inputs=("src/**", "!src/docs/**"),
        timeout=90.0,
        min_tests=10,
        working_directory="sub",
        env={"A": "1"},
    )
    assert config.check[1].timeout == 90.0
    assert config.verdict[0].step == 2
    assert config.verdict[1].check == "jq --version"
    assert config.ignore[0].reason == "red since 2019"
    assert config.local.jobs == 2
    assert config.receipt.max_age == 14 * 86400
    assert config.land.conventional is True


def test_all_problems_are_told_at_once_in_file_order() -> None:
    told = problems(
        'mian = "a"\n'
        "jobs = 0\n"
        "[[check]]\n"
        'nmae = "x"\n'
        'run = ""\n'
        'timeout = "5 minutes"\n'
        "[[verdict]]\n"
        'verdict = "skiped"\n'
    )
    assert told == [
        "grind.toml:1:1: mian: unknown key; did you mean `main`? (expected one of main, remote, "
        "host, jobs, check, verdict, ignore, drift, probe, "
        "rollback, verify, lint, python, hosts, receipt, gate, land, watch, activate)",
        "grind.toml:2:8: jobs: 0 is out of range (expected a whole number of at least 1)",
        "grind.toml:3:1: check[0]: `name` is missing "
        "(expected a name of letters, digits, `_`, `.` and `-`)",
        "grind.toml:4:1: check[0].nmae: unknown key; did you mean `name`? (expected one of name, "
        "run, app, shell, needs, inputs, timeout, min_tests, env, working_directory)",
        "grind.toml:5:7: check[0].run: is empty (expected a string with text in it)",
        "grind.toml:6:11: check[0].timeout: '5 minutes' is not a length of time (expected a time "
        'above zero such as "90s", "5m", "1h30m", "30d", or a number of seconds)',
        "grind.toml:7:1: verdict[0]: `reason` is missing (expected a string with text in it)",
        "grind.toml:7:1: verdict[0]: selects nothing "
        "(expected at least one of uses, workflow, job, step, matrix)",
        "grind.toml:8:11: verdict[0].verdict: 'skiped' is not known; did you mean 'skipped'? "
        "(expected one of 'executed', 'overridden', 'satisfied-by-host', 'skipped')",
    ]


CHECK = '[[check]]\nname = "a"\nrun = "true"\n'
RULE = '[[verdict]]\njob = "a"\nreason = "r"\n'


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("check = 3", "1:9", "is a number"),
        ("check = [3]", "1:10", "is a number"),
        ("[check]\nname = 'a'", "1:1", "is a table"),
        ("main = true", "1:8", "is the boolean true"),
        ("main = '--upload-pack=x'", "1:8", "not allowed"),
        ("main = 'a b'", "1:8", "not allowed"),
        ('main = "a\\n"', "1:8", "not allowed"),
        ("remote = 1979-05-27", "1:10", "is a date"),
        ("jobs = 1.5", "1:8", "is a number"),
        ("jobs = true", "1:8", "is the boolean"),
        ("jobs = 99999999999999999999", "1:8", "out of range"),
        ("[land]\nconventional = 'yes'", "2:16", "is a string"),
        ("[receipt]\nmax_age = 0", "2:11", "out of range"),
        ("[receipt]\nmax_age = nan", "2:11", "out of range"),
        ("[receipt]\nmax_age = true", "2:11", "is the boolean"),
        ("[receipt]\nmax_age = '1d\\n'", "2:11", "not a length of time"),
        (CHECK + "env = { A = 1 }", "4:13", "is a number"),
        (CHECK + "env = { 'A=B' = '' }", "4:9", "bad name"),
        (CHECK + 'env = { A = "\\u0000" }', "4:13", "NUL"),
        (CHECK + "min_tests = 0", "4:13", "out of range"),
        (CHECK + "working_directory = '../x'", "4:21", "is outside"),
        (CHECK + "working_directory = '/x'", "4:21", "is outside"),
        (CHECK + "inputs = ['src/**', '/etc/*']", "4:21", "can match nothing"),
        (CHECK + "working-directory = 'x'", "4:1", "did you mean `working_directory`?"),
        (CHECK + "needs = ['a']", "4:9", "cycle: a → a"),
        (CHECK + "needs = ['b']", "4:10", "there is no check 'b'"),
        (CHECK + CHECK, "5:8", "there is a check 'a' already"),
        (CHECK.replace("'a'", "'a b'").replace('"a"', '"a b"'), "2:8", "not allowed"),
        (RULE + "verdict = 'skipped'\nrun = 'x'", "5:1", "`run` means nothing"),
        (RULE + "verdict = 'executed'\ncheck = 'x'", "5:1", "`check` means nothing"),
        (RULE + "verdict = 'executed'\noutputs = {a='x'}", "5:1", "`outputs` means nothing"),
        (RULE + "verdict = 'skipped'\nenv = {a='x'}", "5:1", "`env` means nothing"),
        (RULE + "verdict = 'satisfied-by-host'", "1:1", "`check` is missing"),
        (RULE.replace("job", "step").replace('"a"', "3") + "verdict = 'skipped'", "2:8", "index"),
        (RULE + "step = 1.5\nverdict = 'skipped'", "4:8", "is a number"),
        (RULE + "step = ''\nverdict = 'skipped'", "4:8", "is a string"),
        ("[hosts.grind]\nrole = 'grind'", "1:1", "`ssh` is missing"),
        ("hosts.grind = {}", "1:7", "`ssh` is missing"),
        ("[hosts.local]\nssh = 'x'", "2:1", "`local` is this machine"),
        ("[hosts.a]\nssh = '-oProxyCommand=x'", "2:7", "not allowed"),
        ("[hosts.a]\nssh = 'a b'", "2:7", "not allowed"),
        ("[hosts.a]\nssh = ''", "2:7", "not allowed"),
        ("[hosts.a]\nssh = 'a'\nrole = 'live'", "3:8", "is not known"),
        ("[hosts.a]\nssh = 'a'\nworkspace = 'w'", "3:13", "not allowed"),
        ("[hosts.a]\nssh = 'a'\nmemory = '8 GB'", "3:10", "not allowed"),
        ("host = 'b'\n[hosts.a]\nssh = 'a'", "1:8", "there is no host 'b'"),
        ("[hosts]\nlocal = 3", "2:9", "is a number"),
        ("[[ignore]]\nworkflow = 'x'", "1:1", "`reason` is missing"),
        ("[[ignore]]\nworkflow = 'x'\nreason = ' '", "3:10", "is empty"),
    ],
)
def test_one_fault_one_problem_at_its_place(source: str, place: str, words: str) -> None:
    told = problems(source)
    matching = [line for line in told if words in line]
    assert matching, told
    assert matching[0].startswith(f"grind.toml:{place}: "), matching[0]


def test_a_longer_cycle_is_told_once_with_its_way() -> None:
    told = problems(
        '[[check]]\nname = "a"\nrun = "x"\nneeds = ["b"]\n'
        '[[check]]\nname = "b"\nrun = "x"\nneeds = ["c"]\n'
        '[[check]]\nname = "c"\nrun = "x"\nneeds = ["a", "b"]\n'
    )
    assert told == ["grind.toml:4:9: check[0].needs: cycle: a → b → c → a"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"a = \n", "grind.toml:1:5: "),
        (b"a = 1\n\nb = [1,\n", "grind.toml:3:8: "),
        (b"a = 1\na = 2\n", "grind.toml:2:"),
        (b"a = 1\nb = '\xc3\xa9\xff'", "grind.toml:2:7: not UTF-8 text (expected TOML"),
        (b"a = " + b"[" * 100_000, "grind.toml: nested too deeply to be read"),
    ],
)
def test_what_is_not_toml_has_a_place(source: bytes, told: str) -> None:
    assert problems(source)[0].startswith(told)


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("0.5s", 0.5), ("250ms", 0.25)]
)
def test_lengths_of_time(text: str, value: float) -> None:
    assert seconds(text) == value


# --- places ---------------------------------------------------------------------------------------

TRICKY = r'''
# [not.a.table]
a = 1 # b = 2
"quoted key" = 'x = 1'
c . "d.e" = """
[no]
x = "y" \""" ""quotes"" """""
f = { g = 1, h = { i = [1, 2] }, "j k" = "}" }
k = [ "a", # ]
  'b', [ 3, { l = 4 } ],
]
date = 1979-05-27 07:32:00
raw = ''' + "'''it's ''fine'' '''''" + r'''
[m.n]
o = -inf
[[p]]
q = 1
[[p.r]]
s = 1
[[p.r]]
s = 2
[p.t]
u = 1
[[p]]
q = 2
p2.x = 1
p2.y = 2
[ v . "w x" ]
y=true
'''  # fmt: skip


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    own = {path} if path else set()
    return own.union(*(paths(item, (*path, key)) for key, item in items))


def test_places_of_a_tricky_document() -> None:
    places = find(TRICKY)
    assert set(places.keys) == paths(tomllib.loads(TRICKY))
    lines = TRICKY.split("\n")

    def at(*path: str | int) -> str:
        place = places.nearest(path, value=True)
        return lines[place.line - 1][place.column - 1 :]

    assert at("a").startswith("1 #")
    assert at("c", "d.e").startswith('"""')
    assert at("f", "h", "i", 1) == '2] }, "j k" = "}" }'
    assert at("k", 2, 1, "l") == "4 } ],"
    assert at("p", 0, "r", 1, "s") == "2"
    assert at("p", 0, "r", 1) == "[[p.r]]"
    assert at("p", 1, "p2", "y") == "2"
    assert at("v", "w x", "y") == "true"
    assert at("p", 1, "q", "no such") == "2"


KEYS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=6
) | st.sampled_from(["a", "b", "a-b", "1", "a.b", "", '"', "'", "#"])
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.booleans().map(lambda b: str(b).lower()),
    st.text(st.characters(codec="utf-8"), max_size=12).map(lambda s: quoted(s)),
    st.sampled_from(["'''a\n[x]\n'''", '"""\n\\"]#"""', "1979-05-27 07:32:00", "inf", "'#'"]),
)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" if not c.isalnum() else c for c in text) + '"'


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ " + " ,\n# ]\n".join(items) + "\n]"),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"{quoted(k)} = {v}" for k, v in items.items()) + "}"
        ),
    ),
    max_leaves=6,
)
TABLES = st.lists(
    st.tuples(
        st.sampled_from(["", "[{}]", "[[{}]]", "[{}.x]", "[[{}.'y z']]"]),
        st.sampled_from(["t", "u", "t.v"]),
        st.dictionaries(KEYS, VALUES, max_size=3),
    ),
    max_size=5,
)


@given(TABLES)
def test_law_every_path_of_the_document_has_a_place_and_nothing_else(
    tables: list[tuple[str, str, dict[str, str]]],
) -> None:
    text = ""
    for header, name, pairs in tables:
        candidate = text + header.format(name) + "\n"
        candidate += "".join(f"{quoted(key)} = {value}\n" for key, value in pairs.items())
        try:
            tomllib.loads(candidate)
        except tomllib.TOMLDecodeError:
            continue
        text = candidate
    places = find(text)
    assert set(places.keys) == paths(tomllib.loads(text))
    for path, place in places.keys.items():
        key = path[-1]
        line = text.split("\n")[place.line - 1][place.column - 1 :]
        if isinstance(key, str) and not line.startswith("["):
            written = key if line.startswith(key) and key else quoted(key)
            assert line.startswith(written)
