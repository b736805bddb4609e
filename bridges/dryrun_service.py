"""What serves the zones of a cluster in memory: the project's own physics, driven by a clock."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bridges.contracts import Amounts, Clock, Reading, Readings, Workload
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command
from metaverse_env.units import BANDWIDTH, CPU, MEMORY

Array = np.ndarray

MOST_TICKS: Final = 100_000
"""After a longer pause time goes on from the present: a clock that jumps does not stop the program."""
_SAME: Final = 1e-3
_COLUMNS: Final = {
    "users": ("users", None),
    "cpu_cores": ("usage", CPU),
    "memory_mb": ("usage", MEMORY),
    "bandwidth_mbps": ("usage", BANDWIDTH),
    "latency_p50_ms": ("latency_p50_ms", None),
    "latency_ms": ("latency_ms", None),
    "latency_p99_ms": ("latency_p99_ms", None),
}


class Service:
    """Lets the ticks pass that a clock says have passed.

    Args:
        scenario: Who comes, what they need and how they are served.
        clock: What time it is.
        seed: Of the users.
    """

    def __init__(self, scenario: Scenario, clock: Clock, seed: int) -> None:
        self._world, self._clock = SimulatedWorld(scenario), clock
        self.zones = self._world.zones
        self.telemetry = self._world.reset(seeds=[seed]).zones[0]
        self.outcome: Array | None = None
        self._last_s = clock.monotonic_s()
        self.killed_s: dict[str, float] = {}

    @property
    def scenario(self) -> Scenario:
        """Of the physics."""
        return self._world.scenario

    @property
    def node_capacity(self) -> Array:
        """``float32 [N, 3]``."""
        capacity: Array = self._world.constants.node_capacity
        return capacity

    def catch_up(self, goals: Mapping[str, tuple[Amounts, float, float]]) -> None:
        """Let the ticks pass that are over.

        Args:
            goals: Zone to what it is given together (cores, MB), its egress, Mbps, and the share it hands over. A zone
                that is not named keeps what it had.
        """
        command = self._command(goals)
        due = int((self._clock.monotonic_s() - self._last_s) // self.scenario.tick_s)
        for _ in range(min(due, MOST_TICKS)):
            tick = self._world.step(command)
            self.telemetry, self.outcome = tick.telemetry.zones[0], tick.outcome.zones[0]
            self._note_kills()
        self._last_s += due * self.scenario.tick_s

    def _command(self, goals: Mapping[str, tuple[Amounts, float, float]]) -> Command:
        command = Command.of(self.telemetry["pending"][None], self.telemetry["handover"][None])
        for index, zone in enumerate(self.zones.names):
            if zone in goals:
                amounts, mbps, handover = goals[zone]
                command.allocation[0, index] = amounts.cpu_cores, amounts.memory_mb, mbps
                command.handover[0, index] = handover
        return command

    def _note_kills(self) -> None:
        for index in np.flatnonzero(self.outcome["out_of_memory"]) if self.outcome is not None else ():
            self.killed_s[self.zones.names[index]] = self._clock.unix_s()

    def in_effect(self, zone: str, amounts: Amounts, mbps: float) -> bool:
        """Tell whether a zone has what it is given together, as far as limits of the scenario allow."""
        least, most = self.scenario.actuation.allocation_min, self.scenario.actuation.allocation_max
        goal = np.clip(np.array([amounts.cpu_cores, amounts.memory_mb, mbps], dtype=float), least, most)
        return bool(np.allclose(self.telemetry["allocation"][self.zones.index(zone)], goal, rtol=_SAME))

    def measured(self, zone: str) -> dict[str, Reading]:
        """Return what is known of a zone."""
        row = self.telemetry[self.zones.index(zone)]
        age_s = float(row["age_s"]) + self._clock.monotonic_s() - self._last_s
        quality: Any = ("fresh", "") if row["observed"] else ("stale", "NoNewSample")
        return {
            name: Reading(float(row[column] if place is None else row[column][place]), age_s, *quality)
            for name, (column, place) in _COLUMNS.items()
        } | self._violations(zone, age_s)

    def _violations(self, zone: str, age_s: float) -> dict[str, Reading]:
        """Return the share of users above the objective in the last tick, once there was one with users."""
        if self.outcome is None:
            return {}
        row = self.outcome[self.zones.index(zone)]
        present = float(row["users"]) * self.scenario.tick_s
        share = float(row["violated_user_s"]) / present if present > 0.0 else 0.0
        return {"violated_share": Reading(min(share, 1.0), age_s, "fresh")}


class DryRunTelemetry:
    """What a cluster in memory measures of itself: a :class:`~bridges.contracts.TelemetrySource`.

    Args:
        cluster: The :class:`~bridges.dryrun.DryRunCluster`.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    def read(self, workloads: Sequence[Workload]) -> Readings:
        """Return what is known now."""
        self._cluster.catch_up()
        return {workload.zone: self._of(workload.zone) for workload in workloads}

    def _of(self, zone: str) -> dict[str, Reading]:
        faults, measured = self._cluster.faults, self._cluster.service.measured
        if zone not in self._cluster.deployments or zone in faults.silent:
            return dict.fromkeys((*_COLUMNS, "violated_share"), Reading(None, None, "missing", "NoSamples"))
        if zone in faults.zeros:
            return {name: reading._replace(value=0.0) for name, reading in measured(zone).items()}
        readings: dict[str, Reading] = measured(zone)
        return readings
