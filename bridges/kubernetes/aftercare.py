"""After the writes: what cannot come about is taken back once, pods are brought in line, what others undo is told."""

from bridges.contracts import Change, Clock, Receipt, Result
from bridges.errors import UnavailableError
from bridges.kubernetes.deployments import DeploymentFacts
from bridges.kubernetes.limits import Refusal, open_ledger
from bridges.kubernetes.marks import Mark, State
from bridges.kubernetes.planning import plan
from bridges.kubernetes.putting import Put, Putter
from bridges.kubernetes.reading import Picture, Reader
from bridges.kubernetes.resizing import Step, next_step
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Sizing, amounts_of
from bridges.kubernetes.verdicts import Memory, failed, to_take_back
from bridges.kubernetes.writing import Writer, failure, receipt, running
from metaverse_env.errors import ClusterError

OTHERS = frozenset({"Undone", "ReplicasReset", "GitOpsRevert"})


class Aftercare:
    """Looks after what was written.

    Args:
        reader: Reads a Deployment anew.
        writer: Plans and resizes.
        putter: Sends.
        memory: Of what was written.
        settings: What may be done.
        clock: For how long resizes have waited.
    """

    def __init__(
        self, reader: Reader, writer: Writer, putter: Putter, memory: Memory, settings: ClusterSettings, clock: Clock
    ) -> None:
        self._reader, self._writer, self._putter = reader, writer, putter
        self._memory, self._settings, self._clock = memory, settings, clock

    def look_after(self, picture: Picture) -> tuple[Receipt, ...]:
        """Return what there is to tell, a receipt a zone."""
        found = (self._zone(zone, facts, picture) for zone, facts in sorted(picture.facts.items()))
        return tuple(one for one in found if one is not None)

    def _zone(self, zone: str, facts: DeploymentFacts, picture: Picture) -> Receipt | None:
        mark = self._memory.mark(facts)
        if mark is None or mark.manager != self._putter.manager or facts.workload.deleting:
            return None
        told = [one for one in picture.held.get(facts.workload.name, {}).values() if one.code in OTHERS]
        change = Change(zone, reason="aftercare")
        if told:
            return receipt(change, told[0])
        try:
            return self._failing(facts) or self._in_line(facts, mark, picture)
        except ClusterError as error:
            return failure(change, error)

    def _failing(self, facts: DeploymentFacts) -> Receipt | None:
        """Take back, once, what cannot come about."""
        if failed(facts) is None:
            return None
        fresh = self._reader.read_one(facts.workload.name)
        refusal, back = failed(fresh), to_take_back(fresh)
        if refusal is None or fresh.mark is None:
            return None
        change = _change(fresh, back)
        if back == State():
            return Receipt(change, "failed", refusal.code, f"{refusal.message}; there is nothing to take it back to")
        put = Put(back, fresh.mark.ratios, False, fresh.mark.good, reverted=True)
        version = self._putter.put(fresh, put, dry_run=False)
        return Receipt(
            change, "written", refusal.code, f"{refusal.message}; taken back to the last that worked", (), version
        )

    def _in_line(self, facts: DeploymentFacts, mark: Mark, picture: Picture) -> Receipt | None:
        """Give new pods, which come with the template's size, the one that was asked for, and see to resizes."""
        target = mark.asked.resources
        if not mark.in_place or target is None:
            return None
        pods = picture.pods.get(facts.workload.zone, ())
        steps = [(pod, next_step(pod, target, self._settings, self._clock.unix_s())) for pod in running(pods)]
        change = Change(facts.workload.zone, requests=amounts_of(target.requests), reason="aftercare")
        if any(step.act == "rollout" for _, step in steps):
            return self._roll(facts, change, target, picture)
        due = [pod for pod, step in steps if step.act == "resize"]
        self._writer.resize(facts, tuple(due), target, dry_run=False)
        evicted = [self._evict(pod.pod.name, step) for pod, step in steps if step.act == "evict"]
        told = [step.message for _, step in steps if step.act in {"hold", "wait"}] + evicted
        codes = [step.code for _, step in steps if step.code]
        if not due and not told:
            return None
        result: Result = (
            "written" if due or evicted else ("failed" if any(s.act == "hold" for _, s in steps) else "skipped")
        )
        return Receipt(change, result, codes[0] if codes else "", "; ".join(told))

    def _roll(self, facts: DeploymentFacts, change: Change, target: Sizing, picture: Picture) -> Receipt:
        """Replace the pods, where they cannot be resized and that is allowed."""
        ledger = open_ledger(picture.rules, picture.snapshot.nodes)
        fresh = self._reader.read_one(facts.workload.name)
        planned = plan(change, fresh, self._writer.around(fresh, picture, resize=False), ledger)
        if planned.wanted.resources is None:
            refusal = (*planned.refusals, Refusal("ResizeInfeasible", "the template has that size already"))[0]
            return receipt(change, refusal)
        good = fresh.state
        version = self._putter.put(fresh, Put(State(target), planned.ratios, False, good), dry_run=False)
        return Receipt(change, "written", "ResizeInfeasible", "pods cannot be resized and are replaced", (), version)

    def _evict(self, pod: str, step: Step) -> str:
        try:
            self._putter.evict(pod)
        except UnavailableError as error:
            return f"{step.message}; it may not be evicted now: {error}"
        return f"{step.message}; it was evicted to find another node"


def _change(facts: DeploymentFacts, back: State) -> Change:
    requests = None if back.resources is None else amounts_of(back.resources.requests)
    return Change(facts.workload.zone, requests=requests, replicas=back.replicas, reason="taken back")
