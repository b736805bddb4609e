"""From records to a :class:`~metaverse_env.rendering.snapshot.Snapshot`: what a picture of world 0 shows.

Where the truth of a tick is known (a simulation's outcome) it is shown, since the picture is for people; the measured
value stands in where it is not, as on a cluster. Utilisation is always the measured one: what the controller sees.
"""

from typing import Any

import numpy as np

from metaverse_env.contracts import View
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.history import HISTORY_FEATURES
from metaverse_env.rendering.snapshot import CROWDED, Money, Snapshot, Trail, Wish, ZoneSnapshot
from metaverse_env.rendering.surroundings import read_flows, read_nodes, read_served
from metaverse_env.reward import Reward
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.events import ONSET
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Forecast, Outcome
from metaverse_env.units import BANDWIDTH, CPU, LATENCY, MEMORY
from metaverse_env.wrapping import simulated
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

_ALLOCATED = slice(
    HISTORY_FEATURES.index("allocated_cpu_cores"), HISTORY_FEATURES.index("allocated_bandwidth_mbps") + 1
)


def read_shell(shell: Shell, step: Step | None, trail: Trail) -> Snapshot:
    """Read world 0 of a shell after ``step``, or after its reset when there was none.

    Raises:
        LifecycleError: Before the first reset.
    """
    outcome, reward = (None, None) if step is None else (step.tick.outcome, step.reward)
    inside = simulated(shell.world)
    graph, scenario = shell.world.zones, shell.scenario
    return read_snapshot(shell.view, outcome, reward, graph, scenario, trail, _kind(shell), inside)


def read_snapshot(
    view: View,
    outcome: Outcome | None,
    reward: Reward | None,
    graph: ZoneGraph,
    scenario: Scenario,
    trail: Trail,
    kind: str = "",
    inside: SimulatedWorld | None = None,
) -> Snapshot:
    """Read world 0.

    Args:
        view: Telemetry and forecast.
        outcome: What truly happened in the tick, if that is known.
        reward: What it was worth, if that is known.
        graph: Names of the zones.
        scenario: Its name and activities.
        trail: The episode so far, this tick included.
        kind: What moves the world and what is believed of it, in words.
        inside: The simulation, which knows what no telemetry tells: who is on the way, and how nodes are.
    """
    columns = _columns(view, outcome, graph, scenario, trail, inside)
    zones = tuple(ZoneSnapshot(*values) for values in zip(*columns, strict=True))
    nodes = read_nodes(view.telemetry, graph, inside)
    flows = () if inside is None else read_flows(inside)
    time_s = float(view.telemetry.weather["time_s"][0])
    seen = trail.seeing(zones, nodes, flows, time_s)
    return Snapshot(
        scenario=scenario.name,
        kind=kind,
        time_s=time_s,
        tick_s=scenario.tick_s,
        objective_ms=view.latency_objective_ms,
        ticks_ahead=() if view.forecast is None else view.forecast.ticks,
        zones=zones,
        money=None if reward is None else _money(reward.worlds[0]),
        trail=seen,
        activities=tuple(activity.name for activity in scenario.intents.activities) if outcome is not None else (),
        nodes=nodes,
        flows=flows,
        landed=seen.landed,
        served=() if inside is None else read_served(inside),
    )


def _columns(
    view: View,
    outcome: Outcome | None,
    graph: ZoneGraph,
    scenario: Scenario,
    trail: Trail,
    inside: SimulatedWorld | None,
) -> tuple[list[Any] | tuple[str, ...], ...]:
    """Return the values of every zone, in the order of :class:`ZoneSnapshot`'s fields."""
    seen = view.telemetry.zones[0]
    true = None if outcome is None else outcome.zones[0]
    stale_s = np.where(seen["observed"] > 0, 0.0, seen["age_s"])
    return (
        graph.names,
        (seen["users"] if true is None else true["users"] - np.nan_to_num(true["dropped"])).tolist(),
        (seen["latency_ms"] if true is None else true["felt_latency_ms"]).tolist(),
        _triples(seen["usage"]),
        _triples(seen["allocation"]),
        _triples(seen["pending"]),
        _triples(_change(view, true)),
        seen["handover"].tolist(),
        stale_s.tolist(),
        (seen["ready"] <= 0 if true is None else true["down"] > 0).tolist(),
        [False] * len(graph) if true is None else (true["out_of_memory"] > 0).tolist(),
        seen["restarts"].astype(int).tolist(),
        *_activities(true, scenario, len(graph)),
        _ahead(view.forecast, LATENCY, len(graph)),
        _ahead(view.forecast, CPU, len(graph)),
        graph.node.tolist(),
        *_movements(true, trail, len(graph)),
        [1.0] * len(graph) if inside is None else np.exp(inside.state.zones["event_level"][0]).tolist(),
        _ahead(view.forecast, MEMORY, len(graph)),
        _ahead(view.forecast, BANDWIDTH, len(graph)),
        [False] * len(graph) if inside is None else _crowds_to_come(inside.state.zones[0]),
    )


def _movements(true: Array | None, trail: Trail, zones: int) -> tuple[list[Any], ...]:
    """Return users a tick ago, arrived, left, moved in and moved out; without an outcome, the first as last shown."""
    if true is None or np.isnan(true["arrivals"]).any():  # a cluster does not count them
        known = trail.rows and trail.rows[-1].tick == trail.tick - 1 and len(trail.rows[-1].values) == zones
        before = trail.rows[-1].values[:, 0].tolist() if known else [None] * zones
        return before, *([0.0] * zones for _ in range(4))
    left = true["departures"] + true["dropped"]
    before = true["users"] - true["arrivals"] - true["moved_in"] + true["departures"] + true["moved_out"]
    columns = before, true["arrivals"], left, true["moved_in"], true["moved_out"]
    return tuple(column.tolist() for column in columns)


def _crowds_to_come(zones: Array) -> list[bool]:
    """Return in which zones an event that will draw noticeably more users still grows."""
    coming: list[bool] = ((zones["event_stage"] == ONSET) & (zones["event_peak"] >= np.log(CROWDED))).tolist()
    return coming


def _triples(values: Array) -> list[tuple[float, ...]]:
    return [tuple(row) for row in values.tolist()]


def _change(view: View, true: Array | None) -> Array:
    """Return what is asked over what was in effect a tick ago, ``[Z, 3]``; 1 in the first tick and without a change."""
    asked = view.telemetry.zones["pending"][0]
    before = view.history.values[-2, 0, :, _ALLOCATED]
    changed = before > 0.0 if true is None else (before > 0.0) & (true["changed"] > 0.0)[:, None]
    change: Array = np.divide(asked, before, out=np.ones(asked.shape, dtype=np.float32), where=changed)
    return change


def wishes_of(view: View, command: Command) -> tuple[Wish, ...]:
    """Return what a command for world 0 asks over what was asked for last, for each zone."""
    before, asked = view.telemetry.zones["pending"][0], command.allocation[0]
    change = np.divide(asked, before, out=np.ones(asked.shape, dtype=np.float32), where=before > 0.0)
    rows = zip(change.tolist(), command.handover[0].tolist(), strict=True)
    return tuple(Wish((cpu, memory, network), share) for (cpu, memory, network), share in rows)


def _activities(true: Array | None, scenario: Scenario, zones: int) -> tuple[list[str], list[str]]:
    """Return what users do and what they announce, where that is something else."""
    if true is None or np.isnan(true["activity"]).any():  # a cluster does not know
        return [""] * zones, [""] * zones
    names = [activity.name for activity in scenario.intents.activities]
    now, then = true["activity"].astype(int).tolist(), true["announced_activity"].astype(int).tolist()
    announced = [names[b] if a != b else "" for a, b in zip(now, then, strict=True)]
    return [names[index] for index in now], announced


def _ahead(forecast: Forecast | None, target: int, zones: int) -> list[tuple[tuple[float, ...], ...]]:
    """Return (median, p90) of one target at each tick ahead, for every zone."""
    if forecast is None:
        return [()] * zones
    rows = forecast.values[0, :, :, target, :2].tolist()
    return [tuple((median, p90) for median, p90 in row) for row in rows]


def _money(world: Any) -> Money:
    return Money(
        resource_eur_per_h=float(world["resource_eur_per_h"]),
        change_eur_per_h=float(world["change_eur_per_h"]),
        quality_eur_per_h=float(world["quality_eur_per_h"]),
        violated_share=float(world["violated_user_share"]),
        reward=float(world["reward"]),
    )


def _kind(shell: Shell) -> str:
    """Say what moves the world and what forecasts it, by the names of their classes."""
    world, forecaster = simulated(shell.world), shell.forecaster
    moved_by = shell.world if world is None else world.dynamics
    believed = "none" if forecaster is None else _words(forecaster, "Forecaster")
    replayed = "users of a trace, " if world is not None and world.replays else ""
    return f"{replayed}dynamics: {_words(moved_by, 'Dynamics')}, forecast: {believed}"


def _words(thing: object, ending: str) -> str:
    return type(thing).__name__.removesuffix(ending).lower()
