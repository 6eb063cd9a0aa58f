"""The files a step writes to speak to the runner: GITHUB_ENV, GITHUB_OUTPUT. Pure parsing.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#environment-files
The host's runner applies the same rules between queued steps; a malformed file fails the step there.
"""

from __future__ import annotations


def read_pairs(data: bytes) -> dict[str, str]:
    """Return the names and values of a command file; later ones win.

    Both forms are read: `NAME=value` and `NAME<<DELIMITER`, lines, `DELIMITER`. Reading ends where
    it is malformed, as in the runner: the step that wrote it has failed on the host already.
    """
    pairs: dict[str, str] = {}
    lines = data.decode("utf-8-sig", "replace").split("\n")
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if not line:
            continue
        name, heredoc, delimiter = line.partition("<<")
        if heredoc and "=" not in name:
            try:
                end = lines.index(delimiter, place)
            except ValueError:
                break
            if not name or not delimiter:
                break
            pairs[name] = "\n".join(lines[place:end])
            place = end + 1
            continue
        name, equals, value = line.partition("=")
        if not equals or not name:
            break
        pairs[name] = value
    return pairs


def may_set(name: str) -> bool:
    """Whether a step may set this variable for the steps after it."""
    return name.upper() != "NODE_OPTIONS"
