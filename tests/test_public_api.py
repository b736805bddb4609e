"""The public surface: pinned names, and an import that is light."""

import json
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import pytest

import metaverse_env

ROOT = Path(__file__).parents[1]
NAMES = [
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
HEAVY = ("torch", "numba", "onnxruntime", "pygame", "pydantic", "matplotlib", "transformers", "pettingzoo")
LONGEST_IMPORT_S = 0.7


def test_names_are_pinned() -> None:
    assert metaverse_env.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(metaverse_env, name)
    assert isinstance(value, str | dict) or value.__doc__


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'metaverse_env' has no attribute 'World_'"):
        _ = metaverse_env.World_


def test_ids_are_registered_with_a_native_vector() -> None:
    ids = {name: spec for name, spec in gym.registry.items() if name.startswith("Metaverse/")}
    assert set(ids) == {"Metaverse/SingleZone-v0", "Metaverse/MultiZone-v0", "Metaverse/Complex-v0"}
    assert all(spec.vector_entry_point for spec in ids.values())


def imported_after(statement: str) -> tuple[float, list[str]]:
    """Return the seconds that a statement takes in a new interpreter, and the heavy packages it has loaded."""
    program = (
        f"import sys, time, json; start = time.perf_counter(); {statement}; took = time.perf_counter() - start;"
        f"print(json.dumps([took, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    took_s, heavy = json.loads(answer.stdout)
    return took_s, heavy


def test_the_import_is_light_and_fast() -> None:
    runs = []
    for _ in range(3):  # the machine may be busy; what counts is what it takes at best
        took_s, heavy = imported_after("import metaverse_env")
        assert heavy == []
        runs.append(took_s)
        time.sleep(0.1)
    assert min(runs) < LONGEST_IMPORT_S


def test_an_environment_without_forecasts_needs_no_network() -> None:
    _, heavy = imported_after(
        "import gymnasium, metaverse_env;"
        "gymnasium.make('Metaverse/SingleZone-v0', dynamics='physics', forecaster='none').reset(seed=0)"
    )
    assert not {"torch", "onnxruntime", "pygame", "pettingzoo", "matplotlib"} & set(heavy)


def test_dir_lists_what_completion_should_offer() -> None:
    assert set(NAMES) <= set(dir(metaverse_env))
