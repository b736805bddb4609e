"""What encoders made before, on disk: one SQLite file in a folder, shared by encoders and by processes.

A row is found by the content of the sample and by who encoded it, so that a file that changes is encoded anew, and all
are when the model changes. Texts and numbers are stored as such: nothing is unpickled.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable

FILE_NAME: Final = "encodings.sqlite"
_WAIT_S: Final = 30.0
"""How long a process waits for another that writes; a row takes microseconds."""

Array = np.ndarray
Row = tuple[str, Array]
"""Text and embedding ``float32 [dimension]``."""


class EncodingCache:
    """A folder in which encodings stay.

    Args:
        folder: Made where it is missing.

    Raises:
        ConfigurationError: The folder cannot be written, or holds another file under the cache's name.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = writable(folder) / FILE_NAME
        try:
            with closing(self._opened()) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS encodings (maker TEXT, content TEXT, text TEXT, embedding BLOB, "
                    "PRIMARY KEY (maker, content)) WITHOUT ROWID"
                )
        except sqlite3.DatabaseError as error:
            raise ConfigurationError(
                f"cache of encodings {self.path}: {error}. Delete the file; it is made anew"
            ) from error

    def get(self, maker: str, contents: Iterable[str]) -> dict[str, Row]:
        """Return the rows that are known of the contents' digests, each by its digest."""
        with closing(self._opened()) as database:
            found = (
                (content, database.execute(_FIND, (maker, content)).fetchone()) for content in dict.fromkeys(contents)
            )
            return {content: (row[0], np.frombuffer(row[1], "<f4")) for content, row in found if row}

    def put(self, maker: str, rows: Mapping[str, Row]) -> None:
        """Keep rows by the digests of their contents."""
        with closing(self._opened()) as database, database:
            database.executemany(
                "INSERT OR REPLACE INTO encodings VALUES (?, ?, ?, ?)",
                [(maker, content, text, row.astype("<f4").tobytes()) for content, (text, row) in rows.items()],
            )

    def _opened(self) -> sqlite3.Connection:
        """Open a connection; one for each use, so that caches survive forks, threads and pickling."""
        return sqlite3.connect(self.path, timeout=_WAIT_S)


_FIND: Final = "SELECT text, embedding FROM encodings WHERE maker = ? AND content = ?"
