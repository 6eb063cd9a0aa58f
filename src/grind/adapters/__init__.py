"""Adapters: effects at the edge. They know nothing of plans."""
