"""The pure parts: answers, addresses, paths, and the rules of `[[probe]]`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import load
from grind.core.errors import ProblemsError
from grind.core.http1 import BODY_LIMIT, BadAnswerError, HttpAnswer, read_answer, request
from grind.core.jsonpath import nearest, parse_path, select
from grind.core.weburl import parse_tcp, parse_url, redirected

BODIES = st.binary(max_size=300)


def chunked(body: bytes, cuts: list[int]) -> bytes:
    """The body in chunks, with an extension and a trailer for those who pass them over."""
    parts, at = [], 0
    for size in cuts:
        if piece := body[at : at + size]:
            parts.append(b"%x;x=y\r\n%s\r\n" % (len(piece), piece))
        at += size
    if rest := body[at:]:
        parts.append(b"%X\r\n%s\r\n" % (len(rest), rest))
    return b"".join(parts) + b"0\r\nX-Trailer: 1\r\n\r\n"


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes, str]:
    """An answer's bytes, its body, and how it is framed."""
    body = draw(BODIES)
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    early = draw(st.sampled_from([b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]))
    head = b"HTTP/1.1 200 OK\r\nX-Other:  a b \r\n"
    if framing == "length":
        return early + head + b"Content-Length: %d\r\n\r\n" % len(body) + body, body, framing
    if framing == "chunked":
        cuts = draw(st.lists(st.integers(1, 90), max_size=6))
        data = chunked(body, cuts)
        return early + head + b"Transfer-Encoding: chunked\r\n\r\n" + data, body, framing
    return early + head + b"\r\n" + body, body, framing


@given(answers())
def test_a_whole_answer_is_read(sample: tuple[bytes, bytes, str]) -> None:
    raw, body, _ = sample
    got = read_answer(raw, ended=True)
    assert got is not None
    assert (got.status, got.body, got.header("x-other")) == (200, body, "a b")


@given(answers(), st.integers(0, 600))
def test_a_part_of_an_answer_is_never_taken_for_the_whole(
    sample: tuple[bytes, bytes, str], cut: int
) -> None:
    raw, _, framing = sample
    part = raw[: min(cut, len(raw) - 1)]
    assert read_answer(part, ended=False) is None
    if framing == "close" and b"200 OK\r\nX-Other:  a b \r\n\r\n" in part:
        return  # what ends with the connection has no other end
    with pytest.raises(BadAnswerError):
        read_answer(part, ended=True)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_or_refused(raw: bytes, ended: bool) -> None:
    try:
        got = read_answer(raw, ended=ended)
    except BadAnswerError:
        return
    assert got is None or isinstance(got, HttpAnswer)


@given(st.binary(max_size=60), st.booleans())
def test_any_chunks_are_read_or_refused(raw: bytes, ended: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    try:
        got = read_answer(head + raw, ended=ended)
    except BadAnswerError:
        return
    assert got is None or raw.find(b"0\r\n") >= 0


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1),
    ],
)
def test_what_is_not_exactly_right_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAnswerError):
        read_answer(raw, ended=True)


def test_no_body_where_there_can_be_none() -> None:
    got = read_answer(b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", ended=False)
    assert got is not None
    assert got.body == b""


def test_what_is_asked() -> None:
    sent = request(parse_url("http://[::1]/a?b"), {"ACCEPT": "x/y", "X-One": " two "})
    assert sent == (
        b"GET /a?b HTTP/1.1\r\nHost: [::1]\r\nUser-Agent: grind-probe\r\nAccept: x/y\r\n"
        b"X-One: two\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://127.0.0.1:8000/health", "http://127.0.0.1:8000/health"),
        ("HTTP://Web:80", "http://web/"),
        ("https://[fe80::1]:8443?x=1", "https://[fe80::1]:8443/?x=1"),
        ("http://{container}:90/a", "http://{container}:90/a"),
    ],
)
def test_addresses(text: str, shown: str) -> None:
    assert str(parse_url(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "health", "127.0.0.1:80", "ftp://x/", "http://", "http://x:0/", "http://x:65536/"),
        *("http://x y/", "http://x/a b", "http://ä/", "http://x/\r\nX: y", "http://-x/"),
        *("http://1.2.3/", "http://u:secret@x/", "http://x/#top", "http://x:port/"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|has "):
        parse_url(text)


@pytest.mark.parametrize("text", ["x", "x:", ":1", "x:70000", "x:1/", "a b:1", "http://x:1"])
def test_what_is_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|has "):
        parse_tcp(text)


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/x", "http://h:1/x"),
        ("x?y", "http://h:1/a/x?y"),
        ("../../../x", "http://h:1/x"),
        ("./", "http://h:1/a/"),
        ("?q", "http://h:1/a/b?q"),
        ("//other/x", "http://other/x"),
        ("https://other/", "https://other/"),
    ],
)
def test_where_a_redirect_leads(location: str, leads: str) -> None:
    assert str(redirected(parse_url("http://h:1/a/b?c"), location)) == leads


# --- paths ---------------------------------------------------------------------------------------

DOCUMENT = {"a": {"b.c": [1, {"d": 2}], "e": []}, "n": None, "x": [{"y": 1}, {"y": 2}]}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("n", [None]),
        ('a["b.c"][0]', [1]),
        ('a["b.c"][-1].d', [2]),
        ('["a"].e', [[]]),
        ("x[*].y", [1, 2]),
        ("x[2].y", []),
        ("x[-3].y", []),
        ("a.e[*]", []),
        ("n.y", []),
        ("x.y", []),
        ("x[0].z", []),
        ("a.*[0]", []),
    ],
)
def test_paths(path: str, found: list[object]) -> None:
    assert select(DOCUMENT, parse_path(path)) == found


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a b", 'a["x]', "a[1"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|is empty|escape"):
        parse_path(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, st.data())
def test_every_value_has_a_path(document: object, data: st.DataObject) -> None:
    import json

    path, value = "", document
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        if isinstance(value, dict):
            key = data.draw(st.sampled_from(sorted(value)))
            path, value = f"{path}[{json.dumps(key)}]", value[key]
        else:
            index = data.draw(st.integers(0, len(value) - 1))
            path, value = f"{path}[{index}]", value[index]
    if path:
        assert select(document, parse_path(path)) == [value]
        assert isinstance(nearest(document, parse_path(path + ".nowhere")), str)


# --- grind.toml ----------------------------------------------------------------------------------


def problems(*lines: str) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        load("grind.toml", "\n".join(["[[probe]]", 'name = "it"', *lines]).encode())
    return [str(problem) for problem in caught.value.problems]


GOOD = 'http = "http://127.0.0.1/"'


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((GOOD,), "grind.toml:1:1: probe[0]: `deadline` is missing"),
        (("deadline = 9",), "1:1: probe[0]: asks for nothing"),
        ((GOOD, 'tcp = "a:1"', "deadline = 9"), "4:1: probe[0].tcp: asks for http and tcp"),
        (('http = "x"', "deadline = 9"), "3:8: probe[0].http: 'x' is no address such as"),
        (('http = "https://x/"', "deadline = 9"), "3:8: probe[0].http: a bare host has nothing"),
        ((GOOD, "deadline = 2"), "4:12: probe[0].deadline: 3 greens, 2 s apart, take 4 s"),
        ((GOOD, "deadline = 9", 'json = { "a b" = 1 }'), "5:10: probe[0].json.'a b': the path"),
        ((GOOD, "deadline = 9", 'json = { "a" = [] }'), "nothing could be right"),
        ((GOOD, "deadline = 9", 'role_path = "a..b"', 'role = "x"'), "5:13: probe[0].role_path"),
        ((GOOD, "deadline = 9", 'role_path = "a"'), "means nothing without `role`"),
        ((GOOD, "deadline = 9", 'role = "unknown"'), "5:8: probe[0].role: 'unknown' is what"),
        ((GOOD, "deadline = 9", 'body = "("'), "5:8: probe[0].body: is no regular expression"),
        ((GOOD, "deadline = 9", 'place = "moon"'), "5:9: probe[0].place: 'moon' is not known"),
        ((GOOD, "deadline = 9", 'place = "container"'), "`container` is missing"),
        ((GOOD, "deadline = 9", 'container = "web"'), "`container` is not used"),
        ((GOOD, "deadline = 9", 'host = "mars"'), "5:8: probe[0].host: there is no host 'mars'"),
        ((GOOD, "deadline = 9", 'place = "client"', 'host = "local"'), "means nothing with place"),
        ((GOOD, "deadline = 9", "status = 700"), "700 is no status"),
        ((GOOD, "deadline = 9", 'send = { cookie = "a" }'), "is for secrets"),
        ((GOOD, "deadline = 9", 'send = { connection = "a" }'), "is what grind itself says"),
        ((GOOD, "deadline = 9", 'send = { "a b" = "a" }'), "is no name of a header"),
        ((GOOD, "deadline = 9", 'send = { a = "x\\ny" }'), "cannot stand in a header"),
        (('tcp = "a:1"', "deadline = 9", "status = 200"), "`status` means nothing with `tcp`"),
        (('unit = "a.service"', "deadline = 9", 'role = "x"'), "`role` means nothing with `unit`"),
        (('unit = "-a"', "deadline = 9"), "3:8: probe[0].unit: '-a' is not allowed"),
        (("command = []", "deadline = 9"), "3:11: probe[0].command: is empty"),
        ((GOOD, "deadline = 9", "[[probe]]", 'name = "it"'), "there is a probe 'it' already"),
    ],
)
def test_bad_probes_are_told_at_their_place(lines: tuple[str, ...], told: str) -> None:
    assert any(told in problem for problem in problems(*lines)), problems(*lines)


def test_an_address_never_shows_a_secret() -> None:
    told = problems('http = "http://ada:hunter2@x/"', "deadline = 9")
    assert "hunter2" not in "".join(told)
