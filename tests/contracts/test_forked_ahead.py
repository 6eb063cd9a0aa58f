"""The next step is a process while the one before it runs, and waits. Nobody may notice."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from grind.ports import Lane, StepTask
from tests.contracts.rig import BASH, PATH, Rig, always, step, until

FIND = """
found=
until [ -n "$found" ]; do
  for process in /proc/[1-9]*; do
    { IFS=' ' read -r _ _ _ parent _ <"$process/stat"; } 2>/dev/null || continue
    [ "$parent" = "$PPID" ] || continue
    case $(readlink "$process/fd/0") in */go[01]) found=${process#/proc/} ;; esac
  done
done
"""
"""A script that waits until the next step waits, and knows its process."""


def waiting(lane: Lane) -> list[str]:
    """Return the processes that wait to become a step of this lane."""
    folder = Path(lane.paths.events).parent
    found = []
    for process in Path("/proc").glob("[1-9]*"):
        try:
            source = (process / "fd" / "0").readlink()
        except OSError:
            continue
        if source.name in ("go0", "go1") and source.is_relative_to(folder):
            found.append(process.name)
    return found


def test_it_has_done_nothing_before_its_turn(rig: Rig, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    story = rig.play(
        step(0, f"{FIND}\nsleep 0.3\ntest ! -e '{mark}'"),
        step(1, f"touch '{mark}'; echo second"),
    )
    assert story.status == "success", story.ended
    assert story.text(1) == "second\n"


def test_a_step_that_ends_it_harms_nobody(rig: Rig) -> None:
    # Until it is gone: one that is dying yet may take the word with it that it may begin.
    kill = FIND + 'kill -KILL "$found"; while kill -0 "$found" 2>/dev/null; do :; done\n'
    story = rig.play(
        step(0, "echo first"), step(1, kill), step(2, kill + "echo third"), step(3, "echo fourth")
    )
    assert story.status == "success", story.ended
    assert story.started == [0, 1, 2, 3]
    assert [story.text(index) for index in (2, 3)] == ["third\n", "fourth\n"]


def test_one_that_dies_when_it_is_told_to_begin_is_begun_again(rig: Rig) -> None:
    # It is told while it stands still, and killed then.
    still = 'until [ "$state" = T ]; do IFS=" " read -r _ _ state _ <"/proc/$found/stat"; done'
    kill = f'{FIND}kill -STOP "$found"; state=; {still}\n'
    kill += 'setsid sh -c \'sleep 0.5; kill -KILL "$0"\' "$found" 2>/dev/null &\n'
    story = rig.play(
        step(0, "true"),
        step(1, kill),
        step(2, "echo third; exit 3", continue_on_error=True),
        step(3, kill),
        step(4, "echo fifth"),
    )
    assert story.status == "success", story.ended
    assert story.started == [0, 1, 2, 3, 4]
    assert [story.text(index) for index in (2, 4)] == ["third\n", "fifth\n"]
    assert story.code(2) == 3


def test_none_is_left_when_no_step_follows(rig: Rig) -> None:
    async def story() -> None:
        lane = await rig.lane()
        await lane.submit([step(0, FIND + "exit 1"), step(1, "true"), step(2, "true")], final=True)
        told = await rig.follow(lane)
        assert told.status == "failure"
        assert told.passed == {1, 2}
        assert waiting(lane) == []

    rig.go(story())


def test_none_is_left_by_a_lane_that_is_cancelled(rig: Rig) -> None:
    async def story() -> None:
        lane = await rig.lane()
        await lane.submit(
            [step(0, "sleep 600"), step(1, "true"), always(2, "echo last")], final=True
        )
        await until(lambda: waiting(lane))
        await lane.cancel()
        told = await rig.follow(lane)
        assert told.status == "cancelled"
        assert told.text(2) == "last\n"
        assert waiting(lane) == []

    rig.go(story())


def test_it_is_in_the_folder_that_is_there_when_it_begins(rig: Rig) -> None:
    story = rig.play(
        step(0, "mkdir part"),
        step(1, f"{FIND}\nrm -r part; mkdir part; echo new >part/file"),
        step(2, "cat file", cwd="part"),
    )
    assert story.status == "success", story.ended
    assert story.text(2) == "new\n"


def test_it_is_the_program_that_is_there_when_it_begins(rig: Rig, tmp_path: Path) -> None:
    place = f"{FIND}\nprintf '#!/bin/sh\\necho placed\\n' >'{tmp_path}/tool'; chmod 755 '{tmp_path}/tool'"
    story = rig.play(
        step(0, place),
        StepTask(index=1, argv=("tool",)),
        env=[("PATH", f"{tmp_path}:{PATH}")],
    )
    assert story.status == "success", story.ended
    assert story.text(1) == "placed\n"


@pytest.mark.parametrize("file", ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT"])
def test_it_is_made_anew_when_a_command_file_was_written(rig: Rig, file: str) -> None:
    story = rig.play(
        step(0, f'{FIND}\necho A=b >>"${file}"'),
        step(1, f'test ! -s "${file}"; echo "${{A-}} $PATH"'),
        step(2, "echo third"),
    )
    assert story.status == "success", story.ended
    assert ("b " in story.text(1)) == (file == "GITHUB_ENV")
    assert ("A=b:" in story.text(1)) == (file == "GITHUB_PATH")


def test_its_time_begins_when_it_begins(rig: Rig) -> None:
    story = rig.play(step(0, FIND + "sleep 2"), step(1, "echo in time", timeout=1.5))
    assert story.status == "success", story.ended
    assert story.text(1) == "in time\n"


SEEN = """
echo "$_ $0 $- $# $? ${!-none}"
declare -p; declare -F; alias -p; set +o; shopt -p; trap -p; hash; jobs -l; umask; ulimit -a; env; pwd -P
tr '\\0' ' ' <"/proc/$$/cmdline"; echo; cat "/proc/$$/comm"; readlink "/proc/$$/exe"
for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 63 255; do readlink "/proc/$$/fd/$number" || echo none; done
grep -E '^(Sig(Blk|Ign)|Umask|Groups)' /proc/self/status
"""
"""All that a script of bash can easily find out about the shell that runs it."""
EVER_NEW = re.compile(
    r"(?<=/f/)\d+|grind(?:\.\d+){3}|(?:BASHPID|S?RANDOM|EPOCH[A-Z]+|BASH_ARGC)=.*|SECONDS(=.*)?|pipe:.*"
)
EARLY = "\ngrep -qz ^BASH_ENV= /proc/$$/environ && echo early || echo late"


@pytest.mark.parametrize(
    "argv", [BASH, ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}")]
)
@pytest.mark.parametrize("lent", [[], [("LC_ALL", "xx_XX.UTF-8")]])
def test_a_script_finds_what_it_would_find_without(
    rig: Rig, argv: tuple[str, ...], lent: list[tuple[str, str]]
) -> None:
    def look(index: int) -> StepTask:
        return StepTask(index=index, argv=argv, script=SEEN + EARLY, cwd="part")

    story = rig.play(
        step(0, "mkdir part; echo A=b >>$GITHUB_OUTPUT"),
        look(1),
        step(2, FIND),
        look(3),
        step(4, f"{FIND}\nmv part old; mkdir part"),
        look(5),
        env=[("PATH", PATH), *lent],
    )
    assert story.status == "success", story.ended
    seen = [EVER_NEW.sub("", story.text(index)).rsplit("\n", 2) for index in (1, 3, 5)]
    assert [how for _, how, _ in seen] == (["late", "early", "late"] if not lent else ["late"] * 3)
    without, ahead, again = (what.splitlines() for what, _, _ in seen)
    assert ahead == without
    assert again == without
    # What bash itself has to say as it begins stands in the log of its own step.
    assert [story.text(index).count("cannot change locale") for index in (0, 2, 4)] == [
        len(lent)
    ] * 3
    assert ("cannot change locale" in seen[0][0]) == bool(lent)


def test_its_seconds_begin_when_it_begins(rig: Rig) -> None:
    story = rig.play(step(0, FIND + "sleep 3"), step(1, "echo $SECONDS"))
    assert story.text(1) in ("0\n", "1\n")


def wrapped(folder: Path) -> str:
    """Return a shell line that puts a program `bash` there, which notes that it was begun."""
    program = f'#!/bin/sh\\necho begun >>{folder}/begun\\nexec /bin/bash "$@"\\n'
    return f"printf '{program}' >'{folder}/bash'; chmod 755 '{folder}/bash'"


def test_it_is_the_bash_that_is_there_when_it_begins(rig: Rig, tmp_path: Path) -> None:
    story = rig.play(
        step(0, f"{FIND}\n{wrapped(tmp_path)}"),
        step(1, f"cat '{tmp_path}/begun'"),
        env=[("PATH", f"{tmp_path}:{PATH}")],
    )
    assert story.status == "success", story.ended
    assert story.text(1) == "begun\n"


def test_what_only_calls_itself_bash_does_not_begin_before_its_turn(
    rig: Rig, tmp_path: Path
) -> None:
    subprocess.run(["sh", "-c", wrapped(tmp_path)], check=True)
    story = rig.play(
        step(0, f"{FIND}\ncat '{tmp_path}/begun'"),
        step(1, f"cat '{tmp_path}/begun'"),
        env=[("PATH", f"{tmp_path}:{PATH}")],
    )
    assert story.status == "success", story.ended
    assert [story.text(index) for index in (0, 1)] == ["begun\n", "begun\nbegun\n"]
