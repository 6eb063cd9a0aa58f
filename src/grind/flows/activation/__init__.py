"""Activating a host and taking it back: plan, build, switch under a supervisor, probe, acknowledge."""
