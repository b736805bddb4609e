"""The shield at work: the one owner of its memory, from a command to changes, and back from receipts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from bridges.contracts import Change, Readings, Receipt, Snapshot, Workload
from bridges.shield.clamps import Clamp, clamps_of
from bridges.shield.facts import Facts, Limits, demand_of, has, held_of, kills_of, limits_of, memory_used, needs_of
from bridges.shield.judging import Verdict, judge
from bridges.shield.memory import Memory, checkpoint_of, restored
from bridges.shield.quality import quality_of
from bridges.shield.settings import ShieldSettings
from bridges.shield.translating import aligned, changes_of, wish_of
from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario import Scenario
from metaverse_env.telemetry import Command, Forecast

Array = np.ndarray


DOUBTFUL: Final = ("OutcomeUnknown",)
"""Codes of receipts for what may have been written all the same."""


class Judged(NamedTuple):
    """What became of a command.

    Attributes:
        wish: ``[Z, 4]``, what it asked of pods.
        facts: What was so.
        verdict: What the shield let through.
        changes: What to ask of the cluster.
    """

    wish: Array
    facts: Facts
    verdict: Verdict
    changes: tuple[Change, ...]


class Guard:
    """Judges commands, and remembers.

    Args:
        scenario: Limits of a zone, whether pods are counted or change their size, and the zones that commands are of.
        settings: What is allowed.
    """

    def __init__(self, scenario: Scenario, settings: ShieldSettings | None = None) -> None:
        actuation = scenario.actuation
        self.rows = scenario.layout.names
        self.settings = settings or ShieldSettings()
        self.limits = Limits(actuation.allocation_min, actuation.allocation_max)
        self.pod_size = np.array(actuation.pod_size) if scenario.scaling == "horizontal" else None
        self.memory = Memory()
        self._judged: Judged | None = None

    def facts(
        self,
        snapshot: Snapshot,
        readings: Readings,
        forecast: Forecast | None = None,
        grow_only: Array | None = None,
        held: Mapping[str, str] | None = None,
    ) -> Facts:
        """Return what the shield has to know.

        Args:
            snapshot: Of the cluster.
            readings: Of its telemetry.
            forecast: Of one world.
            grow_only: ``bool [Z]``, where nothing may be taken away.
            held: Zones that are left alone, to the reason.
        """
        workloads = snapshot.workloads
        now = has(workloads)
        least, most = limits_of(workloads, self.limits, snapshot.bounds)
        zones = tuple(one.zone for one in workloads)
        demand = None if forecast is None else aligned(demand_of(forecast), self.rows, zones)
        lower, upper = needs_of(demand, now, self.settings.utilisation, self.pod_size is not None)
        grow_only = np.zeros(len(workloads), dtype=np.bool_) if grow_only is None else grow_only
        used, parts = memory_used(workloads, readings), held_of(workloads, held or {})
        return Facts(zones, now, least, most, lower, upper, used, grow_only, kills_of(workloads), parts)

    def judge(self, command: Command | None, facts: Facts, workloads: Sequence[Workload], now_s: float) -> Judged:
        """Let a command through; ``None`` asks for nothing, and leaves to the floors what has to be.

        Args:
            command: Of one world.
            facts: From :meth:`facts`.
            workloads: Those that the facts are of.
            now_s: The time.
        """
        wish = np.full(facts.now.shape, np.nan)
        if command is not None:
            wish = wish_of(aligned(command.allocation[0], self.rows, facts.zones), facts.now, self.pod_size)
        verdict = judge(wish, facts, self.memory, self.settings, now_s)
        self.memory = verdict.memory
        self._judged = Judged(wish, facts, verdict, changes_of(verdict.goals, facts.now, workloads))
        return self._judged

    def back(self, goals: Array, judged: Judged, workloads: Sequence[Workload]) -> Judged:
        """Return what puts zones back to what was good, in place of a wish: no rate holds that up.

        Args:
            goals: ``[Z, 4]``, ``nan`` where nothing is put back. Nothing is taken away, and limits hold.
            judged: Of this cycle.
            workloads: Those that it is of.
        """
        facts = judged.facts
        kept = np.clip(np.fmax(goals, facts.now), facts.least, facts.most)
        after = np.where(np.isnan(goals) | facts.mask(), judged.verdict.goals, kept)
        clamps = clamps_of("rollback", judged.verdict.goals, after, facts.zones, "back to the last that was good")
        verdict = judged.verdict._replace(goals=after, clamps=(*judged.verdict.clamps, *clamps))
        self._judged = Judged(judged.wish, facts, verdict, changes_of(after, facts.now, workloads))
        return self._judged

    def project(
        self, command: Command, snapshot: Snapshot, readings: Readings, now_s: float
    ) -> tuple[tuple[Change, ...], tuple[Clamp, ...]]:
        """Return what may be asked for a command; see :class:`bridges.contracts.Projection`."""
        grow_only = quality_of(snapshot.workloads, readings, ()).grow_only
        facts = self.facts(snapshot, readings, None, grow_only)
        judged = self.judge(command, facts, snapshot.workloads, now_s)
        return judged.changes, judged.verdict.clamps

    def wrote(self, receipts: Sequence[Receipt], now_s: float) -> None:
        """Remember which of the changes judged last were written, or may have been: they count against budgets."""
        judged = self._judged
        if judged is None:
            return
        done = {one.change.zone for one in receipts if one.result == "written" or one.code in DOUBTFUL}
        written = np.array([zone in done for zone in judged.facts.zones], dtype=np.bool_)
        steps = judged.verdict.goals - judged.facts.now
        self.memory = self.memory.with_changes(np.where(written[:, None], steps, np.nan), now_s)

    def checkpoint(self, now_s: float, unix_s: float) -> dict[str, Any]:
        """Return the memory as JSON, for :meth:`restore`."""
        return checkpoint_of(self.memory, now_s, unix_s)

    def restore(self, checkpoint: Mapping[str, Any], now_s: float, unix_s: float) -> None:
        """Go on where another process ended (T50).

        Raises:
            ConfigurationError: It is no checkpoint.
        """
        try:
            self.memory = restored(checkpoint, now_s, unix_s)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"the shield's part of the checkpoint cannot be read: {error!r}") from error
