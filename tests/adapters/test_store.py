"""What grind keeps of a repository: releases in their order, receipts, hits."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from grind.adapters.store import Store


def _begin(store: Store, now: float) -> str:
    release = store.new_release(now)
    Path(release.path).mkdir(parents=True)
    return release.id


@settings(deadline=None)
@given(
    st.lists(
        st.floats(0, 4e9, allow_nan=False) | st.sampled_from([1.0, 1.5, 1.9999999999, 86399.9]),
        min_size=1,
        max_size=12,
    )
)
def test_releases_sort_as_they_began_whatever_the_clock_says(
    moments: list[float],
) -> None:
    """Several begin in one second; clocks are set back; the newest is the last one made."""
    with TemporaryDirectory() as folder:
        store = Store(folder)
        begun = [_begin(store, now) for now in moments]
        assert [release.id for release in store.releases()] == begun[::-1]
        assert all(store.release(name) is not None for name in begun)


def test_a_second_that_has_no_name_left(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    (tmp_path / "grind" / "releases" / "20260101-235959-ffffff").mkdir(parents=True)
    assert _begin(store, 0.0).startswith("20260102-000000-000")
    assert store.latest() is not None


def test_tidying_is_due_once_in_a_while(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    (tmp_path / "grind").mkdir(mode=0o700)
    asked = [store.tidying_is_due(now, 10) for now in (1e9, 1e9 + 9, 1e9 + 11, 1e9 + 12, 9e8)]
    assert asked == [True, False, True, False, True], "also when the clock was set back"


def test_a_log_is_made_by_what_is_said(tmp_path: Path) -> None:
    release = Store(str(tmp_path)).new_release(1e9)
    silent = release.writer("a job", 0)
    silent.close()
    assert not Path(release.path).exists()
    first = release.writer("a job", 0)
    first.write(b"one")
    first.write(b" two")
    first.close()
    assert b"".join(release.read_log(first.path)) == b"one two"
    release.writer("a job", 0).close()
    assert not (Path(release.path) / first.path).exists(), "nothing of an earlier attempt is left"
