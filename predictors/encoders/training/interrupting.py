"""Ctrl-C between two steps, never within one: what was learnt can be saved before the program ends."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_STDERR: Final = 2
_SAID: Final = b"\nEnding after this step, and saving; Ctrl-C again ends at once.\n"


class Interruption:
    """Whether Ctrl-C was pressed; the second time it interrupts at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take the signal."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        os.write(_STDERR, _SAID)  # a signal may arrive while something else is being printed


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Hold Ctrl-C back while the block runs; outside the main thread, where there are no signals, change nothing."""
    asked = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, asked)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
