"""A receipt holds for the host it was made on: a copied `.git` proves nothing on another machine."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.test_receipt_hit import World


def test_another_hosts_receipt_is_not_taken(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.check()["state"] == "green"
    [receipt] = (world.work / ".git/grind/receipts").glob("*.json")
    for hit in receipt.parent.glob("*.hit"):
        hit.unlink()
    told = json.loads(receipt.read_text())
    assert world.check()["cached"] is True
    for hit in receipt.parent.glob("*.hit"):
        hit.unlink()
    receipt.write_text(json.dumps(told | {"host": "0" * 32 + "/riscv64"}))
    answer = world.check()
    assert answer["cached"] is False
    assert answer["state"] == "green"
    assert json.loads(receipt.read_text())["host"] == told["host"]
