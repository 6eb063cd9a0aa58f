"""What all tests share."""

from __future__ import annotations

import signal

from hypothesis import settings

# A suite that was started in the background of a shell ignores SIGINT, and so would every program that
# a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something about the machine, and nothing about the law that is tested.
settings.register_profile("grind", deadline=None)
settings.load_profile("grind")
