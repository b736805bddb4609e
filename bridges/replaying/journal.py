"""What a replay has done so far: a file of receipts that survives it, one line each."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self

from bridges.contracts import Receipt
from bridges.decisions import line_of, plain
from metaverse_env.errors import ConfigurationError

FORMAT: Final = 1
Mark = Literal["begun", "done"]


class Done(NamedTuple):
    """How an action ended: its number and its receipts."""

    action: int
    receipts: tuple[Mapping[str, Any], ...]


class Journal:
    """The file; use it as a context.

    Before an action is asked for its line says so, and after it what became of it. An action that was begun and has no
    receipt was interrupted: whether it was done is read back from the cluster, which then has it already or not.

    Args:
        path: Of the file; one that exists is gone on with.
        recording: Digest of what is replayed: another recording is refused.
        apply: Whether it is written, or only asked.

    Raises:
        ConfigurationError: It belongs to another replay, or cannot be read or written.
    """

    def __init__(self, path: Path, recording: str, apply: bool) -> None:
        self._path, head = path, {"format": FORMAT, "recording": recording, "apply": apply}
        self.done: dict[int, Done] = {}
        self.begun: set[int] = set()
        try:
            whole = self._read(head)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640), "w", encoding="utf-8")
            self._file.seek(whole)
            self._file.truncate()  # a line that was cut off by a crash
            if whole == 0:
                self._append(head)
        except OSError as error:
            raise ConfigurationError(f"journal {path}: {error.strerror or error}") from error

    def _read(self, head: Mapping[str, Any]) -> int:
        """Take in what is there; return up to where its lines are whole."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        whole = content.rfind(b"\n") + 1
        try:
            lines = [json.loads(line) for line in content[:whole].splitlines()]
            if lines and lines[0] != head:
                raise ConfigurationError(
                    f"journal {self._path} is of another replay: it has {lines[0]}, this is {head}"
                )
            for line in lines[1:]:
                self._take(line)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ConfigurationError):
                raise
            raise ConfigurationError(f"journal {self._path} cannot be used: {error!r}") from error
        return whole

    def _take(self, line: Mapping[str, Any]) -> None:
        action = int(line["action"])
        if line["mark"] == "begun":
            self.begun.add(action)
        else:
            self.done[action] = Done(action, tuple(line["receipts"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()

    def begin(self, action: int) -> None:
        """Say that an action is about to be asked for."""
        self._append({"action": action, "mark": "begun"})
        self.begun.add(action)

    def finish(self, action: int, receipts: tuple[Receipt, ...]) -> Done:
        """Say what became of an action."""
        told = tuple(plain(receipt) for receipt in receipts)
        self._append({"action": action, "mark": "done", "receipts": told})
        self.done[action] = Done(action, told)
        return self.done[action]

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.write(line_of(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
