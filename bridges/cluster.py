"""A cluster as a world: the same observation, action and reward as in a simulation, on Deployments.

::

    world = ClusterWorld(cluster, telemetry, clock=SystemClock())
    env = gym.make("Metaverse/MultiZone-v0", world=world)

It only looks unless it is told to act, and then nothing is written that a shield did not let through.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bridges.asking import changes_of
from bridges.assembling import Assembled, Before, assemble, nothing, outcome_of, weather_at
from bridges.clock import SystemClock
from bridges.contracts import Change, Clock, Cluster, Projection, Readings, Receipt, Snapshot, TelemetrySource
from bridges.layout import Neighbours, graph_of, scenario_of
from bridges.shield.guard import Guard
from metaverse_env.errors import ClusterError, ConfigurationError, LifecycleError
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.commands import check_command
from metaverse_env.simulator.constants import Constants, build_constants
from metaverse_env.telemetry import Command, Outcome, Telemetry, Tick

Array = np.ndarray

REPORT_KEYS: Final = {
    "tick": "ticks since the reset, skipped ones included",
    "skipped_ticks": "ticks that were over before this step was done",
    "late_s": "how much later than planned the tick was read, s",
    "readings": "zone to field to reading: value, age in s, quality, code",
    "held": "zone to the fields that had no fresh value and are held from before",
    "gone": "zones whose Deployment is not there any more",
    "new": "zones that came since the world was made; it does not see them",
    "changes": "what was asked of the cluster, or would have been if it only looked",
    "clamps": "what the shield changed, and why",
    "receipts": "what became of the changes; empty if it only looked",
    "errors": "what failed, in words; the last snapshot stands in for one that could not be read",
}
"""What ``info["report"]`` holds."""


class ClusterWorld:
    """Zones of a real cluster, or of one in memory, as a :class:`~metaverse_env.contracts.World` with ``W = 1``.

    A reset takes the cluster as it is and writes nothing; seeds mean nothing to it. A step asks for what the command
    says, waits for the next tick and measures. What fails within a step is told in ``info["report"]`` and the episode
    goes on, for a cluster comes back; only a reset that cannot read raises.

    Args:
        cluster: What is observed and commanded.
        telemetry: What measures it.
        scenario: Constants of reward, observation and limits: a name, a file (such as ``metaverse bridge calibrate``
            writes) or a scenario. By default those of ``"multi_zone"``, with limits around what the zones have now.
        tick_s: Length of a tick, s; by default the scenario's.
        clock: The time; the machine's by default.
        apply: Whether commands are written. Without it they are only reported.
        shield: What every command passes before anything is written; by default a
            :class:`~bridges.shield.guard.Guard` with its own settings.
        neighbours: Zone to its neighbours; by default the Deployments' annotation says so, or there are none.

    Raises:
        ConfigurationError: No zones, or a scenario that cannot be.
        ClusterError: The cluster cannot be read.

    >>> from bridges.dryrun import DryRunCluster
    >>> cluster = DryRunCluster("single_zone")
    >>> world = ClusterWorld(cluster, cluster.telemetry, clock=cluster.clock)
    >>> telemetry = world.reset(seeds=[None])
    >>> tick = world.step(Command.of(1.5 * telemetry.allocation))
    >>> [change.zone for change in tick.report["changes"]], tick.report["receipts"]
    (['zone-1'], ())
    """

    worlds = 1

    def __init__(
        self,
        cluster: Cluster,
        telemetry: TelemetrySource,
        *,
        scenario: str | Scenario | None = None,
        tick_s: float | None = None,
        clock: Clock | None = None,
        apply: bool = False,
        shield: Projection | None = None,
        neighbours: Neighbours | None = None,
    ) -> None:
        self._cluster, self._source, self.apply = cluster, telemetry, apply
        self._clock = clock or SystemClock()
        self._snapshot = cluster.read()
        self.zones = graph_of(self._snapshot, neighbours)
        self.scenario = scenario_of(self._snapshot, self.zones, scenario, tick_s)
        self._shield = Guard(self.scenario) if apply and shield is None else shield
        self._constants = build_constants(self.scenario, self.zones)
        self._readings: Readings = {}
        self._handover = np.zeros(len(self.zones), dtype=np.float32)
        self._before: Before | None = None
        self._started_s = self._clock.monotonic_s()
        self._tick = 0

    @property
    def tick_s(self) -> float:
        """Length of a tick, s."""
        return self.scenario.tick_s

    @property
    def constants(self) -> Constants:
        """The scenario, packed for these zones."""
        return self._constants

    @property
    def snapshot(self) -> Snapshot:
        """The cluster as it was read last."""
        return self._snapshot

    @property
    def readings(self) -> Readings:
        """What was measured last, field by field."""
        return self._readings

    def reset(self, *, seeds: Sequence[int | None], worlds: Array | None = None) -> Telemetry:
        """Take the cluster as it is; write nothing.

        Args:
            seeds: One, which means nothing to a cluster.
            worlds: Mask ``bool [1]``; where it is false, nothing starts anew.

        Raises:
            ConfigurationError: Another number of seeds, or another mask.
            LifecycleError: The first reset leaves the world out.
            ClusterError: The cluster cannot be read.
        """
        anew = self._asked_for(seeds, worlds)
        if self._before is not None and not anew:
            return self._telemetry(self._before)
        self._snapshot = self._cluster.read()
        blank, ages_s = nothing(len(self.zones))
        self._before = Before(blank, ages_s, {}, self._snapshot.read_s, self._clock.unix_s())
        self._started_s, self._tick = self._clock.monotonic_s(), 0
        self._before = self._look(self._before)[1]
        return self._telemetry(self._before)

    def _asked_for(self, seeds: Sequence[int | None], worlds: Array | None) -> bool:
        mask = np.ones(1, dtype=np.bool_) if worlds is None else np.asarray(worlds)
        if len(seeds) != 1 or mask.shape != (1,) or mask.dtype != np.bool_:
            raise ConfigurationError(
                f"a cluster is one world: give one seed and a mask bool [1], got {len(seeds)} seeds"
            )
        if self._before is None and not mask[0]:
            raise LifecycleError("the first reset must be of this world; call reset(seeds=[None]) without a mask first")
        return bool(mask[0])

    def step(self, command: Command) -> Tick:
        """Ask for what a command says, wait for the next tick, and measure.

        Raises:
            LifecycleError: Before the first reset.
            ActionError: A command of another shape, or with a value that is not finite or is negative.
        """
        if self._before is None:
            raise LifecycleError("step before reset; call reset(seeds=[None]) first")
        check_command(command, 1, self.zones.names)
        before = self._before
        errors: list[str] = []
        changes, clamps = self._judge(command)
        receipts = self._write(changes, command, errors)
        skipped, late_s = self._wait()
        self._read(errors)
        now, self._before = self._look(before)
        changed = {receipt.change.zone for receipt in receipts if receipt.result == "written"}
        outcome = outcome_of(before, now, self._snapshot, self.zones, self.scenario, changed)
        said = {"skipped_ticks": skipped, "late_s": late_s, "changes": changes, "clamps": clamps}
        report = self._report({**said, "receipts": receipts, "errors": tuple(errors)})
        return Tick(self._telemetry(self._before), Outcome(outcome[None], self.tick_s), report)

    def _judge(self, command: Command) -> tuple[tuple[Change, ...], tuple[Any, ...]]:
        if self._shield is None:
            return changes_of(command, self._snapshot, self.zones, self.scenario, self._handover), ()
        return self._shield.project(command, self._snapshot, self._readings, self._clock.monotonic_s())

    def _write(self, changes: tuple[Change, ...], command: Command, errors: list[str]) -> tuple[Receipt, ...]:
        if not self.apply or self._shield is None or not changes:
            return ()
        try:
            receipts = self._cluster.write(changes, self._snapshot)
        except ClusterError as error:
            errors.append(f"write: {type(error).__name__}: {error}")
            return ()
        self._shield.wrote(receipts, self._clock.monotonic_s())
        for receipt in receipts:
            if receipt.result == "written" and receipt.change.handover is not None and not receipt.advice:
                index = self.zones.index(receipt.change.zone)
                self._handover[index] = command.handover[0, index]
        return receipts

    def _wait(self) -> tuple[int, float]:
        """Wait for the next tick that is still to come; return how many were missed, and how late it is."""
        now_s = self._clock.monotonic_s()
        over = int((now_s - self._started_s) // self.tick_s)
        skipped = max(0, over - self._tick)
        self._tick = self._tick + skipped + 1
        due_s = self._started_s + self._tick * self.tick_s
        self._clock.wait_until(due_s)
        return skipped, max(0.0, self._clock.monotonic_s() - due_s)

    def _read(self, errors: list[str]) -> None:
        try:
            self._snapshot = self._cluster.read()
        except ClusterError as error:
            errors.append(f"read: {type(error).__name__}: {error}")
            self._snapshot = self._snapshot._replace(read_s=self._clock.monotonic_s())

    def _look(self, before: Before) -> tuple[Assembled, Before]:
        self._readings = self._source.read(self._snapshot.workloads)
        now = assemble(self._snapshot, self._readings, self.zones, self.scenario, before)
        now.zones["handover"] = self._handover
        return now, Before(now.zones, now.ages_s, now.restarts, self._snapshot.read_s, self._clock.unix_s())

    def _telemetry(self, now: Before) -> Telemetry:
        return Telemetry(
            now.zones[None].copy(), weather_at(now.unix_s), np.zeros((1, len(self.zones), 0), dtype=np.float32)
        )

    def _report(self, said: Mapping[str, Any]) -> dict[str, Any]:
        there = {workload.zone for workload in self._snapshot.workloads}
        held = {
            zone: tuple(field for field, reading in fields.items() if reading.quality != "fresh")
            for zone, fields in self._readings.items()
        }
        return {
            "tick": self._tick,
            **said,
            "readings": self._readings,
            "held": {zone: fields for zone, fields in held.items() if fields},
            "gone": tuple(zone for zone in self.zones.names if zone not in there),
            "new": tuple(sorted(there - set(self.zones.names))),
        }
