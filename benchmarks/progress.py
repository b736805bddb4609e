"""Progress for people who wait, on stderr, so that what is piped stays clean: a bar, or now and then a line."""

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_S: Final = 30.0
"""Where there is no terminal, as often a line says how far it is, by default."""
STAGE_AFTER_S: Final = 5.0
"""A new stage is said as well, if it is that long since the last line."""


class Bar:
    """A bar that disappears when it is done; use it as a context. Where there is no terminal, lines.

    Args:
        total: Steps to go.
        unit: What a step is.
        text: What is being done before the first step.
        every_s: Where there is no terminal, as often a line says how far it is.
    """

    def __init__(
        self,
        total: int,
        unit: str = "ticks",
        text: str = "preparing; a first start compiles for a while",
        every_s: float = LINE_EVERY_S,
    ) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        self._progress = Progress(
            *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task(text, total=total)
        self._console, self._total, self._unit, self._every_s = console, total, unit, every_s
        self._done, self._stages, self._said_s = 0, {text}, time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, text: str, steps: int = 1) -> None:
        """Count steps of what ``text`` says."""
        self._progress.update(self._task, advance=steps, description=text)
        self._done += steps
        if self._progress.disable:
            self._say(text)

    def _say(self, text: str) -> None:
        passed_s = time.monotonic() - self._said_s
        if passed_s >= self._every_s or (passed_s >= STAGE_AFTER_S and text not in self._stages):
            line = f"{self._done:,} of {self._total:,} {self._unit}: {text}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
            self._said_s = time.monotonic()
        self._stages.add(text)
