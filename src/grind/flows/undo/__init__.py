"""Undo what was landed, and restart what runs: each a plan first, then the effects, then probes."""
