"""Users, and recorded demand, from a trace: one zone per column, one sample per tick, episodes inside segments only."""

from typing import Final, NamedTuple

import numpy as np

from metaverse_env.errors import ConfigurationError, TraceError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.kernel import Replay
from metaverse_env.traces import Trace
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK

Array = np.ndarray

_MONDAY_OFFSET_S = 3 * SECONDS_PER_DAY
"""The Unix epoch was a Thursday; the week of this package starts on Monday."""
_SPARE_SAMPLES: Final = 2
"""Samples of an episode beside those of its ticks."""


class Fit(NamedTuple):
    """A scenario and the trace that says who is where in it."""

    scenario: Scenario | None
    """The scenario with the trace's zones."""
    replay: Replay
    """Users and recorded demand ``[T, Z, 1 or 4]``, and times within the week ``[T]``."""
    starts: Array
    """``int64 [M]``, rows at which an episode can start."""
    last_rows: Array
    """``int64 [T]``, the last row of each row's segment."""
    mean_users: Array | None
    """``[Z]``, at least one."""
    peak_demand: Array | None
    """``[Z, 3]`` largest recorded demand, NaN for a resource without; ``None`` if none was recorded."""


_NO_ROWS: Final = np.zeros(0, dtype=np.int64)
NO_FIT: Final = Fit(None, Replay(np.zeros((0, 0, 1), dtype=np.float32), np.zeros(0)), _NO_ROWS, _NO_ROWS, None, None)
"""Without a trace: users are simulated."""


def fit_to_trace(scenario: Scenario, trace: Trace) -> Fit:
    """Fit a scenario to a trace.

    Users are exogenous: nobody migrates, and latency drives nobody away. An episode needs one sample before its first
    tick, and one after its last: a vector environment lets one more tick pass before it starts a world anew.

    Raises:
        TraceError: No stretch without a gap is as long as an episode.
        ConfigurationError: The scenario has one zone and the trace has more.
    """
    _check_fits(scenario, trace)
    layout = scenario.layout.model_copy(update={"zones": len(trace.names), "names": trace.names, "topology": "ring"})
    workload = scenario.workload.model_copy(update={"migration_per_h": 0.0, "qoe_churn": 0.0})
    time_s = (trace.times_s + _MONDAY_OFFSET_S) % SECONDS_PER_WEEK
    return Fit(
        scenario.with_changes(layout=layout, workload=workload),
        Replay(_series(trace), time_s.astype(np.float64)),
        starts=trace.episode_starts(scenario.episode_ticks + _SPARE_SAMPLES),
        last_rows=np.concatenate([np.full(stop - start, stop - 1, dtype=np.int64) for start, stop in trace.segments]),
        mean_users=np.maximum(trace.users.mean(axis=0), 1.0),
        peak_demand=None if trace.demand is None else trace.demand.max(axis=0),
    )


def _series(trace: Trace) -> Array:
    """Return users, and recorded demand where there is any, ``float32 [T, Z, 1 or 4]``."""
    users = trace.users[..., None]
    series = users if trace.demand is None else np.concatenate([users, trace.demand], axis=-1)
    return np.ascontiguousarray(series, dtype=np.float32)


def _check_fits(scenario: Scenario, trace: Trace) -> None:
    count = len(trace.names)
    if scenario.layout.zones == 1 and count > 1:
        raise ConfigurationError(
            f"the scenario {scenario.name!r} has one zone and the trace has {count} ({', '.join(trace.names)}); "
            f"use a scenario of several zones, or trace.select(NAME)"
        )
    first, stop = trace.longest_segment
    longest = stop - first - _SPARE_SAMPLES
    if longest < scenario.episode_ticks:
        shorter = f"episode_ticks={longest} or less (max_episode_steps, counted outside, does not help), or "
        raise TraceError(
            f"an episode of {scenario.episode_ticks} ticks does not fit trace {trace.source}: its longest segment "
            f"without a gap has {stop - first} samples, enough for {max(longest, 0)} ticks. "
            f"Give {shorter if longest > 0 else ''}a trace with fewer gaps."
        )
