"""The one door: every way out has its exit code, its message, and no traceback."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from grind import __version__
from grind.cli import GROUPS, Commands, run

ROOT = Path(__file__).parents[2]
ACT = Commands("tests.cli_commands", (("Act", (("act", "do it"), ("absent", "not there"))),), ())
PROGRAM = """
import sys
from grind.cli import Commands, run
sys.exit(run(sys.argv[1:], Commands("tests.cli_commands", (("Act", (("act", "do it"),)),), ())))
"""


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": path,
        "GRIND_STATE_DIR": str(tmp_path / "state"),
    } | more


def grind(
    tmp_path: Path, *argv: str, stdout: int = subprocess.PIPE, **more: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *argv],
        env=environment(tmp_path, **more),
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"], ACT) == 0
    assert capsys.readouterr().out == f"grind {__version__}\n"


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]])
def test_help_lists_what_is_there_and_nothing_else(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv, ACT) == 0
    out = capsys.readouterr().out
    assert "  act  do it\n" in out
    assert "absent" not in out


def test_what_commands_do_stands_in_one_column() -> None:
    lines = Commands().help().partition("Examples")[0].splitlines()
    rows = [found for line in lines if (found := re.match(r"  (\S+)( +)", line))]
    assert {len(row.group(1)) for row in rows} >= {2, len("completion")}
    assert len({row.end() for row in rows}) == 1
    assert all(len(row.group(2)) >= 2 for row in rows)


def test_no_command_is_not_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], ACT) == 2
    assert "usage: grind COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["act", "--help"], ["help", "act"]])
def test_help_of_a_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv, ACT) == 0
    out = capsys.readouterr().out
    assert "at more length" in out
    assert "grind act ok    nothing else" in out


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["atc"], "there is no command 'atc'\n→ did you mean `grind act`?"),
        (["absent"], "there is no command 'absent'\n→ `grind help` lists the commands"),
        (["help", "atc"], "there is no command 'atc'"),
        (["--verison"], "there is no option '--verison'"),
        (["act"], "the following arguments are required: what\n→ `grind act --help` tells"),
        (["act", "ok", "--jsn"], "unknown argument '--jsn'; did you mean `--json`?"),
        (["act", "ok", "--num=3"], "unknown argument '--num=3'; did you mean `--number`?"),
        (["act", "ok", "more"], "unknown argument 'more'"),
        (["act", "ok", "--number", "x"], "argument --number: invalid int value: 'x'"),
    ],
)
def test_usage_errors(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv, ACT) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"grind: {told}")


def test_a_command_says_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["act", "ok", "--number", "4"], ACT) == 4
    assert capsys.readouterr().out == "done\n"
    assert run(["act", "own-code"], ACT) == 75


def test_an_expected_error_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["act", "refused"], ACT) == 3
    out, err = capsys.readouterr()
    assert (out, err) == ("", "grind: no proof for tree\n→ grind check\n")


def test_an_expected_error_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["act", "problems", "--json"], ACT) == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "schema": "grind.error/1",
        "code": 2,
        "name": "usage",
        "topic": "usage",
        "message": "bad:\n  a.toml:1:2: odd (expected even)",
        "remedy": "",
        "problems": [
            {"file": "a.toml", "line": 1, "column": 2, "message": "odd", "expected": "even"}
        ],
    }


def test_usage_errors_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["act", "--json"], ACT) == 2
    assert json.loads(capsys.readouterr().out)["code"] == 2
    assert run(["act", "--", "--json", "x"], ACT) == 2
    assert capsys.readouterr().out == ""


def test_a_fault_is_written_privately_and_told_in_a_sentence(tmp_path: Path) -> None:
    ended = grind(tmp_path, "act", "fault")
    assert ended.returncode == 70
    err = ended.stderr.decode()
    assert "Traceback" not in err
    assert "\x1b" not in err
    report = tmp_path / "state" / "crashes" / "1.txt"
    assert str(report) in err
    assert "KeyError" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.parent.stat().st_mode) == 0o700
    for _ in range(2):
        grind(tmp_path, "act", "fault")
    assert sorted(os.listdir(report.parent)) == ["1.txt", "2.txt", "3.txt"]


def test_only_the_latest_faults_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "crashes"
    folder.mkdir(parents=True)
    for number in range(1, 31):
        (folder / f"{number}.txt").write_text("")
    grind(tmp_path, "act", "fault")
    assert len(os.listdir(folder)) == 20
    assert (folder / "31.txt").exists()


def test_a_fault_without_a_place_to_write_is_told_whole(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    ended = grind(tmp_path, "act", "fault", "--json")
    assert ended.returncode == 70
    told = json.loads(ended.stdout)
    assert told["name"] == "crashed"
    assert "Traceback" in told["message"]


def test_a_full_disk_is_no_fault(tmp_path: Path) -> None:
    ended = grind(tmp_path, "act", "full")
    assert ended.returncode == 75
    assert ended.stderr.startswith(b"grind: the disk is full: /some/file;")


def test_output_that_cannot_be_written_is_not_success(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        ended = grind(tmp_path, "act", "full-output", stdout=full.fileno())
    assert ended.returncode == 75
    assert b"the disk is full" in ended.stderr


def test_interrupted(tmp_path: Path) -> None:
    ended = grind(tmp_path, "act", "interrupt")
    assert ended.returncode == 130
    assert ended.stderr == b"grind: interrupted\n"


def test_a_reader_that_goes_away_is_met_with_silence(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "act", "many"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_text_can_be_printed(tmp_path: Path, encoding: str) -> None:
    ended = grind(tmp_path, "act", "odd-text", PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_without_standard_streams(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["sh", "-c", 'exec "$0" -m grind --version >&- 2>&-', sys.executable],
        env=environment(tmp_path),
        check=False,
    )
    assert ended.returncode == 0


def test_every_listed_command_keeps_the_contract() -> None:
    commands = Commands()
    for name in commands.names:
        module = commands.load(name)
        assert isinstance(module.HELP, str)
        if not callable(getattr(module, "run_line", None)):
            assert callable(module.add_arguments)
            assert callable(module.run)


def test_help_fits_a_terminal(tmp_path: Path) -> None:
    for command, told in (row for _, rows in GROUPS for row in rows):
        assert len(f"  {command:<8} {told}") <= 80


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_asking_what_it_is_imports_next_to_nothing(tmp_path: Path, option: str) -> None:
    """Start-up time is a feature: a heavy module on this path would be noticed here first."""
    code = f"import sys; from grind.cli import run; run([{option!r}]); print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {code}",
         str(ROOT / "src")],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[-1].split()  # fmt: skip
    assert not {"typing", "enum", "re", "argparse", "msgspec", "json", "rich", "asyncio"} & set(out)
    assert {name for name in out if name.startswith("grind")} == {
        "grind", "grind.cli", "grind.commands",
    }  # fmt: skip
