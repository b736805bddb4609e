"""A recording as a panel: what was observed, as forecasts are judged on it and as ``dynamics="trace"`` replays it."""

import numpy as np

from metaverse_env.panels import Panel
from metaverse_env.recording.episode import Recording
from metaverse_env.trace_panel import ALLOCATED, FIRST_MONDAY_S
from metaverse_env.units import RESOURCES
from metaverse_env.zones import build_graph

_FEATURES = ("users", *RESOURCES, "latency_ms", *ALLOCATED.values(), "age_s")


def panel_of(recording: Recording, world: int = 0) -> Panel:
    """Return the telemetry of one recorded world, as it was observed: aged, and masked where no new sample arrived.

    Args:
        recording: An episode of ``T`` ticks.
        world: Which of its worlds.

    Returns:
        A panel of ``T + 1`` samples, the first of which is what the reset showed. Times count on from the hour of the
        week at which the episode started, in the week of 1970-01-05.
    """
    zones, weather = recording.telemetry[:, world], recording.weather[:, world]
    columns = [zones["users"], *np.moveaxis(zones["usage"], -1, 0), zones["latency_ms"]]
    columns += [*np.moveaxis(zones["allocation"], -1, 0), zones["age_s"]]
    graph = build_graph(recording.scenario)
    return Panel(
        values=np.stack(columns, axis=-1).astype(np.float32),
        feature_names=_FEATURES,
        names=recording.zone_names,
        timestamps=FIRST_MONDAY_S + weather["time_s"][0] + recording.scenario.tick_s * np.arange(len(zones)),
        mask=zones["observed"] > 0,
        edge_index=graph.edge_index,
        edge_weight=graph.edge_weight,
        source=f"recording of {recording.origin.policy or 'a policy'}, world {world}",
    )
