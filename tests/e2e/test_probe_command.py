"""`grind probe` as a user types it."""

from __future__ import annotations

import json
import signal

from tests.e2e.world import World
from tests.probes.servers import answer, says, serving, silent
from tests.test_docs import validator

QUICK = "deadline = 3\ninterval = 0.1\ngreens = 2\n"


def http(url: str, *more: str, name: str = "api") -> str:
    return f'[[probe]]\nname = "{name}"\nhttp = "{url}"\n{QUICK}' + "".join(f"{m}\n" for m in more)


def test_the_table(world: World) -> None:
    world.start({"a": "1", "grind.toml": ""})
    body = json.dumps({"status": "pass", "instance_role": "unknown"})
    with serving(says(answer(body))) as service:
        toml = http(service.url(), 'json = { status = "pass" }')
        toml += http(service.url("/role"), 'role = "web"', name="role")
        world.write({"grind.toml": toml})
        done = world.grind("probe")
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[:2] == ["probe", "from"])
    table = lines[head:]
    assert table[1].startswith("✓ api")
    assert "2/2" in table[1]
    assert table[2].startswith("✗ role")
    assert "nothing told the service its role" in table[3]
    assert "grind.toml:9:1 · " in table[4]
    assert table[-1].startswith("not healthy · local · 2 probes · 1 red · ")
    assert "\x1b" not in done.out


def test_as_a_document(world: World) -> None:
    world.start({"grind.toml": ""})
    with serving(says(answer(json.dumps({"revision": world.tip})))) as service:
        world.write({"grind.toml": http(service.url(), 'revision = "commit"')})
        done = world.grind("probe", "--json")
        assert done.code == 0, done
        validator("probe").validate(done.document)
        assert done.document["healthy"]
        assert (done.document["commit"], done.document["role"]) == (world.tip, "grind")
        world.commit("The revision is another now")
        later = world.grind("probe", "--json")
        assert later.code == 1
        validator("probe").validate(later.document)
        assert "not the commit" in later.document["probes"][0]["problems"][0]
        assert world.grind("probe", "--revision", "HEAD~1").code == 0
        assert world.grind("probe", "--revision", "nowhere").code == 2


def test_which_probes(world: World) -> None:
    world.start({"grind.toml": ""})
    with serving(says(answer())) as service:
        world.write(
            {
                "grind.toml": http(service.url(), name="all")
                + http(service.url(), 'roles = ["prod"]', name="prod")
            }
        )

        def names(*words: str) -> list[str]:
            return [
                row["name"] for row in world.grind("probe", "--json", *words).document["probes"]
            ]

        assert names() == ["all"]
        assert names("--role", "prod") == ["all", "prod"]
        assert names("prod") == ["prod"]
    unknown = world.grind("probe", "prdo")
    assert (unknown.code, "did you mean 'prod'" in unknown.err) == (2, True)


def test_nothing_to_ask_is_not_health(world: World) -> None:
    world.start({"a": "1"})
    done = world.grind("probe")
    assert done.code == 2
    assert "docs/probes.md" in done.err
    world.write({"grind.toml": http("http://127.0.0.1:9/", 'roles = ["prod"]')})
    done = world.grind("probe")
    assert (done.code, "--role prod" in done.err) == (2, True)


def test_a_command_of_a_cloned_file_runs_only_after_a_yes(world: World) -> None:
    world.start({"a": "1"})
    probe = f'[[probe]]\nname = "it"\ncommand = ["touch", "{world.outside}/ran"]\n{QUICK}'
    world.write({"grind.toml": probe})
    done = world.grind("probe")
    assert (done.code, (world.outside / "ran").exists()) == (3, False)
    assert "grind trust" in done.err
    shown = world.grind("trust", "--show", "--json")
    assert world.grind("trust", "--digest", shown.document["digest"]).code == 0
    assert world.grind("probe").code == 0
    assert (world.outside / "ran").exists()


def test_interrupted(world: World) -> None:
    world.start({"a": "1"})
    with serving(silent) as service:
        world.write({"grind.toml": http(service.url()).replace("deadline = 3", "deadline = 600")})
        begun = world.begin("probe")
        world.until(lambda: bool(service.requests), "it was never asked")
        begun.send_signal(signal.SIGINT)
        done = world.end(begun)
    assert done.code == 130, done
    assert "Traceback" not in done.said


def test_bad_probes_are_told_with_their_place(world: World) -> None:
    world.start({"grind.toml": '[[probe]]\nname = "a"\nhttp = "http://x"\n'})
    done = world.grind("probe")
    assert done.code == 2
    assert "grind.toml:1:1: probe[0]: `deadline` is missing" in done.err
