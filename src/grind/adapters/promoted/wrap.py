# Made by `grind py promote`, and made anew by it: do not edit.
# The builder of a promoted command, run by the pinned Python itself, so that nothing else is needed.
import os
import shlex

out, name = os.environ["out"], os.environ["name"]
os.makedirs(f"{out}/bin")
words = " ".join(shlex.quote(os.environ[word]) for word in ("python", "source"))
with open(f"{out}/bin/{name}", "w") as file:
    file.write(f'#!/bin/sh\nexec {words} "$@"\n')
os.chmod(f"{out}/bin/{name}", 0o755)
os.makedirs(f"{out}/libexec")
os.symlink(os.environ["python"], f"{out}/libexec/python3")
