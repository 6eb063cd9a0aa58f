"""The supervisor of an activation: one bash program that runs detached on the host.

It is fed to a host as a file, like the runner of lanes, and needs bash >= 4.4, coreutils, flock and
setsid there; Nix where the host is NixOS.
"""
