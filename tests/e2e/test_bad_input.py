"""Bad input: a clear message with a place, the right exit code, and nothing that was recorded lost."""

from __future__ import annotations

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow

GOOD = workflow(CHECKOUT + "- run: echo fine")
JOBS = "name: CI\non: push\njobs:\n"


def test_outside_of_a_repository(world: World) -> None:
    for command in ("plan", "check", "status", "log", "build"):
        done = world.grind(command, cwd=world.outside)
        assert done.code == 2, done
        assert "not in a git repository" in done.err
        assert "Traceback" not in done.said


def test_no_workflows(world: World) -> None:
    world.start({"README": "hello"})
    for command in ("plan", "check"):
        done = world.grind(command)
        assert done.code == 2
        assert ".github/workflows" in done.err
        assert "→" in done.err, "there is a way on"


BAD = {
    "broken YAML": ("name: CI\non: push\njobs:\n  a: [\n", CI + ":"),
    "a tab": ("name: CI\non: push\njobs:\n\ta: 1\n", f"{CI}:4"),
    "unknown key of a step": (GOOD + "        shel: bash\n", f"{CI}:9:9"),
    "unknown key of a job": (GOOD.replace("runs-on", "run-on"), f"{CI}:5:5"),
    "unknown key at the top": (GOOD + "job:\n  a: 1\n", f"{CI}:9:1"),
    "cyclic needs": (
        JOBS + "  a:\n    needs: b\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n"
        "  b:\n    needs: a\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n",
        f"{CI}:5:",
    ),
    "a job that needs a missing one": (
        JOBS + "  a:\n    needs: [gone]\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n",
        f"{CI}:5:",
    ),
    "an empty matrix": (
        JOBS + "  a:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        os: []\n"
        "    steps: [{run: x}]\n",
        f"{CI}:8:",
    ),
    "run and uses": (
        JOBS + "  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n        run: x\n",
        f"{CI}:",
    ),
    "neither run nor uses": (
        JOBS + "  a:\n    runs-on: ubuntu-latest\n    steps:\n      - name: nothing\n",
        f"{CI}:7:",
    ),
    "a broken expression": (workflow("- run: echo ${{ github. }}"), f"{CI}:7:"),
    "an unknown context": (workflow("- run: echo ${{ gitub.sha }}"), f"{CI}:7:"),
    "not UTF-8": (b"name: caf\xe9\non: push\njobs: {}\n", f"{CI}:1"),
    "empty": ("", CI),
    "a list": ("- a\n- b\n", f"{CI}:1"),
    "a duplicate key": (GOOD + "on: pull_request\n", f"{CI}:9:1"),
    "no jobs": ("on: push\njobs: {}\n", f"{CI}:2"),
}


@pytest.mark.parametrize("what", BAD)
def test_workflow_that_github_would_refuse(world: World, what: str) -> None:
    text, place = BAD[what]
    world.start({CI: text}, remote=False)
    planned = world.grind("plan")
    assert planned.code == 2, planned
    assert place in planned.err
    assert "Traceback" not in planned.said
    checked = world.grind("check", "--json")
    assert checked.code == 2, checked
    assert (
        place in checked.out.replace('","line":', ":").replace(',"column":', ":")
        or (checked.document["problems"])
    )
    assert not world.receipts


def test_all_problems_are_told_at_once(world: World) -> None:
    world.start(
        {
            CI: GOOD + "        shel: bash\n",
            ".github/workflows/two.yml": "on: push\njobs:\n  a:\n    needs: b\n",
        },
        remote=False,
    )
    done = world.grind("plan")
    assert done.code == 2
    assert f"{CI}:9:9" in done.err
    assert ".github/workflows/two.yml:" in done.err


def test_configuration_with_many_faults(world: World) -> None:
    world.start(
        {
            CI: GOOD,
            "grind.toml": 'mian = "x"\njobs = 0\n[[check]]\nname = "a b"\nrun = ""\n'
            '[[ignore]]\nworkflow = "x.yml"\n',
        },
        remote=False,
    )
    done = world.grind("check")
    assert done.code == 2
    for place in ("grind.toml:1:1", "grind.toml:2:8", "grind.toml:4", "grind.toml:5"):
        assert place in done.err
    assert "reason" in done.err, "F22: an ignored workflow needs a reason"


def test_configuration_that_is_no_toml(world: World) -> None:
    world.start({CI: GOOD, "grind.toml": "[[check]\n"}, remote=False)
    done = world.grind("plan")
    assert done.code == 2
    assert "grind.toml:1:" in done.err


def test_unknown_names(world: World) -> None:
    world.start({CI: GOOD}, remote=False)
    for args, word in (
        (("check", "tset"), "test"),
        (("check", "--workflow", "nope.yml"), "ci.yml"),
        (("check", "--rev", "nope"), "nope"),
        (("plan", "--rev=--upload-pack=x"), "upload-pack=x"),
        (("plan", "--changed", "nope"), "nope"),
        (("log", "nope"), "nope"),
        (("chek",), "check"),
        (("check", "--fsat"), "--fsat"),
        (("check", "--fast"), "grind.toml"),
        (("check", "--failed"), "nothing was red"),
    ):
        done = world.grind(*args)
        assert done.code == 2, done
        assert word in done.err
        assert "Traceback" not in done.said


def test_odd_event_and_ref(world: World) -> None:
    """What GitHub does not know is refused, not planned for."""
    world.start({CI: GOOD}, remote=False)
    for args in (("--event", "psuh"), ("--ref", "-x y"), ("--ref", "")):
        done = world.grind("plan", *args)
        assert done.code == 2, done


@pytest.mark.parametrize("name", ["a b", "a:b", "a*b", "tab\tb"])
def test_a_state_folder_that_a_shell_would_split(world: World, name: str) -> None:
    """`>> $GITHUB_ENV` without quotes is right on a runner, and would fail here."""
    world.start({CI: workflow("- run: echo A=1 >> $GITHUB_ENV")})
    state = world.root / name
    done = world.grind("check", env={"GRIND_STATE_DIR": str(state)})
    assert done.code == 2, done
    assert "GRIND_STATE_DIR" in done.err
    assert "Traceback" not in done.said
    assert world.grind("plan", env={"GRIND_STATE_DIR": str(state)}).code == 0


def test_a_repository_whose_path_a_shell_would_split(world: World) -> None:
    """The steps never see it."""
    world.start(
        {CI: workflow("- run: echo A=1 >> $GITHUB_ENV\n- run: cd $GITHUB_WORKSPACE; test $A = 1")}
    )
    elsewhere = world.root / "my repo: [a*]"
    world.repo.rename(elsewhere)
    world.repo = elsewhere
    done = world.grind("check")
    assert done.code == 0, done


PAST = CHECKOUT.rstrip("\n") + "\n  with: {fetch-depth: 0}\n- run: git show HEAD~1:file\n"


@pytest.mark.parametrize(
    ("how", "said"), [("--filter=blob:none", "partial clone"), ("--depth=1", "shallow clone")]
)
def test_a_clone_that_is_not_whole(world: World, how: str, said: str) -> None:
    """What is checked out is there. What only CI has is told of when a step misses it."""
    world.start({CI: workflow(PAST), "file": "1"})
    world.git("config", "uploadpack.allowFilter", "true", cwd=world.remote)
    world.write({"file": "2"})
    world.commit("second")
    world.git("push", "-q", "origin", "main")
    assert world.grind("check").code == 0
    elsewhere = world.root / "clone"
    world.git("clone", "-q", how, f"file://{world.remote}", str(elsewhere), cwd=world.root)
    world.repo = elsewhere
    done = world.grind("check")
    assert done.code == 1, done
    assert said in done.out
    world.write({CI: workflow(CHECKOUT + "- run: grep 2 file")})
    done = world.grind("check")
    assert done.code == 0, done
    assert "repack" not in done.said
