"""What CI runs against what is run here: missing, extra, different, declared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import Config, load
from grind.core.drift import Drift
from grind.rules.entrypoints import tasks_of
from grind.workflows.drift import compare
from grind.workflows.driftsides import entry_files, is_rehearsal
from grind.workflows.drifttasks import Task, call_of
from grind.workflows.drifttext import Reader
from tests.workflows.plans import read, request_of, settled

HEAD = "on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"


def ci(*steps: str, head: str = HEAD) -> str:
    """A workflow of one job whose steps run these texts."""
    return head + "".join(f"      - run: {json.dumps(step)}\n" for step in steps)


def drift_of(*workflows: str, files: Mapping[str, str] | None = None, config: str = "") -> Drift:
    texts = {path: dedent(text).encode() for path, text in (files or {}).items()}

    def tasks(path: str) -> tuple[Task, ...]:
        return tasks_of(path, texts[path]) if path in texts else ()

    read_ones = [read(w, f".github/workflows/w{i}.yml") for i, w in enumerate(workflows)]
    plan = settled(request_of(*read_ones, config=config, files=files))
    local = [task for path in entry_files(texts) for task in tasks(path)]
    loaded = load("grind.toml", dedent(config).encode()) if config else Config()
    return compare(plan, loaded, local, Reader(tasks))


def missing(drift: Drift) -> list[str]:
    return [one.command for one in drift.missing if not one.by_design]


def extra(drift: Drift) -> list[str]:
    return [one.command for one in drift.extra]


F1 = """\
    on: push
    jobs:
      build:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - run: nix build .#core --print-build-logs
          - run: nix --extra-experimental-features 'nix-command flakes' build .#web -L
          - run: nix build .#docs
      deploy:
        needs: build
        runs-on: ubuntu-latest
        environment: prod
        steps:
          - uses: actions/checkout@v4
          - run: ./deploy.sh host
    """
F1_JUST = """\
    pre-push:
        ssh grind 'cd project && cargo check -p core'
        ssh -p 22 grind "cd project && cargo check -p web"
    """


def test_f1_a_rehearsal_that_covers_nothing() -> None:
    drift = drift_of(F1, files={"Justfile": F1_JUST})
    assert missing(drift) == ["nix build .#core", "nix build .#web", "nix build .#docs"]
    assert [one.command for one in drift.missing if one.by_design] == ["./deploy.sh host"]
    assert extra(drift) == ["cargo check -p core", "cargo check -p web"]
    assert drift.extra[0].sites[0].note == "over ssh grind"
    assert drift.drifted


def test_what_the_plan_carries_out_is_no_drift_where_nobody_claims_more() -> None:
    drift = drift_of(F1, files={"Justfile": "build:\n    nix build .#core\n"})
    assert missing(drift) == []
    assert not drift.drifted
    assert [one.command for one in drift.missing] == ["./deploy.sh host"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Justfile", "ci:\n    cargo test --locked\n    ruff check\n"),
        ("Makefile", "ci: a\n\tcargo test --locked\na:\n\t@ruff check\n"),
        ("package.json", '{"scripts": {"ci": "cargo test --locked && ruff check"}}'),
        (".githooks/pre-push", "#!/bin/sh\nset -e\ncargo test --locked\nexec ruff check\n"),
        ("scripts/ci.sh", '#!/bin/bash\ncd "$(dirname "$0")/.."\nruff check\ncargo t --locked\n'),
    ],
)
def test_a_rehearsal_of_any_kind_that_covers_all(path: str, text: str) -> None:
    drift = drift_of(ci("cargo test --locked", "ruff check"), files={path: text})
    assert [site.file for site in drift.rehearsals] == [path]
    assert not drift.drifted, drift


@pytest.mark.parametrize(
    ("step", "path", "text"),
    [
        ("just test", "Justfile", "test:\n    pytest -x\n"),
        ("make test", "Makefile", "test:\n\tpytest -x\n"),
        ("make", "Makefile", "test:\n\tpytest -x\n"),
        ("npm run unit", "package.json", '{"scripts": {"unit": "pytest -x"}}'),
        ("npm test", "package.json", '{"scripts": {"test": "pytest -x"}}'),
        ("yarn unit", "package.json", '{"scripts": {"unit": "pytest -x"}}'),
        ("./tools/t.sh", "tools/t.sh", "#!/bin/sh\npytest -x\n"),
        ("bash -e tools/t.sh", "tools/t.sh", "#!/bin/sh\npytest -x\n"),
        ("cd web && just test", "Justfile", "test:\n    pytest -x\n"),
        ("make -C web test", "web/Makefile", "test:\n\tcd .. && pytest -x\n"),
    ],
)
def test_ci_is_seen_through(step: str, path: str, text: str) -> None:
    check = '[[check]]\nname = "unit"\nrun = "pytest -x"\n'
    drift = drift_of(ci(step), files={path: text}, config=check)
    assert drift.compared == (1, 1)
    assert not drift.drifted, drift


def test_a_call_that_leads_nowhere_stays_a_call() -> None:
    drift = drift_of(ci("make nothing"), files={"Justfile": "ci:\n    make nothing\n"})
    assert not drift.drifted
    assert drift.compared == (1, 1)
    looped = {"Makefile": "a:\n\tmake b\nb:\n\tmake a\n"}
    assert drift_of(ci("make a"), files=looped).compared[0] == 1


CALL = "on: push\njobs:\n  call:\n    uses: ./.github/workflows/w1.yml\n"
CALLED = """\
on: workflow_call
jobs:
  inner:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./act
      - run: ruff check
"""
ACT = {
    "act/action.yml": """\
        name: act
        runs:
          using: composite
          steps:
            - run: cargo test --locked
              shell: bash
        """
}


def test_a_call_is_no_command_and_its_jobs_stand_in_their_own_files() -> None:
    drift = drift_of(CALL, CALLED, files=ACT)
    assert missing(drift) == []
    assert not drift.drifted, drift
    rehearsed = drift_of(CALL, CALLED, files={**ACT, "Justfile": "ci:\n    nix build\n"})
    assert missing(rehearsed) == ["cargo test --locked", "ruff check"]
    files = [site.file for one in rehearsed.missing for site in one.sites if site.active]
    assert files == ["act/action.yml", ".github/workflows/w1.yml"]


def test_extra_is_what_no_workflow_runs() -> None:
    nightly = ci(
        "pytest slow", head=HEAD.replace("on: push", "on: {schedule: [{cron: '0 0 * * *'}]}")
    )
    files = {"Makefile": "test:\n\tpytest slow\n\tmypy src\nserve:\n\tflask run\n"}
    drift = drift_of(ci("ruff check"), nightly, files=files)
    assert extra(drift) == ["mypy src"]
    assert drift.extra[0].sites[0].line == 3
    assert [one.command for one in drift.inactive] == []
    other = drift_of(ci("ruff check"), nightly)
    assert [one.command for one in other.inactive] == ["pytest slow"]
    assert not other.inactive[0].sites[0].active
    assert "does not run on push" in other.inactive[0].sites[0].note
    assert not other.drifted


def test_different_flags_show_both() -> None:
    drift = drift_of(
        ci("cargo test --locked --workspace"), files={"Justfile": "ci:\n    cargo test\n"}
    )
    (pair,) = drift.different
    assert (pair.ci.command, pair.here.command) == ("cargo test --locked --workspace", "cargo test")
    assert missing(drift) == []
    assert extra(drift) == []
    assert drift.drifted


def test_other_operands_are_not_a_difference_but_another_command() -> None:
    drift = drift_of(ci("nix build .#a"), files={"Justfile": "ci:\n    nix build .#b\n"})
    assert missing(drift) == ["nix build .#a"]
    assert extra(drift) == ["nix build .#b"]


def test_a_folder_by_cd_is_a_working_directory() -> None:
    text = HEAD + "      - run: npm run x\n        working-directory: ./web/\n"
    drift = drift_of(text, files={"Justfile": "ci:\n    cd web && npm run x\n"})
    assert not drift.drifted
    drift = drift_of(text, files={"Justfile": "ci:\n    (cd web && true); npm run x\n"})
    assert drift.drifted


def test_a_test_in_a_job_that_deploys_is_missing_all_the_same() -> None:
    drift = drift_of(ci("cargo test", "mkdir out", "docker info", "git push origin x"))
    assert missing(drift) == ["cargo test"]
    assert [m.command for m in drift.missing if m.by_design] == ["docker info", "git push origin x"]
    assert drift.drifted
    assert not drift_of(ci("cargo test", "git push origin x"), ci("cargo test")).drifted


def test_steps_that_cannot_turn_ci_red_are_told() -> None:
    drift = drift_of(ci("cargo clippy | tee log"))
    (row,) = drift.non_gating
    assert "pipefail" in row.reason
    assert not drift.drifted


def test_what_the_plan_refuses_is_missing_with_the_reason() -> None:
    text = ci("pytest").replace("ubuntu-latest", "windows-latest")
    drift = drift_of(text)
    (row,) = drift.missing
    assert "windows-latest" in row.reason
    assert not row.planned
    assert not drift_of(text, ci("pytest")).drifted


def test_another_language_is_one_command() -> None:
    text = HEAD + "      - run: print(1)\n        shell: python\n"
    same = '[[check]]\nname = "p"\nshell = "python"\nrun = "print(1)"\n'
    assert not drift_of(text, config=same).drifted
    assert drift_of(text, config=same.replace("print(1)", "print(2)")).drifted


DECLARED = """\
    [[drift]]
    command = "nix build *"
    reason = "slow"
    [[drift]]
    command = "cargo check -p core"
    reason = "quick feedback"
    [[drift]]
    command = "gone"
    reason = "?"
    """


def test_what_is_declared_is_no_drift_and_still_told() -> None:
    drift = drift_of(F1, files={"Justfile": F1_JUST}, config=DECLARED)
    assert missing(drift) == []
    assert extra(drift) == ["cargo check -p web"]
    assert [(one.kind, one.reason) for one in drift.excepted] == [
        ("missing", "slow"),
        ("missing", "slow"),
        ("missing", "slow"),
        ("extra", "quick feedback"),
    ]
    assert drift.unused == ("gone",)


def test_a_text_that_is_not_understood_is_told() -> None:
    drift = drift_of(ci("true"), files={"scripts/check.sh": "#!/bin/bash\npytest\nif (\n"})
    (row,) = drift.unread
    assert row.site.file == "scripts/check.sh"


def test_which_files_people_start() -> None:
    paths = (
        "Justfile",
        "Makefile",
        "package.json",
        "web/package.json",
        "scripts/test-all.sh",
        "scripts/release.sh",
        "scripts/lint.py",
        "vendor/x/test.sh",
        ".husky/pre-push",
        ".husky/commit-msg",
        "check",
        "src/check.sh",
    )
    assert entry_files(paths) == (
        ".husky/pre-push",
        "Justfile",
        "Makefile",
        "check",
        "package.json",
        "scripts/test-all.sh",
    )


@pytest.mark.parametrize("name", ["pre-push", "prepush", "ci", "local-ci", "ci-local", "preflight"])
def test_names_of_rehearsals(name: str) -> None:
    (task,) = tasks_of("Justfile", f"{name}:\n    true\n".encode())
    assert is_rehearsal(task)


@pytest.mark.parametrize("line", ["npm install", "npm run x -w web", "bun test", "cargo test", "x"])
def test_what_is_no_call(line: str) -> None:
    assert call_of(line.split(), "") is None


COMMANDS = st.sampled_from(
    [
        "cargo test --locked",
        "cargo test -p a",
        "nix build .#x -L",
        "pytest tests -x | tee log",
        "cd web && npm run build",
        "FOO=1 make all -j4",
        "for p in a b; do cargo check -p $p; done",
        "ruff check && mypy",
        "ssh h 'cd x && cargo check'",
        "bash -c 'mypy src'",
        "if ! cargo fmt --check; then exit 1; fi",
        "python3 - <<'E'\nprint(1)\nE",
        "f() { pytest $1; }; f a; f b",
        "grep -q x y",
        "echo $(cargo metadata)",
    ]
)


@given(st.lists(st.lists(COMMANDS, min_size=1, max_size=3).map("\n".join), min_size=1, max_size=4))
def test_law_ci_compared_with_itself_has_no_drift(steps: list[str]) -> None:
    checks = "".join(
        f'[[check]]\nname = "c{i}"\nrun = {json.dumps(step)}\n' for i, step in enumerate(steps)
    )
    drift = drift_of(ci(*steps), config=checks)
    assert not drift.missing
    assert not drift.extra
    assert not drift.different
    body = "".join(
        f"step{i}:\n    #!/usr/bin/env bash\n"
        + "".join(f"    {line}\n" for line in step.split("\n"))
        for i, step in enumerate(steps)
    )
    all_of_them = " ".join(f"step{i}" for i in range(len(steps)))
    drift = drift_of(ci(*steps), files={"Justfile": f"ci: {all_of_them}\n{body}"})
    assert not drift.drifted, drift


@given(st.lists(COMMANDS, min_size=2, max_size=6, unique=True), st.data())
def test_law_what_is_left_out_here_is_missing(steps: list[str], data: st.DataObject) -> None:
    everything = drift_of(ci(*steps))
    left = data.draw(st.sampled_from(steps))
    rest = [step for step in steps if step != left]
    script = "#!/bin/bash\n" + "\n".join(f"(\n{step}\n)" for step in rest) + "\n"
    drift = drift_of(ci(*steps), files={"scripts/ci.sh": script})
    reader = Reader(lambda _: ())
    gone = {f.unit for f in reader.text(left).found}
    gone -= {f.unit for step in rest for f in reader.text(step).found}
    told = {one.command for one in drift.missing} | {one.ci.command for one in drift.different}
    assert {unit.text for unit in gone} <= told
    assert not everything.extra
