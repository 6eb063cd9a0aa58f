"""How the scripts of `run:` steps are started, against what GitHub's runner does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from grind.core.plan import Verdict
from grind.workflows.facts import Answer
from grind.workflows.shells import resolve_shell, split_arguments
from tests.workflows.plans import HOST, plan_of, steps_job


@pytest.mark.parametrize(
    ("shell", "argv", "suffix"),
    [
        ("", ("bash", "-e", "{0}"), ".sh"),
        ("bash", ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"), ".sh"),
        ("sh", ("sh", "-e", "{0}"), ".sh"),
        ("python", ("python", "{0}"), ".py"),
        ("pwsh", ("pwsh", "-command", ". '{0}'"), ".ps1"),
        ("bash {0}", ("bash", "{0}"), ".sh"),
        ("bash -l {0}", ("bash", "-l", "{0}"), ".sh"),
        ("bash   -l\t{0}", ("bash", "-l", "{0}"), ".sh"),
        ("perl {0}", ("perl", "{0}"), ""),
        ("python -u {0}", ("python", "-u", "{0}"), ".py"),
        ("pwsh -NoProfile {0}", ("pwsh", "-NoProfile", "{0}"), ".ps1"),
        ("nix develop --command bash -e {0}",
         ("nix", "develop", "--command", "bash", "-e", "{0}"), ""),
        ('bash -c "source env.sh && bash {0}"', ("bash", "-c", "source env.sh && bash {0}"), ".sh"),
        # Single quotes are characters, as on GitHub.
        ("bash -c 'bash {0}'", ("bash", "-c", "'bash", "{0}'"), ".sh"),
        ("bash -c $HOME/{0}", ("bash", "-c", "$HOME/{0}"), ".sh"),
        (r'env "A=\"q\"" bash {0}', ("env", 'A="q"', "bash", "{0}"), ""),
    ],
)  # fmt: skip
def test_how_a_shell_is_started(shell: str, argv: tuple[str, ...], suffix: str) -> None:
    found = resolve_shell(shell)
    assert (found.problem, found.argv, found.suffix) == ("", argv, suffix)


@pytest.mark.parametrize(
    ("shell", "why"),
    [
        ("cmd", "Windows only"),
        ("powershell", "Windows only"),
        ("powershell -File {0}", "Windows only"),
        ("cmd /c {0}", "Windows only"),
        ("fish", "has no {0}"),
        ("Bash", "has no {0}"),
        ("{0}", "has no {0}"),
        (" bash {0}", "begins with a blank"),
        ("bash -c ${X} {0}", "brace"),
        ("bash {1} {0}", "brace"),
    ],
)
def test_what_is_no_shell_is_refused(shell: str, why: str) -> None:
    assert why in resolve_shell(shell).problem
    job = steps_job(f"- run: 'true'\n  shell: '{shell}'")
    assert job.steps[0].verdict is Verdict.REFUSED
    assert why in job.steps[0].reason


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", ()),
        ("  a  b ", ("a", "b")),
        ('"a b" c', ("a b", "c")),
        ('a"b c"d', ("ab cd",)),
        ('""', ("",)),
        ('"a""b"', ('a"b',)),
        (r"a\b\\c", (r"a\b\\c",)),
        (r'"a\\" b', ("a\\", "b")),
        (r"a\"b", ('a"b',)),
        (r"a\\\"b", ('a\\"b',)),
        ("'a b'", ("'a", "b'")),
        ('"open end', ("open end",)),
    ],
)
def test_arguments_are_split_as_by_dotnet(text: str, arguments: tuple[str, ...]) -> None:
    assert split_arguments(text) == arguments


@pytest.mark.parametrize("shell", ["pwsh", "zsh -e {0}"])
def test_a_shell_that_the_host_lacks_is_a_refusal_with_the_remedy(shell: str) -> None:
    step = steps_job(f"- run: 'true'\n  shell: {shell}").steps[0]
    assert step.verdict is Verdict.REFUSED
    program = shell.split()[0]
    assert step.reason == f"shell {shell} is not on this host"
    assert step.remedy == f"put `{program}` on the host's PATH"


def test_a_shell_that_the_host_has_is_run() -> None:
    answers = {**HOST, ("bash", "-c", 'command -v -- "$0"', "zsh"): Answer(0, "/bin/zsh\n")}
    text = "on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n"
    plan = plan_of(f"{text}      - run: ls\n        shell: zsh -e {{0}}\n", answers=answers)
    assert plan.jobs[0].steps[0].verdict is Verdict.EXECUTED


def test_defaults_lie_step_over_job_over_workflow() -> None:
    text = """
        on: push
        defaults: {run: {shell: sh, working-directory: w}}
        jobs:
          one:
            runs-on: ubuntu-latest
            defaults: {run: {shell: bash}}
            steps:
              - run: ls
              - run: ls
                shell: python
                working-directory: s
              - uses: actions/checkout@v4
          two:
            runs-on: ubuntu-latest
            steps: [{run: ls}]
          three:
            runs-on: ubuntu-latest
            strategy: {matrix: {dir: [m]}}
            defaults: {run: {working-directory: "${{ matrix.dir }}"}}
            steps: [{run: ls}]
    """
    one, two, three = plan_of(text).jobs
    assert [(s.shell, s.working_directory) for s in one.steps] == [
        ("bash", "w"),
        ("python", "s"),
        ("", ""),
    ]
    assert [(s.shell, s.working_directory) for s in two.steps] == [("sh", "w")]
    assert [(s.shell, s.working_directory) for s in three.steps] == [("sh", "m")]


@pytest.mark.parametrize(
    ("shell", "script", "code", "out"),
    [
        ("", "false | true; echo on", 0, "on\n"),
        ("bash", "false | true; echo on", 1, ""),
        ("sh", "false; echo on", 1, ""),
        ("bash {0}", "false; echo on", 0, "on\n"),
        ('bash -c "echo first && bash {0}"', "echo then", 0, "first\nthen\n"),
    ],
)
def test_what_the_shells_of_this_machine_make_of_it(
    tmp_path: Path, shell: str, script: str, code: int, out: str
) -> None:
    found = resolve_shell(shell)
    path = tmp_path / f"script{found.suffix}"
    path.write_text(found.before + script + found.after)
    argv = [part.replace("{0}", str(path)) for part in found.argv]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, out)
