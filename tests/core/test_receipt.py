"""A receipt as bytes: an in-toto statement, in an envelope, for exactly one tree."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grind.core.envelope import (
    Envelope,
    Signature,
    armoured,
    from_armour,
    read_envelope,
    write_envelope,
)
from grind.core.receipt import (
    Acceptance,
    ActivationRecord,
    ProbeRecord,
    Receipt,
    StepRecord,
    Tool,
    read_receipt,
    receipt_of,
    statement_of,
    write_receipt,
)
from grind.core.testresult import as_test_result
from tests.core.test_gate import receipt

SCHEMA = Path(__file__).parents[2] / "docs/schemas/receipt.json"
STEP = StepRecord(
    job="ci.yml/test", step=1, name="Unit", verdict="executed", conclusion="success", gating=True,
    exit_code=0, duration=1.5, log_sha256="0" * 64, tests=7,
)  # fmt: skip
FULL = receipt(
    tree_after="t" * 40,
    steps=(STEP,),
    tools=(Tool(("git", "--version"), "git version 2"),),
    expires=200.0,
    activations=(ActivationRecord(host="h", outcome="kept", before="/a", after="/b", at=1.0),),
    probes=(ProbeRecord(name="health", place="host", conclusion="success", told="ok"),),
    accepted=(Acceptance(digest="d", base="b", lines=("x",), reason="meant", by="Ada", at=2.0),),
)


def keyed(size: int = 3) -> bytes:
    return b"SSHSIG" + b"\0\0\0\1" + size.to_bytes(4, "big") + b"k" * size + b"rest"


def test_the_statement_is_in_toto() -> None:
    told = statement_of(FULL)
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert [one["digest"] for one in told["subject"]] == [{"gitTree": "t" * 40}, {"gitCommit": "c"}]
    assert not {"tree", "commit"} & set(told["predicate"])
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator(schema).validate(json.loads(json.dumps(told)))


def test_what_is_written_is_read() -> None:
    assert read_receipt(write_receipt(FULL)) == FULL
    assert write_receipt(FULL).count(b"\n") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "urn:grind:receipt:v1"},
        {"subject": []},
        {"subject": [{"digest": {"gitTree": "t"}}]},
        {"subject": [{"digest": {"gitTree": "t"}}, {"digest": {"gitTree": "u"}}]},
        {"subject": "tree"},
        {"predicate": []},
        {"predicate": {}},
    ],
)
def test_a_statement_of_another_kind_is_none(changed: dict[str, Any]) -> None:
    told = statement_of(FULL) | changed
    assert receipt_of(json.dumps(told).encode()) is None


def test_a_predicate_cannot_speak_of_another_tree() -> None:
    told = statement_of(FULL)
    told["predicate"]["tree"] = "other"
    read = receipt_of(json.dumps(told).encode())
    assert read is not None
    assert read.tree == "t" * 40


def test_what_a_later_grind_adds_is_passed_over() -> None:
    told = statement_of(FULL)
    told["predicate"]["later"] = 1
    assert receipt_of(json.dumps(told).encode()) == FULL


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=3))
def test_envelopes_survive_the_way(payload: bytes, sizes: list[int]) -> None:
    signatures = tuple(read_signature(keyed(size + 1)) for size in sizes)
    envelope = Envelope(payload, signatures)
    assert read_envelope(write_envelope(envelope)) == envelope
    assert b"\n" not in write_envelope(envelope)[:-1]
    for one in signatures:
        assert from_armour(armoured(one.blob)) == one


def read_signature(blob: bytes) -> Signature:
    return from_armour(armoured(blob))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_signed_bytes_name_what_they_are(one: bytes, other: bytes) -> None:
    """DSSE's own example, and: two payloads are never the same bytes."""
    assert Envelope(b"hi").signed_bytes() == b"DSSEv1 28 application/vnd.in-toto+json 2 hi"
    assert (Envelope(one).signed_bytes() == Envelope(other).signed_bytes()) == (one == other)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_envelope_or_none(data: bytes) -> None:
    read = read_envelope(data)
    assert read is None or isinstance(read, Envelope)


@pytest.mark.parametrize(
    "changed",
    [
        {"payloadType": "text/plain"},
        {"payload": "not base64!"},
        {"payload": None},
        {"signatures": None},
        {"signatures": [{}]},
        {"signatures": [{"sig": base64.b64encode(b"no signature").decode()}]},
        {"signatures": [{"sig": base64.b64encode(keyed()[:11]).decode()}]},
        {"signatures": [{"sig": base64.b64encode(keyed()).decode()}] * 9},
    ],
)
def test_envelopes_that_are_none(changed: dict[str, Any]) -> None:
    good = json.loads(write_envelope(Envelope(b"x", (read_signature(keyed()),))))
    assert read_envelope(json.dumps(good).encode()) is not None
    assert read_envelope(json.dumps(good | changed).encode()) is None


def test_the_key_id_is_read_from_the_signature_and_never_believed() -> None:
    good = json.loads(write_envelope(Envelope(b"x", (read_signature(keyed()),))))
    good["signatures"][0]["keyid"] = "SHA256:somebody-else"
    read = read_envelope(json.dumps(good).encode())
    assert read is not None
    assert read.signatures[0].keyid == read_signature(keyed()).keyid


def step(conclusion: str, *, gating: bool = True, verdict: str = "executed") -> StepRecord:
    name = f"{conclusion}-{gating}-{verdict}"
    return StepRecord(
        job="j", step=0, name=name, verdict=verdict, conclusion=conclusion, gating=gating
    )


def test_as_a_test_result() -> None:
    told = as_test_result(
        receipt(
            steps=(
                step("success"),
                step("success", verdict="satisfied-by-host"),
                step("success", gating=False),
                step("failure", gating=False),
                step("skipped"),
            )
        )
    )
    predicate = told["predicate"]
    assert predicate["result"] == "PASSED"
    assert predicate["passedTests"] == ["j: success-True-executed"]
    assert len(predicate["warnedTests"]) == 3
    assert predicate["failedTests"] == []
    assert predicate["configuration"] == [{"name": "plan", "digest": {"sha256": "d"}}]


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (receipt(state="partial", open=("a",)), "WARNED"),
        (receipt(tree_after="other"), "WARNED"),
        (receipt(executed=0), "WARNED"),
        (receipt(steps=(step("failure"),)), "FAILED"),
        (receipt(), "PASSED"),
    ],
)
def test_only_a_full_receipt_is_passed(given: Receipt, result: str) -> None:
    assert as_test_result(given)["predicate"]["result"] == result
