"""Logs on stderr, as lines for people or as JSON for programs. Neither keys nor bodies are ever logged."""

import json
import logging
import sys
from typing import Final

_FOR_PEOPLE: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line.

    >>> record = logging.LogRecord("a.b", logging.INFO, "", 0, "%s is ready", ("it",), None)
    >>> json.loads(JsonLines().format(record))["message"]
    'it is ready'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time_s": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def start_logging(level: str, as_json: bool) -> None:
    """Send the log of this process to stderr, whatever was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(_FOR_PEOPLE))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
