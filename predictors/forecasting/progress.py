"""Bars on stderr for what takes longer than a glance."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[float, str], None]
"""Told the share that is done, from 0 to 1, and a few words."""


class Phases:
    """A bar for each phase of a command.

    Args:
        bar: That shows them.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    @contextmanager
    def phase(self, name: str) -> Iterator[Report]:
        """Show a phase while it lasts; it pulses until it reports a share."""
        task = self._bar.add_task(name, total=None, words="")

        def report(done: float, words: str) -> None:
            self._bar.update(task, total=1.0, completed=done, words=words)

        yield report
        self._finish(task)

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._bar.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _finish(self, task: TaskID) -> None:
        self._bar.update(task, total=1.0, completed=1.0, words="")


@contextmanager
def phases() -> Iterator[Phases]:
    """Show phases on stderr."""
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(file=sys.stderr)) as bar:
        yield Phases(bar)
