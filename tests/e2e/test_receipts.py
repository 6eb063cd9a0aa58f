"""Receipts and the gate from outside: real keys, real notes, and those who would cheat."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, Done, World, forged, workflow

SIGNERS = "signers"
GATE = f'[gate]\nsigners = "{SIGNERS}"\n'
PASS = {CI: workflow(CHECKOUT + "- run: test ! -e broken"), "file": "1"}
NOTES = "refs/notes/grind/receipts"


def key(world: World, name: str, passphrase: str = "") -> Path:
    path = world.home / name
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(path)]
    subprocess.run(argv, check=True)
    return path


def public(path: Path) -> str:
    return path.with_name(path.name + ".pub").read_text()


def use(world: World, path: Path | str) -> None:
    world.git("config", "gpg.format", "ssh")
    world.git("config", "user.signingKey", str(path))


def guarded(world: World) -> Path:
    """A repository whose main branch wants receipts of Ada."""
    ada = key(world, "ada")
    world.start(PASS | {"grind.toml": GATE, SIGNERS: f"ada@example.com {public(ada)}"})
    return ada


def prove(world: World, **files: str) -> None:
    world.write(files or {"file": "2"})
    done = world.grind("check")
    assert done.code == 0, done


def land(world: World, *args: str) -> Done:
    return world.grind("land", "-m", "x", *args)


def refused(world: World, word: str, *args: str) -> Done:
    tip = world.tip
    done = land(world, *args)
    assert done.code == 3, done
    assert word in done.err
    assert world.tip == tip
    return done


def test_signed_by_an_allowed_signer(world: World) -> None:
    ada = guarded(world)
    use(world, ada)
    prove(world)
    done = world.grind("receipt", "verify")
    assert (done.code, done.out) == (0, "gate: ok\n  signed by ada@example.com\n")
    assert land(world).code == 0


def test_unsigned_is_good_until_the_main_branch_asks_for_more(world: World) -> None:
    world.start(PASS)
    prove(world)
    assert "not signed" in world.grind("receipt", "show").out
    assert land(world).code == 0


def test_unsigned_where_signatures_are_asked_for(world: World) -> None:
    ada = guarded(world)
    prove(world)
    refused(world, "it is not signed")
    use(world, ada)
    assert world.grind("receipt", "sign").code == 0
    assert land(world).code == 0


def test_signed_by_a_stranger(world: World) -> None:
    guarded(world)
    use(world, key(world, "mallory"))
    prove(world)
    refused(world, "is not among the allowed signers")


def test_a_change_cannot_name_its_own_signers(world: World) -> None:
    guarded(world)
    mallory = key(world, "mallory")
    use(world, mallory)
    prove(world, **{SIGNERS: f"mallory@example.com {public(mallory)}", "file": "evil"})
    refused(world, "is not among the allowed signers")
    refused(world, "is not among the allowed signers", "--accept-weakened", "trust me")


def test_another_file_of_signers_and_none_are_weaker(world: World) -> None:
    ada = guarded(world)
    use(world, ada)
    prove(world, **{"grind.toml": ""})
    done = refused(world, "weakens a rule")
    assert "gate.signers: signers → no signature is asked for" in done.err
    prove(world, **{"grind.toml": GATE, SIGNERS: f"* {public(ada)}"})
    refused(world, "signers: the signers that are trusted → other ones")
    assert land(world, "--accept-weakened", "Ada moves").code == 0


def test_an_edited_receipt_is_nobodys(world: World) -> None:
    ada = guarded(world)
    use(world, ada)
    world.write({"broken": ""})
    assert world.grind("check").code == 1
    (world.repo / "broken").unlink()
    prove(world)
    world.forge(executed=99)
    refused(world, "did not sign this")


def test_a_receipt_copied_to_another_tree(world: World) -> None:
    ada = guarded(world)
    use(world, ada)
    prove(world)
    [path] = (world.kept / "receipts").glob("*.json")
    world.write({"broken": ""})
    tree = world.status()["tree"]
    shutil.copy(path, path.with_name(f"{tree}.json"))
    refused(world, "there is no receipt for tree")
    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["subject"][0]["digest"]["gitTree"] = tree
    statement["predicate"]["treeAfter"] = tree
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    path.with_name(f"{tree}.json").write_text(json.dumps(envelope))
    refused(world, "did not sign this")


def test_an_expired_receipt(world: World) -> None:
    world.start(PASS)
    prove(world)
    world.forge(expires=time.time() - 1)
    refused(world, "expired")


def test_the_main_branch_says_how_long_a_proof_lasts(world: World) -> None:
    world.start(PASS | {"grind.toml": '[receipt]\nmax_age = "1h"\n'})
    prove(world, **{"grind.toml": '[receipt]\nmax_age = "90d"\n'})
    done = refused(world, "weakens a rule")
    assert "receipt.max_age: 0.0416667 days → 90 days" in done.err
    world.forge(created=time.time() - 7200)
    refused(world, "days old", "--accept-weakened", "longer")


def test_a_void_receipt(world: World) -> None:
    world.start(PASS)
    prove(world)
    world.forge(treeAfter="0" * 40)
    refused(world, "the tree changed during the run")


def test_a_snapshot_that_is_gone_after_the_run_proves_nothing(world: World) -> None:
    world.start({CI: workflow(CHECKOUT + "- run: sh away"), "away": "exit 0\n", "file": "1"})
    world.write({"file": "2", "away": f"find {world.kept}/repo/objects -type f -delete\n"})
    world.grind("check")
    assert not any(one["treeAfter"] == one["tree"] for one in world.receipts)
    assert world.grind("land", "-m", "x").code != 0


# --- weakened ------------------------------------------------------------------------------------

TWO = workflow(CHECKOUT + "- name: Unit\n  run: test ! -e broken\n- name: Lint\n  run: test 1")
WEAKER = {
    "a step is gone": workflow(CHECKOUT + "- name: Unit\n  run: test ! -e broken"),
    "a step cannot fail": TWO.replace("run: test 1", "run: test 1 || true"),
    "continue-on-error": TWO.replace("run: test 1", "run: test 1\n        continue-on-error: true"),
    "a condition": TWO.replace(
        "- name: Lint", "- name: Lint\n        if: github.ref == 'refs/heads/x'"
    ),
    "another job": TWO.replace("  test:\n", "  other:\n"),
    "a filter": TWO.replace("on: push", "on:\n  push:\n    paths: [nothing]"),
    "an environment": TWO.replace("jobs:\n", "env: {SKIP: '1'}\njobs:\n"),
}


@pytest.mark.parametrize("name", WEAKER)
def test_a_change_that_drops_a_gating_step(world: World, name: str) -> None:
    other = {".github/workflows/two.yml": workflow("- run: test 2")}
    world.start({CI: TWO, "file": "1"} | other)
    prove(world, **{CI: WEAKER[name], "file": "2"})
    done = refused(world, "weakens")
    assert "→ grind land --accept-weakened" in done.err
    assert " → " in done.err.splitlines()[1]


@pytest.mark.parametrize(
    "config",
    [
        '[[ignore]]\nworkflow = "ci.yml"\nreason = "slow"\n',
        '[[verdict]]\njob = "test"\nstep = "Lint"\nverdict = "overridden"\nreason = "x"\n',
        '[[verdict]]\njob = "test"\nstep = "Lint"\nverdict = "overridden"\n'
        'run = "true"\nreason = "x"\n',
    ],
)
def test_a_grind_toml_that_drops_a_gating_step(world: World, config: str) -> None:
    other = {".github/workflows/two.yml": workflow("- run: test 2")}
    world.start({CI: TWO, "file": "1"} | other)
    prove(world, **{"grind.toml": config})
    refused(world, "weakens")


def test_a_check_that_is_dropped_or_counts_fewer_tests(world: World) -> None:
    check = '[[check]]\nname = "mine"\nrun = "echo === 3 passed in 0.01s ==="\nmin_tests = 3\n'
    world.start(PASS | {"grind.toml": check})
    prove(world, **{"grind.toml": check.replace("= 3", "= 1")})
    assert "min_tests: 3 → 1" in refused(world, "weakens").err
    prove(world, **{"grind.toml": ""})
    refused(world, "weakens")


def test_what_is_only_added_or_moved_lands(world: World) -> None:
    world.start({CI: TWO, "file": "1"})
    more = (
        CHECKOUT
        + "- name: First\n  run: test 0\n- name: Style\n  run: test 1\n"
        + "- name: Unit\n  run: test ! -e broken"
    )
    prove(world, **{CI: workflow(more) + "# why\n", ".github/CODEOWNERS": "* @ada\n"})
    assert land(world).code == 0


def test_an_accepted_weakening_is_recorded_and_stays_with_its_tree(world: World) -> None:
    world.start({CI: TWO, "file": "1"})
    prove(world, **{CI: WEAKER["a step is gone"]})
    shown = world.grind("receipt", "verify").out
    assert "on the main branch" in shown
    assert "in this change" in shown
    assert land(world, "--accept-weakened", "Lint moves to pre-commit").code == 0
    [accepted] = next(one for one in world.receipts if one["accepted"])["accepted"]
    assert accepted["reason"] == "Lint moves to pre-commit"
    assert accepted["by"] == "Ada <ada@example.com>"
    assert any(event["type"] == "gate.accepted" for event in world.journal())
    assert "Lint moves to pre-commit" in world.grind("receipt", "show", "HEAD").out
    prove(world, **{CI: WEAKER["a step is gone"].replace("test ! -e broken", "test 1")})
    refused(world, "weakens")


def test_a_receipt_is_not_replayed_when_the_main_branch_became_stricter(world: World) -> None:
    """Proven by the old rules; meanwhile the main branch asks for a signature."""
    world.start(PASS)
    other = world.root / "other"
    world.git("clone", "-q", str(world.remote), str(other), cwd=world.root)
    prove(world)
    ada = key(world, "ada")
    (other / "grind.toml").write_text(GATE)
    (other / SIGNERS).write_text(f"ada@example.com {public(ada)}")
    world.git("add", "-A", cwd=other)
    world.git("commit", "-qm", "stricter", cwd=other)
    world.git("push", "-q", "origin", "main", cwd=other)
    assert world.grind("check", "--merged").code == 0
    refused(world, "it is not signed", "--merged")
    use(world, ada)
    assert world.grind("check", "--merged", "--again").code == 0
    assert land(world, "--merged").code == 0


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_with_a_passphrase_and_no_agent(world: World) -> None:
    guarded(world)
    path = key(world, "locked", "secret")
    use(world, path)
    world.write({"file": "2"})
    done = world.grind("check")
    assert done.code == 0
    assert "needs its passphrase, and no agent has it" in done.said
    assert f"ssh-add {path}" in done.said
    refused(world, "it is not signed")


def test_a_key_in_an_agent(world: World) -> None:
    ada = guarded(world)
    use(world, "key::" + public(ada))
    argv = ["ssh-agent", "-D", "-a", str(world.root / "a")]
    agent = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        world.until((world.root / "a").exists, "no agent")
        world.env["SSH_AUTH_SOCK"] = str(world.root / "a")
        subprocess.run(["ssh-add", "-q", str(ada)], env=world.env, check=True)
        ada.unlink()
        prove(world)
        assert land(world).code == 0
    finally:
        agent.terminate()
        agent.wait()


def test_the_hosts_own_key(world: World) -> None:
    ada = guarded(world)
    world.git("config", "grind.signingKey", str(ada))
    prove(world)
    assert land(world).code == 0


def test_a_key_for_something_else_is_none_for_receipts(world: World) -> None:
    ada = key(world, "ada")
    line = f'ada@example.com namespaces="git" {public(ada)}'
    world.start(PASS | {"grind.toml": GATE, SIGNERS: line})
    use(world, ada)
    prove(world)
    refused(world, "not permitted for use in signature namespace")


# --- old, listed, exported, shared ---------------------------------------------------------------


def test_a_receipt_of_the_old_form_proves_nothing_and_is_replaced(world: World) -> None:
    world.start(PASS)
    prove(world)
    [path] = (world.kept / "receipts").glob("*.json")
    predicate = world.receipts[0]
    path.write_text(json.dumps(predicate | {"schema": "grind.receipt/1"}))
    for hit in path.parent.glob("*.hit"):
        hit.unlink()
    refused(world, "there is no receipt")
    assert "there is no receipt yet" in world.grind("receipt", "list").out
    assert world.grind("check").code == 0
    assert land(world).code == 0


def test_list_show_and_export(world: World) -> None:
    world.start(PASS)
    use(world, key(world, "ada"))
    prove(world)
    listed = json.loads(world.grind("receipt", "list", "--json").out)["receipts"]
    assert [one["state"] for one in listed] == ["green"]
    assert "signed with SHA256:" in listed[0]["signature"]
    shown = world.grind("receipt", "show").out
    assert "✓ ci.yml/test: " in shown
    statement = json.loads(world.grind("receipt", "export", "--form", "statement").out)
    assert statement == json.loads(world.grind("receipt", "show", "--json").out)
    [path] = (world.kept / "receipts").glob("*.json")
    assert world.grind("receipt", "export").out.encode() == path.read_bytes()
    result = json.loads(world.grind("receipt", "export", "--form", "test-result").out)
    assert result["predicate"]["result"] == "PASSED"
    world.write({"file": "3"})
    assert world.grind("receipt", "show").code == 3


def test_shared_as_notes_that_are_united(world: World) -> None:
    world.start(PASS)
    prove(world)
    assert land(world).code == 0
    tree = world.git("rev-parse", "HEAD^{tree}")
    assert world.git("notes", "--ref", NOTES, "list", tree, cwd=world.remote)
    other = world.root / "other"
    world.git("clone", "-q", str(world.remote), str(other), cwd=world.root)
    assert world.grind("receipt", "fetch", cwd=other).code == 0
    (other / "file").write_text("3")
    assert world.grind("check", cwd=other).code == 0
    prove(world, file="4")
    world.commit("mine")
    assert world.grind("receipt", "push").code == 0
    world.git("commit", "-qam", "theirs", cwd=other)
    assert world.grind("receipt", "push", cwd=other).code == 0, "united with what came meanwhile"
    noted = world.git("notes", "--ref", NOTES, "list", cwd=world.remote).splitlines()
    assert len(noted) == 3
    assert world.grind("receipt", "fetch").code == 0
    assert len(json.loads(world.grind("receipt", "list", "--json").out)["receipts"]) == 3


def test_a_receipt_of_another_host_counts_when_the_main_branch_says_so(world: World) -> None:
    ada = key(world, "ada")
    config = GATE + "foreign_hosts = true\n"
    world.start(PASS | {"grind.toml": config, SIGNERS: f"ada@example.com {public(ada)}"})
    use(world, ada)
    prove(world)
    [path] = (world.kept / "receipts").glob("*.json")
    unsigned = json.loads(forged(path.read_bytes(), host="0" * 32 + "/riscv64"))
    unsigned["signatures"] = []
    path.write_text(json.dumps(unsigned) + "\n")
    refused(world, "it is not signed")
    assert world.grind("receipt", "sign").code == 0
    assert land(world).code == 0


def test_old_receipts_are_collected(world: World) -> None:
    world.start(PASS)
    prove(world)
    [path] = (world.kept / "receipts").glob("*.json")
    old = time.time() - 100 * 86400
    os.utime(path, (old, old))
    os.utime(world.kept / "tidied", (old, old))
    prove(world, file="3")
    assert not path.exists()


def test_hostile_notes_are_passed_over(world: World) -> None:
    world.start(PASS)
    prove(world)
    assert land(world).code == 0
    tree = world.git("rev-parse", "HEAD^{tree}")
    world.git("notes", "--ref", NOTES, "append", "-m", "{" * 5000 + "\n\x1b[2J", tree)
    done = world.grind("receipt", "list")
    assert done.code == 0
    assert "\x1b" not in done.said
    for path in (world.kept / "receipts").glob("*.json"):
        path.unlink()
    assert world.grind("receipt", "verify", "HEAD").code == 0, "by the note that is left"


JQ = """#!/usr/bin/env python3
import json, sys
flag, query, path = sys.argv[1:]
value = json.load(open(path))
for key in query.strip(".").replace("[0]", ".0").split("."):
    value = value[int(key) if key.isdigit() else key]
sys.stdout.write(value + ("" if flag == "-j" else "\\n"))
"""


def test_the_documented_way_to_verify_without_grind(world: World) -> None:
    """The shell lines of docs/receipts.md, run as they stand but for the names in them."""
    page = (Path(__file__).parents[2] / "docs/receipts.md").read_text()
    block = page.split("```sh\n")[1].split("```")[0]
    ada = guarded(world)
    use(world, ada)
    prove(world)
    tools = world.root / "tools"
    tools.mkdir()
    (tools / "jq").write_text(JQ)
    (tools / "jq").chmod(0o755)
    script = block.replace("TREE", world.status()["tree"])
    env = world.env | {"PATH": f"{tools}:{os.environ['PATH']}"}

    def run() -> subprocess.CompletedProcess[str]:
        argv = ["bash", "-euc", script]
        return subprocess.run(
            argv, cwd=world.repo, env=env, capture_output=True, text=True, check=False
        )

    done = run()
    assert done.returncode == 0, done
    assert 'Good "grind-receipt" signature for ada@example.com' in done.stdout
    world.forge(executed=99)
    assert run().returncode != 0
