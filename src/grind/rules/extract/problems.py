"""What a reader says when a file is not what its name says."""

from __future__ import annotations


class ExtractError(ValueError):
    """The file cannot be read as its kind; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
