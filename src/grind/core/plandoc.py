"""The plan as others read it: the `grind.plan/1` document."""

from __future__ import annotations

from typing import Any

import msgspec

from grind.core.plan import Plan

PLAN_SCHEMA = "grind.plan/1"

_PUBLIC_JOB = (
    "id",
    "name",
    "workflow",
    "line",
    "matrix",
    "needs",
    "active",
    "class",
    "verdict",
    "reason",
)
_PUBLIC_STEP = (
    "index",
    "id",
    "name",
    "run",
    "uses",
    "shell",
    "working_directory",
    "env",
    "class",
    "gating",
    "verdict",
    "reason",
    "line",
)


def document(plan: Plan) -> dict[str, Any]:
    """Return the `grind.plan/1` document that `grind plan --json` prints."""
    jobs = []
    for job in plan.jobs:
        row = msgspec.to_builtins(job)
        steps = []
        for step in row["steps"]:
            public = {name: step[name] for name in _PUBLIC_STEP}
            if step["gating_reason"]:
                public["gating_reason"] = step["gating_reason"]
            for name in ("remedy", "file"):
                if step[name]:
                    public[name] = step[name]
            for name in ("background", "control", "targets"):
                if step[name]:
                    public[name] = step[name]
            if step["parent"] is not None:
                public["parent"] = step["parent"]
            steps.append(public)
        jobs.append(
            {"key": job.key}
            | {name: row[name] for name in _PUBLIC_JOB}
            | {name: row[name] for name in ("remedy", "file", "left", "open") if row[name]}
            | {"runs_on": row["runs_on"], "gating": job.gating, "steps": steps}
        )
    return {
        "schema": PLAN_SCHEMA,
        "tree": plan.tree,
        "commit": plan.commit,
        "event": plan.event,
        "ref": plan.ref,
        "base": plan.base,
        "digest": plan.digest,
        "notes": list(plan.notes),
        "jobs": jobs,
    }
