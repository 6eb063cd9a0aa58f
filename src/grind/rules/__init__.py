"""Guardrails: shell wherever it lives, read with the knowledge of what runs where.

The way through the package, each step pure: `extract` finds shell in a file and remembers where
each byte came from; `shell` parses it and follows programs that are handed to other programs; one
module of `checks` is one rule; `engine` lints one file; `runner` a tree.
"""

GENERATION = "3"
"""Part of every cache key: raise it when rules or readers change what they find."""
