"""A receipt holds for the host it was made on: a copied `.git` proves nothing on another machine."""

from __future__ import annotations

from pathlib import Path

from grind.core.receipt import read_receipt
from tests.e2e.test_receipt_hit import World
from tests.e2e.world import forged


def test_another_hosts_receipt_is_not_taken(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.check()["state"] == "green"
    [receipt] = (world.work / ".git/grind/receipts").glob("*.json")
    for hit in receipt.parent.glob("*.hit"):
        hit.unlink()
    told = receipt.read_bytes()
    assert world.check()["cached"] is True
    for hit in receipt.parent.glob("*.hit"):
        hit.unlink()
    foreign = "0" * 32 + "/riscv64"
    receipt.write_bytes(forged(told, host=foreign))
    answer = world.check()
    assert answer["cached"] is False
    assert answer["state"] == "green"
    made = read_receipt(receipt.read_bytes())
    assert made is not None
    assert made.host != foreign
