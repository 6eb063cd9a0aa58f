"""The command table and the one door through which errors leave.

Nothing is imported here that `grind --version` and `grind --help` can do without: a bare
interpreter is most of what they cost (docs/adr/0003-argument-parser.md, bench/startup.py).
A command is a module of `grind.commands` with `HELP`, `add_arguments(parser)` and
`run(args) -> int`, and `EXAMPLES` if it likes; it is imported when it is called.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from grind.core.errors import GrindError

TITLE = "grind: prove a change with exactly what CI will run, push it once, watch it land green."

GROUPS = (
    (
        "Begin",
        (
            ("init", "write a commented grind.toml from what the repository shows"),
            ("doctor", "what the host has and lacks, each finding with its remedy"),
            ("trust", "say yes to exactly the hosts and commands that grind.toml names"),
            ("hook", "install the pre-push hook, which lets through what is proven"),
        ),
    ),
    (
        "See what would happen",
        (
            ("plan", "what CI would run for a push, with a verdict on every step"),
            ("status", "where am I, what is next"),
            ("log", "what happened, from the journal"),
            ("lint", "guardrails for workflows and scripts"),
            ("stats", "push-and-pray in this repository's own history"),
            ("expr", "evaluate a GitHub Actions expression"),
        ),
    ),
    (
        "Prove it",
        (
            ("check", "run the checks, then CI's own steps, on the snapshot"),
            ("build", "run CI's build steps on the snapshot"),
            ("sync", "bring the host's workspace to the remote's main branch"),
            ("activate", "build the host's system, switch to it, probe it, keep it or go back"),
            ("probe", "the health probes alone"),
            ("attach", "follow a run again after the connection dropped"),
            ("cancel", "stop a run and every process it started"),
        ),
    ),
    (
        "Push it once",
        (
            ("land", "commit and push the proven tree; refused without a proof"),
            ("watch", "follow CI's runs of the pushed commit until one clean run"),
            ("run", "the whole loop, from the snapshot to verified live, as one release"),
            ("rollback", "undo a landed change, a host's activation, or restart its units"),
            ("receipt", "list, show, verify and export proofs"),
        ),
    ),
    (
        "Work with it",
        (
            ("py", "Python under the repository's policy, pinned by its flake"),
            ("report", "one self-contained page: timeline, parity, logs, history"),
            ("collect", "remove old runs and checkouts from a host, by age and size"),
            ("completion", "shell completion for bash, zsh and fish"),
        ),
    ),
    ("Learn", (("demo", "the whole loop on a sample repository, in under a minute"),)),
)

EXAMPLES = (
    ("demo", "grind demo", "see the loop, leave nothing behind"),
    ("plan", "grind plan", "read what CI would run, and what would stand in its way"),
    ("check", "grind check", "prove the working copy as it would be pushed"),
    ("check", "grind check --failed", "run again only what was red"),
    ("land", 'grind land -m "Fix it"', "push exactly what was proven"),
)


class Commands:
    """The commands of one package; those whose module is not there are not listed."""

    def __init__(
        self,
        package: str = "grind.commands",
        groups: Sequence[tuple[str, Sequence[tuple[str, str]]]] = GROUPS,
        examples: Sequence[tuple[str, str, str]] = EXAMPLES,
        asked: str = "",
    ) -> None:
        """`asked` is a command whose `run_line` has been asked already, and had no answer."""
        self.asked = asked
        self.package = package
        found = self._modules()
        self.groups = [
            (title, here)
            for title, rows in groups
            if (here := [(name, told) for name, told in rows if name in found])
        ]
        self.names = [name for _, rows in self.groups for name, _ in rows]
        self.examples = [(line, told) for name, line, told in examples if name in self.names]

    def _modules(self) -> set[str]:
        __import__(self.package)
        return {
            entry.partition(".")[0]
            for folder in sys.modules[self.package].__path__
            for entry in os.listdir(folder)
        }

    def load(self, name: str) -> ModuleType:
        """Import a command's module."""
        __import__(f"{self.package}.{name}")
        return sys.modules[f"{self.package}.{name}"]

    def help(self) -> str:
        """Return the global help."""
        return "\n".join(self._help()) + "\n"

    def _help(self) -> Iterator[str]:
        yield TITLE
        yield ""
        yield "usage: grind COMMAND [options]"
        width = max(map(len, self.names), default=0)
        for title, rows in self.groups:
            yield ""
            yield title
            yield from (f"  {name:<{width}}  {told}" for name, told in rows)
        if self.examples:
            yield ""
            yield "Examples"
            yield from (f"  {line:<24} {told}" for line, told in self.examples)
        yield ""
        yield "`grind help COMMAND` or `grind help TOPIC` tells more (topics: docs/errors.md)."
        yield "Exit codes: docs/exit-codes.md"


def run(argv: list[str], commands: Commands | None = None) -> int:
    """Run one command line; return its exit code (docs/exit-codes.md).

    The only place where an error becomes a message: nothing raised below gets past it.
    """
    from_here_on_safe_to_print()
    try:
        code = _dispatch(argv, commands or Commands())
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return interrupted()
    except BrokenPipeError:
        return pipe_closed()
    except Exception as error:  # the one door
        return _failed(error, argv)
    return code


def from_here_on_safe_to_print() -> None:
    """Make the standard streams take any text: what they cannot encode is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _dispatch(argv: list[str], commands: Commands) -> int:
    name = argv[0] if argv else ""
    if name in ("-V", "--version"):
        from grind import __version__

        print(f"grind {__version__}")  # noqa: T201
        return 0
    if name == "help" and len(argv) > 1:
        if argv[1] not in commands.names and _told_topic(argv[1]):
            return 0
        return _dispatch([argv[1], "--help"], commands)
    if name in ("help", "-h", "--help", ""):
        print(commands.help(), end="")  # noqa: T201
        return 0 if name else 2
    if name not in commands.names:
        raise _unknown(name, commands)
    return _command(name, argv[1:], commands)


def _told_topic(topic: str) -> bool:
    """Print the page of an error's code; False when there is none."""
    from grind.core.topics import TOPICS

    if topic not in TOPICS:
        return False
    title, told = TOPICS[topic]
    print(f"{title}  [{topic}]\n\n{' '.join(told.split())}")  # noqa: T201
    return True


def _unknown(name: str, commands: Commands) -> GrindError:
    from grind.core.errors import GrindError
    from grind.core.suggest import suggestion

    meant = suggestion(name, commands.names)
    what = "option" if name.startswith("-") else "command"
    return GrindError(
        f"there is no {what} {name!r}",
        remedy=f"did you mean `grind {meant}`?" if meant else "`grind help` lists the commands",
    )


def _command(name: str, argv: list[str], commands: Commands) -> int:
    module = commands.load(name)
    if name != commands.asked and hasattr(
        module, "run_line"
    ):  # one that may answer before argparse is imported
        code = module.run_line(argv)
        if code is not None:
            return int(code)
    from grind.ui.arguments import parser_for

    parser = parser_for(name, module.HELP, getattr(module, "EXAMPLES", ""))
    module.add_arguments(parser)
    try:
        args = parser.parse_args(argv)
    except SystemExit as end:  # --help has printed, and ends the program in argparse's way
        return end.code if isinstance(end.code, int) else 0
    return int(module.run(args))


# --- the ways out --------------------------------------------------------------------------------


def interrupted() -> int:
    """Say so, and nothing more."""
    from grind.core.errors import ExitCode

    if sys.stderr is not None:
        sys.stderr.write("grind: interrupted\n")
    return int(ExitCode.INTERRUPTED)


def pipe_closed() -> int:
    """Say nothing more."""
    from grind.core.errors import ExitCode

    _discard_output()
    return int(ExitCode.PIPE_CLOSED)


def _discard_output() -> None:
    """Send what is left to nowhere, or Python would try again at exit, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _failed(error: Exception, argv: list[str]) -> int:
    """Tell an error in the form that was asked for; return its exit code."""
    from grind.core.errors import GrindError
    from grind.ui.error_text import document, text

    told = error if isinstance(error, GrindError) else _unexpected(error)
    as_json = "--json" in argv[: argv.index("--") if "--" in argv else None]
    try:
        if as_json and sys.stdout is not None:
            sys.stdout.write(document(told))
            sys.stdout.flush()
        elif sys.stderr is not None:
            sys.stderr.write(text(told, pointer=sys.stderr.isatty()))
            sys.stderr.flush()
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _discard_output()
    return int(told.code)


def _unexpected(error: Exception) -> GrindError:
    from grind.adapters.crash import crashed

    return crashed(error, os.environ)
