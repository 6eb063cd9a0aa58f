"""Builds adapters: the only place that does."""
