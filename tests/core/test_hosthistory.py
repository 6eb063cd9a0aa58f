"""Which generation is good, and which one a rollback goes to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grind.core.hosthistory import (
    drifts,
    generations,
    last_open,
    read_history,
    rollback_target,
)


class Story:
    """A host's history, told in a few words."""

    def __init__(self) -> None:
        self.profile: list[str] = []
        self.running = ""
        self.lines: list[str] = []
        self.count = 0

    def deployed(self, system: str) -> Story:
        """By another tool."""
        self.profile.append(system)
        self.running = system
        return self

    def activated(self, system: str, end: str = "acknowledged", *, to: int | None = None) -> Story:
        self.count += 1
        name = f"{self.count:08d}"
        old, before = self.running, self.number
        purpose = "rollback" if to else "activate"
        self._say(name, "begun", f"old={old}", f"new={system}", f"generation={before}",
                  f"purpose={purpose}", "who=ada", f"revision=rev-{system}")  # fmt: skip
        if to is None:
            self.profile.append(system)
            made = len(self.profile)
        else:
            made = to
        self.running = system
        if end == "acknowledged":
            self._say(name, "acknowledged", f"generation={made}")
        elif end == "rolled-back":
            self._say(name, "going-back", "reason=red", f"generation={made}")
            self._say(name, "rolled-back", "reason=red", f"generation={before}")
            self.running = old
        return self

    def rolled_back_to(self, number: int) -> Story:
        return self.activated(self.profile[number - 1], to=number)

    @property
    def number(self) -> int:
        at = [n for n, system in enumerate(self.profile, 1) if system == self.running]
        return at[-1] if at else 0

    def _say(self, *words: str) -> None:
        self.lines.append("record\t" + "\t".join((words[0], "1", *words[1:], ";")))

    def text(self) -> str:
        rows = [f"generation\t{n}\t{n}\t{system}" for n, system in enumerate(self.profile, 1)]
        head = [f"profile\t{self.running}", f"number\t{self.number}", f"running\t{self.running}"]
        return "\n".join((*head, f"booted\t{self.running}", *rows, *self.lines)) + "\n"

    def target(self) -> str | None:
        found = rollback_target(read_history(self.text(), "nixos"))
        return found.name if found is not None else None

    def verdicts(self) -> list[str]:
        return [row.verdict for row in generations(read_history(self.text(), "nixos"))]


def test_good_bad_and_unknown() -> None:
    story = Story().deployed("a").activated("b").activated("c", "rolled-back")
    assert story.verdicts() == ["unknown", "good", "bad"]
    rows = generations(read_history(story.text(), "nixos"))
    assert (rows[1].who, rows[1].revision, rows[1].current) == ("ada", "rev-b", True)
    assert rows[2].reason == "red"


def test_nothing_good_is_known() -> None:
    assert Story().deployed("a").target() is None
    assert Story().deployed("a").deployed("b").target() is None


def test_recorded_one_of_another_tool() -> None:
    assert Story().deployed("a").activated("b").target() == "1"


def test_two_bad_ones_between() -> None:
    story = Story().deployed("z").activated("a").activated("b", "rolled-back")
    story.activated("c", "rolled-back").activated("d")
    assert story.target() == "2"


def test_rolled_back_twice_goes_further_back() -> None:
    story = Story().deployed("z").activated("a").activated("b").activated("c")
    assert story.target() == "3"
    story.rolled_back_to(3)
    assert story.verdicts()[3] == "bad"
    assert story.target() == "2", "never forward again to what was left"


def test_never_to_what_is_bad_or_runs() -> None:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from("abcdefgh"), st.sampled_from(("acknowledged", "rolled-back"))
            ),
            max_size=8,
        )
    )
    def holds(steps: list[tuple[str, str]]) -> None:
        story = Story().deployed("z")
        for system, end in steps:
            if system != story.running:
                story.activated(system, end)
        state = read_history(story.text(), "nixos")
        target = rollback_target(state)
        assert target is None or (target.verdict != "bad" and target.system != state.running)

    holds()


def test_open_one() -> None:
    story = Story().deployed("a").activated("b", "cut off")
    state = read_history(story.text(), "nixos")
    one = last_open(state)
    assert one is not None
    assert one.old == "a"
    assert last_open(read_history(Story().deployed("a").activated("b").text(), "nixos")) is None


def test_three_kinds_of_drift() -> None:
    text = "profile\t/s/b\nnumber\t2\nrunning\t/s/a\nbooted\t/s/z\ngeneration\t1\t5\t/s/a\ngeneration\t2\t6\t/s/b\n"
    found = drifts(read_history(text, "nixos"), "/s/c")
    assert [one.kind for one in found] == ["half-switch", "behind", "reboot"]
    assert found[0].remedy == "grind rollback host --to 1"
    assert (
        drifts(read_history(text.replace("/s/b", "/s/a").replace("/s/z", "/s/a"), "nixos"), "/s/a")
        == ()
    )
