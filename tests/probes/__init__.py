"""Probes: reading, judging, asking, and the command."""
