"""Commits for the tests of the history: made by hand, and by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from grind.core.history_log import Commit

START = 1_769_904_000  # 2026-02-01T00:00:00Z
UNTIL = START + 400 * 86400
CI = ".github/workflows/ci.yml"


def commit(
    minutes: float, *paths: str, name: str = "Ada", address: str = "a@b", subject: str = "s"
) -> Commit:
    """Make a commit so many minutes after START."""
    time = START + round(minutes * 60)
    raw = tuple(path.encode() for path in paths)
    return Commit(f"{time:040x}", time, name.encode(), address.encode(), subject.encode(), raw)


PATHS = st.sampled_from(
    [CI, ".github/workflows/b.yml", "flake.nix", "Justfile", "src/a", "src/b", "README"]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Draw a history, newest first as git prints it, mostly in the order of time."""
    made = []
    at = 0
    for number in range(draw(st.integers(0, 30))):
        at += draw(st.sampled_from([-30, 0, 20, 60, 61, 600, 7200, 14400, 14401, 90000]))
        paths = draw(st.lists(PATHS, max_size=4, unique=True))
        name = draw(st.sampled_from(["Ada", "Ada", "Ada", "renovate[bot]"]))
        made.append(
            Commit(
                f"{number:040x}",
                START + at,
                name.encode(),
                b"a@b",
                f"subject {number}".encode(),
                tuple(path.encode() for path in paths),
            )
        )
    return made[::-1]
