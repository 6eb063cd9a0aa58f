"""GITHUB_ENV and its siblings, applied on the host between queued steps."""

from __future__ import annotations

import pytest

from grind.ports import StepTask
from tests.contracts.rig import PATH, Rig, always, step


def env_step(index: int) -> StepTask:
    return StepTask(index=index, argv=("env", "-0"))


def written(text: str, file: str = "GITHUB_ENV") -> str:
    return f"cat > ${file} <<'GRIND_END'\n{text}\nGRIND_END\n"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("A=1", "A", "1"),
        ("A=1=2", "A", "1=2"),
        ("A=", "A", ""),
        ("A = x ", "A ", " x "),
        ("\n\nA=1\n\n", "A", "1"),
        ("A<<E\none\ntwo\nE", "A", "one\ntwo"),
        ("A<<E\nE", "A", ""),
        ("A<<E\n\nE", "A", ""),
        ("A<<E\n\n\nE", "A", "\n"),
        ("A<<E F\nx\nE\nE F", "A", "x\nE"),
        ("A<<B=C\nx\nB=C", "A", "x"),
        ("A=x<<E", "A", "x<<E"),
        ("A=1\nA=2", "A", "2"),
        ("A=$(id) `id` 'q' \"d\" \\ 🦀", "A", "$(id) `id` 'q' \"d\" \\ 🦀"),
        ("my-var.x=1", "my-var.x", "1"),
        ("PATH_X=a\r", "PATH_X", "a\r"),
        ("CI=no", "CI", "no"),
        ("GITHUB_NEW=1", "GITHUB_NEW", "1"),
        ("UID=5", "UID", "5"),
        ("IFS=:", "IFS", ":"),
        ("$(touch x)=1", "$(touch x)", "1"),
        ("a]b[0=1", "a]b[0", "1"),
        ("@=1", "@", "1"),
        ("*=1", "*", "1"),
        ("-n=1", "-n", "1"),
    ],
)
def test_what_a_step_writes_to_the_env_file_the_next_one_has(
    rig: Rig, text: str, name: str, value: str
) -> None:
    story = rig.play(step(0, written(text)), env_step(1), env_step(2), env={"CI": "true"})
    assert story.status == "success", story.ended
    for index in (1, 2):
        assert f"\0{name}={value}\0" in "\0" + story.text(index)


@pytest.mark.parametrize("file", ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just text", "Invalid format 'just text'"),
        ("A=1\nB", "Invalid format 'B'"),
        ("A<<", "Invalid format 'A<<'. Name must not be empty and delimiter must not be empty"),
        (
            "<<E\nx\nE",
            "Invalid format '<<E'. Name must not be empty and delimiter must not be empty",
        ),
        ("=x", "Invalid format '=x'"),
        ("A<<E\nx", "Invalid value. Matching delimiter not found 'E'"),
        ("A<<E\nx\n E", "Invalid value. Matching delimiter not found 'E'"),
    ],
)
def test_a_malformed_file_fails_the_step(rig: Rig, file: str, text: str, said: str) -> None:
    story = rig.play(step(0, written(text, file)), step(1, "echo never"), always(2, "echo A=$A"))
    assert story.ended[0].reason == "file-command"
    assert story.code(0) != 0
    assert "Unable to process file command" in story.ended[0].detail
    assert said in story.ended[0].detail
    assert story.passed == {1}
    assert story.status == "failure"
    # What stood before the malformed line counts, as on GitHub.
    assert story.text(2) == ("A=1\n" if text.startswith("A=1") and file == "GITHUB_ENV" else "A=\n")


def test_a_nul_byte_is_malformed(rig: Rig) -> None:
    story = rig.play(step(0, "printf 'A=1\\0B\\n' > $GITHUB_ENV"))
    assert story.ended[0].reason == "file-command"


def test_a_malformed_file_of_a_failing_step_keeps_its_exit_code(rig: Rig) -> None:
    story = rig.play(step(0, "echo bad > $GITHUB_ENV; exit 9"))
    assert (story.code(0), story.ended[0].reason) == (9, "file-command")


def test_a_malformed_file_can_be_continued_from(rig: Rig) -> None:
    story = rig.play(step(0, "echo bad > $GITHUB_ENV", continue_on_error=True), step(1, "true"))
    assert story.status == "success"
    assert story.code(0) == 1


def test_node_options_cannot_be_set(rig: Rig) -> None:
    story = rig.play(
        step(0, "echo node_options=x >> $GITHUB_ENV; echo B=1 >> $GITHUB_ENV"), step(1, "env")
    )
    assert (
        "Can't store node_options output parameter using '$GITHUB_ENV' command."
        in story.ended[0].detail
    )
    assert "\nnode_options=" not in story.text(1)
    assert "B=1" in story.text(1).splitlines()
    assert story.status == "success"


def test_what_the_job_began_with_under_github_and_runner_stays(rig: Rig) -> None:
    script = "printf '%s=x\\n' GITHUB_SHA RUNNER_OS GITHUB_ENV >> $GITHUB_ENV"
    story = rig.play(
        step(0, script),
        step(1, "echo $GITHUB_SHA $RUNNER_OS; [ -f $GITHUB_ENV ]"),
        env={"GITHUB_SHA": "abc", "RUNNER_OS": "Linux"},
    )
    assert story.text(1) == "abc Linux\n"
    assert story.status == "success"


def test_paths_are_put_first_the_last_one_before_the_others(rig: Rig) -> None:
    story = rig.play(
        step(0, "printf '/one\\n\\n/two words\\n' >> $GITHUB_PATH"),
        step(1, "echo /three >> $GITHUB_PATH; echo /one >> $GITHUB_PATH; echo $PATH"),
        step(2, "echo $PATH"),
        step(3, "/bin/echo $PATH", env=(("PATH", "/own:/bin"),)),
        step(4, "echo PATH=/written:/bin:/usr/bin >> $GITHUB_ENV"),
        step(5, "echo $PATH"),
    )
    assert story.text(1) == f"/two words:/one:{PATH}\n"
    assert story.text(2) == f"/one:/three:/two words:{PATH}\n"
    assert story.text(3) == "/one:/three:/two words:/own:/bin\n"
    assert story.text(5) == "/one:/three:/two words:/written:/bin:/usr/bin\n"


def test_a_program_on_a_path_that_was_added_is_found(rig: Rig) -> None:
    make = "mkdir bin; printf '#!/bin/sh\\necho found\\n' > bin/mine; chmod +x bin/mine"
    make += "; echo $PWD/bin >> $GITHUB_PATH"
    story = rig.play(step(0, make), step(1, "mine"))
    assert story.text(1) == "found\n"


def test_the_files_are_fresh_for_every_step(rig: Rig) -> None:
    files = "$GITHUB_ENV $GITHUB_OUTPUT $GITHUB_PATH $GITHUB_STATE $GITHUB_STEP_SUMMARY"
    script = f"for f in {files}; do [ -f $f ] && [ ! -s $f ]; done"
    story = rig.play(
        step(0, script),
        step(1, script + "; echo A=1 >> $GITHUB_OUTPUT; echo $GITHUB_OUTPUT"),
        step(2, script + "; rm $GITHUB_ENV $GITHUB_PATH; echo $GITHUB_OUTPUT"),
        step(3, script + "; (sleep 30; true) & true"),
        step(4, script + "; echo $GITHUB_OUTPUT"),
        step(5, script),
    )
    assert story.status == "success", story.ended
    assert len({story.text(index) for index in (1, 2, 4)}) == 3
