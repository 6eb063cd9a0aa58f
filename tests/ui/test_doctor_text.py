"""`grind doctor` for people."""

from __future__ import annotations

import pytest

from grind.core.doctor import Diagnosis, HostFinding, judge_host
from grind.ui.doctor_text import render_doctor
from grind.ui.layout import cells
from tests.core.test_doctor import GOOD
from tests.ui.golden import check, visible
from tests.ui.sample import EVIL

SPARE = {name: value for name, value in GOOD.items() if name not in ("has git", "linger")}
BARE = Diagnosis(
    host="grind", ssh="choir", findings=judge_host(SPARE, skew=61.0, tools={f"node {EVIL}": "v20"})
)
AWAY = Diagnosis(
    host="grind",
    ssh="choir",
    reachable=False,
    findings=(
        HostFinding(
            name="reachable", level="missing", told="nobody answers", remedy="ssh choir true"
        ),
    ),
)


@pytest.mark.parametrize("width", [40, 80])
def test_findings_and_remedies(width: int) -> None:
    good = Diagnosis(host="box", findings=judge_host(GOOD, skew=0.0, tools={}))
    text = "\n".join(render_doctor(one, width, False) for one in (good, BARE, AWAY))
    assert max(map(cells, text.splitlines())) <= width
    check(f"doctor-{width}", visible(text))


def test_what_is_missing_stands_last() -> None:
    lines = render_doctor(BARE, 80, False).splitlines()
    signs = [line[0] for line in lines[:-1] if line[0] != " "]
    assert signs == sorted(signs, key="✓·!✗".index)
