"""Lines at the bottom of a terminal that are redrawn in place, whatever becomes of its size.

rich draws them; what a narrower terminal has made of them since is taken away here.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text


class Region:
    """The redrawn part; remembers how wide its lines were, for when the terminal is resized."""

    def __init__(self, lines: Callable[[int, int], list[Text]]) -> None:
        self._lines = lines
        self.drawn: list[int] = []
        """How wide each line was when it was last drawn."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw each line in one row: one column stays free, so that no terminal wraps it."""
        width = max(1, options.max_width - 1)
        lines = self._lines(width, options.size.height)
        for line in lines:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
            yield line
        self.drawn = [line.cell_len for line in lines]


class Resizing(RenderHook):
    """Follows the terminal's size, and takes away what a narrower terminal has wrapped.

    rich moves up by the lines that it drew. Where the terminal has since become narrower, it has
    wrapped them into more rows: those are erased first, or they would stay for ever.
    """

    def __init__(
        self, console: Console, region: Region, size: Callable[[], tuple[int, int]]
    ) -> None:
        self._console = console
        self._region = region
        self._size = size

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Put the erasure of surplus rows before rich's own."""
        width, height = self._size()
        before = self._console.size.width
        if (width, height) != tuple(self._console.size):
            self._console.size = (width, height)
        surplus = sum((cells - 1) // width for cells in self._region.drawn if cells > width)
        if width >= before or surplus == 0:
            return renderables
        erase = Control(
            ControlType.CARRIAGE_RETURN,
            *(((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)) * surplus),
        )
        return [erase, *renderables]
