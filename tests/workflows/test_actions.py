"""Verdicts on actions, from answers that hosts give."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from grind.core.config import load
from grind.core.plan import StepClass, Verdict
from grind.workflows.actions import (
    Answer,
    Facts,
    Judgement,
    base_environment,
    judge,
    load_table,
    unused_inputs,
)
from grind.workflows.classify import classify_run
from grind.workflows.provisions import judge_provision
from grind.workflows.setups import find_question

TABLE = load_table()
PYPROJECT = {"pyproject.toml": '[project]\nrequires-python = ">=3.12"'}
TOOLS = {".tool-versions": "nodejs 1\npython 3.11.7\n"}
GIT_JQ = "git installed\njq installed\n"
PYTHONS = (
    "cpython\t3.11.7\t0\t64\t/usr/bin/python3\n"
    "cpython\t3.12.1\t0\t64\t/opt/3.12/bin/python\n"
    "cpython\t3.13.0\t1\t64\t/opt/3.13t/bin/python\n"
    "cpython\t3.14.0-rc1\t0\t64\t/opt/3.14/bin/python\n"
    "pypy\t3.10.14\t0\t64\t/opt/pypy/bin/pypy3\n"
)
NODES = "20.11.1\tIron\t/usr/bin/node\n21.7.0\t-\t/opt/21/bin/node\n22.3.0\t-\t/opt/22/bin/node\n"
GOES = "1.22.5\t/usr/local/go/bin/go\n1.21.0\t/root/sdk/go1.21.0/bin/go\n"
RUSTS = (
    "rustup\t/h/.rustup\t/h/.cargo/bin\ndefault\tstable-x86_64-unknown-linux-gnu\n"
    "toolchain\tstable-x86_64-unknown-linux-gnu\trustc 1.80.1 (3f5fd8dd4 2024-08-06)\n"
    "component\tstable-x86_64-unknown-linux-gnu\tclippy-preview-x86_64-unknown-linux-gnu\n"
    "component\tstable-x86_64-unknown-linux-gnu\trustfmt-preview-x86_64-unknown-linux-gnu\n"
    "component\tstable-x86_64-unknown-linux-gnu\trust-std-wasm32-unknown-unknown\n"
    "toolchain\tnightly-2024-01-01-x86_64-unknown-linux-gnu\trustc 1.77.0-nightly (x 2023-12-31)\n"
)
JAVAS = "17.0.15\tDebian\t1\t/usr/lib/jvm/17\n21.0.3\tEclipse Adoptium\t0\t/usr/lib/jvm/21\n"
RUBIES = "ruby\t3.3.1\t/opt/ruby/bin/ruby\n"
HOST: dict[tuple[str, ...], Answer] = {
    find_question("python"): Answer(0, PYTHONS),
    find_question("node"): Answer(0, NODES),
    find_question("go"): Answer(0, GOES),
    find_question("rust"): Answer(0, RUSTS),
    find_question("java"): Answer(0, JAVAS),
    find_question("ruby"): Answer(0, RUBIES),
    find_question("dotnet"): Answer(0, "8.0.100\t/usr/share/dotnet\n"),
    ("git", "lfs", "version"): Answer(127),
    ("uv", "--version"): Answer(0, "uv 0.5.1 (abc 2024-01-01)"),
    ("pnpm", "--version"): Answer(0, "9.1.0\n"),
    ("nix", "--version"): Answer(0, "nix (Nix) 2.18.1"),
    ("terraform", "version"): Answer(127),
    ("golangci-lint", "--version"): Answer(0, "golangci-lint has version 1.59.1 built"),
    ("cargo", "--version"): Answer(0, "cargo 1.80.1"),
    ("pre-commit", "--version"): Answer(0, "pre-commit 3.7.1"),
    ("just", "--version"): Answer(0, "just 1.30.0"),
    ("cargo-nextest", "nextest", "--version"): Answer(0, "cargo-nextest 0.9.70"),
    ("docker", "buildx", "version"): Answer(127),
}


def verdict(
    uses: str,
    inputs: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    **more: object,
) -> Judgement:
    facts = Facts(HOST, read=(files or {}).get, **more)  # type: ignore[arg-type]
    found = judge(uses, inputs or {}, facts, TABLE)
    assert not found.pending, facts.wanted
    assert found.reason
    if found.verdict is Verdict.REFUSED:
        assert found.recipe is None
    return found


SATISFIED = [
    ("actions/setup-python@v5", {"python-version": "3.12"}, "3.12.1"),
    ("actions/setup-python@v5", {"python-version": "3.x"}, "3.12.1"),
    ("actions/setup-python@v5", {"python-version": ">=3.10 <3.12"}, "3.11.7"),
    ("actions/setup-python@v5", {"python-version": "3.13t"}, "3.13.0"),
    ("actions/setup-python@v5", {"python-version": "3.13", "freethreaded": "true"}, "3.13.0"),
    ("actions/setup-python@v5", {"python-version": "pypy3.10"}, "3.10.14"),
    ("actions/setup-python@v5", {"python-version": "pypy-3.10"}, "3.10.14"),
    ("actions/setup-python@v5", {"python-version": "3.14-dev"}, "3.14.0"),
    ("actions/setup-python@v5", {"python-version": "3.14", "allow-prereleases": "true"}, "3.14.0"),
    ("actions/setup-python@v5", {"python-version": "3.11\n3.12"}, "3.12.1"),
    ("actions/setup-python@v5", {}, "3.11.7"),
    ("actions/setup-node@v4", {"node-version": "20"}, "20.11.1"),
    ("actions/setup-node@v4", {"node-version": "20.x"}, "20.11.1"),
    ("actions/setup-node@v4", {"node-version": "lts/*"}, "20.11.1"),
    ("actions/setup-node@v4", {"node-version": "lts/iron"}, "20.11.1"),
    ("actions/setup-node@v4", {"node-version": "latest"}, "22.3.0"),
    ("actions/setup-node@v4", {"node-version": ">=21"}, "22.3.0"),
    ("actions/setup-node@v4", {}, "20.11.1"),
    ("actions/setup-go@v5", {"go-version": "1.22"}, "1.22.5"),
    ("actions/setup-go@v5", {"go-version": "1.21.0"}, "1.21.0"),
    ("actions/setup-go@v5", {"go-version": "stable"}, "1.22.5"),
    ("actions/setup-go@v5", {"go-version": "^1.21"}, "1.22.5"),
    ("actions/setup-java@v4", {"java-version": "17", "distribution": "temurin"}, "17.0.15"),
    ("ruby/setup-ruby@v1", {"ruby-version": "3.3"}, "3.3.1"),
    ("actions/setup-dotnet@v4", {"dotnet-version": "8.0.x"}, "8.0.100"),
    ("dtolnay/rust-toolchain@stable", {}, "1.80.1"),
    ("dtolnay/rust-toolchain@stable", {"components": "clippy, rustfmt"}, "1.80.1"),
    ("dtolnay/rust-toolchain@master", {"toolchain": "1.80"}, "1.80.1"),
    ("dtolnay/rust-toolchain@nightly-2024-01-01", {}, "1.77.0-nightly"),
    ("dtolnay/rust-toolchain@stable", {"targets": "wasm32-unknown-unknown"}, "1.80.1"),
    ("actions-rs/toolchain@v1", {"toolchain": "stable", "override": "true"}, "1.80.1"),
    ("actions-rust-lang/setup-rust-toolchain@v1", {}, "1.80.1"),
    ("astral-sh/setup-uv@v5", {"version": "0.5.x"}, "0.5.1"),
    ("pnpm/action-setup@v4", {"version": "9"}, "9.1.0"),
    ("cachix/install-nix-action@v27", {}, "2.18.1"),
    ("taiki-e/install-action@v2", {"tool": "just,nextest"}, "0.9.70"),
    ("taiki-e/install-action@just", {}, "1.30.0"),
    ("actions/cache@v4", {"path": "x", "key": "k"}, "misses"),
    ("Swatinem/rust-cache@v2", {}, "misses"),
    ("cachix/cachix-action@v15", {"name": "x", "authToken": "${{ secrets.T }}"}, "binary cache"),
    ("step-security/harden-runner@v2", {"egress-policy": "audit"}, "CI's own machine"),
]
REFUSED = [
    ("actions/setup-python@v5", {"python-version": "3.9"}, "Python 3.9 is not on the host"),
    ("actions/setup-python@v5", {"python-version": "3.14"}, "not on the host"),
    ("actions/setup-python@v5", {"python-version": "3.9\n3.12"}, "Python 3.9"),
    ("actions/setup-python@v5", {"python-version": "3.12", "architecture": "x86"}, "not on"),
    ("actions/setup-python@v5", {"python-version": "three"}, "not understood"),
    ("actions/setup-python@v5", {"python-version": "${{ matrix.p }}"}, "before the run"),
    ("actions/setup-python@v5", {"new-input": "x"}, "`new-input`"),
    ("actions/setup-python@v6", {"pip-install": "x"}, "pip-install"),
    ("actions/setup-python@v5", {"python-version-file": "nowhere"}, "nowhere"),
    ("actions/setup-node@v4", {"node-version": "18"}, "Node.js 18"),
    ("actions/setup-node@v4", {"node-version": "lts/-1"}, "network"),
    ("actions/setup-node@v4", {"node-version": "lts/hydrogen"}, "not on the host"),
    ("actions/setup-go@v5", {"go-version": "oldstable"}, "network"),
    ("actions/setup-go@v5", {"go-version": "1.23"}, "Go 1.23"),
    ("actions/setup-java@v4", {"java-version": "21", "distribution": "x"}, "Java 21"),
    ("actions/setup-java@v4", {"java-version": "17", "distribution": "graalvm"}, "GraalVM"),
    ("dtolnay/rust-toolchain@nightly", {}, "nightly"),
    ("dtolnay/rust-toolchain@stable", {"components": "miri"}, "component miri"),
    ("dtolnay/rust-toolchain@stable", {"targets": "x86_64-pc-windows-gnu"}, "target x86_64"),
    ("dtolnay/rust-toolchain@master", {}, "no toolchain"),
    ("dtolnay/rust-toolchain@master", {"toolchain": "stable minus 8 releases"}, "understood"),
    ("pnpm/action-setup@v4", {"version": "8"}, "pnpm 8"),
    ("pnpm/action-setup@v4", {"run_install": "true"}, "run_install"),
    ("hashicorp/setup-terraform@v3", {}, "no terraform"),
    ("docker/setup-buildx-action@v3", {}, "no docker"),
    ("cachix/install-nix-action@v27", {"extra_nix_config": "new-setting = 1"}, "new-setting"),
    ("actions/cache@v4", {"path": "x", "key": "k", "fail-on-cache-miss": "true"}, "cache entry"),
    ("actions/checkout@v4", {"repository": "a/b"}, "another repository"),
    ("actions/checkout@v4", {"ref": "v1"}, "another ref"),
    ("actions/checkout@v4", {"sparse-checkout": "src"}, "sparse"),
    ("actions/checkout@v4", {"path": "../x"}, "inside of the workspace"),
    ("actions/checkout@v4", {"fetch-depth": "x"}, "fetch-depth"),
    ("actions/checkout@v4", {"new": "x"}, "`new`"),
    ("actions/github-script@v7", {"script": "x"}, "token"),
    ("dorny/paths-filter@v3", {"filters": "x"}, "what has changed is not known here"),
    ("tj-actions/changed-files@v44", {}, "what has changed is not known here"),
    ("trilom/file-changes-action@v1", {}, "change filter"),
    ("golangci/golangci-lint-action@v6", {"version": "v1.60"}, "golangci-lint v1.60"),
    ("golangci/golangci-lint-action@v6", {"only-new-issues": "true"}, "only-new-issues"),
    ("golangci/golangci-lint-action@v6", {"args": "$(x)"}, "shell text"),
    ("docker/build-push-action@v6", {"push": "false"}, "building an image"),
    ("actions/download-artifact@v4", {"name": "x"}, "not handed on"),
    ("actions/upload-artifact@v4", {"path": "x", "name": "a/b"}, "not allowed"),
    ("pypa/cibuildwheel@v2", {}, "not built here"),
    ("github/codeql-action/analyze@v3", {}, "not carried out"),
    ("who/knows@v1", {}, "not known to grind"),
    ("./.github/actions/x", {}, "composite"),
    ("docker://alpine:3", {}, "container"),
    ("nonsense", {}, "names no action"),
    ("${{ matrix.action }}", {}, "names no action"),
]
OUTWARD = [
    ("codecov/codecov-action@v4", {}, StepClass.NOTIFY),
    ("coverallsapp/github-action@v2", {}, StepClass.NOTIFY),
    ("slackapi/slack-github-action@v1", {}, StepClass.NOTIFY),
    ("someone/discord-notify@v1", {}, StepClass.NOTIFY),
    ("docker/build-push-action@v6", {"push": "true"}, StepClass.DEPLOY),
    ("docker/build-push-action@v6", {"push": "${{ github.ref == 'x' }}"}, StepClass.DEPLOY),
    ("docker/login-action@v3", {}, StepClass.DEPLOY),
    ("softprops/action-gh-release@v2", {}, StepClass.DEPLOY),
    ("peaceiris/actions-gh-pages@v4", {}, StepClass.DEPLOY),
    ("JamesIves/github-pages-deploy-action@v4", {}, StepClass.DEPLOY),
    ("actions/deploy-pages@v4", {}, StepClass.DEPLOY),
    ("pypa/gh-action-pypi-publish@release/v1", {}, StepClass.DEPLOY),
    ("appleboy/ssh-action@v1", {}, StepClass.DEPLOY),
    ("aws-actions/configure-aws-credentials@v4", {}, StepClass.DEPLOY),
    ("google-github-actions/auth@v2", {}, StepClass.DEPLOY),
    ("Azure/webapps-deploy@v3", {}, StepClass.DEPLOY),
    ("actions-rs/cargo@v1", {"command": "publish"}, StepClass.DEPLOY),
]


@pytest.mark.parametrize(("uses", "inputs", "says"), SATISFIED)
def test_satisfied(uses: str, inputs: dict[str, str], says: str) -> None:
    found = verdict(uses, inputs)
    assert found.verdict is Verdict.SATISFIED, found.reason
    assert says in found.reason
    assert found.recipe is not None


@pytest.mark.parametrize(("uses", "inputs", "says"), REFUSED)
def test_refused(uses: str, inputs: dict[str, str], says: str) -> None:
    found = verdict(uses, inputs)
    assert found.verdict is Verdict.REFUSED, found.reason
    assert says in found.reason


@pytest.mark.parametrize(("uses", "inputs", "klass"), OUTWARD)
def test_outward(uses: str, inputs: dict[str, str], klass: StepClass) -> None:
    found = verdict(uses, inputs)
    assert (found.verdict, found.klass) == (Verdict.SKIPPED, klass)
    assert found.recipe is None


@pytest.mark.parametrize(
    ("inputs", "files", "python"),
    [
        ({"python-version-file": "pyproject.toml"}, PYPROJECT, "3.12.1"),
        ({"python-version-file": ".python-version"}, {".python-version": "# x\n3.11\n"}, "3.11.7"),
        ({}, {".python-version": "3.12"}, "3.12.1"),
        ({"python-version-file": ".tool-versions"}, TOOLS, "3.11.7"),
    ],
)  # fmt: skip
def test_python_version_files(inputs: dict[str, str], files: dict[str, str], python: str) -> None:
    found = verdict("actions/setup-python@v5", inputs, files)
    assert found.recipe is not None
    assert found.recipe.outputs["python-version"] == python


@pytest.mark.parametrize(
    ("uses", "inputs", "files", "says"),
    [
        ("actions/setup-node@v4", {"node-version-file": ".nvmrc"}, {".nvmrc": "v20\n"}, "20.11.1"),
        (
            "actions/setup-node@v4",
            {"node-version-file": "package.json"},
            {"package.json": '{"engines": {"node": ">=21 <22"}}'},
            "21.7.0",
        ),
        (
            "actions/setup-go@v5",
            {"go-version-file": "go.mod"},
            {"go.mod": "module x\n\ngo 1.21\n"},
            "1.21.0",
        ),
        (
            "dtolnay/rust-toolchain@stable",
            {},
            {"rust-toolchain.toml": '[toolchain]\nchannel = "nightly-2024-01-01"\n'},
            "1.77.0-nightly",
        ),
        ("ruby/setup-ruby@v1", {}, {".ruby-version": "3.3.1\n"}, "3.3.1"),
    ],
)
def test_version_files(uses: str, inputs: dict[str, str], files: dict[str, str], says: str) -> None:
    found = verdict(uses, inputs, files)
    assert found.verdict is Verdict.SATISFIED, found.reason
    assert says in found.reason


def test_a_toolchain_file_that_the_host_cannot_answer_refuses() -> None:
    files = {"rust-toolchain": "1.60.0\n"}
    assert verdict("dtolnay/rust-toolchain@stable", {}, files).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "abc",
        "${{ github.sha }}",
        "${{ github.head_ref || github.ref }}",
        "${{ github.event.pull_request.head.sha }}",
    ],
)
def test_checkout_of_what_is_proven(ref: str) -> None:
    found = verdict("actions/checkout@v4", {"ref": ref, "fetch-depth": "0"}, refs=["abc"])
    assert found.verdict is Verdict.EXECUTED
    assert found.recipe is not None
    assert found.recipe.kind == "checkout"
    assert found.recipe.env["fetch-depth"] == "0"


def test_checkout_of_the_own_repository() -> None:
    inputs = {"repository": "Me/Mine", "token": "${{ secrets.T }}"}
    assert verdict("actions/checkout@v4", inputs, repository="me/mine").verdict is Verdict.EXECUTED


def test_lfs_only_matters_where_it_is_used() -> None:
    lfs = {".gitattributes": "*.bin filter=lfs\n"}
    assert verdict("actions/checkout@v4", {"lfs": "true"}).verdict is Verdict.EXECUTED
    assert verdict("actions/checkout@v4", {"lfs": "true"}, lfs).verdict is Verdict.REFUSED


def test_questions_are_noted_once_and_then_answered() -> None:
    facts = Facts()
    assert judge("actions/setup-go@v5", {"go-version": "1.22"}, facts, TABLE).pending
    assert judge("actions/setup-go@v5", {"go-version": "1.21"}, facts, TABLE).pending
    assert facts.wanted == (find_question("go"),)
    again = Facts({find_question("go"): HOST[find_question("go")]})
    assert not judge("actions/setup-go@v5", {"go-version": "1.22"}, again, TABLE).pending
    assert again.wanted == ()


def test_several_tools_are_asked_at_once() -> None:
    facts = Facts()
    assert judge("taiki-e/install-action@v2", {"tool": "just, nextest"}, facts, TABLE).pending
    assert len(facts.wanted) == 2


def test_codecov_gates_only_when_asked_to() -> None:
    assert not verdict("codecov/codecov-action@v4").gating
    assert verdict("codecov/codecov-action@v4", {"fail_ci_if_error": "true"}).gating


def test_run_recipes_carry_arguments_as_data() -> None:
    found = verdict("actions-rs/cargo@v1", {"command": "test", "args": "--all 'a b' -- -q"})
    assert found.verdict is Verdict.EXECUTED
    assert found.recipe is not None
    assert found.recipe.env["GRIND_ARGV"].split("\n") == [
        "cargo",
        "test",
        "--all",
        "a b",
        "--",
        "-q",
    ]
    assert "a b" not in found.recipe.script


def test_defaults_of_run_recipes() -> None:
    found = verdict("pre-commit/action@v3.0.1")
    assert found.recipe is not None
    assert found.recipe.env["GRIND_ARGV"].split("\n")[-1] == "--all-files"


def test_cache_gives_what_a_miss_gives() -> None:
    recipe = verdict("actions/cache@v4", {"path": "x", "key": "k"}).recipe
    assert recipe is not None
    assert recipe.outputs == {"cache-hit": "", "cache-primary-key": "k", "cache-matched-key": ""}


def test_unused_inputs_may_hold_a_secret() -> None:
    assert "token" in unused_inputs("actions/checkout@v4", TABLE)
    assert "authToken" in unused_inputs("cachix/cachix-action@v15", TABLE)
    assert unused_inputs("who/knows@v1", TABLE) == frozenset()


def test_every_refusal_of_an_action_says_what_settles_it() -> None:
    rule = load("grind.toml", verdict("who/knows@v1").remedy.encode()).verdict[0]
    assert (rule.uses, rule.verdict) == ("who/knows@*", "overridden")
    hostile = verdict('who/kn"o\\ws@v1').remedy
    assert load("grind.toml", hostile.encode()).verdict[0].uses == 'who/kn"o\\ws@*'


def test_names_are_caseless_and_exact_rows_win() -> None:
    assert verdict("Actions/Checkout@v4").verdict is Verdict.EXECUTED
    azure = TABLE.find("azure/setup-kubectl")
    assert azure is not None
    assert azure.kind == "tool"


def test_base_environment_needs_no_answer() -> None:
    facts = Facts()
    assert base_environment(facts).kind == "provide"
    assert facts.wanted == ()


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("sudo apt-get update && sudo apt-get install -y git jq", GIT_JQ, Verdict.SATISFIED),
        ("sudo apt-get install -y git jq", "git installed\njq config-files\n", Verdict.REFUSED),
        ("sudo apt-get install -y git=1", "", Verdict.REFUSED),
        ("sudo apt-get install -y git\nmake test", "git installed\n", Verdict.REFUSED),
        ("sudo apt-get install -y ./x.deb", "", Verdict.REFUSED),
        ("sudo apt-get upgrade -y", "", Verdict.REFUSED),
        ("sudo systemctl start x", "", Verdict.REFUSED),
        ("rustup update stable && rustup default stable", "", Verdict.SATISFIED),
        ("rustup component add clippy rustfmt", "", Verdict.SATISFIED),
        ("rustup component add miri", "", Verdict.REFUSED),
        ("rustup target add wasm32-unknown-unknown", "", Verdict.SATISFIED),
        ("rustup toolchain install nightly", "", Verdict.REFUSED),
        ("curl https://sh.rustup.rs | sh -s -- -y", "", Verdict.REFUSED),
        ("echo x > /etc/y", "", Verdict.REFUSED),
    ],
)  # fmt: skip
def test_provision_steps(text: str, answers: str, expected: Verdict) -> None:
    step = classify_run("", text)
    assert step.klass is StepClass.PROVISION
    facts = Facts(HOST)
    found = judge_provision(step, facts)
    if found.pending:
        known = HOST | dict.fromkeys(facts.wanted, Answer(0, answers))
        found = judge_provision(step, Facts(known))
    assert found.verdict is expected, found.reason


@pytest.mark.parametrize(
    "uses",
    ["actions/setup-python@v5", "actions/setup-node@v4", "actions/setup-go@v5", "actions/setup-java@v4",
     "ruby/setup-ruby@v1", "actions/setup-dotnet@v4"],
)  # fmt: skip
@pytest.mark.parametrize("said", ["1.0.0\n", "1.0.0\t1.0.0\n", "\t\t\t\t\t\t\n", "x" * 999])
def test_an_answer_of_another_form_is_no_candidate(uses: str, said: str) -> None:
    given = {
        "java-version": "17",
        "distribution": "temurin",
        "dotnet-version": "8",
        "ruby-version": "3",
    }
    inputs = {
        k: v
        for k, v in given.items()
        if k.partition("-")[0] in uses or (k == "distribution" and "java" in uses)
    }
    facts = Facts(answers={})
    judge(uses, inputs, facts)
    again = Facts({question: Answer(0, said) for question in facts.wanted})
    assert judge(uses, inputs, again).verdict in (Verdict.REFUSED, Verdict.SATISFIED)
