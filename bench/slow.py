"""A slow network in a process of its own: it takes no time away from what it carries.

`python -m bench.slow PORT DELAY` carries to a port of this machine, DELAY seconds each way; it says its own port,
and goes when its input ends.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from tests.network import Network


@contextlib.contextmanager
def slowed(port: int, delay: float) -> Iterator[int]:
    """The port through which that one is reached slowly."""
    argv = [sys.executable, "-m", "bench.slow", str(port), str(delay)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def main(port: str, delay: str) -> None:
    """Carry until nobody wants it any more."""
    network = Network(("127.0.0.1", int(port)))
    network.delay = float(delay)
    network.start()
    print(network.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
