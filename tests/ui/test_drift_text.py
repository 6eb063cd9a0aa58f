"""`grind plan --drift` for people."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grind.core.drift import (
    Different,
    Drift,
    Excepted,
    Missing,
    NonGating,
    Side,
    Site,
    SiteKind,
    Unread,
)
from grind.ui.drift_text import render_drift
from grind.ui.words import ASCII
from tests.ui.golden import check

CI = ".github/workflows/ci.yml"


def step(line: int, name: str) -> Site:
    return Site(kind=SiteKind.WORKFLOW, file=CI, line=line, name=name)


def recipe(line: int, note: str = "") -> Site:
    return Site(kind=SiteKind.JUST, file="Justfile", line=line, name="just pre-push", note=note)


def side(command: str, *sites: Site, folder: str = "") -> Side:
    return Side(command=command, folder=folder, sites=sites)


NIGHTLY = Site(
    kind=SiteKind.WORKFLOW,
    file=".github/workflows/nightly.yml",
    line=9,
    name="slow › Slow tests",
    active=False,
    note="the workflow does not run on push",
)
DRIFT = Drift(
    tree="7" * 40,
    event="push",
    ref="refs/heads/main",
    compared=(5, 3),
    rehearsals=(recipe(1),),
    missing=(
        Missing(
            command="nix build .#core",
            folder="",
            sites=tuple(step(10 + i, f"build ({i}) › Core") for i in range(6)),
            reason="`grind check` runs it; what you run before a push does not",
            planned=True,
        ),
        Missing(
            command="npm run build",
            folder="web",
            sites=(step(30, "web › Build"),),
            reason="runs-on windows-latest: this host is not one",
        ),
        Missing(
            command="./deploy.sh host",
            folder="",
            sites=(step(40, "deploy › Deploy"),),
            reason="deploys to environment 'prod': shown, never executed",
            by_design=True,
        ),
    ),
    extra=(side("cargo check -p core", recipe(2, "over ssh grind")),),
    different=(
        Different(
            ci=side("cargo test --locked --workspace", step(50, "test › Test")),
            here=side("cargo test", recipe(3)),
        ),
    ),
    non_gating=(
        NonGating(
            site=step(60, "lint › Clippy"),
            reason="the step cannot fail: `cargo clippy` (line 1): piped into `tee` without pipefail",
        ),
    ),
    inactive=(side("pytest slow", NIGHTLY),),
    unread=(
        Unread(
            site=Site(kind=SiteKind.SCRIPT, file="scripts/ci.sh", line=1, name="scripts/ci.sh"),
            reason="the shell text is not understood whole",
        ),
    ),
    excepted=(Excepted(kind="extra", command="mypy src", reason="not for CI yet"),),
    unused=("gone *",),
)
NONE = Drift(tree="7" * 40, event="push", ref="refs/heads/main", compared=(5, 3))


@pytest.mark.parametrize("width", [60, 100])
def test_golden(width: int) -> None:
    check(f"drift-{width}", render_drift(DRIFT, width, False))


def test_golden_of_no_drift() -> None:
    check("drift-none", render_drift(NONE, 80, False))


def test_colour_adds_nothing_but_colour() -> None:
    plain = re.sub("\x1b\\[[0-9;]*m", "", render_drift(DRIFT, 80, True))
    assert plain == render_drift(DRIFT, 80, False)


def test_ascii_signs_only() -> None:
    only = replace(NONE, extra=DRIFT.extra, excepted=DRIFT.excepted)
    assert render_drift(only, 80, False, ASCII).isascii()


@given(st.text(max_size=30), st.integers(20, 130))
def test_law_hostile_text_adds_no_control_characters(text: str, width: int) -> None:
    site = Site(kind=SiteKind.SCRIPT, file=text, line=1, name=text, active=False, note=text)
    one = side("x" + text, site, folder=text)
    drift = replace(
        DRIFT,
        ref=text,
        extra=(one,),
        inactive=(one,),
        different=(Different(ci=one, here=one),),
        missing=(Missing(command="x" + text, folder=text, sites=(site,), reason=text),),
        excepted=(Excepted(kind="extra", command=text, reason=text),),
        unused=(text,),
    )
    shown = render_drift(drift, width, False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
