"""Probes against real services: what is healthy is green, and nothing else is."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grind.core import events as e
from tests.probes.asking import NEVER_SERVED, Asker, probe
from tests.probes.servers import (
    Authority,
    Script,
    answer,
    drips,
    floods,
    resets,
    says,
    says_and_stays,
    serving,
    silent,
)

COMMIT = "5ca1ab1e" * 5
TREE = "0ff1ce00" * 5
PLACES = ("client", "host")


def health(**members: Any) -> bytes:
    document = {
        "status": "pass",
        "instance_role": "sandbox-live",
        "hostname": "web-1",
        "revision": COMMIT,
        "started_at": datetime.now(UTC).isoformat(),
    }
    return json.dumps(document | members).encode()


def in_turn(*scripts: Script) -> Script:
    """The first connection gets the first script, and so on; the last one stays."""
    left = list(scripts)

    def script(connection: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection)

    return script


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Red = Callable[..., str]


@pytest.fixture
def red(asker: Asker, place: str) -> Red:
    """Asks a service, requires that it is not healthy, and returns why."""

    def asked(script: Script, **keys: Any) -> str:
        with serving(script) as service:
            row = asker.one(
                {"commit": COMMIT, "tree": TREE},
                http=service.url(),
                place=place,
                **{"deadline": 2} | keys,
            )
        assert not row.green
        assert row.problems
        return row.problems[0]

    return asked


def test_a_healthy_service(asker: Asker, place: str) -> None:
    with serving(says(answer(health(checks={"db": [{"status": "pass"}]})))) as service:
        row = asker.one(
            {"commit": COMMIT},
            http=service.url(),
            place=place,
            header={"content-type": "application/health+json"},
            json={"status": ["pass", "warn"], "checks.*[*].status": "pass"},
            body='"hostname": *"web-[0-9]+"',
            role="sandbox-live",
            revision="commit",
            max_age="10m",
        )
    assert row.green, row
    assert (row.looks, row.greens, row.wanted) == (2, 2, 2)
    assert row.place == ("client" if place == "client" else "grind-1")
    assert "instance_role='sandbox-live'" in row.got
    assert b"connection: close" in service.requests[0].lower()


def test_a_service_that_needs_its_time(asker: Asker, place: str) -> None:
    """F7: it is asked again until its deadline, and the greens must be in a row."""
    bad, good = says(answer(status="503 Service Unavailable")), says(answer(health()))
    with serving(in_turn(bad, good, bad, good)) as service:
        row = asker.one(http=service.url(), place=place, greens=3, deadline=20)
    assert row.green
    assert (row.looks, row.greens) == (6, 3)
    looked = [event for event in asker.events if isinstance(event, e.ProbeLooked)]
    assert [event.green for event in looked] == [False, True, False, True, True]


def test_no_two_greens_in_a_row(asker: Asker) -> None:
    scripts = [says(answer(health())), says(answer(status="500 No"))] * 5
    with serving(in_turn(*scripts)) as service:
        row = asker.one(http=service.url(), place="client", deadline=8)
    assert not row.green


def test_one_green_at_the_end_is_not_enough(asker: Asker) -> None:
    with serving(says(answer(health()))) as service:
        row = asker.one(http=service.url(), place="client", greens=2, interval=9, deadline=10)
        assert row.green
        slow = in_turn(says(b""), says(answer(health())))
        service.script = slow
        row = asker.one(http=service.url(), place="client", greens=2, interval=9, deadline=10)
    assert not row.green
    assert "green only 1 times in a row at its deadline" in row.problems[0]


class TestStatus:
    def test_a_redirect_is_not_health(self, red: Red) -> None:
        """F6."""
        told = red(says(answer(status="303 See Other", Location="/login")))
        assert told == "status 303, a redirect to '/login', which is not health; not 200"

    def test_a_redirect_that_is_wanted(self, asker: Asker, place: str) -> None:
        login = says(answer(status="303 See Other", Location="/login"))
        with serving(login) as service:
            assert asker.one(http=service.url(), place=place, status=303).green

    def test_redirects_that_may_be_followed(self, asker: Asker, place: str) -> None:
        moved = says(answer(status="301 Moved", Location="live?x=1#top"))
        with serving(in_turn(moved, says(answer(health())))) as service:
            row = asker.one(http=service.url("/a/b"), place=place, redirects=1, greens=1)
        assert row.green, row
        assert service.requests[1].startswith(b"GET /a/live?x=1 HTTP/1.1")

    def test_a_loop_of_redirects(self, red: Red) -> None:
        told = red(says(answer(status="302 Found", Location="/health")), redirects=3)
        assert "redirected to '/health' once more than 3 times" in told

    def test_a_redirect_to_nowhere(self, red: Red) -> None:
        for location in ("javascript:alert(1)", "http://u:p@127.0.0.1/", "ftp://x/", "//:0/"):
            assert "redirected to" in red(
                says(answer(status="302 Found", Location=location)), redirects=1
            )

    def test_503(self, red: Red) -> None:
        assert red(says(answer(health(), "503 Service Unavailable"))) == "status 503, not 200"

    def test_header_lines_are_sent_to_the_own_origin_alone(self, asker: Asker) -> None:
        with serving(says(answer())) as other:
            away = says(answer(status="302 Found", Location=other.url("/")))
            with serving(away) as service:
                asker.one(
                    http=service.url(), place="client", redirects=1, greens=1, send={"X-A": "b"}
                )
                assert b"X-A: b\r\n" in service.requests[0]
            assert b"X-A" not in other.requests[0]


class TestValues:
    def test_a_wrong_role(self, red: Red) -> None:
        told = red(says(answer(health())), role="sandbox-dev")
        assert told == "instance_role is 'sandbox-live', not 'sandbox-dev'"

    def test_an_unknown_role(self, red: Red) -> None:
        """F10."""
        for said in ("unknown", "UNKNOWN ", ""):
            told = red(says(answer(health(instance_role=said))), role="sandbox-live")
            assert "nothing told the service its role" in told
            assert "PREFIX_INSTANCE_ROLE=sandbox-live" in told

    def test_no_role_at_all(self, red: Red) -> None:
        told = red(says(answer(b'{"status": "pass", "host": "x"}')), role="sandbox-live")
        assert told == "instance_role leads nowhere: the answer has host, status"

    def test_a_value(self, red: Red) -> None:
        told = red(says(answer(health(status="fail"))), json={"status": ["pass", "warn"]})
        assert told == "status is 'fail', not 'pass' or 'warn'"
        assert red(says(answer(b'{"n": 1}')), json={"n": True}) == "n is 1, not true"

    def test_one_bad_check_among_many(self, red: Red) -> None:
        checks = {"db": [{"status": "pass"}], "queue": [{"status": "fail"}]}
        told = red(says(answer(health(checks=checks))), json={"checks.*[*].status": "pass"})
        assert "'fail', not 'pass'" in told

    def test_a_check_without_the_member(self, red: Red) -> None:
        checks = {"db": [{"status": "pass"}], "queue": [{}]}
        told = red(says(answer(health(checks=checks))), json={"checks.*[*].status": "pass"})
        assert "leads nowhere" in told

    def test_the_old_revision(self, red: Red) -> None:
        """F9: something answers, but not what was deployed."""
        told = red(says(answer(health(revision="f" * 40))), revision="commit")
        assert told == f"revision is '{'f' * 40}', not the commit {COMMIT[:12]}"
        assert "not the tree" in red(says(answer(health())), revision="tree")

    def test_an_abbreviated_revision(self, asker: Asker, red: Red) -> None:
        with serving(says(answer(health(revision=TREE[:12])))) as service:
            found = asker.one({"tree": TREE}, http=service.url(), revision="either")
        assert found.green
        told = red(says(answer(health(revision=COMMIT[:7]))), revision="commit")
        assert "too short to be known by" in told
        assert "is ''" in red(says(answer(health(revision=""))), revision="commit")

    def test_a_revision_that_nobody_knows(self, asker: Asker) -> None:
        with serving(says(answer(health()))) as service:
            row = asker.one(http=service.url(), revision="commit", deadline=2)
        assert "nothing can be compared" in row.problems[0]

    def test_an_old_process(self, red: Red) -> None:
        for since, told in (
            ("2020-01-01T00:00:00Z", "s ago, more than 600 s"),
            ("2999-01-01T00:00:00Z", "in the future"),
            ("2020-01-01T00:00:00", "not a time with its zone"),
            ("yesterday", "not a time with its zone"),
        ):
            assert told in red(says(answer(health(started_at=since))), max_age="10m")

    def test_what_ran_before_the_activation(self, asker: Asker, place: str) -> None:
        with serving(says(answer(health()))) as service:
            old = asker.one(
                {"since": time.time() + 5}, http=service.url(), place=place, fresh=True, deadline=2
            )
            new = asker.one({"since": time.time() - 5}, http=service.url(), place=place, fresh=True)
        assert "it is the old one" in old.problems[0]
        assert new.green

    def test_a_header(self, red: Red) -> None:
        told = red(says(answer(health())), header={"content-type": "text/html"})
        assert told == "content-type is 'application/health+json', not 'text/html'"
        assert red(says(answer()), header={"x-y": "1"}) == "there is no header x-y"

    def test_a_body(self, red: Red) -> None:
        assert "'ready$' is not in the answer: not yet" in red(
            says(answer("not yet")), body="ready$"
        )


class TestBadAnswers:
    @pytest.mark.parametrize(
        ("script", "told"),
        [
            (silent, "no whole answer in"),
            (says_and_stays(answer("x" * 99)[:-9]), "no whole answer"),
            (says(answer("x" * 99)[:-9]), "ended after 90 of 99 bytes"),
            (says(b"HTTP/1.1 200 OK\r\nConte"), "ended in its head"),
            (says(b""), "closed without an answer"),
            (resets, "connection reset by peer"),
            (drips(answer("x" * 500)), "no whole answer"),
            (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "is not HTTP: begins with 'SSH-2.0-Open"),
            (says(b"\x00\xff" * 50), "is not HTTP"),
            (says(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"), "is not HTTP"),
            (says(answer(Content_Length="1000000000")), "is bigger than 1024 KiB"),
            (floods(b"HTTP/1.1 200 OK\r\n\r\n"), "is bigger than 1024 KiB"),
            (floods(b"HTTP/1.1 200 OK\r\nX-A: "), "has a head of more than 64 KiB"),
            (says(answer(Content_Length="0", Transfer_Encoding="chunked")), "has both"),
            (says(answer(Content_Length="-1")), "Content-Length that is none"),
        ],
    )
    def test_is_red(self, red: Red, script: Script, told: str) -> None:
        timeout = 1.0 if told.startswith("no whole answer") else 60
        assert told in red(script, deadline=1, timeout=timeout, greens=1)

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b'{"status": "\xff"}', "it is not UTF-8 at byte 12"),
            (b"", "it is empty"),
            (b"<html>", "the answer is no JSON"),
            (b'{"status": "fail", "status": "pass"}', "it says 'status' twice"),
            (b'{"status": NaN}', "NaN is no JSON"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"status": "pass"} x', "the answer is no JSON"),
        ],
    )
    def test_no_json(self, red: Red, body: bytes, told: str) -> None:
        assert told in red(says(answer(body)), json={"status": "pass"})

    def test_a_packed_answer(self, red: Red) -> None:
        packed = says(answer(b"\x1f\x8b", Content_Encoding="gzip"))
        assert "packed (gzip)" in red(packed, json={"status": "pass"})

    def test_hostile_text_is_washed(self, asker: Asker) -> None:
        evil = "\x1b]0;owned\x07pass\r\nPASSED\u202e"
        with serving(says(answer(json.dumps({"status": evil})))) as service:
            row = asker.one(http=service.url(), json={"status": "pass"}, deadline=2)
        assert not row.green
        for text in (row.got, *row.problems):
            assert text.isprintable()
            assert "\x1b" not in text

    def test_a_pattern_that_would_take_for_ever(self, asker: Asker) -> None:
        with serving(says(answer("a" * 5000 + "!"))) as service:
            row = asker.one(
                http=service.url(), place="client", body="(a|aa)+(b|c)+$", deadline=2, greens=1
            )
        assert not row.green


class TestTls:
    def test_from_the_client(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        trusting = Asker(tmp_path, ca=str(authority.file))
        context = authority.context("DNS:localhost")
        with serving(says(answer(health())), context) as service:
            url = service.url(host="localhost")
            assert trusting.one(http=url, place="client", role="sandbox-live").green
            row = Asker(tmp_path).one(http=url, place="client", deadline=2)
        assert "certificate is not to be trusted" in row.problems[0]

    def test_a_redirect_from_the_host_into_tls(self, asker: Asker) -> None:
        away = says(answer(status="302 Found", Location="https://127.0.0.1/"))
        with serving(away) as service:
            row = asker.one(http=service.url(), redirects=1, deadline=2)
        assert "nothing that speaks TLS" in row.problems[0]


class TestTcp:
    def test_open_and_closed(self, asker: Asker, place: str) -> None:
        with serving(silent) as service:
            assert asker.one(tcp=f"127.0.0.1:{service.port}", place=place).green
        row = asker.one(tcp=NEVER_SERVED, place=place, deadline=2)
        assert row.problems == ("connection refused",)


class TestCommand:
    def test_its_exit_code_and_values(self, asker: Asker, place: str) -> None:
        argv = ["printf", '{"queue": {"length": 3}}']
        assert asker.one(command=argv, place=place, json={"queue.length": 3}).green
        row = asker.one(command=argv, place=place, json={"queue.length": 4}, deadline=2)
        assert row.problems == ("queue.length is 3, not 4",)

    def test_a_failure_says_what_it_said(self, asker: Asker) -> None:
        row = asker.one(command=["bash", "-c", "echo no database >&2; exit 3"], deadline=2)
        assert row.problems == ("exit code 3, not 0: no database",)

    def test_no_such_program_is_not_waited_for(self, asker: Asker) -> None:
        row = asker.one(command=["no-such-program"], deadline=600)
        assert (row.green, row.looks) == (False, 1)
        waiting = asker.one({"waiting": True}, command=["no-such-program"], deadline=2)
        assert waiting.looks > 1

    def test_one_that_never_ends(self, asker: Asker) -> None:
        row = asker.one(command=["sleep", "60"], deadline=1, greens=1)
        assert row.problems == ("no end in 1 s",)


def test_every_probe_is_asked_and_all_must_be_green(asker: Asker) -> None:
    """F9: one green probe says nothing of the others."""
    with serving(says(answer(health()))) as service:
        report = asker.ask(
            probe(name="login", http=service.url()),
            probe(name="db", tcp=NEVER_SERVED, deadline=2),
        )
    assert [row.green for row in report.rows] == [True, False]
    assert not report.healthy
    assert [row.name for row in report.red] == ["db"]
    assert isinstance(asker.events[0], e.ProbesStarted)
    ended = asker.events[-1]
    assert isinstance(ended, e.ProbesEnded)
    assert (ended.healthy, ended.rows) == (False, report.rows)


def test_nothing_asked_is_not_healthy(asker: Asker) -> None:
    assert not asker.ask().healthy
