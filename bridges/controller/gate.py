"""The one door before every write: shut when it is asked to stop, paused, or no longer leads."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from bridges.contracts import Workload
from bridges.errors import ShutError

PAUSED: Final = "metaverse-env.dev/paused"
"""Annotation of a Deployment: its zone is left alone while it says anything but ``"false"``."""
PAUSED_ALL: Final = "metaverse-env.dev/paused-all"
"""The same for every zone, on whichever Deployment it stands."""
_NOT: Final = ("", "false", "no", "0")
_MOST_BYTES: Final = 4096


@runtime_checkable
class Leadership(Protocol):
    """Who of several replicas may write."""

    @property
    def leading(self) -> bool:
        """Whether it is this one, by now and by its own clock."""
        ...

    @property
    def epoch(self) -> int | None:
        """Number of this leadership; ``None`` without one."""
        ...

    def start(self) -> None:
        """Begin to ask for the lease."""
        ...

    def stop(self) -> None:
        """Give the lease back, and ask no more."""
        ...


class Alone:
    """Leadership where nobody else is, and of those who never write."""

    leading, epoch = True, None

    def start(self) -> None:
        """Ask nobody."""

    def stop(self) -> None:
        """Give nothing back."""


class Switch:
    """What people shut the door with: a file, a signal, annotations.

    Args:
        file: Shut while it holds anything but ``false``, ``no``, ``0`` or nothing; a ConfigMap can be mounted as it.
            Shut too while it is there and cannot be read.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file, self._said = file, ""

    def pause(self, why: str) -> None:
        """Shut it, at once, also during a write."""
        self._said = why

    def resume(self) -> None:
        """Take back what :meth:`pause` said; files and annotations go on to count."""
        self._said = ""

    @property
    def why(self) -> str:
        """Why it is shut, or ``""``."""
        return self._said or self._written()

    def _written(self) -> str:
        if self._file is None:
            return ""
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"file {self._file} cannot be read: {error.strerror}"
        try:
            text = os.read(descriptor, _MOST_BYTES).decode("utf-8", "replace").strip()
        except OSError as error:
            return f"file {self._file} cannot be read: {error.strerror}"
        finally:
            os.close(descriptor)
        return "" if text.lower() in _NOT else f"file {self._file} says {text[:40]!r}"


def said(workload: Workload, annotation: str) -> bool:
    """Tell whether a Deployment's annotation says yes; one that says anything but no does."""
    return workload.annotations.get(annotation, "").strip().lower() not in _NOT


def paused_by(workloads: Iterable[Workload]) -> str:
    """Return which zone's annotation pauses all, in words, or ``""``."""
    found = [one.zone for one in workloads if said(one, PAUSED_ALL)]
    return f"zone {found[0]!r} has the annotation {PAUSED_ALL}" if found else ""


class Gate:
    """The door.

    Args:
        switch: What people shut it with.
        leadership: Who may write.
        stopping: Tells whether the process is asked to end.
    """

    def __init__(self, switch: Switch, leadership: Leadership, stopping: Callable[[], bool] = lambda: False) -> None:
        self.switch, self.leadership, self._stopping = switch, leadership, stopping

    @property
    def stopping(self) -> bool:
        """Whether the process is asked to end."""
        return self._stopping()

    @property
    def why_shut(self) -> str:
        """Why nothing may be written now, or ``""``."""
        if self._stopping():
            return "asked to stop"
        if self.switch.why:
            return f"paused: {self.switch.why}"
        return "" if self.leadership.leading else "not the leader, or no longer"

    def check(self) -> None:
        """Let a write pass; called right before each mutating request.

        Raises:
            ShutError: It may not.
        """
        if self.why_shut:
            raise ShutError(f"not written: {self.why_shut}")
