"""A scenario as the compiled physics reads it: every number under its own name, times turned into per-tick factors.

``Rules`` holds each scalar and short tuple of the scenario under the name of its field, so a constant has one name from
the TOML file down to the formula. What is derived from several of them stands in :func:`_derived`, once.
"""

from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from metaverse_env.scenario.infrastructure import ServiceSpec
from metaverse_env.scenario.root import Scenario
from metaverse_env.scenario.workload import Activity
from metaverse_env.simulator.intents import load_bank
from metaverse_env.simulator.request_server import load_request_surface
from metaverse_env.simulator.tick_surface import axis_of, load_tick_surface
from metaverse_env.simulator.zone_constants import zone_constants
from metaverse_env.units import HOURS_PER_WEEK, MB_PER_GB, MS_PER_S, SECONDS_PER_DAY, SECONDS_PER_HOUR
from metaverse_env.zones import ZoneGraph, build_graph

Array = np.ndarray

_GROUPS = ("workload", "intents", "demand", "service", "actuation", "monitoring", "cost", "disturbances")
_TABLES = ("factors", "handover_shares")
"""Lists of any length: as part of the rules, their length would ask for another compilation."""
EDGE = np.dtype([("zone", "i4"), ("weight", "f4"), ("extra_rtt_ms", "f4"), ("travel_ticks", "i4")], align=True)


class Constants(NamedTuple):
    """Everything that never changes during a simulation.

    Attributes:
        rules: Record ``[1]``: the scenario's constants by name.
        zones: Record ``[Z]`` of :data:`~metaverse_env.simulator.records.ZONE_CONSTANTS`.
        log_rate: ``float32 [169, Z]``, log of arrivals per second at each hour of the week (the last is the first).
        activities: Record ``[K]``, the scenario's activities; ``time_odds`` is the cumulative share of time in them.
        activity_odds: ``float32 [K]``, cumulative probability of coming next.
        edges: Record ``[Z, D]`` of :data:`EDGE`; zone -1 pads.
        node_capacity: ``float32 [N, 3]``.
        rho_axis, threads_axis, surface: The latency table of the tick model or the quota model, ms; the second axis of
            the latter is the binary logarithm of a pod's demand.
        bank: ``float32 [M, K, S, E]``, the intents that users can show.
    """

    rules: Array
    zones: Array
    log_rate: Array
    activities: Array
    activity_odds: Array
    edges: Array
    node_capacity: Array
    rho_axis: Array
    threads_axis: Array
    surface: Array
    bank: Array


def build_constants(
    scenario: Scenario,
    graph: ZoneGraph | None = None,
    mean_users: Array | None = None,
    peak_demand: Array | None = None,
) -> Constants:
    """Pack a scenario.

    Args:
        scenario: What to pack.
        graph: Its zones; built from the scenario when absent.
        mean_users: ``[Z]`` mean users of each zone, when a trace says so and not the scenario.
        peak_demand: ``[Z, 3]`` largest demand that a trace has, NaN where the formulas say it.

    Raises:
        ConfigurationError: The bank of intents lacks an activity of the scenario.
    """
    graph = graph or build_graph(scenario)
    rules = _rules(scenario)
    zones = zone_constants(scenario, graph, rules, mean_users, peak_demand)
    service = scenario.service
    surface = _surface(service)
    names = [activity.name for activity in scenario.intents.activities]
    weights = np.array([activity.weight for activity in scenario.intents.activities])
    return Constants(
        rules=rules,
        zones=zones,
        log_rate=_log_rate(scenario, zones["mean_users"]),
        activities=_activities(scenario),
        activity_odds=np.cumsum(weights / weights.sum()).astype(np.float32),
        edges=_edges(graph),
        node_capacity=_node_capacity(scenario, graph, zones),
        rho_axis=surface.rho_axis,
        threads_axis=surface.threads_axis,
        surface=surface.latency_ms,
        bank=load_bank(scenario.intents.bank, names).vectors,
    )


class _Surface(NamedTuple):
    rho_axis: Array
    threads_axis: Array
    latency_ms: Array


def _surface(service: ServiceSpec) -> _Surface:
    """Return the table of the scenario's service model."""
    if service.model == "quota":
        cvs = service.request_arrival_cv, service.request_service_cv
        table = load_request_surface(service.request_service_ms, *cvs, service.server_threads, service.cfs_period_ms)
        return _Surface(axis_of(table.rho_grid), axis_of(table.log_demand_grid), table.latency_ms)
    frames = load_tick_surface(service.server_tick_hz, service.server_cv, service.cfs_period_ms)
    return _Surface(axis_of(frames.rho_grid), axis_of(frames.threads_utilisation_grid), frames.latency_ms)


def _rules(scenario: Scenario) -> Array:
    """Flatten the scenario's numbers into one record, field names kept."""
    values: dict[str, Any] = {"tick_s": scenario.tick_s}
    for group in _GROUPS:
        for name, value in getattr(scenario, group):
            if name not in _TABLES and _is_number_or_triple(value):
                values[name] = value
    values |= _derived(scenario)
    dtype = np.dtype([(name, "f8", np.shape(value)) for name, value in values.items()])
    record = np.zeros(1, dtype=dtype)
    for name, value in values.items():
        record[name] = value
    return record


def _is_number_or_triple(value: object) -> bool:
    """Tell what has a fixed size; lists of activities or factors have their own tables."""
    if isinstance(value, tuple):
        return len(value) in (2, 3) and all(isinstance(item, float | int) for item in value)
    return isinstance(value, float | int) and not isinstance(value, bool | BaseModel)


def _derived(scenario: Scenario) -> dict[str, Any]:
    """Return per-tick factors and choices as numbers."""
    tick, workload, service, actuation = scenario.tick_s, scenario.workload, scenario.service, scenario.actuation
    keeps = {
        "ou_shared": np.exp(-tick / workload.shared_ou_tau_s),
        "ou_own": np.exp(-tick / workload.own_ou_tau_s),
        "noise": scenario.demand.noise_autocorrelation_1min ** (tick / 60.0),
    }
    short_share = hyperexponential(workload.session_mean_s, workload.session_scv)[0]
    return {
        "ticks_per_s": 1.0 / tick,  # a division takes as long as ten multiplications
        "short_share": short_share,
        "move_hazard": workload.migration_per_h * tick / SECONDS_PER_HOUR,
        "noise_sigma": np.sqrt(np.log1p(np.square(scenario.demand.noise_cv))),
        **{f"{name}_keep": keep for name, keep in keeps.items()},
        **{f"{name}_gain": np.sqrt(1.0 - keep * keep) for name, keep in keeps.items()},
        "blend_gain": 1.0 - np.exp(-tick / scenario.intents.blend_s),
        "memory_up_gain": 1.0 - np.exp(-tick / scenario.demand.memory_up_s),
        "memory_down_gain": 1.0 - np.exp(-tick / scenario.demand.memory_down_s),
        "frame_ms": MS_PER_S / service.server_tick_hz,
        "request_model": float(service.model == "request"),
        "quota_model": float(service.model == "quota"),
        "rollout_mode": float(actuation.mode == "rollout" or scenario.scaling == "horizontal"),
        "horizontal": float(scenario.scaling == "horizontal"),
        "price_eur_per_s": np.array(
            [
                scenario.cost.cpu_eur_per_core_h,
                scenario.cost.memory_eur_per_gb_h / MB_PER_GB,
                scenario.cost.bandwidth_eur_per_mbps_h,
            ]
        )
        / SECONDS_PER_HOUR,
    }


def hyperexponential(mean_s: float, scv: float) -> tuple[float, float, float]:
    """Fit a two-phase hyperexponential with balanced means to a mean and squared coefficient of variation.

    Returns:
        Probability of the short phase, its rate and the long phase's rate, 1/s. [V] Tijms, *Stochastic Models*, 1994.
    """
    share = 0.5 * (1.0 + np.sqrt((scv - 1.0) / (scv + 1.0)))
    return float(share), float(2.0 * share / mean_s), float(2.0 * (1.0 - share) / mean_s)


def _log_rate(scenario: Scenario, mean_users: Array) -> Array:
    """Return the log of arrivals per second at each hour of the week; its exponential averages to the mean rate."""
    workload, hours = scenario.workload, np.arange(HOURS_PER_WEEK)
    random = np.random.default_rng([scenario.layout.seed, 3])
    spread = workload.phase_spread_h
    peak_hour = workload.peak_hour + random.uniform(-spread / 2, spread / 2, size=len(mean_users))
    swing = 0.5 * np.log(workload.week_peak_to_trough)
    day = swing * np.cos(2 * np.pi * (hours - peak_hour[:, None]) / 24.0)
    weekend = np.where(hours // 24 >= 5, np.log(workload.weekend_factor), 0.0)  # the week starts on Monday
    curve = day + weekend
    curve -= np.log(np.exp(curve).mean(axis=1, keepdims=True))
    rate = np.log(mean_users / (workload.session_mean_s * _activity_gain(scenario.intents.activities)))
    log_rate = curve + rate[:, None]
    return np.ascontiguousarray(np.concatenate([log_rate, log_rate[:, :1]], axis=1).T, dtype=np.float32)


def _activity_gain(activities: tuple[Activity, ...]) -> float:
    """Return by how much activities raise the mean population: attraction x stay, weighted by time spent."""
    gain = np.array([activity.attraction * activity.session for activity in activities])
    return float(time_shares(activities) @ gain)


def time_shares(activities: tuple[Activity, ...]) -> Array:
    """Return the share of time ``[K]`` that a zone spends in each activity.

    None follows itself, and the others follow in proportion to their weights w: so each is entered in proportion to
    ``w (1 - w)``, as ``sum over i != j of w_i (1 - w_i) w_j / (1 - w_i) = w_j (1 - w_j)``.
    """
    weight = np.array([activity.weight for activity in activities])
    weight /= weight.sum()
    time = weight * (1.0 - weight) * np.array([activity.duration_s for activity in activities])
    return time / time.sum()


def _activities(scenario: Scenario) -> Array:
    """Return their numbers by name, ``time_odds``, the cumulative share of time spent in them, and ``leave_rate``.

    The latter holds the rates, 1/s, at which short and long sessions end in each.
    """
    activities, workload = scenario.intents.activities, scenario.workload
    numbers = [name for name in Activity.model_fields if name != "name"]
    fields = [*((name, "f8") for name in (*numbers, "time_odds")), ("leave_rate", "f8", (2,))]
    records = np.zeros(len(activities), dtype=np.dtype(fields))
    for name in numbers:
        records[name] = [getattr(activity, name) for activity in activities]
    records["time_odds"] = np.cumsum(time_shares(activities))
    rates = hyperexponential(workload.session_mean_s, workload.session_scv)[1:]
    records["leave_rate"] = np.array(rates) / records["session"][:, None]
    return records


def _edges(graph: ZoneGraph) -> Array:
    edges = np.zeros(graph.neighbours.shape, dtype=EDGE)
    edges["zone"], edges["weight"] = graph.neighbours, graph.weights
    edges["extra_rtt_ms"], edges["travel_ticks"] = graph.extra_rtt_ms, graph.travel_ticks
    return edges


def _node_capacity(scenario: Scenario, graph: ZoneGraph, zones: Array) -> Array:
    capacity = np.zeros((graph.nodes, 3), dtype=np.float32)
    np.add.at(capacity, graph.node, zones["peak_allocation"] * scenario.layout.node_headroom)
    return capacity


def event_chance_per_tick(per_day: float, tick_s: float) -> float:
    """Return the probability that a Poisson event of the given daily rate falls into one tick."""
    return float(-np.expm1(-per_day * tick_s / SECONDS_PER_DAY))
