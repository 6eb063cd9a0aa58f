"""Many releases, as the template takes them."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from grind.core.manyreleases import ManyReleases
from grind.core.texts import one_line
from grind.ui.report.shapes import points, seconds

_TRENDS_MOST = 50


def history_view(many: ManyReleases, zone: tzinfo | None) -> dict[str, Any]:
    """Return what the template says of all releases; `zone` None is the machine's own."""
    return {
        "told": _told(many),
        "trends": [
            {
                "job": one_line(trend.job),
                "median": trend.median,
                "last": trend.durations[-1],
                "count": len(trend.durations),
                "points": points(trend.durations),
                "told": f"from {seconds(trend.durations[0])} to {seconds(trend.durations[-1])}",
            }
            for trend in many.trends[:_TRENDS_MOST]
        ],
        "flaky": [
            {
                "job": one_line(one.job),
                "step": one_line(one.step),
                "green": one.green,
                "red": one.red,
                "last": when(one.last, zone),
            }
            for one in many.flaky
        ],
        "hosts": [
            {
                "at": when(change.at, zone),
                "host": one_line(change.host),
                "purpose": change.purpose,
                "state": change.state,
                "generation": one_line(change.generation),
                "new": one_line(change.new),
                "reason": one_line(change.reason),
            }
            for change in many.hosts[:_TRENDS_MOST]
        ],
        "rows": [
            {
                "id": row.id,
                "at": when(row.at, zone),
                "state": row.state,
                "duration": row.duration,
                "executed": row.executed,
                "tree": row.tree[:12],
                "commit": row.commit[:12],
                "ci": row.ci,
            }
            for row in many.rows
        ],
    }


def _told(many: ManyReleases) -> str:
    count = len(many.rows)
    words = f"{count} release{'s' * (count != 1)} kept on this machine"
    if not many.pushes:
        return f"{words}; no landing was watched to a verdict yet."
    rate = round(100 * many.first_green / many.pushes)
    return (
        f"{words}. Of {many.pushes} pushes that CI judged, {many.first_green} were clean "
        f"at the first attempt: a first-push-green rate of {rate} %."
    )


def when(at: float, zone: tzinfo | None) -> str:
    """Return a time for people, to the second."""
    return f"{datetime.fromtimestamp(at, tz=zone):%Y-%m-%d %H:%M:%S}"
