"""The memory of a simulation: structured arrays whose field names are the vocabulary of the physics.

A record array costs a compiled function one argument, however many fields it has, and reads like its formulas:
``zone.backlog_core_s``. State has one owner, :class:`~metaverse_env.simulator.world.SimulatedWorld`.
"""

from typing import Final

import numpy as np

from metaverse_env.scenario.root import MOST_METRIC_AGE_TICKS

MEASURED: Final = (
    "users",
    "cpu_cores",
    "memory_mb",
    "bandwidth_mbps",
    "latency_p50_ms",
    "latency_ms",
    "latency_p99_ms",
)
"""What is measured of a zone in a tick, in this order; read back later, aged."""

METRIC_DEPTH: Final = MOST_METRIC_AGE_TICKS + 1
"""Ticks of measurements kept, the present one included."""

ZONE_STATE: Final = np.dtype(
    [
        ("user_key", "u8"),  # of this tick; mixed once, drawn from many times
        ("noise_key", "u8"),
        # who is here, and what makes them stay or come
        ("users", "i4", (2,)),  # on short and on long sessions
        ("ou_own", "f4"),
        ("felt_latency_ms", "f4"),  # in the last tick; drives churn
        ("down_s", "f4"),
        ("outage_s", "f4"),
        # what they do
        ("activity", "i4"),
        ("activity_ticks", "i4"),  # until the next activity
        ("next_activity", "i4"),
        ("announced_activity", "i4"),
        ("lead_ticks", "i4"),  # how long before it the announcements start
        ("attraction", "f4"),  # of what they do
        ("event_stage", "i4"),  # 0 none, 1 onset, 2 peak, 3 decay
        ("event_level", "f4"),  # log of the arrival multiplier
        ("event_peak", "f4"),
        ("event_growth", "f4"),  # log growth per tick in the onset
        ("event_ticks", "i4"),  # left at the peak
        ("event_decay", "f4"),  # log-level kept per tick in the decay
        ("blend", "f4", (3,)),  # multipliers of demand per user, following the activity
        # what they need
        ("noise", "f4", (3,)),
        ("drift", "f4"),
        ("memory_mb", "f4"),
        # what serves them
        ("handover", "f4"),
        ("away", "f4"),  # share of the users that neighbours serve
        ("headroom", "f4"),  # observed: least share of a resource that is free; 0 while it does not serve
        ("current", "f4", (3,)),  # allocation in effect
        ("arriving", "f4", (3,)),  # allocation that is being put into effect
        ("wanted", "f4", (3,)),  # the latest command
        ("arrival_s", "f4"),  # until `arriving` is in effect; negative: nothing under way
        ("backlog_core_s", "f4"),
        ("healthy_s", "f4"),
        ("kills", "i4"),
        ("kills_total", "i4"),
        # what is known about them
        ("metric_age_s", "f4"),
        ("missing_ticks", "i4"),
        ("measured", "f4", (METRIC_DEPTH, len(MEASURED))),
        # the learned dynamics' correlated residuals, standard normal
        ("residual", "f4", (4,)),
    ],
    align=True,
)
"""In the order in which a tick reads them: what is used together shares a line of the cache."""

NODE_STATE: Final = np.dtype(
    [
        ("steal", "f4"),
        ("steal_ticks", "i4"),
        ("lost_s", "f4"),
        ("degraded_ticks", "i4"),
        ("degraded_rtt_ms", "f4"),
        ("scale", "f4", (3,)),  # share of the allocations that the node can give
        ("free", "f4", (3,)),  # share of its capacity that nobody has; negative when overcommitted
        ("memory_free_mb", "f4"),
        ("memory_asked_mb", "f4"),  # at the start, above the least
    ],
    align=True,
)

WORLD_STATE: Final = np.dtype(
    [
        ("seed", "u8"),
        ("noise_seed", "u8"),
        ("episode", "i8"),
        ("user_key", "u8"),
        ("noise_key", "u8"),
        ("tick", "i8"),
        ("time_s", "f8"),  # within the week, at the start of the tick to come
        ("trace_row", "i8"),
        ("ou_shared", "f4"),
        ("log_price", "f4"),
        # what arrivals share in this tick
        ("hour", "i4"),  # of the week
        ("hour_part", "f4"),  # of it that is over
        ("log_rate", "f4"),
    ],
    align=True,
)

ZONE_CONSTANTS: Final = np.dtype(
    [
        ("base_rtt_ms", "f4"),
        ("node", "i4"),
        ("mean_users", "f4"),
        ("peak_users", "f4"),
        ("peak_allocation", "f4", (3,)),
        ("peak_eur_per_h", "f4"),
    ],
    align=True,
)

TELEMETRY: Final = np.dtype(
    [
        ("users", "f4"),
        ("usage", "f4", (3,)),
        ("latency_p50_ms", "f4"),
        ("latency_ms", "f4"),
        ("latency_p99_ms", "f4"),
        ("age_s", "f4"),
        ("observed", "f4"),  # 1 if a new sample arrived in this tick
        ("allocation", "f4", (3,)),
        ("pending", "f4", (3,)),
        ("handover", "f4"),
        ("ready", "f4"),
        ("restarts", "f4"),
        ("node_free", "f4"),
        ("signals", "f4"),  # announcements encoded in this tick; 0 masks the intent
    ],
    align=True,
)

OUTCOME: Final = np.dtype(
    [
        ("users", "f4"),
        ("arrivals", "f4"),
        ("departures", "f4"),
        ("moved_in", "f4"),
        ("moved_out", "f4"),
        ("dropped", "f4"),
        ("activity", "f4"),
        ("announced_activity", "f4"),
        ("demand", "f4", (3,)),  # of the users at home here
        ("served", "f4", (3,)),  # demand that this zone serves: handed over included
        ("allocation", "f4", (3,)),  # what it had, weighted by time, after the node's limits
        ("charged", "f4", (3,)),  # what is paid for
        ("changed", "f4"),
        ("backlog_s", "f4"),
        ("time_dilation", "f4"),
        ("bandwidth_loss", "f4"),
        ("latency_p50_ms", "f4"),
        ("latency_ms", "f4"),
        ("latency_p99_ms", "f4"),
        ("felt_latency_ms", "f4"),  # p95 of the zone's own users, wherever they are served
        ("violated_user_s", "f4"),
        ("excess_user_ms", "f4"),  # users x latency above the objective
        ("down", "f4"),
        ("out_of_memory", "f4"),
    ],
    align=True,
)

REWARD: Final = np.dtype(
    [("resource_eur", "f4"), ("change_eur", "f4"), ("quality_eur", "f4"), ("local", "f4"), ("violated_share", "f4")],
    align=True,
)

WORLD_REWARD: Final = np.dtype(
    [
        ("reward", "f4"),
        ("resource_eur_per_h", "f4"),
        ("change_eur_per_h", "f4"),
        ("quality_eur_per_h", "f4"),
        ("fairness_penalty", "f4"),
        ("violated_user_share", "f4"),
        ("mean_latency_ms", "f4"),
        ("users", "f4"),
        ("changes", "f4"),
        ("out_of_memory_kills", "f4"),
    ],
    align=True,
)

WEATHER: Final = np.dtype([("time_s", "f8"), ("price_factor", "f4")], align=True)
"""What a whole world knows beside its zones: the time in the week and the price level."""

COMMAND: Final = np.dtype([("allocation", "f4", (3,)), ("handover", "f4")], align=True)
