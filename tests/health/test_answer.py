"""The answer of `/health`, and how checks come out: no server, no framework."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grind_health import (
    Answer,
    Check,
    CheckFailed,
    DeploymentContext,
    Health,
    failed,
    passed,
    warned,
)

CONTEXT = DeploymentContext(instance_role="grind", hostname="h", revision="abc")
SECRET = "postgres://user:hunter2@db/prod"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ready_sync(health: Health) -> Answer:
    return health.ready()


def ready_on_loop(health: Health) -> Answer:
    return asyncio.run(health.ready_async())


@pytest.fixture(params=[ready_sync, ready_on_loop], ids=["blocking", "asyncio"])
def ready(request: pytest.FixtureRequest) -> Callable[[Health], Answer]:
    return request.param


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging check waits for; opened at the end, so that no thread stays behind."""
    event = threading.Event()
    yield event
    event.set()


def document(answer: Answer) -> dict[str, Any]:
    headers = dict(answer.headers)
    assert headers["content-type"] == "application/health+json"
    assert headers["content-length"] == str(len(answer.body))
    assert headers["cache-control"] == "no-store"
    assert [(n.encode(), v.encode()) for n, v in answer.headers] == list(answer.raw_headers)
    return json.loads(answer.body)


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


def as_async(function: Callable[[], Any]) -> Callable[[], Any]:
    async def asked() -> Any:
        await asyncio.sleep(0)
        return function()

    return asked


CASES = [
    # (function, its status, what the reader sees)
    (lambda: None, "pass", None),
    (lambda: True, "pass", None),
    (lambda: passed("12 tables"), "pass", "12 tables"),
    (lambda: warned("disk at 91 %"), "warn", "disk at 91 %"),
    (lambda: failed("no replica"), "fail", "no replica"),
    (lambda: False, "fail", "the check returned False"),
    (lambda: 0, "fail", "the check returned int, which is no outcome"),
    (lambda: "ok", "fail", "the check returned str, which is no outcome"),
    (
        lambda: failed("x")._replace(status="great"),
        "fail",
        "the check returned Outcome, which is no outcome",
    ),
    (raising(CheckFailed("queue is full")), "fail", "queue is full"),
    (raising(CheckFailed()), "fail", "failed"),
    (raising(ConnectionError(SECRET)), "fail", "ConnectionError"),
    (raising(SystemExit(3)), "fail", "SystemExit"),
]


@pytest.mark.parametrize("wrap", [lambda f: f, as_async], ids=["sync", "async"])
@pytest.mark.parametrize(("function", "status", "output"), CASES)
def test_outcomes(
    ready: Callable[[Health], Answer], wrap: Any, function: Any, status: str, output: str | None
) -> None:
    health = Health(CONTEXT, checks=[Check("db", wrap(function))])
    answer = ready(health)
    found = document(answer)
    assert found["status"] == status
    assert answer.status == (503 if status == "fail" else 200)
    [check] = found["checks"]["db"]
    assert check["status"] == status
    assert check.get("output") == output
    assert check["observedUnit"] == "ms"
    assert check["observedValue"] >= 0
    assert check["time"].endswith("Z")
    assert SECRET.encode() not in answer.body


def test_a_sync_function_that_returns_a_coroutine_is_finished(
    ready: Callable[[Health], Answer],
) -> None:
    asked = as_async(lambda: False)
    assert ready(Health(CONTEXT, checks=[Check("db", lambda: asked())])).status == 503


def test_the_text_of_an_error_is_in_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    answer = Health(CONTEXT, checks=[Check("db", raising(OSError(SECRET)))]).ready()
    assert b"hunter2" not in answer.body
    assert "hunter2" in caplog.text
    assert "db" in caplog.text


def test_a_long_output_is_cut() -> None:
    answer = Health(CONTEXT, checks=[Check("db", lambda: failed("x" * 10_000))]).ready()
    assert len(document(answer)["checks"]["db"][0]["output"]) == 500


def test_all_checks_are_shown_and_the_worst_decides(ready: Callable[[Health], Answer]) -> None:
    for statuses, critical, expected in [
        (("pass", "pass"), True, "pass"),
        (("pass", "warn"), True, "warn"),
        (("warn", "fail"), True, "fail"),
        (("fail", "warn"), True, "fail"),
        (("pass", "fail"), False, "warn"),
    ]:
        made = {"pass": passed, "warn": lambda: warned("w"), "fail": lambda: failed("f")}
        checks = [
            Check(f"c{n}", made[status], critical=critical) for n, status in enumerate(statuses)
        ]
        answer = ready(Health(CONTEXT, checks=checks))
        found = document(answer)
        assert found["status"] == expected
        assert [found["checks"][f"c{n}"][0]["status"] for n in range(2)] == list(statuses)
        assert answer.status == (503 if expected == "fail" else 200)


def test_liveness_asks_nothing() -> None:
    asked = []
    health = Health(CONTEXT)
    health.check("db")(lambda: asked.append(1))
    found = document(health.live())
    assert found["status"] == "pass"
    assert found["revision"] == "abc"
    assert asked == []
    assert health.at_once(live=False) is None


def test_without_checks_readiness_is_liveness(ready: Callable[[Health], Answer]) -> None:
    health = Health(CONTEXT)
    assert ready(health) == health.live()
    assert "checks" not in document(ready(health))


class TestRequiredFields:
    """F10: the role was in the answer, and was `unknown` on every host."""

    def test_a_role_that_nothing_set_is_not_ready(self, ready: Callable[[Health], Answer]) -> None:
        context = DeploymentContext.from_environment("CHOIROS", environ={})
        health = Health(context, require=["instance_role", "revision", "hostname", "started_at"])
        answer = ready(health)
        assert answer.status == 503
        assert document(answer)["checks"] == {
            "context:instance_role": [
                {"status": "fail", "output": "CHOIROS_INSTANCE_ROLE is not set"}
            ],
            "context:revision": [{"status": "fail", "output": "CHOIROS_REVISION is not set"}],
            "context:hostname": [{"status": "fail", "output": "HOSTNAME is not set"}],
        }
        assert health.live().status == 200  # restarting would not set it

    def test_a_role_that_is_set_is_ready(self, ready: Callable[[Health], Answer]) -> None:
        environ = {"CHOIROS_INSTANCE_ROLE": "grind"}
        context = DeploymentContext.from_environment("CHOIROS", environ=environ)
        assert ready(Health(context, require=["instance_role"])).status == 200

    def test_an_unknown_field_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="instance_rule"):
            Health(CONTEXT, require=["instance_rule"])


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (Check("", passed), "printable name"),
        (Check("a\nb", passed), "printable name"),
        (Check("a", None), "NoneType cannot be called"),  # type: ignore[arg-type]
        (Check("a", passed, timeout=0), "timeout"),
        (Check("a", passed, timeout=-1), "timeout"),
        (Check("a", passed, timeout=float("nan")), "timeout"),
        (Check("a", passed, timeout=float("inf")), "timeout"),
    ],
)
def test_a_check_written_wrongly_is_refused(check: Check, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Health(CONTEXT, checks=[check])


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="there already"):
        Health(CONTEXT, checks=[Check("a", passed), Check("a", passed)])


class TestHolding:
    def test_a_pass_is_never_kept(self, ready: Callable[[Health], Answer]) -> None:
        outcomes = iter([True, False])
        health = Health(CONTEXT, checks=[Check("db", lambda: next(outcomes))], clock=Clock())
        assert [ready(health).status, ready(health).status] == [200, 503]

    def test_a_failure_is_kept_for_its_time_only(self, ready: Callable[[Health], Answer]) -> None:
        asked = []

        def check() -> bool:
            asked.append(1)
            return len(asked) > 1

        clock = Clock()
        health = Health(CONTEXT, checks=[Check("db", check)], hold_failures=1.0, clock=clock)
        assert [ready(health).status for _ in range(3)] == [503] * 3
        clock.now += 0.999
        assert ready(health).status == 503
        assert len(asked) == 1
        clock.now += 0.001
        assert ready(health).status == 200
        assert len(asked) == 2

    def test_keeping_can_be_turned_off(self, ready: Callable[[Health], Answer]) -> None:
        outcomes = iter([False, True])
        check = Check("db", lambda: next(outcomes))
        health = Health(CONTEXT, checks=[check], hold_failures=0, clock=Clock())
        assert [ready(health).status, ready(health).status] == [503, 200]


class TestTimeouts:
    """Each of these ends only because the answer does not wait for the check."""

    def test_a_hanging_sync_check(
        self, ready: Callable[[Health], Answer], gate: threading.Event
    ) -> None:
        asked = []

        def hang() -> None:
            asked.append(1)
            gate.wait()

        health = Health(CONTEXT, checks=[Check("db", hang, timeout=0.05)], hold_failures=0)
        for _ in range(3):  # it is not started again while it hangs: nothing piles up
            found = document(ready(health))
            assert found["checks"]["db"][0]["output"] == "no answer within 0.05 s"
            assert found["status"] == "fail"
        assert len(asked) == 1
        assert not gate.is_set()

    def test_a_hanging_async_check(self, ready: Callable[[Health], Answer]) -> None:
        async def hang() -> None:
            await asyncio.Event().wait()

        found = document(ready(Health(CONTEXT, checks=[Check("db", hang, timeout=0.05)])))
        assert found["checks"]["db"][0]["status"] == "fail"

    def test_an_async_check_that_will_not_be_cancelled(self) -> None:
        async def main() -> None:
            release = asyncio.Event()
            refused = []

            async def stubborn() -> None:
                while not release.is_set():
                    try:
                        await release.wait()
                    except asyncio.CancelledError:
                        refused.append(1)

            check = Check("db", stubborn, timeout=0.05)
            health = Health(CONTEXT, checks=[check], hold_failures=0)
            for _ in range(2):
                answer = await health.ready_async()
                assert answer.status == 503
                assert not release.is_set()
            release.set()
            await asyncio.sleep(0.01)
            assert refused

        asyncio.run(main())

    def test_checks_are_asked_side_by_side(self, ready: Callable[[Health], Answer]) -> None:
        """Each waits for the other: one after the other they could never pass."""
        barrier = threading.Barrier(3, timeout=20)
        checks = [Check(f"c{n}", lambda: barrier.wait() >= 0, timeout=30) for n in range(3)]
        assert ready(Health(CONTEXT, checks=checks)).status == 200

    def test_after_a_late_end_it_is_asked_again(self, gate: threading.Event) -> None:
        ended = threading.Event()
        calls = iter([lambda: gate.wait() and None, lambda: None])

        def check() -> None:
            try:
                next(calls)()
            finally:
                ended.set()

        health = Health(CONTEXT, checks=[Check("db", check, timeout=0.05)], hold_failures=0)
        assert health.ready().status == 503
        gate.set()
        assert ended.wait(20)
        for _ in range(2000):  # the thread has still to say so
            if health.ready().status == 200:
                return
            time.sleep(0.01)
        pytest.fail("the late run was never forgotten")


class TestSharing:
    def test_who_asks_at_the_same_time_shares_one_run(self) -> None:
        async def main() -> None:
            asked = []
            release = asyncio.Event()

            async def check() -> None:
                asked.append(1)
                await release.wait()

            health = Health(CONTEXT, checks=[Check("db", check, timeout=30)])
            tasks = [asyncio.create_task(health.ready_async()) for _ in range(50)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            release.set()
            answers = await asyncio.gather(*tasks)
            assert {answer.status for answer in answers} == {200}
            assert len(asked) == 1

        asyncio.run(main())

    def test_one_who_leaves_does_not_end_it_for_the_others(self) -> None:
        async def main() -> None:
            release = asyncio.Event()

            async def check() -> None:
                await release.wait()

            health = Health(CONTEXT, checks=[Check("db", check, timeout=30)])
            leaver, stayer = (asyncio.create_task(health.ready_async()) for _ in range(2))
            await asyncio.sleep(0.01)
            leaver.cancel()
            await asyncio.sleep(0)
            release.set()
            assert (await stayer).status == 200
            assert leaver.cancelled()

        asyncio.run(main())

    def test_a_run_whose_loop_has_gone_is_forgotten(self) -> None:
        """The first loop ends while its run is under way, and takes it with it."""
        hang = [True]

        async def check() -> None:
            if hang[0]:
                await asyncio.Event().wait()

        health = Health(CONTEXT, checks=[Check("db", check, timeout=30)], hold_failures=0)

        async def begin() -> None:
            task = asyncio.create_task(health.ready_async())
            await asyncio.sleep(0.01)
            task.cancel()

        loop = asyncio.new_event_loop()
        told: list[str] = []
        loop.set_exception_handler(lambda _, about: told.append(about["message"]))
        loop.run_until_complete(begin())
        loop.close()  # without asyncio.run's manners: nothing is cancelled
        hang[0] = False
        assert asyncio.run(health.ready_async()).status == 200

    def test_a_loop_that_ends_leaves_no_failure_behind(self) -> None:
        hang = [True]

        async def check() -> None:
            if hang[0]:
                await asyncio.Event().wait()

        health = Health(CONTEXT, checks=[Check("db", check, timeout=30)], hold_failures=3600)

        async def begin() -> None:
            task = asyncio.create_task(health.ready_async())
            await asyncio.sleep(0.01)
            assert not task.done()

        asyncio.run(begin())  # cancels what is left
        hang[0] = False
        assert asyncio.run(health.ready_async()).status == 200

    def test_threads_and_loops_share_a_run(self) -> None:
        """A blocking caller and one on a loop wait for the same run, each in its own way."""
        started, release = threading.Event(), threading.Event()
        asked = []

        def check() -> None:
            asked.append(1)
            started.set()
            release.wait(20)

        health = Health(CONTEXT, checks=[Check("db", check, timeout=30)])
        answers: list[Answer] = []
        blocking = threading.Thread(target=lambda: answers.append(health.ready()))
        blocking.start()
        assert started.wait(20)

        async def join() -> Answer:
            asyncio.get_running_loop().call_later(0.01, release.set)
            return await health.ready_async()

        answers.append(asyncio.run(join()))
        blocking.join(20)
        assert [answer.status for answer in answers] == [200, 200]
        assert len(asked) == 1


def test_a_hanging_check_does_not_keep_the_service_from_ending() -> None:
    import subprocess
    import sys

    code = (
        "import threading; from grind_health import *;"
        "h = Health(DeploymentContext(), checks=[Check('db', threading.Event().wait, 0.05)]);"
        "print(h.ready().status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "503\n"
