"""What every place that services can be asked from must do, whatever the service does."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grind.adapters.localhost import LocalHost
from grind.adapters.probing.client import ClientProber
from grind.adapters.probing.onhost import HostProber
from grind.core.http1 import read_answer, request
from grind.core.weburl import Address, parse_url
from grind.ports import Exchanged, Prober
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import PATH, RealClock
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

Ask = Callable[..., Exchanged]


class Place:
    """A place to ask from, on an event loop of its own: a host is for one."""

    def __init__(self, prober: Prober, loop: asyncio.AbstractEventLoop) -> None:
        self.prober = prober
        self.go = loop.run_until_complete

    def exchange(self, address: Address, sent: bytes, limit: int, seconds: float) -> Exchanged:
        return self.go(self.prober.exchange(address, sent, tls=False, limit=limit, seconds=seconds))

    def connect(self, address: Address, seconds: float) -> str:
        return self.go(self.prober.connect(address, seconds=seconds))


@pytest.fixture(params=["client", "local", "container", "ssh"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    loop = asyncio.new_event_loop()
    if request.param == "client":
        yield Place(ClientProber(), loop)
        loop.close()
        return
    ssh = request.param == "ssh"
    host = (
        ssh_host(request.getfixturevalue("sshd"))
        if ssh
        else LocalHost(tmp_path / "state", {"PATH": PATH}, RealClock())
    )
    # A login shell in a container may greet before it runs anything.
    prefix = ("bash", "-c", 'echo "welcome to web"; exec "$@"', "nixos-container")
    yield Place(HostProber(host, prefix if request.param == "container" else ()), loop)
    loop.run_until_complete(host.close())
    loop.close()


@pytest.fixture
def ask(place: Place) -> Ask:
    def asked(script: Script, *, limit: int = 1 << 20, seconds: float = 20.0) -> Exchanged:
        with serving(script) as service:
            url = parse_url(service.url())
            return place.exchange(url.address, request(url, {}), limit, seconds)

    return asked


def test_every_byte_comes(ask: Ask) -> None:
    body = bytes(range(256)) * 400
    back = ask(says(answer(body)))
    assert back.problem == ""
    got = read_answer(back.raw, ended=back.ended)
    assert got is not None
    assert (got.status, got.body) == (200, body)


def test_a_closed_connection_is_told(ask: Ask) -> None:
    back = ask(says(b"HTTP/1.1 200 OK\r\n\r\nto the end"))
    assert (back.ended, back.problem) == (True, "")
    assert back.raw.endswith(b"to the end")
    empty = ask(says(b""))
    assert (empty.ended, empty.raw) == (True, b"")


def test_the_clock_is_that_of_the_place(ask: Ask) -> None:
    before = RealClock().now()
    back = ask(says(answer()))
    assert before - 0.01 <= back.at <= RealClock().now()


def test_the_request_is_exactly_what_was_given(place: Place) -> None:
    with serving(says(answer())) as service:
        url = parse_url(service.url("/a?b=%20c"))
        sent = request(url, {"host": "shop.example", "X-Why": "$(touch x) `id` 'q' \"d\""})
        place.exchange(url.address, sent, 9999, 20.0)
        assert service.requests == [sent]


def test_what_has_no_end_is_cut_at_the_limit(ask: Ask) -> None:
    back = ask(floods(b"HTTP/1.1 200 OK\r\n\r\n"), limit=100_000)
    assert (len(back.raw), back.ended) == (100_000, False)


def test_half_an_answer_in_time_is_kept(ask: Ask) -> None:
    back = ask(says_and_stays(answer("x" * 50)[:-10]), seconds=2.0)
    assert back.problem.startswith("no whole answer")
    assert back.raw.startswith(b"HTTP/1.1 200")
    assert not back.ended


def test_a_slow_drip_is_out_of_time(ask: Ask) -> None:
    back = ask(drips(answer("x" * 500)), seconds=2.0)
    assert "no whole answer" in back.problem


def test_silence_is_out_of_time(ask: Ask) -> None:
    assert ask(silent, seconds=2.0).problem == "no whole answer in 2 s"


def test_a_broken_connection(ask: Ask) -> None:
    assert ask(resets).problem == "connection reset by peer"


def test_a_refused_connection(place: Place) -> None:
    with serving(silent) as service:
        port = service.port
    address = Address("127.0.0.1", port)
    assert place.exchange(address, b"", 9, 20.0).problem == "connection refused"
    assert place.connect(address, 20.0) == "connection refused"


def test_connecting_alone(place: Place) -> None:
    with serving(silent) as service:
        assert place.connect(Address("127.0.0.1", service.port), 20.0) == ""
        assert place.connect(Address("localhost", service.port), 20.0) == ""


def test_a_name_that_is_none(place: Place) -> None:
    told = place.connect(Address("no-such-host.invalid", 80), 20.0)
    assert "name" in told or "no such host" in told or "resolution" in told


class TestTls:
    """Only from the client: a bare host has nothing that speaks it."""

    def exchange(self, prober: Prober, host: str, context: ssl.SSLContext) -> Exchanged:
        with serving(says(answer(json.dumps({"status": "pass"}))), context) as service:
            url = parse_url(service.url(host=host))
            return asyncio.run(
                prober.exchange(url.address, request(url, {}), tls=True, limit=9999, seconds=5.0)
            )

    def test_a_certificate_of_a_trusted_authority(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        prober = ClientProber(str(authority.file))
        assert prober.speaks_tls
        back = self.exchange(prober, "127.0.0.1", authority.context("IP:127.0.0.1"))
        assert back.problem == ""
        assert b'"pass"' in back.raw

    def test_one_for_another_name(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        prober = ClientProber(str(authority.file))
        back = self.exchange(prober, "localhost", authority.context("DNS:other.example"))
        assert "certificate is not to be trusted" in back.problem
        assert back.raw == b""

    def test_one_of_nobody(self, tmp_path: Path) -> None:
        context = Authority(tmp_path).context("IP:127.0.0.1")
        back = self.exchange(ClientProber(), "127.0.0.1", context)
        assert "certificate is not to be trusted" in back.problem

    def test_no_tls_at_the_other_end(self, tmp_path: Path) -> None:
        with serving(says(answer())) as service:
            address = Address("127.0.0.1", service.port)
            back = asyncio.run(
                ClientProber().exchange(address, b"x", tls=True, limit=99, seconds=1.0)
            )
        assert back.problem != ""

    def test_a_host_says_that_it_cannot(self, tmp_path: Path) -> None:
        host = LocalHost(tmp_path / "state", {"PATH": PATH}, RealClock())
        prober = HostProber(host)
        assert not prober.speaks_tls
        back = asyncio.run(
            prober.exchange(Address("127.0.0.1", 9), b"x", tls=True, limit=99, seconds=1.0)
        )
        assert "nothing that speaks TLS" in back.problem
