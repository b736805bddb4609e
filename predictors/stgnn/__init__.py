"""The spatio-temporal graph networks: a forecaster, and dynamics that stand in for the physics.

Running them needs ONNX Runtime only; training them needs torch and torch-geometric.
"""

from functools import partial

from predictors.stgnn.card import WEIGHTS
from predictors.stgnn.dynamics.runtime import StgnnDynamics
from predictors.stgnn.runtime import StgnnForecaster

load_default = StgnnForecaster
"""What ``forecaster="stgnn"`` means."""

load_without_intents = partial(StgnnForecaster, WEIGHTS / "stgnn_forecaster_without_intents", intents=False)
"""What ``forecaster="stgnn_without_intents"`` means: the same network, trained without what users announce."""

load_dynamics = StgnnDynamics
"""What ``dynamics="stgnn"`` means."""

__all__ = ["StgnnDynamics", "StgnnForecaster", "load_default", "load_dynamics", "load_without_intents"]
