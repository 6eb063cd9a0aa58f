"""What can go wrong with an expression: three classes, each with a message and a position.

The classes are those of GitHub's own cross-language test data: *lexing* (a character sequence that
is no token), *parsing* (tokens in an order that is no expression, unknown names, limits) and
*evaluation* (a value that cannot be computed). Positions are 0-based offsets into the source that
was given; GitHub's texts count from 1, and so do the messages here.
"""

from __future__ import annotations

from typing import ClassVar

from grind.core.errors import ExitCode, GrindError


class ExpressionError(GrindError):
    """An expression, or a template that holds one, has no answer.

    `position` is the 0-based offset into the source, or None where no place is to blame.
    `disputed` says that one of GitHub's implementations would answer: this is a refusal to guess.
    """

    kind: ClassVar[str] = "evaluation"
    code = ExitCode.USAGE

    def __init__(
        self,
        message: str,
        position: int | None = None,
        *,
        remedy: str = "",
        disputed: bool = False,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.position = position
        self.disputed = disputed

    def moved(self, offset: int) -> ExpressionError:
        """Shift the position by `offset`: how a hole's error becomes its template's error."""
        if self.position is not None:
            self.position += offset
        return self


class LexingError(ExpressionError):
    """The source holds something that is no token."""

    kind = "lexing"


class ParsingError(ExpressionError):
    """The tokens do not form an expression, name something unknown, or pass a limit."""

    kind = "parsing"


class EvaluationError(ExpressionError):
    """The expression is well formed and its value cannot be computed."""

    kind = "evaluation"


class UnknownValueError(EvaluationError):
    """The answer depends on a value that is not known (yet); `path` names it.

    Raised instead of answering null, so that a caller can defer or refuse.
    """

    def __init__(self, path: tuple[str | None, ...], position: int | None = None) -> None:
        shown = ".".join("*" if part is None else part for part in path) or "a value"
        super().__init__(f"{shown} is not known here", position)
        self.path = path


class DisputedValueError(EvaluationError):
    """GitHub's own implementations answer differently and nothing published decides: no guess.

    The two are the runner (C#, actions/runner) and the language service (TypeScript,
    `@actions/expressions`).
    """

    def __init__(self, what: str, position: int | None = None) -> None:
        super().__init__(
            f"GitHub's implementations disagree about {what}, so no answer is given",
            position,
            remedy="write the expression so that it does not depend on this",
            disputed=True,
        )


def located(description: str, symbol: str, position: int, source: str) -> str:
    """Word an error as GitHub does: what, the symbol, its 1-based position and the source."""
    return (
        f"{description}: '{symbol}'. Located at position {position + 1} within expression: {source}"
    )
