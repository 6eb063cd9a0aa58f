"""The light SHA-256 is hashlib's."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from grind.core.sha import sha256


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_it_is_the_same_digest(pieces: list[bytes]) -> None:
    ours = sha256()
    for piece in pieces:
        ours.update(piece)
    assert ours.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()
