"""What a step sees and can do: its environment, its workspace, the operator's repository."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow

SECRETS = {
    "GITHUB_TOKEN": "s3cr3t-github",
    "GH_TOKEN": "s3cr3t-gh",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-aws",
    "NPM_TOKEN": "s3cr3t-npm",
    "SSH_AUTH_SOCK": "/tmp/s3cr3t-agent",
    "SSH_AGENT_PID": "424242",
    "VIRTUAL_ENV": "/s3cr3t-venv",
    "PYTHONPATH_": "s3cr3t-x",
    "GIT_AUTHOR_NAME": "s3cr3t-author",
    "GIT_DIR_": "s3cr3t-gitdir",
    "GIT_ASKPASS": "/s3cr3t-askpass",
    "BASH_ENV": "/s3cr3t-bashenv",
    "ENV": "/s3cr3t-env",
    "LD_PRELOAD_": "s3cr3t-preload",
    "PROMPT_COMMAND": "echo s3cr3t",
    "BASH_FUNC_echo%%": "() { builtin echo s3cr3t-function; }",
    "https_proxy": "http://ada:s3cr3t-proxy@127.0.0.1:9",
    "XDG_CONFIG_HOME": "/s3cr3t-config",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/s3cr3t-bus",
    "DISPLAY": ":s3cr3t",
}


def test_nothing_of_the_operator_leaks_in(world: World) -> None:
    world.start(
        {
            CI: workflow(
                "- run: env -0 > $OUT/env; git config --list --show-origin > $OUT/config || true\n"
                "  env:\n    OUT: " + str(world.outside) + "\n"
                "- run: env | sort\n"
                "- run: cat /proc/$PPID/environ /proc/$$/environ | tr '\\0' '\\n'\n"
            ),
        }
    )
    (world.home / ".netrc").write_text("machine x login y password s3cr3t-netrc\n")
    done = world.grind("check", env=SECRETS)
    assert done.code == 0, done
    seen = dict(
        line.split("=", 1)
        for line in (world.outside / "env").read_bytes().decode().split("\0")
        if "=" in line
    )
    everything = done.said + repr(seen) + repr(world.logs())
    assert "s3cr3t" not in everything
    assert not {n for n in seen if n.startswith(("GIT_", "SSH_")) or n == "VIRTUAL_ENV"}
    assert seen["HOME"] != str(world.home)
    assert (seen["TMPDIR"], seen["PWD"]) == (seen["RUNNER_TEMP"], seen["GITHUB_WORKSPACE"])
    assert seen["CI"] == seen["GITHUB_ACTIONS"] == "true"
    assert seen["GITHUB_SHA"] == world.git("rev-parse", "HEAD")
    assert (seen["GITHUB_REF"], seen["GITHUB_REF_NAME"]) == ("refs/heads/main", "main")
    assert (seen["GITHUB_EVENT_NAME"], seen["GITHUB_JOB"]) == ("push", "test")
    assert seen["GITHUB_WORKFLOW"] == "CI"
    assert seen["RUNNER_OS"] == "Linux"
    assert seen["RUNNER_ARCH"] in ("X64", "ARM64")
    assert str(world.repo) not in (world.outside / "config").read_text()
    assert str(world.home) not in (world.outside / "config").read_text()


def test_lent_variables_are_named_in_the_configuration(world: World) -> None:
    world.start(
        {
            CI: workflow('- run: test "$LICENSE_KEY" = yes && test -z "$OTHER"'),
            "grind.toml": '[hosts.local]\nenv = ["LICENSE_KEY"]\n',
        },
        remote=False,
    )
    assert world.grind("check", env={"LICENSE_KEY": "yes", "OTHER": "x"}).code == 0


def test_the_repository_stays_as_it_is(world: World) -> None:
    """A step does what it likes with git, in a checkout of its own."""
    world.start(
        {
            CI: workflow(
                CHECKOUT + "  with:\n    fetch-depth: 0\n" + "- run: |\n"
                "    git config user.name Mallory; git config user.email m@example.com\n"
                "    git config core.hooksPath /nowhere; git tag evil; git branch evil\n"
                "    echo changed > file; echo new > new; git add -A; git commit -qm evil\n"
                "    git stash list; git gc -q; git remote -v\n"
                "    git update-ref refs/heads/main HEAD\n"
            ),
            "file": "1",
            ".gitignore": "ignored\n",
        }
    )
    world.write({"file": "2", "fresh": "x", "ignored": "x", "staged": "s"})
    world.git("add", "staged")
    world.git("update-index", "--assume-unchanged", ".gitignore")
    before = world.fingerprint()
    remote = world.fingerprint(world.remote)
    for command in ("plan", "status", "check", "check", "log", "status"):
        done = world.grind(command)
        assert done.code == 0, done
        assert world.fingerprint() == before, command
    assert world.fingerprint(world.remote) == remote
    assert world.grind("check", "--again").code == 0, "the checkout is clean again"


def test_the_snapshot_is_what_would_be_pushed(world: World) -> None:
    """F4: what git ignores is not there; new files and edits are, staged or not."""
    world.start(
        {
            CI: workflow(
                CHECKOUT + '- run: test "$(cat file)" = 2 && test -e fresh && test ! -e gone\n'
                "- run: cat Cargo.lock\n"
            ),
            "file": "1",
            "gone": "",
            ".gitignore": "Cargo.lock\n",
        }
    )
    world.write({"file": "2", "fresh": "", "Cargo.lock": "here"})
    (world.repo / "gone").unlink()
    done = world.grind("check", "--json")
    assert done.code == 1, done
    ended = [e for e in done.events if e["type"] == "step.ended"]
    assert [e["conclusion"] for e in ended] == ["success", "success", "failure"]
    shown = world.grind("check").said
    assert "Cargo.lock" in shown
    assert "ignore" in shown, "F4: an ignored path that the failing log names is pointed out"


def test_workspace_is_empty_before_checkout(world: World) -> None:
    """F11."""
    world.start(
        {
            CI: workflow('- run: test -z "$(ls -A)"\n' + CHECKOUT + "- run: ./go.sh\n"),
            ".github/workflows/two.yml": workflow("- run: ./go.sh\n"),
            "go.sh": "#!/bin/sh\necho went\n",
        }
    )
    done = world.grind("check", "--json")
    assert done.code == 1
    got = {(e["job"], e["step"]): e["conclusion"] for e in done.events if e["type"] == "step.ended"}
    assert got == {
        ("ci.yml/test", 0): "success",
        ("ci.yml/test", 1): "success",
        ("ci.yml/test", 2): "success",
        ("two.yml/test", 0): "failure",
    }


def test_fetch_depth(world: World) -> None:
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + "- run: git rev-list --count HEAD > $OUT/shallow\n  env: &out\n"
                + f"    OUT: {world.outside}\n"
                + "- uses: actions/checkout@v4\n  with:\n    fetch-depth: 0\n"
                + "- run: git rev-list --count HEAD > $OUT/deep; git tag >> $OUT/tags; "
                + "git branch -r >> $OUT/branches\n  env: *out\n"
            )
        }
    )
    world.commit("second")
    world.git("tag", "v1")
    done = world.grind("check")
    assert done.code == 0, done
    assert world.told("shallow") == ["1"]
    assert world.told("deep") == ["2"]
    assert world.told("tags") == ["v1"]


def test_command_files_and_outputs(world: World) -> None:
    world.start(
        {
            CI: "name: CI\non: push\nenv: {A: workflow, B: workflow}\njobs:\n  one:\n"
            "    runs-on: ubuntu-latest\n    env: {B: job}\n"
            "    outputs: {said: '${{ steps.s.outputs.said }}'}\n    steps:\n"
            "      - run: |\n"
            "          mkdir bin; printf '#!/bin/sh\\necho mine\\n' > bin/tool; chmod +x bin/tool\n"
            '          echo "$PWD/bin" >> $GITHUB_PATH; echo FROM=file >> $GITHUB_ENV\n'
            "          echo '# done' >> $GITHUB_STEP_SUMMARY\n"
            "          printf 'MANY<<E\\na\\nb\\nE\\n' >> $GITHUB_ENV\n"
            '      - id: s\n        run: test "$A$B$C" = workflowjobstep && test $FROM = file && '
            'test "$(tool)" = mine && test "$MANY" = "$(printf \'a\\nb\')" && '
            "echo said=$C >> $GITHUB_OUTPUT\n"
            "        env: {C: step}\n"
            "  two:\n    needs: one\n    runs-on: ubuntu-latest\n    steps:\n"
            '      - run: test "${{ needs.one.outputs.said }}" = step\n'
        },
        remote=False,
    )
    done = world.grind("check")
    assert done.code == 0, done


def test_default_shell_has_no_pipefail_and_bash_has(world: World) -> None:
    """F13: the step that cannot fail is green, as in CI, and reported as non-gating."""
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + "- run: false | tee log\n- run: false | tee log; echo\n"
                + "- name: strict\n  run: false | tee log\n  shell: bash\n"
            )
        },
        remote=False,
    )
    done = world.grind("check", "--json")
    ended = [e["conclusion"] for e in done.events if e["type"] == "step.ended"]
    assert ended == ["success", "success", "success", "failure"]
    planned = world.plan()["jobs"][0]["steps"]
    assert [s["gating"] for s in planned] == [True, False, False, True]
    assert planned[1]["gating_reason"]
    assert "pipefail" in world.grind("plan").out


def test_binary_output(world: World) -> None:
    world.start(
        {
            CI: workflow(
                "- run: head -c 100000 /dev/urandom; printf '\\377\\376\\0\\033[2J caf\\351\\n'"
            )
        }
    )
    for args in (("check",), ("check", "--again", "--json"), ("check", "--again", "--follow")):
        done = world.grind(*args)
        assert done.code == 0, done.err
        assert "\x1b[2J" not in done.said
    assert world.grind("log").code == 0


def _flat() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


@pytest.mark.parametrize(
    "args", [(), pytest.param(("--json",), marks=pytest.mark.campaign)], ids=["plain", "json"]
)
def test_much_output_in_one_step(world: World, args: tuple[str, ...]) -> None:
    """100 MB in one step: the client's memory stays flat (its own resident peak, measured)."""
    size = 100_000_000
    world.start(
        {
            CI: workflow(
                f"- run: yes 'a line of output that goes on a while' | head -c {size}\n- run: test 1"
            )
        }
    )
    program = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'grind', 'check', *sys.argv[1:]],\n"
        "    stdout=subprocess.DEVNULL)\n"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    import sys

    out = subprocess.run(
        [sys.executable, "-c", program, *args],
        cwd=world.repo,
        env=world.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert int(out[0]) == 0
    assert int(out[1]) < 90_000, f"resident peak of {out[1]} KiB"
    ended = [e for e in world.journal() if e["type"] == "step.ended"]
    assert ended[0]["log_bytes"] == size
    assert max(len(log) for log in world.logs().values()) == size


def test_one_line_without_an_end(world: World) -> None:
    size = 30_000_000
    world.start({CI: workflow(f"- run: head -c {size} /dev/zero | tr '\\0' x\n- run: test 1")})
    done = world.grind("check", before=_flat)
    assert done.code == 0, done.err[-500:]
    assert len(done.out) < 10_000
    assert max(len(log) for log in world.logs().values()) == size


def test_a_step_that_forks_and_exits(world: World) -> None:
    """The child lives for the next steps of its job, and is gone when the job is over."""
    world.start(
        {
            CI: workflow(
                "- run: |\n"
                "    sleep 1000 & echo $! > $RUNNER_TEMP/pid\n"
                "    setsid sleep 1001 > /dev/null 2>&1 < /dev/null & disown -a\n"
                "    (setsid -f sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1; done')\n"
                "- run: kill -0 $(cat $RUNNER_TEMP/pid) && echo lives >> " + f"{world.outside}/it\n"
            )
        }
    )
    done = world.grind("check")
    assert done.code == 0, done
    assert world.told("it") == ["lives"]
    assert not world.processes()


def test_timeouts_end_the_whole_group(world: World) -> None:
    world.start(
        {
            CI: workflow(
                "- run: |\n    sleep 1000 & trap '' TERM\n    while :; do sleep 1; done\n"
                "  timeout-minutes: 0.02\n"
            )
        }
    )
    done = world.grind("check", "--json")
    assert done.code == 1, done
    ended = next(e for e in done.events if e["type"] == "step.ended")
    assert ended["conclusion"] == "failure"
    assert "time" in ended["reason"]
    assert not world.processes()


def test_deploy_notify_and_secret_steps_never_run(world: World) -> None:
    canary = f"touch {world.outside}/canary"
    world.start(
        {
            CI: "name: CI\non: push\njobs:\n"
            "  test:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"
            f"  prod:\n    needs: test\n    environment: production\n"
            f"    runs-on: ubuntu-latest\n    steps: [{{run: '{canary}-environment'}}]\n"
            f"  deploy:\n    needs: test\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - run: |\n          {canary}-deploy\n          kubectl apply -f x.yml\n"
            f"  secret:\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - run: {canary}-secret\n        env: {{T: '${{{{ secrets.T }}}}'}}\n"
            f"      - run: 'true'\n"
            f"      - run: {canary}-inline; echo ${{{{ secrets.T }}}}\n"
            f"      - run: {canary}-token; echo ${{{{ github.token }}}}\n"
            f"  notify:\n    if: always()\n    needs: test\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - name: Notify Slack\n        run: |\n          {canary}-notify\n"
            '          curl -X POST -d \'{"text":"done `' + canary + "-backticks`\"}' "
            "https://hooks.slack.com/services/x\n"
            f"  publish:\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - run: {canary}-publish; twine upload dist/*\n"
            f"      - run: {canary}-push; git push origin main\n"
            f"      - run: {canary}-gh; gh release create v1\n"
            f"      - run: {canary}-npm; npm publish\n"
            f"      - run: {canary}-docker; docker push x/y\n"
            f"      - run: {canary}-ssh; ssh host systemctl restart x\n"
            f"  provision:\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - run: {canary}-apt; sudo apt-get install -y cowsay-no-such\n"
        }
    )
    done = world.grind("check")
    assert done.code == 3, done
    assert not [p.name for p in world.outside.iterdir() if p.name.startswith("canary")]
    shown = world.grind("plan").out
    for job in ("prod", "deploy", "secret", "notify", "publish", "provision"):
        assert job in shown
    for args in (("check", "prod"), ("check", "deploy"), ("build",), ("check", "publish")):
        world.grind(*args)
    assert not [p.name for p in world.outside.iterdir() if p.name.startswith("canary")]


def test_filtered_tests_that_run_nothing(world: World) -> None:
    """F20: the filter matched no test; the command exited 0; the step is red."""
    world.start(
        {
            CI: workflow(CHECKOUT + "- run: bin/cargo test renamed_since\n"),
            "bin/cargo": "#!/bin/sh\necho 'running 0 tests'; echo; echo "
            "'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 12 filtered out'\n",
            "grind.toml": '[[check]]\nname = "few"\nrun = "echo \'===== 3 passed in 0.1s =====\'"\n'
            "min_tests = 4\n",
        }
    )
    (world.repo / "bin/cargo").chmod(0o755)
    done = world.grind("check", "--fast")
    assert done.code == 1
    assert "4" in done.out
    world.write({"grind.toml": ""})
    done = world.grind("check")
    assert done.code == 1, done
    assert "no test" in done.out


def test_no_python_is_needed_by_the_steps(world: World) -> None:
    """F21: nothing of grind needs Python on the host."""
    bin_ = world.root / "bin"
    bin_.mkdir()
    for folder in ("/usr/bin", "/bin", "/usr/local/bin"):
        for tool in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            link = bin_ / tool
            if not tool.startswith(("python", "pip")) and not link.exists():
                link.symlink_to(os.path.join(folder, tool))
    world.start({CI: workflow(CHECKOUT + "- run: '! command -v python3 && ! command -v python'\n")})
    done = world.grind("check", env={"PATH": str(bin_)})
    assert done.code == 0, done


def test_grind_inside_a_step(world: World) -> None:
    """Nested, as in grind's own CI: CI=true and RUNNER_TRACKING_ID are set, another state folder."""
    import sys

    inner = workflow("- run: echo inner >> " + f"{world.outside}/inner")
    world.start(
        {
            CI: workflow(
                "- run: |\n"
                "    git init -q -b main inner && cd inner\n"
                "    mkdir -p .github/workflows\n"
                "    cp $SAMPLE .github/workflows/ci.yml\n"
                "    git -c user.name=A -c user.email=a@b add -A\n"
                "    git -c user.name=A -c user.email=a@b commit -qm x\n"
                f"    {sys.executable} -m grind check --json | tail -n 1\n"
                "  env:\n"
                f"    SAMPLE: {world.outside}/sample.yml\n"
                f"    PYTHONPATH: {world.env['PYTHONPATH']}\n"
            )
        }
    )
    (world.outside / "sample.yml").write_text(inner)
    done = world.grind("check", env={"CI": "true", "RUNNER_TRACKING_ID": "github_outer"})
    assert done.code == 0, done
    assert world.told("inner") == ["inner"]
    assert not world.processes()


def test_events_payload_and_summary_do_not_cross_steps(world: World) -> None:
    world.start(
        {
            CI: workflow(
                "- run: |\n    test -s $GITHUB_EVENT_PATH\n    cp $GITHUB_EVENT_PATH "
                f"{world.outside}/event.json\n    echo one >> $GITHUB_STEP_SUMMARY\n"
                "- run: test ! -s $GITHUB_STEP_SUMMARY && test ! -s $GITHUB_ENV\n"
            )
        }
    )
    assert world.grind("check").code == 0
    event = json.loads((world.outside / "event.json").read_text())
    assert event["ref"] == "refs/heads/main"
    assert Path(world.outside / "event.json").exists()
