"""A fuzz target for expressions and templates; not collected by pytest.

With atheris installed it is guided by coverage; without, bytes come from a plain mutator that keeps
inputs which give an answer or an error of a new kind:

    nice python -m tests.fuzz.fuzz_expressions --seconds 600

A finding is an exception that is no ExpressionError, or an input that takes longer than --slow
seconds; it is printed with its bytes, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from grind.workflows.expressions import UNKNOWN, ExpressionError, evaluate
from tests.workflows.expressions import grammar
from tests.workflows.expressions.test_properties import ask_everything


def target(data: bytes) -> str:
    """Ask everything about one input; name what came of it, for a mutator without coverage."""
    choices = grammar.Choices(data)
    raw = choices.below(3) == 2
    contexts = grammar.contexts(choices)
    contexts["needs"] = UNKNOWN
    source = grammar.expression(choices)
    if raw:
        source = data[choices.at :].decode("utf-8", "replace")
    ask_everything(source, contexts)
    ask_everything("x${{" + source + "}}${{ needs.a }}", contexts)
    try:
        return type(evaluate(source, contexts)).__name__
    except ExpressionError as error:
        return f"{error.kind} {error.message[:24]}"


def mutate(source: random.Random, corpus: list[bytes]) -> bytes:
    """Change, cut, double or cross what was interesting before."""
    if not corpus or source.random() < 0.2:
        return source.randbytes(source.randrange(1, 600))
    data = bytearray(source.choice(corpus))
    for _ in range(source.randrange(1, 8)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(4)
        if kind == 0:
            data[at : at + 1] = source.randbytes(1)
        elif kind == 1:
            del data[at : at + source.randrange(1, 16)]
        elif kind == 2:
            data[at:at] = data[at : at + source.randrange(1, 64)]
        else:
            other = source.choice(corpus)
            data[at:] = other[source.randrange(len(other) + 1) :]
    return bytes(data[:4000]) or b"\0"


def main() -> int:
    """Fuzz for a while without coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--slow", type=float, default=2)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    source = random.Random(options.seed)
    corpus: list[bytes] = []
    seen: set[str] = set()
    done = 0
    slowest = 0.0
    until = time.monotonic() + options.seconds
    while time.monotonic() < until:
        data = mutate(source, corpus)
        started = time.process_time()
        try:
            outcome = target(data)
        except Exception as error:
            print(f"finding: {error!r}\n{data!r}")
            return 1
        took = time.process_time() - started
        slowest = max(slowest, took)
        if took > options.slow:
            print(f"finding: {took:.1f} s\n{data!r}")
            return 1
        done += 1
        if outcome not in seen and len(corpus) < 5000:
            seen.add(outcome)
            corpus.append(data)
    print(
        f"seed {options.seed}: {done} inputs, {len(seen)} outcomes, "
        f"slowest {slowest * 1000:.0f} ms, no finding"
    )
    return 0


def _with_atheris() -> None:
    import atheris  # type: ignore[import-not-found]

    atheris.instrument_all()  # what was imported already is instrumented too, or nothing guides it
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    if "--atheris" in sys.argv:
        sys.argv.remove("--atheris")
        _with_atheris()
    else:
        sys.exit(main())
