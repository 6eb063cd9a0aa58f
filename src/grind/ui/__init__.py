"""Faces: they draw events and decide nothing."""
