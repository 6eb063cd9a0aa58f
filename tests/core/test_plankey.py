"""The key of a plan tells apart whatever a plan is made from."""

from __future__ import annotations

from typing import Any

import pytest

from grind.core.plankey import plan_key

PARTS: dict[str, Any] = {
    "version": "1",
    "tree": "t",
    "base": "b",
    "event": "push",
    "ref": "r",
    "repository": "o/n",
    "labels": ("linux", "x64"),
}


@pytest.mark.parametrize("part", sorted(PARTS))
def test_every_part_counts(part: str) -> None:
    other = ("linux",) if part == "labels" else "other"
    assert plan_key(**PARTS) != plan_key(**(PARTS | {part: other}))


def test_parts_do_not_run_into_each_other() -> None:
    one = plan_key(**(PARTS | {"event": "ab", "ref": "c"}))
    assert one != plan_key(**(PARTS | {"event": "a", "ref": "bc"}))
    assert plan_key(**(PARTS | {"labels": ("a", "b")})) != plan_key(**(PARTS | {"labels": ("ab",)}))


def test_the_order_of_labels_does_not_count() -> None:
    assert plan_key(**PARTS) == plan_key(**(PARTS | {"labels": ("x64", "linux")}))


def test_an_odd_name_has_a_key() -> None:
    assert len(plan_key(**(PARTS | {"ref": "\udcff"}))) == 64
