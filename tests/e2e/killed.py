"""grind that dies (kill -9) at one exact point of its journal: `killed.py WHEN ARGUMENTS…`.

WHEN is `before:TAG:N` or `after:TAG:N`: around the N-th append of an event with that tag (from 1).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from grind.__main__ import main
from grind.adapters.journal import DiskJournal

when, tag, number = sys.argv[1].split(":")
left = int(number)
append = DiskJournal.append


def dying(self: DiskJournal, *events: Any) -> Any:
    global left
    hit = any(type(event).__struct_config__.tag == tag for event in events)
    left -= hit
    if hit and left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    entries = append(self, *events)
    if hit and left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return entries


DiskJournal.append = dying  # type: ignore[method-assign]
del sys.argv[1]
sys.exit(main())
