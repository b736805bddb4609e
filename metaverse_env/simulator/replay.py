"""Users from a trace instead of a generator: one zone per column, one sample per tick, episodes inside segments only."""

import numpy as np

from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.kernel import Replay
from metaverse_env.traces import Trace
from metaverse_env.units import SECONDS_PER_DAY, SECONDS_PER_WEEK

Array = np.ndarray

_MONDAY_OFFSET_S = 3 * SECONDS_PER_DAY
"""The Unix epoch was a Thursday; the week of this package starts on Monday."""

NO_REPLAY = Replay(users=np.zeros((0, 0), dtype=np.float32), time_s=np.zeros(0))
NO_STARTS: Array = np.zeros(0, dtype=np.int64)


def replay_trace(scenario: Scenario, trace: Trace) -> tuple[Scenario, Replay, Array, Array]:
    """Fit a scenario to a trace.

    Users are exogenous: nobody migrates, and latency drives nobody away.

    Returns:
        The scenario with the trace's zones; its users ``[T, Z]`` and times within the week; the rows ``[M]`` at which an
        episode can start; the mean users ``[Z]``, at least one.

    Raises:
        TraceError: No stretch without a gap is as long as an episode.
        ConfigurationError: The scenario has one zone and the trace has more.
    """
    count = len(trace.names)
    if scenario.layout.zones == 1 and count > 1:
        raise ConfigurationError(
            f"the scenario {scenario.name!r} has one zone and the trace has {count} ({', '.join(trace.names)}); "
            f"use a scenario of several zones, or trace.select(NAME)"
        )
    layout = scenario.layout.model_copy(update={"zones": count, "names": trace.names, "topology": "ring"})
    workload = scenario.workload.model_copy(update={"migration_per_h": 0.0, "qoe_churn": 0.0})
    starts = trace.episode_starts(scenario.episode_ticks + 1)
    time_s = (trace.times_s + _MONDAY_OFFSET_S) % SECONDS_PER_WEEK
    replay = Replay(users=np.ascontiguousarray(trace.users, dtype=np.float32), time_s=time_s.astype(np.float64))
    mean_users = np.maximum(trace.users.mean(axis=0), 1.0)
    return (
        scenario.with_changes(layout=layout, workload=workload),
        replay,
        np.asarray(starts, dtype=np.int64),
        mean_users,
    )
