"""One step: its environment, its arguments, its output, its end."""

from __future__ import annotations

import os
import pwd
import re
import signal
from pathlib import Path

import pytest

from grind.adapters.runner.program import program
from grind.core.errors import GrindError
from grind.ports import Condition, LaneDone, StepTask
from tests.contracts.rig import OWN, PATH, Rig, always, step

HOSTILE = [
    "",
    "plain",
    "two\nlines\n",
    " 'single' \"double\" $(touch /tmp/x) `id` ${HOME} \\ \\n %s !! * ? [a] ~ # ;&|<>",
    "emoji 🦀 ümläut \udcff\udc80 tab\there\r",
    "-n",
    "=",
]


def read_env(out: bytes) -> dict[str, str]:
    # The loader complains about a bad LD_PRELOAD before the program speaks.
    pairs = out.rpartition(b": ignored.\n")[2].decode("utf-8", "surrogateescape").split("\0")[:-1]
    return dict(pair.split("=", 1) for pair in pairs)


def env_step(index: int, **more: object) -> StepTask:
    return StepTask(index=index, argv=("env", "-0"), **more)  # type: ignore[arg-type]


def test_steps_run_in_order_with_their_output(rig: Rig) -> None:
    story = rig.play(
        step(0, "echo one"), step(3, "echo two >&2"), step(4, "exit 7"), step(9, "echo x")
    )
    assert [type(event).__name__ for event in story.events] == [
        *["Started", "Output", "Ended"] * 2,
        *["Started", "Ended", "Passed", "LaneDone"],
    ]
    assert (story.text(0), story.text(3)) == ("one\n", "two\n")
    assert [story.code(index) for index in (0, 3, 4)] == [0, 0, 7]
    assert story.ended[4].reason == "exit"
    assert story.ended[0].started <= story.ended[0].ended <= story.ended[3].started
    assert story.status == "failure"


def test_the_environment_is_what_was_given_and_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSH_AUTH_SOCK", "GIT_DIR", "VIRTUAL_ENV", "GITHUB_TOKEN", "BASH_ENV", "CI"):
        monkeypatch.setenv(name, "leaked")
    story = rig.play(env_step(0), env={"A": "1", "GITHUB_SHA": "abc"})
    env = read_env(story.out[0])
    given = {"PATH", "HOME", "TMPDIR", "A", "GITHUB_SHA"}
    who = {"SHELL", "USER", "LOGNAME"}
    assert set(env) - OWN - {"PWD", "SHLVL", "_"} == given | who
    assert env["GITHUB_SHA"] == "abc"
    assert env["USER"] == env["LOGNAME"] == pwd.getpwuid(os.getuid()).pw_name
    assert os.access(env["SHELL"], os.X_OK)


def test_who_the_job_says_it_is_counts(rig: Rig) -> None:
    env = read_env(rig.play(env_step(0), env={"SHELL": "/bin/zsh", "USER": "me"}).out[0])
    assert (env["SHELL"], env["USER"]) == ("/bin/zsh", "me")


def test_the_command_files_are_the_runners_to_name(rig: Rig) -> None:
    theirs = (("GITHUB_ENV", "/theirs"), ("GITHUB_OUTPUT", "/theirs"), ("RUNNER_TRACKING_ID", "x"))
    writing = step(0, 'echo "GITHUB_PATH=/theirs" >>"$GITHUB_ENV"')
    first, second = (env_step(index, env=theirs) for index in (1, 2))
    story = rig.play(writing, first, second)
    for index in (1, 2):
        env = read_env(story.out[index])
        assert "/theirs" not in env.values()
        assert env["RUNNER_TRACKING_ID"] != "x"


def names_of_the_runner() -> list[str]:
    text = program().decode()
    names = re.findall(r"\b(g_[a-z_]+|[A-Z][A-Z_]{2,})\b", text)
    return sorted(set(names) - OWN - {"PATH", "HOME", "PWD", "OLDPWD"})


def test_no_name_disturbs_the_runner_or_is_disturbed(rig: Rig) -> None:
    bash = [
        "UID",
        "EUID",
        "PPID",
        "SHELLOPTS",
        "BASHOPTS",
        "BASH_ENV",
        "ENV",
        "IFS",
        "POSIXLY_CORRECT",
    ]
    bash += ["RANDOM", "SECONDS", "LINENO", "FUNCNEST", "BASH_XTRACEFD", "BASH_VERSINFO", "PS4"]
    bash += [
        "GLOBIGNORE",
        "HISTFILE",
        "DIRSTACK",
        "GROUPS",
        "EPOCHREALTIME",
        "BASH_ARGV0",
        "CDPATH",
    ]
    odd = ["a-b", "1st", "with space", "BASH_FUNC_ls%%", "dot.ted", "ü", "-x", "LD_PRELOAD", "LANG"]
    names = [*names_of_the_runner(), *bash, *odd]
    given = {name: f"own {name}" for name in names}
    story = rig.play(
        env_step(0, env=tuple(given.items())),
        step(1, "echo still here"),
        env_step(2),
        env=[("Z", "z"), *given.items()],
    )
    assert story.status == "success", story.events
    for index in (0, 2):
        env = read_env(story.out[index])
        assert {name: env.get(name) for name in names} == given
    assert "still here" in story.text(1)


@pytest.mark.parametrize("value", HOSTILE)
def test_values_arguments_and_scripts_are_data(rig: Rig, value: str) -> None:
    script = f": {value}\n{value}"
    story = rig.play(
        env_step(0, env=(("STEP", value),)),
        StepTask(index=1, argv=("printf", "%s\\0", value, f"<{value}>")),
        StepTask(index=2, argv=("cat", "{0}"), script=script, suffix=".py"),
        StepTask(index=3, argv=("echo", "at {0}!")),
        env=[("LANE", value)],
    )
    env = read_env(story.out[0])
    assert (env["STEP"], env["LANE"]) == (value, value)
    assert story.text(1) == f"{value}\0<{value}>\0"
    assert story.text(2) == script
    assert re.fullmatch(r"at /.*!\n", story.text(3))
    assert story.status == "success"


def test_a_later_layer_of_environment_wins(rig: Rig) -> None:
    story = rig.play(
        step(0, "echo A=written >> $GITHUB_ENV; echo B=written >> $GITHUB_ENV"),
        step(1, "echo $A $B $C", env=(("B", "step"), ("C", "1"), ("C", "2"))),
        env=[("A", "lane"), ("A", "lane 2"), ("B", "lane")],
    )
    assert story.text(1) == "written step 2\n"


def _ignored_here() -> int:
    [mask] = re.findall(r"^SigIgn:\t(\w+)$", Path("/proc/self/status").read_text(), re.M)
    python = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    return int(mask, 16) & ~python


def test_a_step_starts_like_any_program(rig: Rig) -> None:
    script = """
        umask; pwd; id -u
        [ "$(cat | wc -c)" = 0 ]
        for fd in /proc/self/fd/*; do readlink "$fd" || true; done
        grep -E '^Sig(Blk|Ign)' /proc/self/status
        ps -o pgid= -p $$
    """
    story = rig.play(step(0, script))
    text = story.text(0)
    assert text.startswith("0022\n")
    assert "/work/repo/repo\n" in text
    blocked, ignored = (int(mask, 16) for mask in re.findall(r"^Sig\w+:\t(\w+)$", text, re.M))
    # What this process itself was started with ignored cannot be undone by any shell.
    assert blocked == 0
    assert ignored & ~_ignored_here() == 0
    leaked = [
        line for line in text.splitlines() if line.endswith(("wake", "life", "records", "spec"))
    ]
    assert leaked == []
    assert "/queue/" not in text


def test_what_the_runner_writes_is_private(rig: Rig) -> None:
    story = rig.play(step(0, "echo secret; touch made; stat -c '%a %n' made"))
    assert story.text(0) == "secret\n644 made\n"
    state = rig.folder / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    for path in (state / "runs").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_program_that_is_not_there(rig: Rig) -> None:
    story = rig.play(StepTask(index=0, argv=("no-such-program", "x")))
    assert story.code(0) == 127
    assert "no-such-program" in story.text(0)


def test_a_program_with_an_equals_sign_in_its_name(rig: Rig) -> None:
    make = "printf '#!/bin/sh\\necho ran $1\\n' > a=b; chmod +x a=b"
    story = rig.play(
        step(0, make), StepTask(index=1, argv=("./a=b", "x"), env=(("odd-name", "1"),))
    )
    assert story.text(1) == "ran x\n"


def test_the_working_directory(rig: Rig) -> None:
    story = rig.play(
        step(0, "mkdir -p 'sub dir/-x'"),
        step(1, "pwd", cwd="sub dir/-x"),
        step(2, "pwd", cwd="/"),
        step(3, "pwd", cwd="gone"),
    )
    assert story.text(1).endswith("/repo/sub dir/-x\n")
    assert story.text(2) == "/\n"
    assert story.code(3) != 0
    assert "gone" in story.text(3)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("true", {"success": True, "failure": False, "cancelled": False}),
        ("false", {"success": False, "failure": True, "cancelled": False}),
    ],
)
def test_conditions(rig: Rig, before: str, expected: dict[str, bool]) -> None:
    expected = expected | {"always": True, "not-cancelled": True}
    tasks = [
        step(number, "true", condition=Condition(name))
        for number, name in enumerate(expected, start=1)
    ]
    story = rig.play(step(0, before), *tasks)
    ran = {name: number in story.ended for number, name in enumerate(expected, start=1)}
    assert ran == expected
    assert story.passed == {n for n, name in enumerate(expected, start=1) if not expected[name]}


def test_a_step_that_may_fail_keeps_the_status(rig: Rig) -> None:
    story = rig.play(step(0, "exit 3", continue_on_error=True), step(1, "echo on"))
    assert (story.code(0), story.text(1), story.status) == (3, "on\n", "success")


def test_a_signal_is_told_in_the_exit_code(rig: Rig) -> None:
    story = rig.play(step(0, "kill -SEGV $$"), always(1, "kill -TERM $$"))
    assert (story.code(0), story.code(1)) == (128 + 11, 128 + 15)
    assert story.ended[1].reason == "exit"


def test_binary_output_arrives_as_it_is(rig: Rig) -> None:
    story = rig.play(
        StepTask(index=0, argv=("sh", "{0}"), script="cat $EVENT"), env={}, files={"b": b""}
    )
    assert story.code(0) != 0 or story.out[0] == b""
    data = bytes(range(256)) * 1000 + b"no newline at the end \xff\xfe"
    lane_files = {"event.json": data}

    async def tell() -> bytes:
        lane = await rig.lane(files=lane_files)
        await lane.submit(
            [StepTask(index=0, argv=("cat", f"{lane.paths.events}/event.json"))], final=True
        )
        return (await rig.follow(lane)).out[0]

    assert rig.go(tell()) == data


def test_a_step_without_a_newline_and_a_lot_of_output(rig: Rig) -> None:
    story = rig.play(StepTask(index=0, argv=("head", "-c", "30000000", "/dev/zero")))
    assert len(story.out[0]) == 30_000_000


def test_a_step_may_write_to_its_outputs_by_name(rig: Rig) -> None:
    story = rig.play(
        step(0, "echo one; sleep 0.3; echo two > /dev/stderr; echo three >> /dev/stdout")
    )
    assert story.text(0).startswith("one\n")
    assert story.text(0).endswith("two\nthree\n")


def test_many_steps_in_many_batches(rig: Rig) -> None:
    async def tell() -> list[int]:
        lane = await rig.lane()
        for first in range(0, 60, 4):
            await lane.submit(
                [step(first + n, "echo $X", env=(("X", str(first + n)),)) for n in range(4)]
            )
        await lane.submit([], final=True)
        story = await rig.follow(lane)
        assert story.status == "success"
        assert all(story.text(index) == f"{index}\n" for index in range(60))
        return story.started

    assert rig.go(tell()) == list(range(60))


@pytest.mark.parametrize(
    ("flight", "name"), [("", "$(tr '\\0' '\\n' </proc/$$/cmdline | tail -1)"), ("setsid ", "$0")]
)
def test_a_script_is_there_for_what_a_step_left_behind(rig: Rig, flight: str, name: str) -> None:
    """Files of scripts are used again, but none that a process of its step may still read."""
    reads = 'until [ -e go ]; do sleep 0.05; done; cat "$1" >said.new; mv said.new said'
    story = rig.play(
        *[step(index, f"# another {index}") for index in range(3)],
        # Named before it goes to the background: the step may be gone by then.
        step(3, f"# the first\nname={name}; {flight}bash -c '{reads}' x \"$name\" &"),
        *[step(index, f"# another {index}") for index in range(4, 9)],
        step(9, "touch go; until [ -e said ]; do sleep 0.05; done; cat said"),
    )
    assert story.status == "success"
    assert story.text(9).startswith("# the first")


def test_a_lane_without_steps(rig: Rig) -> None:
    story = rig.play()
    assert story.events == [LaneDone("success")]


def test_nul_and_bad_names_are_refused_before_anything_is_queued(rig: Rig) -> None:
    async def tell() -> None:
        lane = await rig.lane()
        for bad in (
            step(0, "a\0b"),
            StepTask(index=0, argv=("a\0",)),
            step(0, "", env=(("A=B", "x"),)),
            step(0, "", env=(("", "x"),)),
            step(0, "", suffix="/../x"),
            StepTask(index=0),
        ):
            with pytest.raises(GrindError):
                await lane.submit([bad])
        with pytest.raises(GrindError):
            await lane.submit([step(1, ""), step(1, "")])
        await lane.submit([], final=True)
        assert (await rig.follow(lane)).status == "success"
        for spec in ({"run": "../x"}, {"key": ".."}, {"name": "a/b"}, {"key": "a b"}, {"run": ""}):
            with pytest.raises(GrindError):
                await rig.lane(**spec)

    rig.go(tell())


def test_the_folders_of_a_job(rig: Rig) -> None:
    script = "echo $HOME $TMPDIR; ls -A $HOME $TMPDIR .; touch $HOME/a $TMPDIR/b c $TOOLS/kept"

    async def tell(run: str) -> tuple[str, tuple[str, ...]]:
        lane = await rig.lane(run=run, begin=False)
        paths = lane.paths
        env = {"PATH": PATH, "HOME": paths.home, "TMPDIR": paths.temp, "TOOLS": paths.tool_cache}
        await lane.begin([*env.items()], {"event.json": b"{}"})
        await lane.submit([step(0, script), step(1, "ls $TOOLS")], final=True)
        story = await rig.follow(lane)
        assert story.text(1) == "kept\n"
        assert Path(paths.events, "event.json").read_bytes() == b"{}"
        return story.text(0), paths[:4]

    first, second = rig.go(tell("a")), rig.go(tell("b"))
    assert first == second
    assert len(set(first[1])) == 4
    assert not set("abc") & set(first[0].replace("\n", " ").split())


@pytest.mark.parametrize("where", ["$HOME", "$TMPDIR", "."])
def test_odd_modes_that_a_step_left_do_not_break_the_next_run(rig: Rig, where: str) -> None:
    dirt = f"mkdir -p {where}/a/b; touch {where}/a/b/c; chmod 000 {where}/a/b {where}/a {where}"
    assert rig.play(step(0, dirt)).status == "success"
    story = rig.play(step(0, f"ls -A {where}; touch {where}/x; stat -c %a {where}"))
    assert story.status == "success", story.out
    assert story.text(0) in ("755\n", "700\n")


def test_read_gives_the_files_of_a_step(rig: Rig) -> None:
    async def tell() -> list[bytes]:
        lane = await rig.lane()
        write = "printf 'a=1\\n' >> $GITHUB_OUTPUT; printf '# hi \\377' > $GITHUB_STEP_SUMMARY"
        trap = (
            "rm $GITHUB_OUTPUT $GITHUB_STATE; mkfifo $GITHUB_OUTPUT; ln -s /dev/null $GITHUB_STATE"
        )
        await lane.submit([step(0, write), step(1, "true"), step(2, trap)], final=True)
        await rig.follow(lane)
        names = [
            (0, "output"),
            (0, "summary"),
            (0, "env"),
            (1, "output"),
            (2, "output"),
            (2, "state"),
        ]
        with pytest.raises(GrindError):
            await lane.read(0, "../../spec")
        return [await lane.read(index, name) for index, name in names]

    assert rig.go(tell()) == [b"a=1\n", b"# hi \xff", b"", b"", b"", b""]


def test_ask(rig: Rig) -> None:
    answers = rig.go(
        rig.host.ask(
            {
                "out": ["echo", "$HOME", "a b"],
                "none": ["no-such"],
                "bad": ["sh", "-c", "echo e >&2; exit 4"],
            }
        )
    )
    assert answers["out"] == (0, b"$HOME a b\n", b"")
    assert answers["none"].exit_code == 127
    assert answers["bad"] == (4, b"", b"e\n")


def test_identity_is_stable(rig: Rig) -> None:
    first, second = rig.go(rig.host.identity()), rig.go(rig.host.identity())
    assert first == second
    assert len(first.id) >= 32
    assert first.architecture == os.uname().machine
    assert first.boot
