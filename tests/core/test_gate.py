"""The gate: each answer is reached, and nothing but a full, fresh, fitting receipt opens it."""

from __future__ import annotations

from typing import Any

import pytest

from grind.core.gate import Answer, Wanted, decide
from grind.core.receipt import Receipt, read_receipt, write_receipt

DAY = 86400.0


def receipt(**more: Any) -> Receipt:
    told: dict[str, Any] = {
        "tree": "t" * 40,
        "commit": "c",
        "digest": "d",
        "key": "k",
        "state": "green",
        "host": "h",
        "host_name": "here",
        "created": 100 * DAY,
        "grind": "1",
        "executed": 1,
    }
    return Receipt(**(told | more))


def wanted(**more: Any) -> Wanted:
    told: dict[str, Any] = {
        "tree": "t" * 40,
        "key": "k",
        "digest": None,
        "host": "h",
        "now": 101 * DAY,
        "max_age": 30 * DAY,
    }
    return Wanted(**(told | more))


PARTIAL = {"state": "partial", "open": ("a", "b", "c", "d"), "remedies": ("settle it",)}


@pytest.mark.parametrize(
    ("given", "want", "answer"),
    [
        (receipt(), {}, Answer.OK),
        (None, {}, Answer.MISSING),
        (receipt(tree="other"), {}, Answer.MISSING),
        (receipt(key="other"), {}, Answer.PLAN_CHANGED),
        (receipt(key="other"), {"digest": "d"}, Answer.OK),
        (
            receipt(digest="other"),
            {"digest": "d"},
            Answer.PLAN_CHANGED,
        ),  # though the key is the same
        (receipt(host="other"), {}, Answer.FOREIGN_HOST),
        (receipt(host="other"), {"host": None}, Answer.OK),
        (receipt(), {"now": 131 * DAY}, Answer.STALE),
        (receipt(), {"now": 130 * DAY}, Answer.OK),
        (receipt(), {"now": 99 * DAY}, Answer.STALE),  # from the future
        (receipt(), {"now": 100 * DAY - 60}, Answer.OK),
        (receipt(**PARTIAL), {}, Answer.PARTIAL),
        (receipt(state="red"), {}, Answer.PARTIAL),
        (receipt(executed=0), {}, Answer.PARTIAL),
        (receipt(open=("a",)), {}, Answer.PARTIAL),
    ],
)
def test_answers(given: Receipt | None, want: dict[str, Any], answer: Answer) -> None:
    decision = decide(given, wanted(**want))
    assert decision.answer is answer
    assert decision.ok is (answer is Answer.OK)
    assert decision.ok or (decision.reason and decision.remedy)


def test_a_partial_receipt_names_what_is_open_and_what_settles_it() -> None:
    decision = decide(receipt(**PARTIAL), wanted())
    assert "a; b; c; and 1 more" in decision.reason
    assert decision.remedy == "settle it"


def test_a_receipt_is_read_as_it_was_written() -> None:
    assert read_receipt(write_receipt(receipt(**PARTIAL))) == receipt(**PARTIAL)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        write_receipt(receipt())[:-20],
        write_receipt(receipt(schema="grind.receipt/1")),
        write_receipt(receipt()).replace(b"in-toto", b"in-tota"),
        b'{"schema":"grind.receipt/1","tree":"t","state":"green","executed":1}',
    ],
)
def test_a_receipt_that_cannot_be_read_is_none(data: bytes) -> None:
    assert read_receipt(data) is None
