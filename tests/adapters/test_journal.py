"""The journal keeps what it was told, whatever dies and whatever fills up."""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from grind.adapters.files import StorageError
from grind.adapters.journal import DiskJournal
from grind.core.errors import ExitCode, GrindError
from grind.core.events import (
    EVENTS_SCHEMA,
    Entry,
    JobEnded,
    JobStarted,
    LandIntent,
    Note,
    StepOutput,
    encode,
)
from tests.adapters.limits import SRC, run_limited

TICKS = iter(range(10**9))


def journal(folder: Path) -> DiskJournal:
    return DiskJournal(str(folder), lambda: float(next(TICKS)))


def note(text: str) -> Note:
    return Note("info", text)


def read(folder: Path) -> list[Entry]:
    return list(journal(folder).read())


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as first:
        assert list(first.read()) == []
        one = first.append(note("a"))
        two = first.append(JobStarted("j"), JobEnded(job="j", conclusion="success"))
    with journal(tmp_path / "run") as second:
        three = second.append(note("b\nwith é"))
    entries = read(tmp_path / "run")
    assert entries == [*one, *two, *three]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]


def test_reading_makes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_the_journal_is_private(tmp_path: Path) -> None:
    with journal(tmp_path / "deep" / "run") as kept:
        kept.append(note("a"))
        assert stat.S_IMODE(os.stat(kept.path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(kept.folder).st_mode) == 0o700


@pytest.mark.parametrize("torn", [b"{", b"\0" * 5000, b'{"schema":"grind.events/1","seq":3'])
def test_a_torn_last_line_is_ignored_and_cut_before_the_next(tmp_path: Path, torn: bytes) -> None:
    with journal(tmp_path) as kept:
        kept.append(note("a"), note("b"))
        with open(kept.path, "ab") as file:
            file.write(torn)
        assert len(list(kept.read())) == 2
    with journal(tmp_path) as again:
        again.append(note("c"))
        entries = list(again.read())
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert Path(again.path).read_bytes() == b"".join(map(encode, entries))


def test_a_file_of_nothing_but_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / "journal.ndjson").write_bytes(b'{"schema"')
    with journal(tmp_path) as kept:
        kept.append(note("a"))
    assert [entry.seq for entry in read(tmp_path)] == [1]


def test_long_lines_are_found_from_the_end(tmp_path: Path) -> None:
    with journal(tmp_path) as kept:
        kept.append(note("x" * 200_000))
        kept.append(note("y" * 200_000))
    with journal(tmp_path) as again:
        again.append(note("z"))
    assert [entry.seq for entry in read(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize("line", [b"not json\n", b"{}\n", b"\xff\n"])
def test_a_broken_line_before_the_last_is_never_passed_over(tmp_path: Path, line: bytes) -> None:
    good = encode(Entry(EVENTS_SCHEMA, 1, 0.0, note("a")))
    (tmp_path / "journal.ndjson").write_bytes(good + line + good)
    with pytest.raises(GrindError, match="line 2 is not a journal's") as caught:
        read(tmp_path)
    assert caught.value.remedy
    (tmp_path / "journal.ndjson").write_bytes(good + line)
    with journal(tmp_path) as kept, pytest.raises(GrindError, match="the last line"):
        kept.append(note("b"))


def test_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    line = encode(Entry("grind.events/9", 1, 0.0, note("a")))
    (tmp_path / "journal.ndjson").write_bytes(line)
    with pytest.raises(GrindError, match="another version"):
        read(tmp_path)


def test_output_is_not_journalled(tmp_path: Path) -> None:
    with journal(tmp_path / "run") as kept, pytest.raises(TypeError):
        kept.append(StepOutput("j", 0, "text"))
    assert not (tmp_path / "run").exists()


def test_intents_and_results_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that cannot be seen from outside is asked of the system call."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    with journal(tmp_path) as kept:
        kept.append(JobStarted("j"), note("a"))
        assert synced == []
        kept.append(LandIntent(tree="t", remote="r", branch="b", expected=None))
        assert len(synced) == 1
        kept.append(JobEnded(job="j", conclusion="success"))
        assert len(synced) == 2


APPENDER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from grind.adapters.journal import DiskJournal
from grind.core.events import Note
with DiskJournal(sys.argv[1], time.time) as journal:
    while True:
        entries = journal.append(*[Note("info", "x" * 3000)] * 3)
        sys.stdout.write(f"{entries[-1].seq}\\n")
        sys.stdout.flush()
"""


def test_kill_9_in_the_middle_of_appends_loses_nothing_acknowledged(tmp_path: Path) -> None:
    whole = 0
    chance = random.Random(1)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(tmp_path), str(SRC)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                acknowledged = int(process.stdout.readline())
            process.kill()
            rest = process.stdout.read().split("\n")[:-1]
            acknowledged = int(rest[-1]) if rest else acknowledged
        seqs = [entry.seq for entry in read(tmp_path)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= acknowledged > whole
        whole = len(seqs)


FILLER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from grind.adapters.files import StorageError
from grind.adapters.journal import DiskJournal
from grind.core.events import Note
with DiskJournal(sys.argv[1], time.time) as journal:
    done = 0
    try:
        while True:
            done = journal.append(Note("info", "x" * 3000))[-1].seq
    except StorageError as error:
        print(error.message, error.remedy, int(error.code), sep="|")
    print(done, len(list(journal.read())), sep="|")
    # Room again for a small one: the file ended where it did.
    print(journal.append(Note("info", ""))[-1].seq)
    print([entry.seq for entry in journal.read()] == list(range(1, done + 2)))
"""


def told_when_full(out: str) -> None:
    message, counts, after, contiguous = out.splitlines()
    assert "what was recorded before is safe|free some space" in message
    assert message.endswith(f"|{int(ExitCode.PAUSED)}")
    done, found = counts.split("|")
    assert int(done) == int(found) > 3
    assert int(after) == int(done) + 1
    assert contiguous == "True"


def test_a_size_limit_loses_nothing_recorded(tmp_path: Path) -> None:
    out = run_limited(FILLER, tmp_path)
    told_when_full(out)
    assert "a size limit is reached" in out


def in_a_small_disk(folder: Path) -> list[str]:
    """The command that mounts a file system of 64 KiB on a folder, for itself alone."""
    mount = 'mount -t tmpfs -o size=64k none "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, str(folder)]


def test_a_full_disk_loses_nothing_recorded(tmp_path: Path) -> None:
    small = in_a_small_disk(tmp_path)
    if (
        shutil.which("unshare") is None
        or subprocess.run([*small, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("mounting is not permitted here; the size limit test stands in")
    out = subprocess.run(
        [*small, sys.executable, "-c", FILLER, str(tmp_path), str(SRC)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    told_when_full(out)
    assert "the disk is full" in out


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with journal(tmp_path / "file" / "run") as kept, pytest.raises(StorageError, match="cannot be"):
        kept.append(note("a"))


def test_a_link_in_the_place_of_the_journal_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.ndjson").symlink_to(target)
    with journal(tmp_path / "run") as kept, pytest.raises(StorageError):
        kept.append(note("a"))
    assert target.read_bytes() == b"precious"
