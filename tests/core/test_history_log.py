"""The reader of git's log: any bytes, cut into any chunks, and never a part taken for the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.history_log import Commit, HistoryLogError, read_log

FIELD = st.binary(max_size=6).map(lambda raw: raw.replace(b"\0", b"\n"))
COMMITS = st.lists(
    st.builds(
        Commit,
        st.sampled_from(["a" * 40, "0" * 40, "b" * 64]),
        st.integers(-10, 2**62),
        FIELD,
        FIELD,
        FIELD,
        st.lists(FIELD.filter(bool), max_size=4).map(tuple),
    ),
    max_size=6,
)


def printed(commits: list[Commit]) -> bytes:
    """Print as git does with LOG_FORMAT, `-z` and `--name-only`."""
    data = b""
    for commit in commits:
        head = [b"", commit.oid.encode(), str(commit.time).encode(), *commit[2:5]]
        names = b"\n" + b"\0".join(commit.paths) + b"\0" if commit.paths else b""
        data += b"\0".join(head) + b"\0" + names
    return data


@given(COMMITS, st.integers(1, 50))
def test_what_was_printed_is_read(commits: list[Commit], size: int) -> None:
    data = printed(commits)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(read_log(chunks)) == commits


@given(COMMITS.filter(bool), st.data())
def test_cut_off_it_is_refused_or_ends_between_names(
    commits: list[Commit], data: st.DataObject
) -> None:
    """A log cut between two names is whole by its looks: git's exit code tells, see the adapter."""
    whole = printed(commits)
    cut = data.draw(st.integers(0, len(whole) - 1))
    try:
        found = list(read_log([whole[:cut]]))
    except HistoryLogError:
        return
    assert whole[:cut] == b"" or whole[:cut].endswith(b"\0")
    assert len(found) <= len(commits)
    for one, other in zip(found, commits, strict=False):
        assert one[:5] == other[:5]
        assert one.paths == other.paths[: len(one.paths)]


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"fatal: not a git repository\n",
        b"\0",
        b"\0" * 7,
        b"\0" + b"g" * 40 + b"\x001\0a\0b\0c\0",
        b"\0" + b"a" * 39 + b"\x001\0a\0b\0c\0",
        b"\0" + b"a" * 40 + b"\0one\0a\0b\0c\0",
        b"x\0" + b"a" * 40 + b"\x001\0a\0b\0c\0",
        b"\0" + b"a" * 40 + b"\x001\0a\0b\0c\0name without its line feed\0",
        b"\0" + b"a" * 40 + b"\x001\0a\0b\0c\0\nname",
    ],
)
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(HistoryLogError):
        list(read_log([data]))


def test_it_yields_before_the_end_has_come() -> None:
    """Flat memory: a commit is given as soon as the next one begins."""
    commits = [Commit("a" * 40, 1, b"", b"", b"", (b"x",)), Commit("b" * 40, 2, b"", b"", b"", ())]

    def chunks():
        yield printed(commits)
        pytest.fail("asked for more before giving what it had")

    assert next(read_log(chunks())) == commits[0]
