"""How old may the oldest be?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.room import Kept, kib_of, oldest_that_fits

NOW = 1000.0
ALL = st.lists(st.builds(Kept, st.integers(0, 100), st.floats(0, NOW)), max_size=12)


@given(ALL, st.integers(0, 500))
def test_what_stays_fits_and_nothing_more_could(kept: list[Kept], limit: int) -> None:
    age = oldest_that_fits(kept, limit, NOW)
    if age is None:
        assert sum(one.kib for one in kept) <= limit or len(kept) == 1
        return
    stays = sorted((one for one in kept if NOW - one.used < age), key=lambda one: -one.used)
    goes = [one for one in kept if NOW - one.used >= age]
    assert goes
    assert sum(one.kib for one in stays) <= limit or len(stays) == 1
    next_one = max(goes, key=lambda one: one.used)
    # Times that are too close to tell apart give one age, and go together.
    same = [one for one in goes if NOW - one.used == NOW - next_one.used]
    assert sum(one.kib for one in (*stays, *same)) > limit


@pytest.mark.parametrize(("text", "kib"), [("2048", 2), ("3K", 3), ("2M", 2048), ("1G", 1 << 20)])
def test_sizes(text: str, kib: int) -> None:
    assert kib_of(text) == kib


@pytest.mark.parametrize("text", ["", "G", "x", "1.5G", "5%"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        kib_of(text)
