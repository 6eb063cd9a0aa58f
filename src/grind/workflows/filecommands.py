"""The files a step writes to speak to the runner: GITHUB_ENV, GITHUB_OUTPUT. Pure parsing.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#environment-files
The host's runner applies the same rules between queued steps; a malformed file fails the step there.
"""

from __future__ import annotations


def read_pairs(data: bytes) -> dict[str, str]:
    """Return the names and values of a command file; later ones win.

    Both forms are read: `NAME=value` and `NAME<<DELIMITER`, lines, `DELIMITER`. What is malformed is
    left out here: the step that wrote it has failed on the host already.
    """
    pairs: dict[str, str] = {}
    lines = data.decode("utf-8", "replace").split("\n")
    place = 0
    while place < len(lines):
        line = lines[place].removesuffix("\r")
        place += 1
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc > 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            end = place
            while end < len(lines) and lines[end].removesuffix("\r") != delimiter:
                end += 1
            if delimiter and end < len(lines):
                pairs[name] = "\n".join(lines[place:end])
            place = end + 1
        elif equals > 0:
            pairs[line[:equals]] = line[equals + 1 :]
    return pairs
