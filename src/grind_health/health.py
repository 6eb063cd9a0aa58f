"""The answer to `/health`: who asks by which way is not known here (see `asgi` and `wsgi`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from grind_health.checks import FAIL, LONGEST_OUTPUT, PASS, WARN, Check, Outcome, check_problem
from grind_health.context import DeploymentContext, timestamp

if TYPE_CHECKING:
    import asyncio

    from grind_health.runs import Run, Runner

MEDIA_TYPE = "application/health+json"

Function = TypeVar("Function", bound=Callable[[], object])


class Answer(NamedTuple):
    """An HTTP answer. Header names are lower case; `content-length` is there, also for HEAD."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw_headers: tuple[tuple[bytes, bytes], ...]  # the same, as ASGI wants them


class Health:
    """What a service says of itself, and what it asks itself before it does.

    `require` names fields of the context without which the service is not ready, such as
    `instance_role`: a role that nothing has set is a deployment that went wrong.
    A failure is given again for `hold_failures` seconds without asking; a pass never is.
    `clock` (seconds, monotonic) and `wall` (Unix time) are for tests.

    Raises ValueError for a check or a required field that is written wrongly.
    """

    def __init__(
        self,
        context: DeploymentContext,
        *,
        checks: Iterable[Check] = (),
        require: Sequence[str] = (),
        hold_failures: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.context = context
        self._missing = context.missing(tuple(require))
        self._hold = hold_failures
        self._clock = clock
        self._wall = wall
        self._runners: dict[str, Runner] = {}
        self._members = _inner(context.document())
        self._alive = _answer(200, _body(PASS, self._members))
        for check in checks:
            self.add(check)

    def add(self, check: Check) -> None:
        """Ask `check`, too, before saying that the service is ready. Raises ValueError."""
        from grind_health.runs import Runner  # threads: not for a service without checks

        problem = check_problem(check)
        if not problem and check.name in self._runners:
            problem = f"check {check.name!r} is there already"
        if problem:
            raise ValueError(problem)
        self._runners[check.name] = Runner(check, self._hold, self._clock, self._wall)

    def check(
        self, name: str, *, timeout: float = 2.0, critical: bool = True
    ) -> Callable[[Function], Function]:
        """Decorate a function, sync or async, that is to be asked (`Check`)."""

        def add(function: Function) -> Function:
            self.add(Check(name, function, timeout, critical))  # type: ignore[arg-type]
            return function

        return add

    def live(self) -> Answer:
        """Say that the process answers; no check is asked. For what restarts services."""
        return self._alive

    def at_once(self, live: bool) -> Answer | None:
        """Return the answer if it is known without asking anything, else None."""
        return self._alive if live or not (self._runners or self._missing) else None

    def ready(self) -> Answer:
        """Ask every check and say whether the service is ready. Blocks for the longest timeout.

        On an event loop use `ready_async`, or the loop stands still meanwhile.
        """
        if answer := self.at_once(live=False):
            return answer
        from grind_health.runs import Run

        begun = self._begin(None)
        for runner, run in begun:
            if isinstance(run, Run) and (seconds := runner.seconds_left(run)):
                run.wait(seconds)
        return self._conclude(begun)

    async def ready_async(self) -> Answer:
        """Ask every check on the running asyncio loop; sync checks run in threads."""
        if answer := self.at_once(live=False):
            return answer
        import asyncio

        from grind_health.runs import Run

        loop = asyncio.get_running_loop()
        begun = self._begin(loop)
        for runner, run in begun:
            if isinstance(run, Run) and (seconds := runner.seconds_left(run)):
                await run.wait_async(loop, seconds)
        return self._conclude(begun)

    def _begin(self, loop: asyncio.AbstractEventLoop | None) -> list[tuple[Runner, Run | Outcome]]:
        # All are under way before the first is waited for: the longest timeout is the whole wait.
        return [(runner, runner.begin(loop)) for runner in self._runners.values()]

    def _conclude(self, begun: list[tuple[Runner, Run | Outcome]]) -> Answer:
        status = FAIL if self._missing else PASS
        checks: dict[str, list[dict[str, object]]] = {
            f"context:{field}": [{"status": FAIL, "output": output}]
            for field, output in self._missing.items()
        }
        for runner, run in begun:
            outcome = runner.collect(run)
            checks[runner.check.name] = [_shown(outcome)]
            status = _worse(status, outcome.status, runner.check.critical)
        body = _body(status, f'{self._members},"checks":{_encode(checks)}')
        return _answer(503 if status == FAIL else 200, body)


def not_allowed() -> Answer:
    """Answer a method other than GET and HEAD."""
    return _answer(405, b"method not allowed\n", "text/plain", ("allow", "GET, HEAD"))


def not_found() -> Answer:
    """Answer a path that is not about health, where nothing else could."""
    return _answer(404, b"not found\n", "text/plain")


def routes(path: str) -> dict[str, bool]:
    """Map each path that is answered to whether it is about liveness alone.

    A slash at the end is answered as well, never with a redirect: a probe that accepts redirects
    is green on a login page. Raises ValueError if `path` is not "" or "/…" without a last slash.
    """
    if path and (not path.startswith("/") or path.endswith("/")):
        raise ValueError(f"path {path!r}: expected '' or a path such as '/health'")
    answered = {path: False, f"{path}/live": True, f"{path}/ready": False}
    return answered | {f"{known}/": live for known, live in answered.items()}


def _worse(status: str, outcome: str, critical: bool) -> str:
    if outcome == FAIL and critical:
        return FAIL
    return WARN if outcome != PASS and status == PASS else status


def _shown(outcome: Outcome) -> dict[str, object]:
    shown: dict[str, object] = {
        "status": outcome.status,
        "observedValue": round(outcome.milliseconds, 3),
        "observedUnit": "ms",
        "time": timestamp(outcome.at),
    }
    if outcome.output:
        shown["output"] = outcome.output[:LONGEST_OUTPUT]
    return shown


def _encode(value: object) -> str:
    import json

    return json.dumps(value, separators=(",", ":"))


def _inner(members: dict[str, object]) -> str:
    """Encode the members once, without the braces: they never change."""
    return _encode(members)[1:-1]


def _body(status: str, members: str) -> bytes:
    return f'{{"status":"{status}",{members}}}\n'.encode("ascii")


def _answer(
    status: int, body: bytes, media_type: str = MEDIA_TYPE, *more: tuple[str, str]
) -> Answer:
    length = ("content-length", str(len(body)))
    headers = (("content-type", media_type), length, ("cache-control", "no-store"), *more)
    raw = tuple((name.encode(), value.encode()) for name, value in headers)
    return Answer(status, headers, body, raw)
