"""What every test may use: the assets, and how properties are searched.

Real recordings, reference vectors and a real cluster's programs are too large to stand beside the code. A test that
needs them takes the fixture ``assets``, and is skipped where they are not, except where skipping is forbidden.
"""

import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from metaverse_env.simulator.stock import Stock
from tests.absent import unavailable

# Whoever starts the tests in the background may let them ignore Ctrl-C, and programs that tests start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

NO_ASSETS = "set METAVERSE_TEST_ASSETS to the folder with kube/ vectors/ traces/ samples/"


@pytest.fixture(scope="session")
def assets() -> Path:
    """Return the folder of the assets; skip without it, or fail where METAVERSE_NO_SKIP=1."""
    folder = os.environ.get("METAVERSE_TEST_ASSETS", "")
    if folder and Path(folder).is_dir():
        return Path(folder)
    return unavailable(NO_ASSETS)


@pytest.fixture(scope="session")
def trace_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the paths of a trace of one zone and of one of three, 400 samples of 15 s each."""
    folder, paths = tmp_path_factory.mktemp("traces"), {}
    for name, zones in (("single", ["plaza"]), ("multi", ["plaza", "arena", "market"])):
        rows = [f"time,{','.join(zones)}"]
        for row in range(400):
            users = (round(40 + 30 * math.sin(row / 40 + zone)) for zone in range(len(zones)))
            rows.append(f"{1_700_000_000 + 15 * row},{','.join(map(str, users))}")
        paths[name] = str(folder / f"{name}.csv")
        Path(paths[name]).write_text("\n".join(rows), encoding="utf-8")
    return paths


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes all memory that is handed out from then on full of NaN: nothing may read before it wrote."""
    take = Stock.take

    def poisoned(stock: Stock, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        arrays = take(stock, shape)
        for array in arrays:
            array.view(np.uint8)[...] = 0xFF  # NaN in every float
        return arrays

    return lambda: monkeypatch.setattr(Stock, "take", poisoned)
