"""What a restart needs to go on: a small JSON file, replaced whole or not at all (T50)."""

import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from bridges.controller.cycle import Controller
from bridges.controller.states import MODES, STICKY, State
from metaverse_env.errors import ConfigurationError

LOG: Final = logging.getLogger(__name__)
FORMAT: Final = 1
MOST_BYTES: Final = 256 << 20


def save(controller: Controller, path: Path) -> None:
    """Write the checkpoint of a controller.

    Raises:
        OSError: It cannot be written; the old one stays.
    """
    state = controller.state
    told = {
        "format": FORMAT,
        "state": {"mode": state.mode, "risen": state.risen, "reason": state.reason},
        "good": {
            zone: [None if np.isnan(part) else part for part in row.tolist()] for zone, row in controller.good.items()
        },
        **controller.checkpoint(),
    }
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(told, file, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(controller: Controller, path: Path) -> bool:
    """Let a controller go on from its checkpoint; return whether there was one.

    Windows, rates, kills, known zones and what was good come back. So does a fall-back that only people may end; any
    other state is risen to anew.

    Raises:
        ConfigurationError: The file is no checkpoint. Delete it to start as if every window were full.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"checkpoint {path} is larger than {MOST_BYTES} bytes; delete it to start anew")
        told = json.loads(path.read_text(encoding="utf-8"))
        _apply(controller, told)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigurationError(f"checkpoint {path} cannot be read: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"checkpoint {path} cannot be used: {error!r}; delete it to start anew") from error
    return True


def _apply(controller: Controller, told: dict[str, Any]) -> None:
    if told["format"] != FORMAT:
        raise ValueError(f"format {told['format']!r}, this version reads {FORMAT}")
    now = controller.moments.monotonic_s(), controller.moments.unix_s()
    controller.guard.restore(told["shield"], *now)
    controller.known = tuple(str(zone) for zone in told["known"])
    controller.good = {
        str(zone): np.array([np.nan if part is None else float(part) for part in row])
        for zone, row in told["good"].items()
    }
    state = told["state"]
    if state["reason"] in STICKY and state["mode"] == "fallback" and state["risen"] in MODES:
        controller.state = State("fallback", state["risen"], state["reason"])
