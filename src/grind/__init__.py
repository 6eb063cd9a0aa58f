"""grind: prove a change where it will run, push it once, watch it land green."""

__version__ = "0.1.0"
