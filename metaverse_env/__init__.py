"""Metaverse zones as reinforcement-learning environments.

>>> import gymnasium as gym
>>> import metaverse_env
>>> env = gym.make("Metaverse/MultiZone-v0", dynamics="physics", forecaster="none")
>>> observation, info = env.reset(seed=0)
>>> observation.shape
(635,)

Importing registers the ids and loads nothing heavy; Numba, ONNX Runtime and the simulator come with the first
environment.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register

if TYPE_CHECKING:
    from metaverse_env.contracts import Encoded, Encoder, Policy, Predictor, View, World
    from metaverse_env.envs.parallel import env, parallel_env
    from metaverse_env.errors import MetaverseError
    from metaverse_env.panels import Panel, load_panel, save_panel
    from metaverse_env.scenario import SCENARIOS, Scenario, load_scenario
    from metaverse_env.simulator.dynamics import Dynamics
    from metaverse_env.simulator.world import SimulatedWorld
    from metaverse_env.telemetry import Command, Forecast, Outcome, Telemetry, Tick
    from metaverse_env.traces import Trace, load_trace
    from metaverse_env.wrapping import WorldWrapper

__version__ = "0.1.0"

_HOMES = {
    "Command": "metaverse_env.telemetry",
    "Dynamics": "metaverse_env.simulator.dynamics",
    "Encoded": "metaverse_env.contracts",
    "Encoder": "metaverse_env.contracts",
    "Forecast": "metaverse_env.telemetry",
    "MetaverseError": "metaverse_env.errors",
    "Outcome": "metaverse_env.telemetry",
    "Panel": "metaverse_env.panels",
    "Policy": "metaverse_env.contracts",
    "Predictor": "metaverse_env.contracts",
    "SCENARIOS": "metaverse_env.scenario",
    "Scenario": "metaverse_env.scenario",
    "SimulatedWorld": "metaverse_env.simulator.world",
    "Telemetry": "metaverse_env.telemetry",
    "Tick": "metaverse_env.telemetry",
    "Trace": "metaverse_env.traces",
    "View": "metaverse_env.contracts",
    "World": "metaverse_env.contracts",
    "WorldWrapper": "metaverse_env.wrapping",
    "env": "metaverse_env.envs.parallel",
    "load_panel": "metaverse_env.panels",
    "load_scenario": "metaverse_env.scenario",
    "load_trace": "metaverse_env.traces",
    "parallel_env": "metaverse_env.envs.parallel",
    "save_panel": "metaverse_env.panels",
}

__all__ = [
    "SCENARIOS",
    "Command",
    "Dynamics",
    "Encoded",
    "Encoder",
    "Forecast",
    "MetaverseError",
    "Outcome",
    "Panel",
    "Policy",
    "Predictor",
    "Scenario",
    "SimulatedWorld",
    "Telemetry",
    "Tick",
    "Trace",
    "View",
    "World",
    "WorldWrapper",
    "__version__",
    "env",
    "load_panel",
    "load_scenario",
    "load_trace",
    "parallel_env",
    "save_panel",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Name what can be loaded, for completion."""
    return sorted(__all__)


for _id, _single, _vector in (
    ("SingleZone", "single_zone:SingleZoneEnv", "single_zone"),
    ("MultiZone", "multi_zone:MultiZoneEnv", "multi_zone"),
    ("Complex", "multi_zone:ComplexEnv", "complex_zones"),
):
    register(
        id=f"Metaverse/{_id}-v0",
        entry_point=f"metaverse_env.envs.{_single}",
        vector_entry_point=f"metaverse_env.envs.vector:{_vector}",
        order_enforce=False,  # the environment does it itself, and can say more
    )
