"""Progress for people who wait, on stderr, so that what is piped stays clean; nothing where nobody looks."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Bar:
    """A bar that disappears when it is done; use it as a context.

    Args:
        total: Steps to go.
        unit: What a step is.
        text: What is being done before the first step.
    """

    def __init__(
        self, total: int, unit: str = "ticks", text: str = "preparing; a first start compiles for a while"
    ) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        self._progress = Progress(
            *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task(text, total=total)

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
