"""One cycle after the other: look, ask, judge, write, compare, in this order and no other.

1. leadership and pauses; 2. quality of what was read; 3. a proposal within its time; 4. whether it is a command at all;
5. the state machine; 6. the shield; 7. what others hold; 8. the server is asked; 9. and told; 10. earlier writes are
verified; 11. policy and heuristic are compared. Whatever the cluster, its telemetry or a policy does, a cycle ends with
a decision; only a bug of the bridge raises.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bridges.contracts import Receipt, Snapshot
from bridges.controller.asking import Answer, Asker
from bridges.controller.comparing import Comparison
from bridges.controller.deciding import Decision, Inputs, Moment
from bridges.controller.gate import PAUSED, Gate, paused_by, said
from bridges.controller.settings import ControllerSettings
from bridges.controller.sight import Sight
from bridges.controller.states import Facts, Permission, State, advance, permission_of
from bridges.controller.watching import Moments, Watched
from bridges.controller.writing import write
from bridges.shield.guard import Guard, Judged
from bridges.shield.quality import Quality, breaks_objective, quality_of
from bridges.shield.training_range import TrainingRange
from bridges.shield.translating import aligned
from metaverse_env.contracts import View
from metaverse_env.errors import ClusterError
from metaverse_env.telemetry import Command

Array = np.ndarray
_NOBODY = Answer(None, "", "")


class Controller:
    """The owner of the state: of the machine, of the shield, and of what was good.

    Args:
        watched: The cluster and its telemetry.
        sight: What policies see of it.
        moments: The cycle's time.
        policy: Who decides as a rule.
        heuristic: Who decides when it may not.
        gate: The door before every write.
        settings: How to work.
        training: What observations the policy learned from; ``None`` for one that was not trained.
    """

    def __init__(
        self,
        watched: Watched,
        sight: Sight,
        moments: Moments,
        policy: Asker,
        heuristic: Asker,
        gate: Gate,
        settings: ControllerSettings,
        training: TrainingRange | None = None,
    ) -> None:
        self.watched, self.sight, self.moments, self.gate, self.settings = watched, sight, moments, gate, settings
        self.policy, self.heuristic, self.training = policy, heuristic, training
        self.state, self.guard = State(), Guard(sight.scenario, settings.shield)
        self.known: tuple[str, ...] = sight.zones
        self.good: dict[str, Array] = {}
        self.cycles = 0
        self._comparison = Comparison(sight.scenario, settings.window_cycles, settings.margin)
        self._begin()

    def _begin(self) -> None:
        """Let everyone begin anew with the zones that there are."""
        self.guard.rows = self.sight.zones
        for asker in (self.policy, self.heuristic):
            asker.reset(self.sight.world.zones)
        self._asked: Command | None = None
        self._wished: Command | None = None
        self._decided: tuple[int, ...] = ()
        self._stuck = ""

    def cycle(self) -> Decision:
        """Wait for the next tick, unless it is the first, and decide."""
        self._look()
        self.cycles += 1
        snapshot, quality, view = self._snapshot(), self._quality(), self.sight.view
        aftercare = self._verified(snapshot)
        policy, heuristic = self.policy.ask(view), self.heuristic.ask(view)
        strange, worse = self._strange(view), self._compared(view)
        facts = self._facts(snapshot, quality, policy, strange, worse)
        before, (self.state, reasons) = self.state, advance(self.state, facts, self.settings.states)
        permission = permission_of(self.state, facts, self.settings.states)
        answer = {"policy": policy, "heuristic": heuristic, "nobody": _NOBODY}[permission.decider]
        held = self._held(snapshot, permission)
        judged = self._judged(answer, snapshot, quality, view, held)
        if self.state.reason == "CanaryBreach" and before.reason != "CanaryBreach":
            reasons = (*reasons, "RolledBack: canary zones get back what was good")
        if self.state.mode == "fallback" and self.state.reason == "CanaryBreach":
            judged = self._rolled_back(judged, snapshot)
        shut = self.gate.why_shut
        receipts = () if shut else self._written(judged, snapshot, permission)
        self._remember(view, judged, receipts, heuristic, permission)
        now = Moment(self.cycles, self.moments.monotonic_s(), self.moments.unix_s())
        error = "" if self.watched.error is None else f"{type(self.watched.error).__name__}: {self.watched.error}"
        inputs = Inputs(now, snapshot, self.watched.readings, error, facts, self.gate.leadership.epoch, shut)
        seen = inputs, view, self.sight.zones, self.state, reasons, permission, policy, heuristic, judged
        return Decision(*seen, quality.ill, held, strange, receipts, aftercare, worse)

    def _look(self) -> None:
        if self.cycles == 0:
            return
        try:
            anew = self.sight.look(self._asked or self.sight.view.pending)
        except ClusterError:  # zones came or went and it could not be read again; the next cycle tries
            return
        if anew:
            self._begin()

    def _snapshot(self) -> Snapshot:
        snapshot = self.watched.snapshot
        return snapshot if snapshot is not None else self.sight.world.snapshot

    def _quality(self) -> Quality:
        return quality_of(self._snapshot().workloads, self.watched.readings, self.sight.zones)

    def _verified(self, snapshot: Snapshot) -> tuple[Receipt, ...]:
        """Look after earlier writes, where writes may be made at all."""
        verifier = self.watched.verifier
        acting = self.state.mode in ("canary", "active", "fallback")
        if verifier is None or not acting or self.gate.why_shut or self.watched.error is not None:
            return ()
        problems = {one.zone for one in snapshot.workloads if one.problem or one.rollout == "stuck"}
        try:
            receipts = verifier.verify(snapshot)
        except ClusterError:  # what could not be verified now is verified in the next cycle
            return ()
        taken_back = [one.change.zone for one in receipts if one.result in ("written", "failed")]
        self._stuck = next((zone for zone in taken_back if zone in problems), "")
        return receipts

    def _strange(self, view: View) -> Mapping[str, float]:
        if self.training is None or view.observation is None:
            return {}
        scores = self.training.scores(view.observation, len(self.sight.zones))
        return dict(zip(self.sight.zones, scores.tolist(), strict=True))

    def _compared(self, view: View) -> bool | None:
        """Compare the tick that is over with what the heuristic asked for before it."""
        step, wished = self.sight.step, self._wished
        if step is None or wished is None or not self._decided:
            return None
        return self._comparison.note(step.reward, view.telemetry.allocation[0], wished, self._decided)

    def _facts(
        self, snapshot: Snapshot, quality: Quality, policy: Answer, strange: Mapping[str, float], worse: bool | None
    ) -> Facts:
        settings, switch = self.settings, self.gate.switch
        acting = self.state.mode == "canary" and bool(self._decided)
        stuck, self._stuck = self._stuck, ""
        odd = [score > self.training.most for score in strange.values()] if self.training is not None else []
        return Facts(
            aim=settings.aim,
            canary=bool(settings.canary),
            stopping=self.gate.stopping,
            paused=switch.why or paused_by(snapshot.workloads),
            leads=self.gate.leadership.leading,
            readable=self.watched.error is None,
            ill_share=quality.share,
            strange_share=sum(odd) / max(1, len(odd)),
            policy_fault=f"{policy.code}: {policy.fault}" if policy.fault else "",
            breach=acting and any(self._breaks(zone) for zone in settings.canary),
            worse=worse,
            stuck=stuck,
        )

    def _breaks(self, zone: str) -> bool:
        limit_ms = self.sight.scenario.service.latency_objective_ms * (1.0 + self.settings.breach_tolerance)
        return breaks_objective(zone, self.watched.readings, limit_ms)

    def _held(self, snapshot: Snapshot, permission: Permission) -> dict[str, str]:
        """Return zones that are left alone, to the reason."""
        held = {}
        for one in snapshot.workloads:
            if said(one, PAUSED):
                held[one.zone] = f"Paused: annotation {PAUSED}"
            elif one.deleting:
                held[one.zone] = "Deleting: the Deployment is going"
            elif permission.zones != "none" and one.zone not in self.known:
                held[one.zone] = "NewZone: came after the start, only watched"
            elif permission.zones == "canary" and one.zone not in self.settings.canary:
                held[one.zone] = "NotCanary: only canary zones are written to"
        return held

    def _judged(
        self, answer: Answer, snapshot: Snapshot, quality: Quality, view: View, held: Mapping[str, str]
    ) -> Judged:
        seen = snapshot, self.watched.readings, view.forecast
        facts = self.guard.facts(*seen, grow_only=quality.grow_only, held=held)
        return self.guard.judge(answer.command, facts, snapshot.workloads, self.moments.monotonic_s())

    def _rolled_back(self, judged: Judged, snapshot: Snapshot) -> Judged:
        """Ask for what was good, until it is there (T74)."""
        if not self.good:
            return judged
        goals = aligned(np.stack(list(self.good.values())), tuple(self.good), judged.facts.zones)
        less = np.any(judged.facts.now < goals, axis=1)
        for zone, lacks in zip(judged.facts.zones, less.tolist(), strict=True):
            if not lacks:
                self.good.pop(zone, None)
        return self.guard.back(goals, judged, snapshot.workloads)

    def _written(self, judged: Judged, snapshot: Snapshot, permission: Permission) -> tuple[Receipt, ...]:
        if permission.zones == "none" or (permission.decider == "nobody" and not permission.rescue):
            return ()
        return write(self.watched.cluster, judged.changes, snapshot, self.settings.dry_run)

    def _remember(
        self, view: View, judged: Judged, receipts: Sequence[Receipt], heuristic: Answer, permission: Permission
    ) -> None:
        self.guard.wrote(receipts, self.moments.monotonic_s())
        written = {one.change.zone for one in receipts if one.result == "written"}
        if self.state.mode == "canary":
            for zone in written - self.good.keys():
                self.good[zone] = judged.facts.now[judged.facts.zones.index(zone)]
        elif self.state.mode == "active":
            self.good.clear()
        self._wished, self._asked = heuristic.command, pending_after(view, judged, written, self.sight.zones)
        acts = permission.decider == "policy" and permission.zones != "none"
        chosen = self.sight.zones if permission.zones == "all" else self.settings.canary
        self._decided = tuple(n for n, zone in enumerate(self.sight.zones) if acts and zone in chosen)

    def checkpoint(self) -> dict[str, Any]:
        """Return what a restart needs to go on; see :mod:`.checkpoint`."""
        now = self.moments.monotonic_s(), self.moments.unix_s()
        return {"shield": self.guard.checkpoint(*now), "known": list(self.known)}


def pending_after(view: View, judged: Judged, written: set[str], zones: Sequence[str]) -> Command:
    """Return what zones are asked to have after a cycle's writes: what the next view shows as pending."""
    command = Command.of(view.telemetry.zones["pending"].copy(), view.telemetry.zones["handover"])
    goals = np.where(np.isnan(judged.verdict.goals), judged.facts.now, judged.verdict.goals)
    for row, zone in enumerate(judged.facts.zones):
        if zone in written and zone in zones:
            together = goals[row, :3] * goals[row, 3]
            place = list(zones).index(zone)
            command.allocation[0, place] = np.where(np.isnan(together), command.allocation[0, place], together)
    return command
