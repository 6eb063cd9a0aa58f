"""`grind report` of a release of 1,000 steps with 50 MB of logs: how it is made, and how it opens.

Beside it stands what must read all of the logs in any case: `gzip -6` of the same bytes. Memory is the
process's peak beside that of a report of the same steps without logs. How it opens is what the browser says
of tasks that kept it from answering (the Long Tasks API), against the limit of 200 ms.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.table import Row, Skipped
from bench.timing import environment, medians, program

STEPS, JOBS = 1000, 20
LOGS = 50_000_000
ROUNDS = 5
LIMIT = 0.2
MEMORY_GOAL = 1.5
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_WATCH = """
window.long = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.long.push(e.duration); })
  .observe({ type: 'longtask', buffered: true });
"""


def lines(size: int) -> bytes:
    """Return a log of about that size, of the kind that a compiler prints."""
    chance = random.Random(7)
    words = [
        "Compiling",
        "Checking",
        "warning:",
        "unused",
        "variable",
        "test",
        "ok",
        "FAILED",
        "src/lib.rs",
    ]
    made: list[str] = []
    length = 0
    while length < size:
        text = " ".join(chance.choices(words, k=9)) + f" {chance.randrange(1 << 30):x}"
        made.append(text)
        length += len(text) + 1
    return ("\n".join(made) + "\n").encode()


def build(repository: Path) -> None:
    """Put a release into a repository, as a check would have left it."""
    from grind.adapters.journal import DiskJournal
    from grind.core import events as e

    folder = repository / ".git" / "grind" / "releases" / "20260101-000000-abcdef"
    (folder / "logs").mkdir(parents=True)
    each = STEPS // JOBS
    heads, ends = [], []
    data = lines(LOGS // STEPS)
    for j in range(JOBS):
        key = f"ci.yml/job-{j}"
        steps = tuple(e.StepHead(i, f"Step {i}", "executed", line=i + 1) for i in range(each))
        heads.append(e.JobHead(key, f"job-{j}", "ci.yml", "executed", "", (), steps))
        ends.append((e.JobStarted(key),))
        for step in steps:
            path = f"logs/{j}-{step.index}.log"
            # One long log among many short ones, as it is.
            text = data * (LOGS // STEPS // 100) if (j, step.index) == (0, 0) else data
            (folder / path).write_bytes(text)
            ended = e.StepEnded(
                job=key,
                step=step.index,
                name=step.name,
                verdict="executed",
                outcome="success",
                conclusion="success",
                exit_code=0,
                duration=1.0,
                log=path,
                log_bytes=len(text),
            )
            ends.append((ended,))
        ends.append((e.JobEnded(job=key, conclusion="success", duration=50.0),))
    started = e.RunStarted(
        run="r", command="check", tree="t" * 40, commit="c", digest="d", host="h", jobs=tuple(heads)
    )
    over = e.RunEnded(
        run="r", state="green", exit_code=0, executed=STEPS, failed=0, refused=0, duration=60.0
    )
    with DiskJournal(str(folder), lambda: 1_767_225_600.0) as journal:
        journal.append(started, *(event for (event,) in ends), over)


def peak(argv: list[str], where: Path) -> float:
    """Run a process and return its peak memory in megabytes."""
    child = subprocess.Popen(argv, cwd=where, env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{argv}: exit code {child.returncode}")
    return usage.ru_maxrss / 1024


def longest(page: Path) -> tuple[float, float]:
    """Return the longest task while the page opened, and while its longest log did: seconds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=samples.chromium(), args=QUIET)
        opened = browser.new_page()
        opened.add_init_script(_WATCH)
        opened.goto(page.as_uri())
        opened.wait_for_timeout(1500)
        first = max(opened.evaluate("window.long"), default=0.0)
        opened.evaluate("window.long = []")
        opened.locator("td button[data-log='0']").click()
        opened.wait_for_timeout(3000)
        second = max(opened.evaluate("window.long"), default=0.0)
        browser.close()
    return first / 1000, second / 1000


def rows() -> Iterator[Row | Skipped]:
    """Measure how it is made, what it holds in memory, and how it opens."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        repository = Path(scratch) / "repository"
        repository.mkdir()
        samples.git(repository, "init", "-q", "-b", "main")
        build(repository)
        page = Path(scratch) / "page.html"
        report = samples.grind("report", "-o", str(page))
        logs = str(repository / ".git/grind/releases")
        gzip = ["sh", "-c", f"find {logs} -name '*.log' -exec cat {{}} + | gzip -6 | wc -c"]
        found = medians(
            {"report": program(report, cwd=repository, says="page.html"), "gzip": program(gzip)},
            ROUNDS,
        )
        what = f"{STEPS:,} steps, {LOGS // 10**6} MB of logs"
        yield Row("report", f"{what}: made", found["report"], "gzip -6 of the logs", found["gzip"])
        bare = peak([*samples.grind("report", "--no-logs", "-o", f"{page}.bare")], repository)
        whole = peak(report, repository)
        yield Row(
            "report",
            f"{what}: memory, as MB in ms",
            whole / 1000,
            "the same without logs",
            bare / 1000,
            MEMORY_GOAL,
        )
        if samples.chromium() is None:
            yield Skipped("report", "how it opens", "no Chromium here")
            return
        opening, reading = longest(page)
        yield Row("report", "longest task, opening the page", opening, "the limit", LIMIT, 1.0)
        yield Row("report", "longest task, opening a log", reading, "the limit", LIMIT, 1.0)
