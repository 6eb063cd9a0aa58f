"""A receipt as in-toto's own predicate for tests, for tools that know nothing of grind.

Source: the in-toto attestation framework, spec/predicates/test-result.md (v0.1): `result`,
`configuration`, and the names of tests that passed, warned and failed.
"""

from __future__ import annotations

from typing import Any

from grind.core.receipt import STATEMENT_TYPE, Receipt, subject_of

TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def as_test_result(receipt: Receipt) -> dict[str, Any]:
    """Return the statement. A step is a test; one that cannot fail, or did not run here although it
    gates, is a warning; a receipt that is not full is never PASSED."""
    passed: list[str] = []
    warned: list[str] = []
    failed: list[str] = []
    for step in receipt.steps:
        name = f"{step.job}: {step.name}"
        if step.conclusion == "failure":
            (failed if step.gating else warned).append(name)
        elif step.conclusion == "success" and step.gating and step.verdict == "executed":
            passed.append(name)
        elif step.conclusion != "skipped":
            warned.append(name)
    result = "FAILED" if failed else "PASSED" if receipt.full else "WARNED"
    return {
        "_type": STATEMENT_TYPE,
        "subject": subject_of(receipt.tree, receipt.commit),
        "predicateType": TEST_RESULT_TYPE,
        "predicate": {
            "result": result,
            "configuration": [{"name": "plan", "digest": {"sha256": receipt.digest}}],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
        },
    }
