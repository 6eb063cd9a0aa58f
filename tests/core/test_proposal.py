"""What `grind init` proposes is valid as it is, and with every proposal taken up, whatever was found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import load
from grind.core.evidence import Evidence, JobSeen, Provided, Recipe, Refusal, Seen
from grind.core.proposal import proposals, propose, role_of
from grind.core.remedy import verdict_rule

TEXT = st.text(max_size=20) | st.sampled_from(
    ["a\nb = 1", '"""', "'''\n[x]", "# | x = 1", "\x7f", "é 😊"]
)
LABELS = '[hosts.local]\nlabels = ["macos-latest"]  # if this host may stand for it'


def remedies() -> st.SearchStrategy[str]:
    rule = '[[verdict]]\nuses = "foo/bar@*"\nverdict = "skipped"\nreason = "why"'
    return st.sampled_from([rule, LABELS, LABELS.replace("macos", "windows"), "install it", ""])


def evidence(draw: st.DrawFn) -> Evidence:
    several = lambda inner: tuple(draw(st.lists(inner, max_size=4, unique_by=lambda one: one[0])))  # noqa: E731
    seen = st.builds(Seen, TEXT, TEXT)
    return Evidence(
        tree="t",
        remote=draw(st.none() | st.just("origin")),
        main="main",
        main_from=draw(TEXT),
        workflows=1,
        jobs=several(st.builds(JobSeen, TEXT, TEXT)),
        inactive=draw(st.integers(0, 3)),
        provided=several(st.builds(Provided, TEXT, TEXT, TEXT)),
        refused=several(st.builds(Refusal, TEXT, TEXT, TEXT, remedies())),
        recipes=several(st.builds(Recipe, TEXT, TEXT.filter(bool), TEXT, st.booleans(), TEXT)),
        systems=several(st.builds(Seen, st.just(".#nixosConfigurations.web"), TEXT)),
        units=several(st.builds(Seen, st.sampled_from(["a.service", "container@b.service"]), TEXT)),
        ports=several(st.builds(Seen, st.sampled_from(["22", "8000"]), TEXT)),
        routes=several(st.builds(Seen, st.sampled_from(["/health", "/api/healthz"]), TEXT)),
        aliases=several(st.builds(Seen, st.sampled_from(["grind", "me-prod", "box"]), TEXT)),
        flakes=several(seen),
    )


@given(st.composite(evidence)())
def test_it_is_valid_whatever_was_found(found: Evidence) -> None:
    text = propose(found)
    config = load("grind.toml", text.encode("utf-8", "replace"))
    assert len(config.check) == sum(one.safe and "\0" not in one.call for one in found.recipes)
    assert not config.verdict
    assert not config.hosts
    load("grind.toml", proposals(text).encode("utf-8", "replace"))


def test_labels_of_several_jobs_become_one_table() -> None:
    jobs = [
        Refusal(f"ci.yml:{n}", "job", "no", LABELS.replace("macos", os))
        for n, os in ((1, "macos"), (2, "windows"))
    ]
    text = proposals(propose(Evidence("t", None, "main", "", 1, refused=tuple(jobs))))
    assert load("grind.toml", text.encode()).local.labels == ("macos-latest", "windows-latest")


def test_a_remedy_is_offered_once() -> None:
    rule = verdict_rule("overridden", {"uses": "foo/bar@*"}, run="true")
    steps = tuple(Refusal(f"ci.yml:{n}", "step", "unknown", rule) for n in (3, 9))
    text = propose(Evidence("t", None, "main", "", 1, refused=steps))
    assert text.count("# | [[verdict]]") == 1
    assert "settled by the lines above" in text


def test_the_port_of_a_probe_is_the_service_own() -> None:
    text = propose(
        Evidence(
            "t", None, "main", "", 1,
            ports=(Seen("22", "a"), Seen("8000", "b")), routes=(Seen("/health", "src/main.rs:1"),),
        )
    )  # fmt: skip
    assert '"http://127.0.0.1:8000/health"' in text


def test_roles_are_guessed_from_names() -> None:
    roles = [
        role_of(name) for name in ("choiros-grind", "web-prod", "staging2", "box", "Production")
    ]
    assert roles == ["grind", "prod", "staging", "grind", "prod"]


def test_nothing_to_say() -> None:
    assert Evidence("t", "origin", "main", "", 3, jobs=(JobSeen("a", "b"),)).silent
    assert not Evidence("t", "origin", "main", "", 3, routes=(Seen("/health", "x"),)).silent


def test_a_name_that_no_program_can_be_given_is_left_out() -> None:
    recipes = (Recipe("a", "npm run a\0b", "package.json:2", True), Recipe("b", "make b", "", True))
    text = propose(Evidence("t", None, "main", "", 1, recipes=recipes))
    assert [check.run for check in load("grind.toml", text.encode()).check] == ["make b"]


def test_advice_stands_before_the_lines_and_not_in_them() -> None:
    """`install uv on the host, or: [[verdict]] uses = …` in one line was neither advice nor TOML."""
    rule = verdict_rule("overridden", {"uses": "astral-sh/setup-uv@*"}, run="true")
    steps = tuple(
        Refusal(f"ci.yml:{n}", "uv", "no uv", f"install uv on the host, or:\n{rule}")
        for n in (1, 2)
    )
    text = propose(Evidence("t", None, "main", "", 1, refused=steps))
    assert "#   install uv on the host, or:\n# | [[verdict]]\n# | uses" in text
    assert "#   install uv on the host, or: the lines above" in text
    assert text.count("[[verdict]]") == 1
    assert len(load("grind.toml", proposals(text).encode()).verdict) == 1
