"""What a step wrote to GITHUB_STEP_SUMMARY, kept with the release."""

from __future__ import annotations

from collections.abc import Callable

from grind.core import events as e
from grind.ports import LogStore

MOST = 1024 * 1024
"""Bytes that GitHub takes of one step. Source: "Step isolation and limits" in its documentation of
workflow commands. A larger summary is left out there, with an error that fails nothing."""


def keep_summary(
    job: str, step: int, text: str, store: LogStore, emit: Callable[[e.Event], None]
) -> None:
    """Keep a summary and tell of it; `text` is masked."""
    data = text.encode("utf-8", "replace")
    if len(data) > MOST:
        emit(
            e.Annotation(
                job=job,
                step=step,
                level="error",
                message=f"GITHUB_STEP_SUMMARY takes at most {MOST // 1024} KiB, and the step wrote "
                f"{len(data) // 1024}: GitHub leaves the summary out",
            )
        )
        return
    writer = store.writer(job, step, "summary")
    try:
        writer.write(data)
    finally:
        writer.close()
    emit(
        e.StepSummary(
            job=job, step=step, path=writer.path, bytes=len(data), lines=len(text.splitlines())
        )
    )
