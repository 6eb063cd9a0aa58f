"""What a follow-up fix is: the definition as a table, and the fold against counting by force."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from grind.core.history import Minutes, Relation, SinceGrind, Touch, is_bot, relation
from grind.core.history_fold import measure
from grind.core.history_log import Commit
from grind.core.history_paths import Kinds
from tests.core.history_commits import CI, START, UNTIL, commit, histories

KINDS = Kinds()


def touch(made: Commit) -> Touch:
    touched = tuple(path for path in made.paths if KINDS[path])
    return Touch(made, touched, frozenset(str(KINDS[path]) for path in touched))


FIRST = commit(0, CI, "src/a")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (commit(12, CI), Relation.FOLLOW_UP),
        (commit(12, CI, "src/a"), Relation.FOLLOW_UP),  # the commit's own business
        (commit(12, CI, "flake.nix"), Relation.FOLLOW_UP),  # another file of CI or deployment
        (commit(12, CI, "src/b"), Relation.APART),  # another purpose
        (commit(12, CI, "README"), Relation.APART),
        (commit(0, CI), Relation.SAME_PUSH),
        (commit(1, CI), Relation.SAME_PUSH),
        (commit(1 + 1 / 60, CI), Relation.FOLLOW_UP),
        (commit(240, CI), Relation.FOLLOW_UP),
        (commit(240 + 1 / 60, CI), Relation.APART),
        (commit(12, CI, name="dependabot[bot]"), Relation.APART),
    ],
)
def test_relation(after: Commit, expected: Relation) -> None:
    assert relation(touch(FIRST), touch(after)) is expected


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("dependabot[bot]", "x@y", True),
        ("Renovate Bot", "bot@renovateapp.com", True),
        ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com", True),
        ("Ada", "1+x[bot]@users.noreply.github.com", True),
        ("Ada Talbot", "ada@bot.example", False),
        ("Adriaan Bot", "bot@example.com", False),
        ("", "", False),
    ],
)
def test_bots(name: str, address: str, expected: bool) -> None:
    assert is_bot(commit(0, CI, name=name, address=address)) is expected


def test_a_fix_follows_the_latest_commit_with_a_file_of_its_own() -> None:
    history = measure(
        [commit(30, CI), commit(20, "flake.nix"), commit(10, "Justfile"), commit(0, CI)],
        until=UNTIL,
    )
    assert history.follow_ups == 1
    assert history.minutes == Minutes(30.0, 30.0)
    assert (history.touching, history.ci, history.deploy) == (4, 3, 1)


def test_a_chain_is_fix_upon_fix() -> None:
    afternoon = [commit(m, CI, subject=f"at {m}") for m in (0, 12, 30, 45.5)]
    evening = [commit(m, CI, subject=f"at {m}") for m in (600, 610)]
    history = measure([*afternoon, *evening][::-1], until=UNTIL)
    assert history.follow_ups == 4
    assert [(c.subject, c.commits, c.follow_ups, c.minutes) for c in history.chains] == [
        ("at 0", 4, 3, 45.5),
        ("at 600", 2, 1, 10.0),
    ]
    assert history.files[0].follow_ups == 4
    assert history.minutes == Minutes(13.8, 55.5)


def test_a_series_pushed_at_once_is_no_fix_but_its_fix_is_of_the_chain() -> None:
    history = measure([commit(15, CI), commit(0.5, CI), commit(0, CI)], until=UNTIL)
    assert history.follow_ups == 1
    assert [(c.commits, c.follow_ups, c.minutes) for c in history.chains] == [(3, 1, 15.0)]
    assert history.minutes == Minutes(14.5, 14.5)


def test_since_counts_nothing_older_but_knows_what_is_followed() -> None:
    commits = [commit(20, CI), commit(-10, CI), commit(-20, CI), commit(-9000, "src/a")]
    history = measure(commits, until=UNTIL, since=START)
    assert (history.commits, history.touching, history.follow_ups) == (1, 1, 1)
    assert [month.month for month in history.months] == ["2026-02"]


def test_times_that_cannot_be_true_are_not_compared() -> None:
    odd = [commit(0, CI)._replace(time=time) for time in (-1, 0, 2**62, UNTIL + 1)]
    history = measure([commit(5, CI), *odd, commit(0, CI)], until=UNTIL)
    assert (history.commits, history.undated, history.touching) == (6, 4, 2)
    assert history.follow_ups == 1


def test_nothing_at_all() -> None:
    history = measure([], until=UNTIL)
    assert (history.commits, history.touching, history.minutes) == (0, 0, None)
    assert history.months == history.chains == ()


def test_months_are_those_of_utc() -> None:
    edge = START - 1  # the last second of January
    history = measure(
        [commit(0, CI), commit(0, CI)._replace(time=edge), commit(0, "x")], until=UNTIL
    )
    assert [(m.month, m.commits, m.touching) for m in history.months] == [
        ("2026-01", 1, 1),
        ("2026-02", 2, 1),
    ]


def by_force(
    commits: list[Commit], window: int
) -> tuple[int, list[int], Counter[bytes], list[int]]:
    """Count by the words of docs/stats.md, looking from each commit at all before it."""
    touching = [c for c in reversed(commits) if any(KINDS[p] for p in c.paths)]
    touching = sorted(touching, key=lambda c: c.time)
    gaps: list[int] = []
    files: Counter[bytes] = Counter()
    chains: list[list[int]] = []  # which commits, and how many fixes
    chain_of: dict[int, int] = {}
    for place, after in enumerate(touching):
        mine = {p for p in after.paths if KINDS[p]}
        earlier = [n for n in range(place) if mine & set(touching[n].paths)]
        chain_of[place] = len(chains)
        if earlier:
            before = touching[earlier[-1]]
            gap = after.time - before.time
            purpose = all(KINDS[p] or p in before.paths for p in after.paths)
            if gap <= 60:
                chain_of[place] = chain_of[earlier[-1]]
            elif gap <= window and purpose and b"[bot]" not in after.author:
                chain_of[place] = chain_of[earlier[-1]]
                chains[chain_of[place]][0] += 1
                gaps.append(gap)
                files.update(mine & set(before.paths))
        if chain_of[place] == len(chains):
            chains.append([0])
    return len(touching), gaps, files, sorted((c[0] for c in chains if c[0]), reverse=True)


@given(histories())
def test_the_fold_counts_as_force_does(commits: list[Commit]) -> None:
    window = 14_400
    history = measure(commits, until=UNTIL, window=window)
    touching, gaps, files, chains = by_force(commits, window)
    assert history.commits == len(commits)
    assert history.touching == touching
    assert history.follow_ups == len(gaps)
    assert sum(month.follow_ups for month in history.months) == len(gaps)
    assert sum(month.touching for month in history.months) == touching
    assert sum(month.commits for month in history.months) == len(commits)
    total = history.minutes.total if history.minutes else 0
    assert total == round(sum(gap / 60 for gap in gaps), 1)
    assert [chain.follow_ups for chain in history.chains] == chains[:5]
    worst = sorted(files.items(), key=lambda item: (-item[1], item[0]))[:5]
    assert [(f.path.encode(), f.follow_ups) for f in history.files] == worst


def test_what_grind_knows_is_never_made_up() -> None:
    """There is no way to have it but to say it."""
    with pytest.raises(TypeError):
        SinceGrind()  # type: ignore[call-arg]
