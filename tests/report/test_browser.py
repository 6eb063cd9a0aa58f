"""The page in a real browser (Debian's Chromium): what a person sees, and what an attacker gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from grind.core import events as e
from grind.core.timeline import timeline
from grind.ui.report import page as pages
from grind.ui.report.phases import phases, tables
from grind.ui.report.release_view import Shelf, release_view
from tests.parts import part
from tests.ui.sample import RED, TEST, ended, entries

pytestmark = pytest.mark.xdist_group("browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "</script><script>window.owned=1</script><img src=x onerror=window.owned=2>"
LOG = "\n".join(
    [
        "before",
        "::group::many lines",
        *(f"line {n}" for n in range(3000)),
        "::endgroup::",
        "\x1b[1;31mred and bold\x1b[0m plain \x1b[38;2;1;200;3mtrue colour\x1b[m",
        f"hostile {HOSTILE} \x1b]0;title\x07\x1b[2J",
        "::error file=a.py,line=3::it broke",
        "needle one",
        "x" * 9000,
        "another NEEDLE",
    ]
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = part("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    more = ended(TEST, 0, HOSTILE, log="logs/a", log_bytes=len(LOG.encode()))
    picture = timeline([*RED, *entries(more)])
    assert picture is not None
    shelf = Shelf(lambda _: [LOG.encode()], 1_000_000)
    failed = e.CiStepFailed(workflow="ci.yml", run=1, job="lint", step="ruff", conclusion="failure")
    run = release_view(picture, shelf, [("command", HOSTILE, True)], entries(failed))
    run["phases"], run["tables"] = phases(picture, (), ()), tables({"host": HOSTILE}, ())
    whole = pages.Page(HOSTILE, "0", 0.0, run=run, logs=shelf.logs)
    path.write_text("".join(pages.render(whole, UTC)))
    return path


class Seen:
    """A page that is open, with all that it asked for and complained of."""

    def __init__(self, browser: Browser, file: Path, **options: object) -> None:
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(file.as_uri())

    def open_log(self, number: int = 0) -> None:
        self.page.locator(f"td button[data-log='{number}']").click()
        self.page.locator("#window .l").first.wait_for()


@pytest.fixture
def seen(browser: Browser, file: Path) -> Iterator[Seen]:
    made = Seen(browser, file)
    yield made
    made.context.close()


def logs_of(seen: Seen) -> list[str]:
    """The visible lines of the open log."""
    return seen.page.locator("#window .l").all_inner_texts()


def to_the_end(seen: Seen) -> None:
    seen.page.evaluate("document.getElementById('lines').scrollTop = 1e9")
    expect(seen.page.locator("#window")).to_contain_text("another NEEDLE")


def test_it_asks_nobody_and_complains_of_nothing(seen: Seen, file: Path) -> None:
    seen.open_log()
    to_the_end(seen)
    asked = [url for url in seen.asked if not url.startswith("data:")]
    assert asked == [file.as_uri()]
    assert seen.said == []


def test_what_is_hostile_is_only_read(seen: Seen) -> None:
    seen.open_log()
    to_the_end(seen)
    assert seen.page.evaluate("window.owned") is None
    assert any(HOSTILE in line for line in logs_of(seen))
    assert seen.page.locator("#window img, #window script").count() == 0
    assert seen.page.title().startswith("</script>")


def test_even_markup_that_got_in_would_not_run(seen: Seen) -> None:
    seen.page.evaluate(
        """() => { const s = document.createElement('script'); s.textContent = 'window.owned = 3';
        document.body.append(s); document.body.insertAdjacentHTML('beforeend',
        '<img src=x onerror="window.owned=4"><a id=l href="javascript:window.owned=5">x</a>'); }"""
    )
    seen.page.locator("#l").click()
    seen.page.wait_for_timeout(100)
    assert seen.page.evaluate("window.owned") is None


def test_a_log_has_colours_numbers_and_levels(seen: Seen) -> None:
    seen.open_log()
    to_the_end(seen)
    red = seen.page.locator("#window span.b.f1")
    assert red.inner_text() == "red and bold"
    green = seen.page.locator("#window").get_by_text("true colour")
    assert green.evaluate("e => e.style.color") == "rgb(1, 200, 3)"
    assert "it broke" in seen.page.locator("#window .l.error").inner_text()
    assert "5000 more characters" in seen.page.locator("#window").inner_text()


def test_only_what_is_seen_is_drawn(seen: Seen) -> None:
    seen.open_log()
    assert len(logs_of(seen)) < 200
    assert seen.page.evaluate("document.getElementById('pad').offsetHeight") > 3000 * 18


def test_groups_fold_and_unfold(seen: Seen) -> None:
    seen.open_log()
    height = "document.getElementById('pad').offsetHeight"
    whole = seen.page.evaluate(height)
    seen.page.locator("#window .group").click()
    assert seen.page.evaluate(height) == whole - 3000 * 18
    seen.page.locator("#unfold").click()
    assert seen.page.evaluate(height) == whole
    seen.page.locator("#fold").click()
    assert seen.page.evaluate(height) == whole - 3000 * 18


def test_search_finds_whatever_the_case_and_opens_what_is_folded(seen: Seen) -> None:
    seen.open_log()
    seen.page.locator("#fold").click()
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("needle")
    expect(seen.page.locator("#hits")).to_have_text("1 of 2")
    assert "needle one" in seen.page.locator("#window .l.now").inner_text()
    seen.page.keyboard.press("Enter")
    assert "another NEEDLE" in seen.page.locator("#window .l.now").inner_text()
    seen.page.locator("#needle").fill("line 2500")
    expect(seen.page.locator("#hits")).to_have_text("1 of 1")
    assert "line 2500" in seen.page.locator("#window .l.now").inner_text()
    seen.page.keyboard.press("Escape")
    assert not seen.page.locator("#viewer").is_visible()


def test_steps_are_found_by_words(seen: Seen) -> None:
    rows = seen.page.locator(".job-steps tbody tr:visible")
    every = rows.count()
    seen.page.locator("#filter").fill("pytest")
    assert 0 < rows.count() < every
    seen.page.locator("#filter").fill("")
    seen.page.locator("#odd").check()
    assert 0 < rows.count() < every


def test_the_keyboard_goes_to_failures_and_turns_the_light_off(seen: Seen) -> None:
    seen.page.keyboard.press("n")
    assert seen.page.evaluate("document.activeElement.className") == "failure"
    background = "getComputedStyle(document.body).backgroundColor"
    light = seen.page.evaluate(background)
    seen.page.keyboard.press("t")
    assert seen.page.evaluate(background) != light
    seen.page.keyboard.press("?")
    assert seen.page.locator("#keys").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_both_themes(browser: Browser, file: Path, scheme: str) -> None:
    seen = Seen(browser, file, color_scheme=scheme)
    ratios = seen.page.evaluate(
        """() => { const rgb = (s) => s.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = (c) => { const [r, g, b] = rgb(c).map((v) => { v /= 255;
          return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
          return .2126 * r + .7152 * g + .0722 * b; };
        const back = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('.badge, td, .note, small, a, th')].map((e) => {
          const ink = light(getComputedStyle(e).color);
          return [(Math.max(ink, back) + .05) / (Math.min(ink, back) + .05), e.className]; }); }"""
    )
    seen.context.close()
    assert len(ratios) > 20
    assert [one for one in ratios if one[0] < 4.5] == []  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("width", [320, 420, 760, 1200])
def test_nothing_is_wider_than_the_screen(browser: Browser, file: Path, width: int) -> None:
    seen = Seen(browser, file, viewport={"width": width, "height": 800})
    wide = seen.page.evaluate("document.documentElement.scrollWidth")
    seen.context.close()
    assert wide <= width


def test_it_prints(seen: Seen) -> None:
    seen.page.emulate_media(media="print")
    assert not seen.page.locator("#theme").is_visible()
    assert seen.page.locator(".failure pre").first.is_visible()
    assert seen.page.pdf().startswith(b"%PDF")


def test_results_differ_by_more_than_colour(seen: Seen) -> None:
    signs = seen.page.locator(".job-steps h3 .badge span")
    # What is seen is asked for until it has been laid out once.
    for sign in signs.all():
        expect(sign).to_be_visible()
        expect(sign).not_to_have_text("")
    assert len(set(signs.all_text_contents())) > 1
    assert seen.page.locator("svg[role=img]").first.get_attribute("aria-label")
