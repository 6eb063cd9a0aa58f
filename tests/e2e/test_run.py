"""`grind run`: the whole loop as one release, against a real remote, real checks, a real service on
loopback, and the stand-in of GitHub."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow
from tests.github.clock import DrivenClock
from tests.github.conftest import contract as contract
from tests.github.openapi import Contract
from tests.github.standin import TOKEN, GitHub, Job, Server, Step
from tests.probes.servers import Service, answer, says, serving
from tests.test_docs import validator

STEP = "test ! -e broken"
PASS = {CI: workflow(CHECKOUT + f"- run: {STEP}"), "file": "1\n"}
BEFORE = (Step("Set up job", 1), Step("Run actions/checkout@v4", 1))
GREEN = Job("test", (*BEFORE, Step(f"Run {STEP}"), Step("Complete job", 1)))
RED = Job("test", (*BEFORE, Step(f"Run {STEP}", conclusion="failure")), "failure")


def config(service: Service, deadline: float = 20) -> str:
    return (
        f'[[probe]]\nname = "health"\nhttp = "{service.url()}"\nrevision = "commit"\n'
        f"deadline = {deadline}\ninterval = 0.1\ngreens = 2\n[verify]\ndeadline = {deadline}\n"
    )


def health(revision: str) -> bytes:
    return answer(json.dumps({"status": "pass", "revision": revision}))


class Place:
    """A world whose remote has a CI: whatever is pushed is run there, and then deployed."""

    def __init__(self, world: World, server: Server, service: Service) -> None:
        self.world = world
        self.github = server.github
        self.service = service
        world.env |= {"GRIND_GITHUB_API": server.url, "GH_TOKEN": TOKEN}
        self.job, self.conclusion = GREEN, "success"
        self.deploys = True
        self.pushed: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self, **files: str) -> Place:
        self.world.start({**PASS, "grind.toml": config(self.service), **files})
        self.service.script = says(health(self.world.tip))
        self._thread.start()
        return self

    def _follow(self) -> None:
        last = self.world.tip
        while not self._over.wait(0.05):
            tip = self.world.tip
            if tip and tip != last:
                self.github.push(tip, before=last)
                self.github.run(CI, tip, self.job, conclusion=self.conclusion)
                self.github.clock._now += 120
                self.pushed.append(tip)
                last = tip
                if self.deploys:
                    time.sleep(0.3)
                    self.service.script = says(health(tip))

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def run(self, *args: str) -> Any:
        return self.world.grind("run", "--repo", "octo/app", *args)


@pytest.fixture
def place(world: World, contract: Contract) -> Iterator[Place]:
    server = Server(GitHub(contract, DrivenClock()))
    with serving(says(b"")) as service:
        place = Place(world, server, service)
        yield place
        place.close()
    server.close()


def kinds(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


def states(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["phase"]: event["state"] for event in kinds(events, "phase.ended")}


WHOLE = {
    "check": "done",
    "activate": "skipped",
    "land": "done",
    "watch": "done",
    "verify": "done",
}


def test_from_what_is_here_to_verified_live(place: Place) -> None:
    world = place.start().world
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it")
    assert done.code == 0, done
    assert place.pushed == [world.tip]
    assert "verified live" in done.out.splitlines()[-1]
    events = world.journal()
    assert states(events) == WHOLE
    assert (events[0]["type"], events[-1]["type"]) == ("loop.started", "loop.ended")
    for kind in ("run.started", "land.pushed", "watch.ended", "probes.ended"):
        assert len(kinds(events, kind)) == 1, kind
    [probes] = kinds(events, "probes.ended")
    assert (probes["purpose"], probes["healthy"]) == ("verify", True)
    assert len(list((world.kept / "releases").iterdir())) == 1
    log = world.grind("log").out
    for told in ("check → activate → land", "✓ check done", "healthy · ", "verified live · "):
        assert told in log
    again = place.run()
    assert again.code == 0, again
    assert place.pushed == [world.tip]


def test_as_one_stream(place: Place) -> None:
    world = place.start().world
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it", "--json")
    assert done.code == 0, done
    assert states(done.events) == WHOLE
    check = validator("events")
    for line in done.lines:
        check.validate(line)
    numbers = [line["seq"] for line in done.lines if line["seq"]]
    assert numbers == sorted(numbers)
    journal = [event for event in world.journal() if event["type"] != "probe.looked"]
    seen = [event for event in done.events if event["type"] not in ("step.output", "probe.looked")]
    assert seen == journal


def test_red_checks_push_nothing(place: Place) -> None:
    world = place.start().world
    tip = world.tip
    world.write({"broken": ""})
    done = place.run("-m", "Break it")
    assert (done.code, world.tip) == (1, tip), done
    assert states(world.journal()) == {"check": "failed"}
    assert "stopped by check, exit code 1" in done.out
    (world.repo / "broken").unlink()
    world.write({"file": "2\n"})
    assert place.run("-m", "Mend it").code == 0


def test_red_ci_shows_the_way_back_and_does_nothing(place: Place) -> None:
    world = place.start().world
    place.job, place.conclusion = RED, "failure"
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it")
    assert done.code == 1, done
    assert f"roll back code on origin/main: {world.tip[:12]} Change it" in done.out
    assert "nothing was rolled back" in done.out
    assert len(place.pushed) == 1
    assert states(world.journal())["watch"] == "failed"


def test_rolled_back_on_red_when_asked_for(place: Place) -> None:
    world = place.start().world
    before = world.git("rev-parse", "main^{tree}", cwd=world.remote)
    place.job, place.conclusion = RED, "failure"
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it", "--rollback-on-red")
    assert done.code == 5, done
    assert world.git("rev-parse", "main^{tree}", cwd=world.remote) == before
    assert "CI of" in world.git("log", "-1", "--format=%B", "main", cwd=world.remote)


def test_what_never_answers_live_is_not_verified(place: Place) -> None:
    """F9: CI is green, something answers, and it is the old one."""
    world = place.start(**{"grind.toml": config(place.service, deadline=1)}).world
    place.deploys = False
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it")
    assert done.code == 1, done
    assert states(world.journal()) == WHOLE | {"verify": "failed"}
    assert "does not answer live: health: revision is" in done.out
    assert "grind rollback code" in done.out


def test_without_a_probe_of_the_revision_nothing_is_called_verified(place: Place) -> None:
    world = place.start(**{"grind.toml": ""}).world
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it")
    assert done.code == 0, done
    assert states(world.journal())["verify"] == "skipped"
    assert "done, not verified live" in done.out
    asked = place.run("--from", "verify")
    assert asked.code == 2
    assert 'revision = "commit"' in asked.err


def test_until_and_from(place: Place) -> None:
    world = place.start().world
    world.write({"file": "2\n"})
    done = place.run("-m", "Change it", "--until", "land")
    assert done.code == 0, done
    assert list(states(world.journal())) == ["check", "activate", "land"]
    landed = world.tip
    world.write({"file": "3\n"})  # what is edited meanwhile does not matter
    done = place.run("--from", "watch")
    assert done.code == 0, done
    assert list(states(world.journal())) == ["watch", "verify"]
    assert kinds(world.journal(), "loop.ended")[0]["commit"] == landed
    assert place.run("--from", "watch", "--until", "land").code == 2


def test_no_message_is_told_before_anything_runs(place: Place) -> None:
    world = place.start(**{"grind.toml": "[land]\nconventional = true\n"}).world
    world.write({"file": "2\n"})
    assert place.run().code == 2
    assert place.run("-m", "Change it").code == 2
    assert not (world.kept / "releases").exists() or not list((world.kept / "releases").iterdir())
    assert place.run("-m", "fix: it", "--until", "land").code == 0


@pytest.mark.parametrize(
    "when",
    [
        "after:loop.started:1",
        "after:run.started:1",
        "before:step.ended:2",
        "after:run.ended:1",
        "after:phase.ended:1",
        "after:land.intent:1",
        "before:land.committed:1",
        "before:land.pushed:1",
        "after:land.pushed:1",
        "after:phase.ended:3",
        "after:watch.started:1",
        "before:watch.ended:1",
        "after:phase.ended:4",
        "after:probes.started:1",
        "before:loop.ended:1",
    ],
)
def test_killed_anywhere_it_is_gone_on_with(place: Place, when: str) -> None:
    """kill -9 at each point: one push in all, one release, and an end."""
    world = place.start().world
    first = world.tip
    world.write({"file": "2\n"})
    words = ("run", "--repo", "octo/app", "-m", "Change it")
    world.killed(when, *words)
    done = world.grind(*words)
    assert done.code == 0, done
    assert world.git("rev-list", "--count", f"{first}..main", cwd=world.remote) == "1"
    assert place.pushed == [world.tip]
    events = world.journal()
    assert len(list((world.kept / "releases").iterdir())) == 1
    assert [event["resumed"] for event in kinds(events, "loop.started")] == [False, True]
    assert len(kinds(events, "land.pushed")) == 1
    ended = kinds(events, "loop.ended")
    assert [(event["exit_code"], event["verified"]) for event in ended] == [(0, True)]


def test_one_at_a_time(place: Place) -> None:
    world = place.world
    waits = (
        f"- run: echo x >{world.outside}/begun; until test -e {world.outside}/go; do sleep .1; done"
    )
    place.start(**{CI: workflow(CHECKOUT + waits)})
    world.write({"file": "2\n"})
    first = world.begin("run", "--repo", "octo/app", "-m", "Change it", "--until", "land")
    world.wait_for("begun")
    second = place.run("-m", "Change it")
    assert second.code == 3, second
    assert "grind run" in second.err
    (world.outside / "go").touch()
    assert world.end(first).code == 0


def test_plain_watch_verifies_too(place: Place) -> None:
    world = place.start().world
    world.write({"file": "2\n"})
    assert place.run("-m", "Change it", "--until", "land").code == 0
    done = world.grind("watch", "--repo", "octo/app", "--verify", "--json")
    assert done.code == 0, done
    assert kinds(done.events, "probes.ended")[0]["healthy"]
    place.deploys = False
    place.service.script = says(health("f" * 40))
    world.write({"grind.toml": config(place.service, deadline=1)})
    weaker = place.run("-m", "Less patience", "--until", "land")
    assert (weaker.code, "probe health: " in weaker.err) == (3, True)
    meant = ("--accept-weakened", "it is the test's service", "--until", "land")
    assert place.run("-m", "Less patience", *meant).code == 0
    done = world.grind("watch", "--repo", "octo/app", "--verify")
    assert done.code == 1, done
    assert "not healthy" in done.out
