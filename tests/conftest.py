"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something about the machine, and nothing about the law that is tested.
settings.register_profile("grind", deadline=None)
settings.load_profile("grind")
