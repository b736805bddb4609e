"""Recordings as files."""

import json
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

import metaverse_env
from metaverse_env.errors import ConfigurationError, MetaverseError
from metaverse_env.recording.episode import LAYOUT, Origin, Recording
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.injecting import Injection

Array = np.ndarray

FORMAT: Final = 1
"""Version of the file's layout."""
MAX_BYTES: Final = 2 << 30
"""A recording that unpacks to more is refused unread: a day of 100 zones takes a quarter of it."""
DAMAGED: Final = (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile, zlib.error)
"""What reading and taking apart a file that is damaged, or is something else, can raise."""


def save_recording(recording: Recording, path: str | Path) -> Path:
    """Write a recording; its folder is made.

    Raises:
        ConfigurationError: It cannot be written.
    """
    path = Path(path)
    arrays = {name: getattr(recording, name) for name in LAYOUT}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(file, about=np.array(json.dumps(_about(recording))), **arrays)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot write the recording: {error.strerror or error}") from error
    return path


def _about(recording: Recording) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": metaverse_env.__version__,
        "seeds": recording.seeds,
        "origin": asdict(recording.origin),
        "zone_names": recording.zone_names,
        "scenario": recording.scenario.model_dump(mode="json"),
    }


def load_recording(path: str | Path) -> Recording:
    """Read a file that :func:`save_recording` wrote.

    Raises:
        ConfigurationError: It cannot be read, is no recording, is of another format, or its arrays do not fit.
        ScenarioError: Its scenario is not valid.
    """
    path = Path(path)
    if not path.exists():
        raise ConfigurationError(
            f"{path}: there is no such file; --keep of metaverse live and the demo write recordings"
        )
    try:
        about, arrays = _read(path)
        _check_layout(path, about, arrays)
        scenario = Scenario.model_validate(about["scenario"])
        names, told = tuple(about["zone_names"]), about["origin"]
        injections = tuple(Injection(**one) for one in told.get("injections", ()))
        origin = Origin(**{**told, "injections": injections})
        return Recording(scenario, tuple(about["seeds"]), origin, names, **arrays)
    except MetaverseError:
        raise
    except DAMAGED as error:
        raise ConfigurationError(f"{path}: is no recording that can be read: {error}") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    with zipfile.ZipFile(path) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > MAX_BYTES:
        raise ValueError(f"it unpacks to {size} bytes; at most {MAX_BYTES} are read")
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"][()]))
        return about, {name: file[name].astype(layout) for name, layout in LAYOUT.items()}


def _check_layout(path: Path, about: dict[str, Any], arrays: dict[str, Array]) -> None:
    if about.get("format") != FORMAT:
        raise ConfigurationError(f"{path}: has format {about.get('format')}, and this version reads format {FORMAT}")
    ticks, shape = len(arrays["commands"]), (len(about["seeds"]), len(about["zone_names"]))
    for name, array in arrays.items():
        wanted = (
            ticks + (name in ("telemetry", "weather")),
            *shape[: 1 if name in ("weather", "world_rewards") else 2],
        )
        if array.shape != wanted:
            raise ConfigurationError(f"{path}: {name} has shape {array.shape}, expected {wanted}; the file is damaged")
