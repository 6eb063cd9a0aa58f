"""Inside CI: a checkout as a runner has it, the event that started it, and whom to believe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grind.flows.ciproof import place_of
from tests.e2e.test_receipts import GATE, SIGNERS, key, prove, public, use
from tests.e2e.world import CHECKOUT, CI, Done, World, workflow

PASS = {CI: workflow(CHECKOUT + "- run: test ! -e broken"), "file": "1"}
OID = "a" * 40


class Runner:
    """A shallow checkout of what was pushed, and the runner's variables."""

    def __init__(self, world: World, before: str, ref: str = "refs/heads/main") -> None:
        self.world = world
        self.folder = world.root / "runner"
        self.output = world.root / "output"
        self.output.touch()
        event = world.root / "event.json"
        event.write_text(json.dumps({"before": before, "repository": {"default_branch": "main"}}))
        branch = ref.removeprefix("refs/heads/")
        argv = ["clone", "-q", "--depth=1", "-b", branch, f"file://{world.remote}"]
        world.git(*argv, str(self.folder), cwd=world.root)
        self.env = {
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": ref,
            "GITHUB_OUTPUT": str(self.output),
            "CI": "true",
        }

    def verify(self, *args: str) -> Done:
        return self.world.grind("receipt", "verify", "--ci", *args, cwd=self.folder, env=self.env)

    @property
    def told(self) -> dict[str, str]:
        lines = self.output.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def trusted(world: World) -> str:
    """A main branch that trusts Ada, who signs; returns where it is."""
    ada = key(world, "ada")
    world.start(PASS | {"grind.toml": GATE, SIGNERS: f"ada@example.com {public(ada)}"})
    use(world, ada)
    return world.tip


def test_a_landed_commit_is_trusted_and_nothing_is_skipped_by_default(world: World) -> None:
    before = trusted(world)
    prove(world)
    assert world.grind("land", "-m", "x").code == 0
    runner = Runner(world, before)
    done = runner.verify()
    assert done.code == 0, done
    assert "signed by ada@example.com" in done.out
    assert runner.told == {"trusted": "true", "proven": "false", "signer": "ada@example.com"}
    done = runner.verify("--allow-skip")
    assert runner.told["proven"] == "true"


def test_a_bypass_is_found_afterwards(world: World) -> None:
    before = trusted(world)
    world.grind("hook", "install")
    world.write({"file": "2"})
    world.commit("unproven")
    world.git("push", "-q", "--no-verify", "origin", "main")
    runner = Runner(world, before)
    done = runner.verify("--allow-skip")
    assert done.code == 3, done
    assert "there is no receipt" in done.out
    assert runner.told["trusted"] == "false"


def test_a_strangers_receipt_is_not_trusted(world: World) -> None:
    before = trusted(world)
    use(world, key(world, "mallory"))
    prove(world)
    world.commit("mine")
    world.git("push", "-q", "origin", "main")
    assert world.grind("receipt", "push").code == 0
    done = Runner(world, before).verify("--allow-skip")
    assert done.code == 3
    assert "is not among the allowed signers" in done.out


def test_a_push_cannot_bring_its_own_signers(world: World) -> None:
    before = trusted(world)
    mallory = key(world, "mallory")
    use(world, mallory)
    prove(world, **{SIGNERS: f"mallory@example.com {public(mallory)}"})
    world.commit("mine now")
    world.git("push", "-q", "origin", "main")
    assert world.grind("receipt", "push").code == 0
    assert Runner(world, before).verify().code == 3


def test_nor_over_a_branch_of_its_own(world: World) -> None:
    """What was on the pushed branch before is the pusher's word: the default branch decides."""
    trusted(world)
    mallory = key(world, "mallory")
    use(world, mallory)
    prove(world, **{SIGNERS: f"mallory@example.com {public(mallory)}"})
    first = world.commit("signers")
    prove(world, file="evil")
    world.commit("evil")
    world.git("push", "-q", "origin", "main:topic")
    assert world.grind("receipt", "push").code == 0
    done = Runner(world, first, "refs/heads/topic").verify("--allow-skip")
    assert done.code == 3
    assert "is not among the allowed signers" in done.out


def test_a_change_of_rules_is_trusted_and_skips_nothing(world: World) -> None:
    before = trusted(world)
    prove(world, **{CI: PASS[CI] + "# more\n"})
    assert world.grind("land", "-m", "x").code == 0
    runner = Runner(world, before)
    done = runner.verify("--allow-skip")
    assert done.code == 0, done
    assert "the push changes what must be proven: .github/workflows/ci.yml" in done.out
    assert runner.told["proven"] == "false"


def test_where_the_main_branch_names_nobody(world: World) -> None:
    world.start(PASS)
    before = world.tip
    prove(world)
    assert world.grind("land", "-m", "x").code == 0
    done = Runner(world, before).verify()
    assert done.code == 3
    assert "nobody is trusted" in done.out


def test_outside_of_ci_the_base_is_named(world: World) -> None:
    before = trusted(world)
    prove(world)
    assert world.grind("land", "-m", "x").code == 0
    assert world.grind("receipt", "verify", "--ci").code == 2
    done = world.grind("receipt", "verify", "--ci", "--base", before, "--json")
    assert done.code == 0
    assert done.document["trusted"] is True


PUSH = {"before": OID, "repository": {"default_branch": "main"}}
PULL = {
    "pull_request": {"base": {"sha": OID, "ref": "main"}},
    "repository": {"default_branch": "main"},
}


@pytest.mark.parametrize(
    ("event", "ref", "payload", "base"),
    [
        ("push", "refs/heads/main", PUSH, OID),
        ("push", "refs/heads/topic", PUSH, None),
        ("push", "refs/tags/v1", PUSH, None),
        ("push", "refs/heads/main", PUSH | {"before": "0" * 40}, None),
        ("push", "refs/heads/main", PUSH | {"before": "--upload-pack=x"}, None),
        ("pull_request", "refs/pull/1/merge", PULL, OID),
        (
            "pull_request",
            "refs/pull/1/merge",
            PULL | {"pull_request": {"base": {"sha": OID, "ref": "topic"}}},
            None,
        ),
        (
            "merge_group",
            "refs/heads/x",
            {
                "merge_group": {"base_sha": OID, "base_ref": "refs/heads/main"},
                "repository": {"default_branch": "main"},
            },
            OID,
        ),
        ("schedule", "refs/heads/main", PUSH, None),
        ("push", "refs/heads/main", [], None),
    ],
)
def test_whose_rules_hold(event: str, ref: str, payload: object, base: str | None) -> None:
    assert place_of(event, ref, json.dumps(payload).encode()).base == base


@pytest.mark.parametrize(
    ("require", "skip", "proven", "code"),
    [("true", "false", True, 0), ("true", "true", True, 0), ("true", "false", False, 3),
     ("false", "true", False, 0)],
)  # fmt: skip
def test_the_actions_own_script(
    world: World, require: str, skip: str, proven: bool, code: int
) -> None:
    """The script of action.yml, with the grind of this checkout in place of one that pip installs."""
    root = Path(__file__).parents[2]
    action = yaml.safe_load((root / "action.yml").read_text())
    [step] = action["runs"]["steps"]
    assert action["inputs"]["skip-proven"]["default"] == "false"
    before = trusted(world)
    world.write({"file": "2"})
    if proven:
        prove(world)
    world.commit("x")
    world.git("push", "-q", "origin", "main")
    if proven:
        assert world.grind("receipt", "push").code == 0
    runner = Runner(world, before)
    shim = world.root / "python"
    shim.write_text(
        "#!/bin/sh\n"
        f'mkdir -p "$3/bin"; ln -sf {sys.executable} "$3/bin/grind-python"\n'
        "printf '#!/bin/sh\\nexit 0\\n' > \"$3/bin/python\"\n"
        f'printf \'#!/bin/sh\\nexec {sys.executable} -m grind "$@"\\n\' > "$3/bin/grind"\n'
        'chmod +x "$3/bin/python" "$3/bin/grind"\n'
    )
    shim.chmod(0o755)
    given = {
        "GRIND_REQUIRE": require,
        "GRIND_SKIP": skip,
        "GRIND_PYTHON": str(shim),
        "GRIND_ACTION": str(root),
        "RUNNER_TEMP": str(world.root / "temp"),
    }
    assert set(step["env"]) | {"RUNNER_TEMP"} == set(given)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=runner.folder,
        env=world.env | runner.env | given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done
    assert runner.told["proven"] == str(proven and skip == "true").lower()
    assert ("::warning" in done.stdout) == (not proven and code == 0)
    assert os.environ.get("GITHUB_OUTPUT") != runner.env["GITHUB_OUTPUT"]
