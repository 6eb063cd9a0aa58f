"""argparse as grind uses it: usage errors leave through the one door, with what was meant."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from grind.core.errors import GrindError
from grind.core.suggest import suggestion


class Parser(argparse.ArgumentParser):
    """Raises GrindError instead of printing and exiting. Options are never abbreviated."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's sentence into an expected error."""
        raise GrindError(message, remedy=f"`{self.prog} --help` tells what it takes")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse; say what was probably meant by an option that does not exist."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            known = [option for action in self._actions for option in action.option_strings]
            meant = suggestion(unknown[0].partition("=")[0], known)
            hint = f"; did you mean `{meant}`?" if meant and unknown[0].startswith("-") else ""
            self.error(f"unknown argument {unknown[0]!r}{hint}")
        return parsed


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Argparse makes one for every argument that is declared, and left alone it would import shutil
    (and with it every compression there is) to learn the width."""
    return argparse.RawDescriptionHelpFormatter(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        given = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        given = 0
    try:
        if given <= 0 and sys.__stdout__ is not None:
            given = os.get_terminal_size(sys.__stdout__.fileno()).columns
    except (ValueError, OSError):
        given = 0
    return given if given > 0 else 80


def parser_for(name: str, about: str, examples: str = "") -> Parser:
    """Return the parser of one command, with its help text and examples."""
    return Parser(
        prog=f"grind {name}",
        description=about,
        epilog=f"examples:\n{examples.rstrip()}" if examples else None,
        allow_abbrev=False,
        formatter_class=_formatter,
    )
