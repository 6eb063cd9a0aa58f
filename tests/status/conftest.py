"""One world per test, as the whole-process tests have."""

from __future__ import annotations

from tests.e2e.conftest import world as world
