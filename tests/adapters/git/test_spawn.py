"""Starting programs without `subprocess`: what it would have said, they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.adapters.git.spawn import Answer, Running

BASH = "/bin/bash"
SRC = Path(__file__).parents[3] / "src"


def said(text: str, data: bytes | None = None) -> Answer:
    return Running(BASH, ("bash", "-c", text), os.environ, stdin=data is not None).finish(data)


@given(st.binary(max_size=300_000), st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_it_feeds_and_reads_at_once(data: bytes, code: int) -> None:
    """More than any pipe holds goes in and comes out, on both outputs."""
    text = f"tee /dev/stderr; exit {code}"
    assert said(text, data) == Answer(code, data, data)


@pytest.mark.parametrize(
    "text", ["head -c 3", "exec 0<&-; echo abc", "true", "kill -9 $$", "exit 3"]
)
def test_a_program_may_leave_its_input(text: str) -> None:
    data = b"abc" + b"x" * 1_000_000
    done = subprocess.run([BASH, "-c", text], input=data, capture_output=True, check=False)
    assert said(text, data) == Answer(done.returncode, done.stdout, done.stderr)


def test_without_input_there_is_none() -> None:
    assert said("cat; echo end >&2") == Answer(0, b"", b"end\n")


def test_a_short_request_is_all_of_the_input() -> None:
    running = Running(BASH, ("bash", "-c", "cat"), os.environ, stdin=True)
    running.send(b"asked\n")
    assert running.returncode is None
    assert running.finish() == Answer(0, b"asked\n", b"")
    assert running.returncode == 0


def test_what_python_ignores_is_not_ignored_there() -> None:
    """Python ignores SIGPIPE; `yes | head` must end quietly all the same."""
    assert said("yes | head -n 1; echo ${PIPESTATUS[0]}") == Answer(0, b"y\n141\n", b"")


def test_no_other_file_is_open_there(tmp_path: Path) -> None:
    with open(tmp_path / "secret", "w"):
        listed = said("ls -l /proc/self/fd").out
    assert b"secret" not in listed


def test_what_cannot_be_started_leaves_nothing_open() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="nowhere"):
        Running("/nowhere", ("x",), {}, stdin=True)
    assert os.listdir("/proc/self/fd") == before


PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[1])
from grind.adapters.git.spawn import Running
{before}
answer = Running("/bin/bash", ("bash", "-c", "cat; echo out; echo err >&2"), os.environ, stdin=True).finish(b"in")
assert answer == (0, b"inout\\n", b"err\\n"), answer
os._exit(7)
"""


@pytest.mark.parametrize("closed", ["0", "1", "2", "0, 1", "1, 2", "0, 1, 2"])
def test_where_standard_streams_are_closed(closed: str) -> None:
    before = f"for end in ({closed},): os.close(end)"
    argv = [sys.executable, "-c", PROGRAM.format(before=before), str(SRC)]
    assert subprocess.run(argv, check=False, capture_output=True).returncode == 7


def test_where_the_end_of_children_is_ignored_nothing_is_made_up() -> None:
    code = (
        "import os, signal, sys\nsys.path.insert(0, sys.argv[1])\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "from grind.adapters.git.spawn import Running\nfrom grind.core.errors import GrindError\n"
        "try:\n    Running('/bin/true', ('true',), {}, stdin=False).finish()\n"
        "except GrindError as error:\n    print(error.message)\n"
    )
    argv = [sys.executable, "-c", code, str(SRC)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert "SIGCHLD is ignored" in done.stdout, done
