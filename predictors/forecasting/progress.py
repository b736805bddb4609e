"""How far what takes longer than a glance is, on stderr: bars in a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[float, str], None]
"""Told the share that is done, from 0 to 1, and a few words."""


def silent(done: float, words: str) -> None:
    """Report progress to nobody."""


LINE_S: Final = 30.0
"""Between two lines about one phase, s, where there is no terminal."""
FIRST_LINE_S: Final = 4.0
"""Before the first line about a phase, s; pauses double up to :data:`LINE_S`, so that half a minute is not silent."""


class Phases(Protocol):
    """Tells about the phases of a command, one after the other."""

    def phase(self, name: str) -> AbstractContextManager[Report]:
        """Show a phase while it lasts."""
        ...

    def say(self, text: str) -> None:
        """Print a line of its own."""
        ...


class Bars:
    """A bar for each phase; it pulses until the phase reports a share.

    Args:
        bar: That shows them.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    @contextmanager
    def phase(self, name: str) -> Iterator[Report]:
        """Show a phase while it lasts."""
        task = self._bar.add_task(name, total=None, words="")

        def report(done: float, words: str) -> None:
            self._bar.update(task, total=1.0, completed=done, words=words)

        yield report
        self._bar.update(task, total=1.0, completed=1.0, words="")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._bar.console.print(text, soft_wrap=True, highlight=False, markup=False)


class Lines:
    """A line when a phase begins and ends, and one now and then between: what a pipe or a log can show."""

    @contextmanager
    def phase(self, name: str) -> Iterator[Report]:
        """Tell about a phase while it lasts."""
        begun = told = time.monotonic()
        pause_s = FIRST_LINE_S
        self.say(f"{name} …")

        def report(done: float, words: str) -> None:
            nonlocal told, pause_s
            now = time.monotonic()
            if now - told >= pause_s:
                told, pause_s = now, min(2.0 * pause_s, LINE_S)
                self.say(f"{name}: {100.0 * done:.0f} %, {words}, {now - begun:.0f} s")

        yield report
        self.say(f"{name}: done in {time.monotonic() - begun:.1f} s")

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)


@contextmanager
def phases() -> Iterator[Phases]:
    """Show phases on stderr."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield Lines()
        return
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        yield Bars(bar)
