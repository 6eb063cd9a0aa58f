"""The runner: a bash program that works through the steps of a lane, and its files.

Everything here is shared by the local host and the SSH host; nothing here runs a process.
"""
