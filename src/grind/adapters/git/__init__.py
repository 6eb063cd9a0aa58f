"""Git, driven as a program: snapshots, the private repository, landing.

Import `GitRepository` from `grind.adapters.git.repository`.
"""
