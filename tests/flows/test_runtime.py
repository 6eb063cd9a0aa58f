"""What GitHub's runner does while a job runs, with real shells on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from grind.core import events as e
from grind.workflows.facts import Answer
from tests.flows.world import Carried, carry, job
from tests.workflows.plans import HOST

BASH = ("bash", "-c", 'command -v -- "$0"', "bash")
PYTHON = ("bash", "-c", "command -v python3 python")

# --- what steps say -------------------------------------------------------------------------------


def test_summaries_are_kept_and_masked(tmp_path: Path) -> None:
    done = carry(
        tmp_path,
        job("""
- name: test
  run: |
    echo "::add-mask::hidden-value"
    echo '# Tests' >> "$GITHUB_STEP_SUMMARY"
    echo 'all hidden-value' >> "$GITHUB_STEP_SUMMARY"
    make --version >/dev/null
- run: 'ls; head -c 1100000 /dev/zero | tr "\\0" x >> "$GITHUB_STEP_SUMMARY"'
- run: ls
"""),
    )
    assert done.job().conclusion == "success"
    (summary,) = done.of(e.StepSummary)
    assert (summary.step, summary.lines) == (0, 2)
    assert (done.kept / summary.path).read_text() == "# Tests\nall ***\n"
    (told,) = done.of(e.Annotation)
    assert (told.step, told.level) == (1, "error")
    assert "at most 1024 KiB" in told.message
    assert "hidden-value" not in done.everything


MATCHER = """{"problemMatcher": [{"owner": "cc", "pattern": [
  {"regexp": "^(.+):(\\\\d+):(\\\\d+): (error|warning): (.+)$",
   "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5}]}]}"""


def test_problem_matchers_belong_to_the_job(tmp_path: Path) -> None:
    done = carry(
        tmp_path,
        job(f"""
- run: |
    cat > m.json <<'END'
{indented(MATCHER, 4)}
    END
    echo "a.c:1:2: error: before"
    echo "::add-matcher::m.json"
    echo "a.c:3:4: warning: one"
- run: |
    echo "$GITHUB_WORKSPACE/src/b.c:5:6: error: two"
    echo "::error file=$GITHUB_WORKSPACE/c.c,line=7,title=T::three"
    echo "::remove-matcher owner=CC::"
    echo "a.c:8:9: error: after"
"""),
    )
    told = [(a.step, a.level, a.file, a.line, a.message) for a in done.of(e.Annotation)]
    assert told == [
        (0, "warning", "a.c", 3, "one"),
        (1, "error", "src/b.c", 5, "two"),
        (1, "error", "c.c", 7, "three"),
    ]
    # Annotations decide nothing.
    assert done.outcome.state == "green"


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.split("\n"))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("::add-matcher::none.json", "no such file"),
        ("::set-env name=A::b", "disabled"),
        ("::set-output::b", "'name' is missing"),
        ("::echo::loud", "echo is 'on' or 'off'"),
    ],
)
def test_a_command_that_fails_on_github_fails_here(tmp_path: Path, command: str, why: str) -> None:
    done = carry(tmp_path, job(f"- run: echo '{command}'\n"))
    assert done.job().conclusion == "failure"
    assert why in done.job().reason
    assert done.steps() == ["failure"]
    assert done.outcome.state == "red"
    assert [a.level for a in done.of(e.Annotation)] == ["error"]


def test_debug_lines_are_shown_when_asked_for(tmp_path: Path) -> None:
    text = job("- run: |\n    echo ::debug::quiet\n    echo said\n")
    assert carry(tmp_path / "a", text).log(0) == "said\n"
    assert carry(tmp_path / "b", text, debug=True).log(0) == "::debug::quiet\nsaid\n"


def test_old_commands_still_speak(tmp_path: Path) -> None:
    done = carry(
        tmp_path,
        job("""
- id: one
  run: |
    echo "::set-output name=a::1%0A2"
    echo "##[set-output name=b]3"
    echo "::save-state name=s::4"
    echo state=5 >> "$GITHUB_STATE"
- run: test "$A-$B" = $'1\\n2-3' && test -z "${STATE_s-}${STATE_state-}"
  env: {A: "${{ steps.one.outputs.a }}", B: "${{ steps.one.outputs.b }}"}
"""),
    )
    assert done.steps() == ["success", "success"]


# --- what steps see -------------------------------------------------------------------------------


def test_hash_files_is_of_the_workspace_as_the_steps_left_it(tmp_path: Path) -> None:
    def h(*contents: bytes) -> str:
        inner = b"".join(hashlib.sha256(c).digest() for c in contents)
        return hashlib.sha256(inner).hexdigest()

    done = carry(
        tmp_path,
        job(f"""
- run: test -z "${{{{ hashFiles('*.lock') }}}}" && printf 1 > a.lock
- if: hashFiles('*.lock') == '{h(b"1")}'
  run: mkdir d && printf 2 > d/b.lock
- run: test "$KEY" = "x-{h(b"1", b"2")}"
  env: {{KEY: "x-${{{{ hashFiles('**/*.lock') }}}}"}}
- if: hashFiles('**/*.none') != ''
  run: exit 1
"""),
    )
    assert done.steps() == ["success", "success", "success", "skipped"]
    assert done.outcome.state == "green"


def test_files_that_cannot_be_hashed_fail_the_step(tmp_path: Path) -> None:
    done = carry(
        tmp_path,
        job("""
- run: ln -s nowhere broken
- run: echo ${{ hashFiles('**') }}
- run: never
- if: failure()
  run: touch "$GITHUB_WORKSPACE/told" && ls
"""),
    )
    assert done.steps() == ["success", "failure", "skipped", "success"]
    assert done.job().conclusion == "failure"


def test_env_lies_step_over_job_over_workflow(tmp_path: Path) -> None:
    text = """
on: push
env: {A: w, B: w, C: w, LOW: "${{ github.ref_name }}"}
jobs:
  j:
    runs-on: ubuntu-latest
    env: {B: j, C: j, FROM: "${{ env.A }}-${{ env.B }}"}
    steps:
      - run: test "$A$B$C-$FROM-$LOW" = "wjs-w-w-main"
        env: {C: s}
      - run: test "$SIBLING" = "j-" && test "$C" = s
        env: {C: s, SIBLING: "${{ env.C }}-${{ env.NEW }}", NEW: n}
      - run: |
          echo "A=g" >> "$GITHUB_ENV"; echo "B=g" >> "$GITHUB_ENV"
          test "$A$B" = wj
      - run: test "$A$B" = gs && test "${{ env.A }}${{ env.B }}" = gs
        env: {B: s}
      - run: test "${{ env.a }}${{ ENV.A }}" = g
      - run: |
          echo "GITHUB_SHA=x" >> "$GITHUB_ENV"; echo "RUNNER_OS=x" >> "$GITHUB_ENV"
          echo "NODE_OPTIONS=--x" >> "$GITHUB_ENV"; echo "GITHUB_MINE=x" >> "$GITHUB_ENV"
          echo "$PWD/front" >> "$GITHUB_PATH"; echo "$PWD/first" >> "$GITHUB_PATH"
      - run: |
          test "$GITHUB_SHA" != x && test "$RUNNER_OS" = Linux && test -z "${NODE_OPTIONS-}"
          test "$GITHUB_MINE" = x
          case $PATH in "$PWD/first:$PWD/front:"*) ;; *) exit 1 ;; esac
        env: {GITHUB_SHA: mine, RUNNER_OS: mine}
"""
    assert carry(tmp_path, text).steps() == ["success"] * 7


# --- time, and ends -------------------------------------------------------------------------------


def test_a_step_that_is_out_of_time_fails_and_the_job_goes_on(tmp_path: Path) -> None:
    done = carry(
        tmp_path,
        job(
            """
- run: sleep 600
  timeout-minutes: 0.002
  continue-on-error: true
- run: sleep 600
  timeout-minutes: ${{ fromJSON('0.002') }}
- run: never
- if: always()
  run: echo cleaned
"""
        ),
    )
    assert done.steps() == ["success", "failure", "skipped", "success"]
    ends = {s.step: (s.outcome, s.reason) for s in done.of(e.StepEnded)}
    assert ends[0] == ends[1] == ("failure", "timed out")
    assert done.job().conclusion == "failure"


@pytest.mark.parametrize("minutes", ["0.01", "${{ matrix.most }}"])
def test_a_job_that_is_out_of_time_is_cancelled(tmp_path: Path, minutes: str) -> None:
    head = f"timeout-minutes: {minutes}\nstrategy: {{matrix: {{most: [0.01]}}}}"
    steps = """
- run: sleep 600
- run: never
- if: always()
  run: echo "${{ job.status }}"
- if: cancelled()
  run: echo too
- if: failure()
  run: exit 3
"""
    done = carry(tmp_path, job(steps, head))
    name = "j (0.01)"
    assert done.steps(name)[1:] == ["skipped", "success", "success", "skipped"]
    assert done.log(2, name) == "cancelled\n"
    assert done.job(name).conclusion == "cancelled"
    assert "its time was over" in done.job(name).reason
    assert done.outcome.state == "red"


MATRIX = """
on: push
jobs:
  j:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: {fast}
      {more}
      matrix: {{n: [1, 2, 3]}}
    steps:
      - run: |
          while [ "$N" != 1 ] && [ ! -e "$SHARED/go" ]; do sleep 0.05; done
          {first}
        env: {{N: "${{{{ matrix.n }}}}", SHARED: "{shared}"}}
      - if: always()
        run: echo "${{{{ job.status }}}}"
"""


def test_fail_fast_cancels_the_other_combinations(tmp_path: Path) -> None:
    # The first fails once the second runs; the third never gets a slot.
    text = MATRIX.format(
        fast="true",
        more="max-parallel: 2",
        first='if [ "$N" = 2 ]; then touch "$SHARED/two"; sleep 600; fi\n'
        '          until [ -e "$SHARED/two" ]; do sleep 0.05; done; exit 1',
        shared=tmp_path,
    ).replace('[ ! -e "$SHARED/go" ]', "false")
    done = carry(tmp_path, text)
    assert done.jobs == {"j (1)": "failure", "j (2)": "cancelled", "j (3)": "cancelled"}
    # What is there to be run whatever happens has been run.
    assert done.steps("j (2)")[1] == "success"
    assert done.log(1, "j (2)") == "cancelled\n"
    assert "fail-fast" in done.job("j (3)").reason
    assert done.steps("j (3)") == []


def test_without_fail_fast_every_combination_ends_by_itself(tmp_path: Path) -> None:
    text = MATRIX.format(fast="false", more="", first='[ "$N" != 1 ] || exit 1', shared=tmp_path)
    text = text.replace('[ ! -e "$SHARED/go" ]', "false")
    assert carry(tmp_path, text).jobs == {
        "j (1)": "failure", "j (2)": "success", "j (3)": "success",
    }  # fmt: skip


def most_at_once(done: Carried) -> int:
    running = most = 0
    for event in done.events:
        running += isinstance(event, e.JobStarted) - isinstance(event, e.JobEnded)
        most = max(most, running)
    return most


@pytest.mark.parametrize(("limit", "most"), [("max-parallel: 1", 1), ("max-parallel: 2", 2)])
def test_no_more_than_max_parallel_run_at_once(tmp_path: Path, limit: str, most: int) -> None:
    text = MATRIX.format(fast="true", more=limit, first="sleep 0.2", shared=tmp_path)
    text = text.replace('[ ! -e "$SHARED/go" ]', "false")
    done = carry(tmp_path, text)
    assert set(done.jobs.values()) == {"success"}
    assert most_at_once(done) <= most


def test_outputs_go_on_but_not_with_what_is_masked(tmp_path: Path) -> None:
    text = """
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      plain: ${{ steps.s.outputs.plain }}
      hidden: x${{ steps.s.outputs.hidden }}x
      list: ${{ steps.s.outputs.list }}
    steps:
      - id: s
        run: |
          echo "::add-mask::hidden-value"
          printf 'plain=1\\nhidden=hidden-value\\nlist=["a","b"]\\n' >> "$GITHUB_OUTPUT"
      - run: test "$H" = hidden-value
        env: {H: "${{ steps.s.outputs.hidden }}"}
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - run: test "$P-$H-${{ fromJSON(needs.first.outputs.list)[1] }}" = "1--b"
        env: {P: "${{ needs.first.outputs.plain }}", H: "${{ needs.first.outputs.hidden }}"}
      - if: needs.first.outputs.hidden != ''
        run: exit 1
"""
    done = carry(tmp_path, text)
    assert done.jobs == {"first": "success", "second": "success"}
    assert done.steps("second") == ["success", "skipped"]


def test_shells_and_where_they_run(tmp_path: Path) -> None:
    done = carry(
        tmp_path,
        job(
            """
- run: mkdir deep
- run: test "$(basename "$PWD")" = deep && false | true
  working-directory: deep
- run: false | true
  shell: bash
  continue-on-error: true
- run: test -z "${BASH_VERSION-}" || test "$0" != bash
  shell: sh
- run: "import os; assert os.getcwd() == os.environ['GITHUB_WORKSPACE']"
  shell: python
- run: echo "then $FOO"
  shell: bash -c "FOO=first; export FOO; bash {0}"
""",
        ),
        answers={**HOST, PYTHON: Answer(0), BASH: Answer(0)},
    )
    assert done.steps() == ["success"] * 6
    outcomes = {s.step: s.outcome for s in done.of(e.StepEnded)}
    assert outcomes[2] == "failure"
    assert done.log(5) == "then first\n"
