"""The few thick interfaces between the flows and the world, a module for each subject.

A flow talks to these and to nothing else. Each is implemented by an adapter and by a fake that is a
named class; both pass the same contract tests (tests/contracts/). All are imported from here.
"""

from __future__ import annotations

from grind.core.task import Checkout, Condition, Control, StepTask
from grind.core.weburl import Address
from grind.ports.clock import Clock
from grind.ports.forge import Answer, Cost, Forge, PullSeen, PushSeen
from grind.ports.host import Completed, Host, HostIdentity, Passable, Passage
from grind.ports.lane import (
    Cancelled,
    Ended,
    Lane,
    LaneDone,
    LaneEvent,
    LaneLost,
    LanePaths,
    LaneSpec,
    Output,
    Passed,
    Started,
)
from grind.ports.logs import LogStore, LogWriter
from grind.ports.prober import Exchanged, Prober
from grind.ports.repository import Repository

__all__ = [
    "Address",
    "Answer",
    "Cancelled",
    "Checkout",
    "Clock",
    "Completed",
    "Condition",
    "Control",
    "Cost",
    "Ended",
    "Exchanged",
    "Forge",
    "Host",
    "HostIdentity",
    "Lane",
    "LaneDone",
    "LaneEvent",
    "LaneLost",
    "LanePaths",
    "LaneSpec",
    "LogStore",
    "LogWriter",
    "Output",
    "Passable",
    "Passage",
    "Passed",
    "Prober",
    "PullSeen",
    "PushSeen",
    "Repository",
    "Started",
    "StepTask",
]
