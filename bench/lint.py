"""`grind lint` beside shellcheck and `git ls-files`, on one tree of 1,000 shell files.

    python -m bench.lint [FOLDER WITH SHELL FILES]

Without a folder the tree is made from the labelled corpus, 60 snippets to a file. Prints medians
and the ratios that matter; nothing here is a test.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FILES = 1000


def _texts(folder: str | None) -> list[bytes]:
    if folder:
        return [p.read_bytes() for p in sorted(Path(folder).rglob("*.sh")) if p.is_file()]
    from tests.rules.corpus import corpus

    plain = [c.text.encode() for c in corpus() if c.path.endswith(".sh")]
    return [b"\n".join(plain[at : at + 60]) for at in range(0, len(plain), 60)]


def _median(run: Callable[[], None], times: int) -> float:
    took: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def _command(root: Path, *argv: str) -> Callable[[], None]:
    return lambda: subprocess.run(argv, cwd=root, stdout=subprocess.DEVNULL, check=False) and None


def main() -> None:
    texts = _texts(sys.argv[1] if len(sys.argv) > 1 else None)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "repo"
        for at in range(FILES):
            file = root / f"d{at % 40}" / f"f{at}.sh"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(texts[at % len(texts)] + b"\n# %d\n" % at)
        os.environ["XDG_CACHE_HOME"] = str(Path(name) / "cache")
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        subprocess.run(["git", "add", "-A"], cwd=root, check=True)
        time.sleep(0.2)
        code = (
            "import sys; from grind.commands.lint import run_line; sys.exit(run_line(sys.argv[1:]))"
        )
        lint = (sys.executable, "-c", code)
        files = [str(p.relative_to(root)) for p in sorted(root.rglob("*.sh"))]
        shellcheck = str(Path(sys.executable).with_name("shellcheck"))
        first = _median(_command(root, *lint, "--no-cache"), 3)
        peer = _median(_command(root, shellcheck, "-f", "gcc", *files), 1)
        _command(root, *lint)()
        second = _median(_command(root, *lint), 21)
        listing = _median(_command(root, "git", "ls-files"), 21)
        python = _median(_command(root, sys.executable, "-c", "pass"), 21)
    print(f"first run   {first:8.3f} s = {first / peer:.2f} x shellcheck ({peer:.3f} s)")
    print(f"second run  {second * 1000:8.1f} ms = {second / listing:.1f} x git ls-files")
    print(f"            {second / python:.2f} x python -c pass ({python * 1000:.1f} ms)")


if __name__ == "__main__":
    main()
