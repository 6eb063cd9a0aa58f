"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# No timed assertions: hypothesis' own deadline is one, and a busy machine fails it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
