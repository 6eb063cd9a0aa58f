"""The page as text: what is foreign is escaped, logs come back as they were, memory stays flat."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from datetime import UTC
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from grind.core import events as e
from grind.core.hostevents import (
    ActivateEnded,
    ActivatePlanned,
    ActivateProbed,
    ActivateStarted,
)
from grind.core.loop import PhaseEnded
from grind.core.timeline import timeline
from grind.core.undoevents import RollbackEnded
from grind.ui.report import shapes
from grind.ui.report.logs import end_of, last_lines, packed
from grind.ui.report.page import Page, render
from grind.ui.report.phases import activated, headline, phases, tables
from grind.ui.report.release_view import Shelf, host_view, release_view
from tests.ui.sample import EVIL, LOG, RED, entries

PIECES = st.lists(st.binary(max_size=400), max_size=8)
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def page(log: bytes = LOG, limit: int | None = 1000, more: tuple[e.Event, ...] = ()) -> str:
    picture = timeline([*RED, *entries(*more)])
    assert picture is not None

    def read(path: str) -> Iterator[bytes]:
        yield log

    shelf = Shelf(read, limit)
    watch = entries(*more)
    run = release_view(picture, shelf, [("command", f"grind {SCRIPT}", True)], watch)
    run["phases"], run["tables"] = (
        phases(picture, picture.after, watch),
        tables({"host": EVIL}, watch),
    )
    whole = Page(SCRIPT, "0", 0.0, run=run, logs=shelf.logs)
    return "".join(render(whole, UTC))


class Attributes(HTMLParser):
    """Every attribute of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]


def own_scripts(text: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", text, re.S)


def test_nothing_foreign_becomes_markup() -> None:
    text = page(log=SCRIPT.encode() + b"</pre></script><!--")
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(2)&gt;" in text
    assert len(own_scripts(text)) == 1
    assert "\x1b" not in text.replace(own_scripts(text)[0], "")
    assert "\u202e" not in text


def test_nothing_is_asked_of_anybody() -> None:
    text = page()
    links = [value for _, name, value in Attributes(text).found if name in ("src", "href")]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_the_policy_names_the_style_and_the_script_that_are_there() -> None:
    text = page()
    (script,) = own_scripts(text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    for kind, content in (("script", script), ("style", style)):
        import hashlib

        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in text.replace("&#39;", "'")
    names = {name for _, name, _ in Attributes(text).found}
    assert "class" in names
    assert not any(name == "style" or name.startswith("on") for name in names)


def test_the_end_of_a_red_log_stands_in_the_page_itself() -> None:
    assert "E  assert 1 == 2" in page()


def test_the_verdict_of_ci_stands_beside_the_steps() -> None:
    failed = e.CiStepFailed(workflow="ci.yml", run=1, job="lint", step="ruff", conclusion="failure")
    row = e.WatchRow(workflow=f"{SCRIPT}.yml", verdict="failed", run=1, attempt=2)
    ended = e.WatchEnded(commit="c", verdict="failed", exit_code=1, workflows=(row,))
    text = page(more=(failed, ended))
    assert '<th scope="col">CI</th>' in text
    assert "CI&#39;s runs" in text
    assert '<th scope="col">CI</th>' not in page()


def test_without_logs_there_are_none() -> None:
    assert 'class="packed"' not in page(limit=None)
    assert "data-log=" not in page(limit=None)


def test_a_log_that_is_gone_does_not_stop_the_page() -> None:
    def gone(path: str) -> Iterator[bytes]:
        raise FileNotFoundError(2, "no such file", path)
        yield b""

    shelf = Shelf(gone, 100)
    assert shelf.tail("x") == ""
    assert shelf.put("x", "x", 5) == 0
    text = "".join(shelf.logs[0].pieces())
    assert b"cannot be read" in zlib.decompress(base64.b64decode(text))


@given(PIECES)
def test_a_log_comes_back_as_it_was(pieces: list[bytes]) -> None:
    text = "".join(packed(iter(pieces)))
    assert zlib.decompress(base64.b64decode(text)) == b"".join(pieces)
    assert re.fullmatch(r"[A-Za-z0-9+/=]*", text)


def test_a_large_log_is_packed_in_pieces_that_fit_together() -> None:
    import random

    data = random.Random(1).randbytes(400_000)
    pieces = list(packed(data[i : i + 7777] for i in range(0, len(data), 7777)))
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 100_000
    assert zlib.decompress(base64.b64decode("".join(pieces))) == data


@given(PIECES, st.integers(0, 500))
def test_the_end_of_a_log(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces)
    kept = b"".join(end_of(iter(pieces), len(whole), limit))
    assert whole.endswith(kept)
    assert len(kept) <= limit or len(whole) <= limit
    if len(whole) <= limit:
        assert kept == whole


def test_the_end_of_a_log_begins_with_a_line() -> None:
    assert b"".join(end_of([b"one\ntwo\n", b"three\n"], 14, 8)) == b"three\n"


@given(PIECES, st.integers(1, 5), st.integers(1, 300))
def test_the_last_lines(pieces: list[bytes], count: int, most: int) -> None:
    whole = b"".join(pieces)
    told = last_lines(iter(pieces), count, most)
    ending = whole[-most:].decode("utf-8", "replace").rstrip("\n").split("\n")
    assert told == "\n".join(ending[-count:])


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_bars_stay_in_the_picture(start: float, duration: float, whole: float) -> None:
    x, width = map(float, shapes.place(min(start, whole), duration, whole))
    assert 0 <= x <= shapes.WIDTH - 2
    assert width > 0
    assert x + width <= shapes.WIDTH + 0.2


def test_durations_and_sizes_are_for_people() -> None:
    told = [shapes.seconds(s) for s in (0, 0.994, 0.999, 59.94, 59.96, 187, 3599.4, 3599.6, 7500)]
    assert told == [
        "0.00 s", "0.99 s", "1.0 s", "59.9 s", "1 m 00 s", "3 m 07 s", "59 m 59 s", "1 h 00 m",
        "2 h 05 m",
    ]  # fmt: skip
    assert [shapes.size(n) for n in (0, 999, 1000, 99_500, 5_200_000, 2_000_000_000)] == [
        "0 B", "999 B", "1.0 kB", "100 kB", "5.2 MB", "2.0 GB",
    ]  # fmt: skip


def test_every_end_of_a_run_and_every_verdict_of_ci_has_a_tone() -> None:
    from grind.core.ci import CiVerdict
    from grind.core.release import State

    words = [str(verdict) for verdict in CiVerdict if verdict != CiVerdict.NONE_EXPECTED]
    words += [str(s) for s in (State.GREEN, State.RED, State.PARTIAL, State.HOLLOW, State.LANDED)]
    assert all(shapes.tone(word) != shapes.NONE for word in words)
    assert shapes.tone("clean") == shapes.tone("green") == shapes.GOOD
    assert shapes.GOOD not in {shapes.tone(w) for w in words} - {shapes.tone("clean")}


def test_a_thousand_steps_without_logs_are_less_than_a_megabyte() -> None:
    heads, ends = [], []
    for j in range(20):
        steps = tuple(
            e.StepHead(i, f"Step {i} of a usual length of name", "executed", line=i)
            for i in range(50)
        )
        key = f"ci.yml/job-{j}"
        heads.append(e.JobHead(key, f"job-{j}", "ci.yml", "executed", "", (), steps))
        ends += [
            e.StepEnded(
                job=key,
                step=s.index,
                name=s.name,
                verdict="executed",
                outcome="success",
                conclusion="success",
                exit_code=0,
                duration=1.0,
                log="x",
                log_bytes=50_000,
            )
            for s in steps
        ]
    started = e.RunStarted(
        run="r", command="check", tree="t", commit="c", digest="d", host="h", jobs=tuple(heads)
    )
    picture = timeline(entries(started, *ends))
    assert picture is not None
    shelf = Shelf(lambda path: [b""], None)
    run = release_view(picture, shelf, [], ()) | {"phases": [], "tables": []}
    text = "".join(render(Page("many", "0", 0.0, run=run), UTC))
    assert text.count("<tr") >= 1000
    assert len(text.encode()) < 1_000_000


def activation(state: str) -> list[e.Entry]:
    """What the journal says of an activation."""
    return entries(
        ActivateStarted(activation="a", host="web", purpose="activate", kind="nixos"),
        ActivatePlanned(
            activation="a", old="/nix/store/old", new="/nix/store/new", changed=True,
            generation="41", target="42", added=("x",), restart=("api.service", EVIL),
        ),
        ActivateProbed(activation="a", after="switch", healthy=False, red=(EVIL,), seconds=3.0),
        ActivateEnded(activation="a", host="web", state=state, exit_code=5, reason="red: " + EVIL),
    )  # fmt: skip


def test_a_release_that_only_changed_a_host_has_a_page() -> None:
    entries_ = activation("rolled-back")
    row = activated(entries_)
    assert row is not None
    assert (row["name"], row["word"]) == ("activate", "rolled-back")
    run = host_view(entries_, row)
    run["phases"], run["tables"] = phases(None, entries_, ()), tables(None, (), entries_)
    text = "".join(render(Page("host", "0", 0.0, run=run), UTC))
    assert "api.service" in text
    assert "41 → 42" in text
    assert "unhealthy" in text
    assert 'id="timeline"' not in text
    assert "\x1b" not in text.replace(own_scripts(text)[0], "")


def test_every_phase_of_the_loop_is_named() -> None:
    picture = timeline(RED)
    more = [
        *activation("activated"),
        *entries(
            e.LandPushed("t", "o" * 40, "origin", "main"),
            PhaseEnded(phase="verify", state="done"),
            RollbackEnded(kind="runtime", state="undone", exit_code=0),
        ),
    ]
    ended = e.WatchEnded(commit="c", verdict="clean", exit_code=0, workflows=())
    names = [(row["name"], row["word"]) for row in phases(picture, more, entries(ended))]
    assert names == [
        ("check", "red"),
        ("activate", "activated"),
        ("land", "landed"),
        ("watch", "clean"),
        ("verify live", "done"),
        ("roll back runtime", "undone"),
    ]


def test_a_release_whose_host_went_back_is_not_green_at_the_top() -> None:
    """Seen in a picture of one: a large green `green` above `activate rolled-back`."""
    check = {"name": "check", "word": "green", "told": "2 s"}
    back = {"name": "activate", "word": "rolled-back", "told": "red: api"}
    clean = {"name": "watch", "word": "clean", "told": ""}
    failed = {"name": "watch", "word": "failed", "told": ""}
    undone = {"name": "roll back code", "word": "undone", "told": ""}
    planned = {"name": "activate", "word": "planned", "told": ""}
    assert headline("green", "3 steps", [check, clean]) == ("green", "3 steps")
    assert headline("green", "3 steps", [check, planned, clean])[0] == "green"
    word, told = headline("green", "3 steps", [check, back, clean])
    assert (word, told) == ("rolled-back", "activate: red: api; the check was green: 3 steps")
    assert headline("green", "3 steps", [check, back, failed])[0] == "failed"
    assert headline("green", "3 steps", [check, clean, undone])[0] == "undone"
    assert headline("red", "1 failed", [check, back]) == ("red", "1 failed")


def test_what_is_not_known_is_not_said_of_a_phase() -> None:
    ended = ActivateEnded(activation="a", host="web", state="activated", exit_code=0)
    row = activated(entries(ended))
    assert row is not None
    assert row["told"] == "web"
