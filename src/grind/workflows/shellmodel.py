"""What a shell text says, as values: the words of `grind.workflows.shellread`.

Nothing here evaluates. A word that holds an expansion keeps it as written, so that a reader can
still see `$HOME/x`; `literal` says whether there is one.
"""

from __future__ import annotations

from typing import NamedTuple


class Word(NamedTuple):
    """One word of a command line, quotes removed."""

    text: str
    literal: bool = True
    """False when an expansion, a substitution or a `${{ }}` hole is part of it."""


class Redirect(NamedTuple):
    """A redirection; `operator` as written, such as `>`, `>>`, `<`, `&>` or `>&`."""

    operator: str
    target: Word

    @property
    def writes(self) -> bool:
        """Whether it creates or changes its target."""
        return ">" in self.operator and not self.target.text.isdigit() and self.target.text != "-"


class Place(NamedTuple):
    """Which constructs a command stands in."""

    pipe: int = 0
    """Position in its pipeline, 0-based."""
    pipe_length: int = 1
    after: str = ""
    """`&&` or `||` when the command is the tail of such a list."""
    condition: bool = False
    """Whether it is (part of) the condition of an `if`, `elif`, `while` or `until`."""
    negated: bool = False
    background: bool = False
    subshell: bool = False
    substitution: str | None = None
    """The name of the command whose argument it computes (`$( )`, backticks, `<( )`, or inside a
    heredoc's body); `=` for the value of an assignment. None outside of substitutions."""
    function: str | None = None
    """The function whose body it is in."""
    loop: bool = False


class Command(NamedTuple):
    """One simple command, seen through its wrappers (`sudo`, `env`, `timeout`, `bash -c` …)."""

    words: tuple[Word, ...]
    line: int
    """Line in the text that was read, 0-based."""
    place: Place = Place()
    wrappers: tuple[str, ...] = ()
    """Names of the wrappers that were seen through, outermost first."""
    assignments: tuple[tuple[str, Word], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    heredoc: str | None = None
    """The body of its heredoc, as written."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The words' texts; an expansion stays as written."""
        return tuple(word.text for word in self.words)

    @property
    def name(self) -> str:
        """The program's name without its folder; empty for assignments and bare redirections."""
        return self.words[0].text.rpartition("/")[2] if self.words else ""

    @property
    def literal(self) -> bool:
        """Whether every word is literal."""
        return all(word.literal for word in self.words)


class Node(NamedTuple):
    """A construct of the text, for those who ask what its exit status is.

    `kind` and its `parts` (each a sequence of nodes run one after the other):
    `command` (none; `command` is set) · `pipeline` (one part per element) · `and`, `or` (left,
    right) · `not`, `group`, `subshell`, `background`, `function` (the body) · `if` (condition,
    body, condition, body, …, and a last one for `else`) · `while`, `until` (condition, body) ·
    `for` (body) · `case` (one part per branch) · `test` for `[[ ]]` and `(( ))` · `assign` ·
    `nested` for the text of a `bash -c`, `eval` or `trap` · `unknown`.
    """

    kind: str
    line: int
    parts: tuple[tuple[Node, ...], ...] = ()
    command: Command | None = None
    name: str = ""


class Script(NamedTuple):
    """A text that was read."""

    commands: tuple[Command, ...]
    """Every command, in the order of the text, those in substitutions included."""
    body: tuple[Node, ...]
    complete: bool
    """False when a part was not understood: fall back to searching the text, conservatively."""
