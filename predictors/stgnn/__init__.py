"""The spatio-temporal graph networks: a forecaster, and dynamics that stand in for the physics.

Running them needs ONNX Runtime only; training them needs torch and torch-geometric.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from predictors.stgnn.runtime import StgnnDynamics, StgnnForecaster


def load_default(stem: "str | Path | None" = None) -> "StgnnForecaster":
    """Return the forecaster that ``forecaster="stgnn"`` means, or the one whose files start with ``stem``.

    Raises:
        CheckpointError: The files do not fit this version, or each other.
    """
    from predictors.stgnn.runtime import StgnnForecaster

    return StgnnForecaster() if stem is None else StgnnForecaster(Path(stem))


def load_dynamics(stem: "str | Path | None" = None) -> "StgnnDynamics":
    """Return the dynamics that ``dynamics="stgnn"`` means, or the one whose files start with ``stem``.

    Raises:
        CheckpointError: The files do not fit this version, or each other.
    """
    from predictors.stgnn.runtime import StgnnDynamics

    return StgnnDynamics() if stem is None else StgnnDynamics(Path(stem))
