"""From what is asked of a zone to what is written: pure, and computed anew from what stands there before every try."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bridges.contracts import Change
from bridges.kubernetes.budgets import Budget, exhausted
from bridges.kubernetes.deployments import BITS_PER_MBIT, DeploymentFacts
from bridges.kubernetes.documents import quantity
from bridges.kubernetes.intents import changed_paths
from bridges.kubernetes.limits import Demand, Ledger, Refusal, changes_qos, grant, invalid, out_of_range
from bridges.kubernetes.marks import State
from bridges.kubernetes.ownership import conflict, foreign_owners
from bridges.kubernetes.rules import Rules
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Ratios, Size, Sizing, pod_total, ratios_of, rescaled, size_of
from metaverse_env.errors import ActionError

NOT_NOW = frozenset(
    {
        "RolloutInProgress",
        "CoolDown",
        "DisruptionBudget",
        "Deleting",
        "Paused",
        "ZeroReplicas",
        "Gone",
        "ChangedMeanwhile",
    }
)
"""Codes of what is skipped; with all others a change is refused as it stands."""
MOST_REPLICAS = 100_000
MOST_MBPS = 1e6


class Around(NamedTuple):
    """What a plan depends on beside the Deployment.

    Attributes:
        settings: What may be done.
        manager: Our field manager.
        held: Parts that may not be written.
        budgets: For disruptions.
        resize: Whether running pods are resized.
        since_rollout_s: Since the bridge last changed the template, s; ``None`` when it never did.
        pods: What running pods have; resized ones may differ from the template.
    """

    settings: ClusterSettings
    manager: str
    held: Mapping[str, Refusal]
    budgets: tuple[Budget, ...] = ()
    resize: bool = False
    since_rollout_s: float | None = None
    pods: tuple[Sizing, ...] = ()


class Plan(NamedTuple):
    """What is written.

    Attributes:
        wanted: Values; a part is ``None`` when it is not written.
        ratios: Limit over request, to remember.
        in_place: Whether resources go to running pods.
        refusals: Parts that are not written, and why.
        advice: Parts that nothing here honours, in words.
        ledger: What is left then.
    """

    wanted: State
    ratios: Ratios
    in_place: bool
    refusals: tuple[Refusal, ...]
    advice: tuple[str, ...]
    ledger: Ledger

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.wanted == State()


def plan(change: Change, facts: DeploymentFacts, around: Around, ledger: Ledger) -> Plan:
    """Return what is to be written for a change.

    Raises:
        ActionError: A value can never be written.
    """
    asked, advice = _asked(change, facts, around)
    asked = _without_same(asked, facts, around)
    allowed, refusals = _without_held(asked, facts, around)
    in_place = around.resize and allowed.resources is not None
    refused = [refusal for refusal in _checks(allowed, facts, around, in_place, ledger.rules) if refusal is not None]
    if not refused and allowed != State():
        ledger, over = grant(ledger, _demand(allowed, facts, around, in_place), facts.workload)
        refused = [] if over is None else [over]
    wanted = State() if refused else allowed
    ratios = ratios_to_keep(facts)
    return Plan(wanted, ratios, in_place and not refused, (*refusals, *refused[:1]), advice, ledger)


def ratios_to_keep(facts: DeploymentFacts) -> Ratios:
    """Return limit over request: as first seen while the values are still ours, so that rounding never adds up."""
    mark = facts.mark
    ours = mark is not None and mark.asked.resources == facts.sizing and mark.ratios != Ratios()
    return mark.ratios if ours and mark is not None else ratios_of(facts.sizing or Sizing())


def _asked(change: Change, facts: DeploymentFacts, around: Around) -> tuple[State, tuple[str, ...]]:
    zone, base = change.zone, _base(facts, around)
    size = size_of(change.requests, zone) if change.requests is not None else Size()
    resources = None if size == Size() else rescaled(base, size, ratios_to_keep(facts))
    bandwidth = None if change.bandwidth_mbps is None else _bandwidth(change.bandwidth_mbps, zone)
    advice: tuple[str, ...] = ()
    if bandwidth is not None and around.settings.bandwidth == "advice":
        note = f"give each pod of zone {zone!r} {change.bandwidth_mbps:g} Mbps of egress: no network plugin is known"
        advice, bandwidth = (f"{note} here that honours the annotation (bandwidth: annotation)",), None
    return State(resources, _replicas(change, zone), bandwidth), advice


def _base(facts: DeploymentFacts, around: Around) -> Sizing:
    """Return what a pod has now: what was last asked for in place, or the template's."""
    mark = facts.mark
    if around.resize and mark is not None and mark.in_place and mark.asked.resources is not None:
        return mark.asked.resources
    return facts.sizing or Sizing()


def _bandwidth(mbps: float, zone: str) -> str:
    if not math.isfinite(mbps) or not 0 < mbps <= MOST_MBPS:
        raise ActionError(f"zone {zone!r}: bandwidth_mbps {mbps!r}: give a number above 0, up to {MOST_MBPS:g} Mbps")
    return str(max(1, round(mbps * BITS_PER_MBIT)))


def _replicas(change: Change, zone: str) -> int | None:
    replicas = change.replicas
    if replicas is None:
        return None
    if isinstance(replicas, bool) or not isinstance(replicas, int) or not 1 <= replicas <= MOST_REPLICAS:
        raise ActionError(f"zone {zone!r}: replicas {replicas!r}: give a whole number from 1 to {MOST_REPLICAS}")
    return replicas


def _without_same(asked: State, facts: DeploymentFacts, around: Around) -> State:
    """Leave out what the cluster has already, compared as numbers: ``0.15`` is ``150m``."""
    now = facts.state
    same_size = asked.resources == _base(facts, around)
    if around.resize and same_size:
        same_size = all(pod == asked.resources for pod in around.pods)
    same_bandwidth = (
        asked.bandwidth is not None and now.bandwidth is not None and asked.bandwidth == _bits(now.bandwidth)
    )
    return State(
        None if same_size else asked.resources,
        None if asked.replicas == now.replicas else asked.replicas,
        None if same_bandwidth else asked.bandwidth,
    )


def _bits(bandwidth: str) -> str:
    return str(int(quantity(bandwidth, "bandwidth")))


def _without_held(asked: State, facts: DeploymentFacts, around: Around) -> tuple[State, tuple[Refusal, ...]]:
    resources, refusals = asked.resources, []
    base = _base(facts, around)
    for side, part in enumerate(("cpu", "memory")):
        touched = resources is not None and _side(resources, side) != _side(base, side)
        if touched and part in around.held and resources is not None:
            refusals.append(around.held[part])
            resources = _with_side(resources, base, side)
    if resources is not None and resources == base and refusals:
        resources = None
    replicas, bandwidth = asked.replicas, asked.bandwidth
    if replicas is not None and "replicas" in around.held:
        refusals.append(around.held["replicas"])
        replicas = None
    if bandwidth is not None and "bandwidth" in around.held:
        refusals.append(around.held["bandwidth"])
        bandwidth = None
    return State(resources, replicas, bandwidth), tuple(dict.fromkeys(refusals))


def _side(sizing: Sizing, side: int) -> tuple[int | None, int | None]:
    return sizing.requests[side], sizing.limits[side]


def _with_side(sizing: Sizing, base: Sizing, side: int) -> Sizing:
    """Return a sizing with the CPU (0) or the memory (1) of another."""
    pairs = zip(sizing, base, strict=True)
    return Sizing(*(Size(*(old[i] if i == side else new[i] for i in (0, 1))) for new, old in pairs))


def _checks(
    wanted: State, facts: DeploymentFacts, around: Around, in_place: bool, rules: Rules
) -> Iterator[Refusal | None]:
    zone, container = facts.workload.zone, facts.workload.container
    if wanted.resources is not None:
        yield invalid(zone, wanted.resources)
        yield changes_qos(zone, facts.pod_spec, container, wanted.resources)
        yield out_of_range(zone, facts.pod_spec, container, wanted.resources, rules)
    rolls = (wanted.resources is not None and not in_place) or wanted.bandwidth is not None
    if rolls:
        foreign = foreign_owners(facts.owners, changed_paths(facts, wanted), around.manager, around.settings)
        yield conflict(foreign) if foreign else None
        yield _rollout(facts, around)


def _rollout(facts: DeploymentFacts, around: Around) -> Refusal | None:
    """Refuse to replace pods where that would take the zone away, or too soon after the last time."""
    zone, strategy, replicas = facts.workload.zone, facts.strategy, facts.workload.replicas
    keeps = strategy.surge > 0 and strategy.unavailable < replicas
    if not keeps:
        message = f"zone {zone!r}: its strategy would take all {replicas} pods away before new ones serve"
        return Refusal("Disruptive", f"{message}; use RollingUpdate with maxSurge 1 and maxUnavailable 0")
    if replicas == 1 and not around.settings.allow_rollout:
        message = f"zone {zone!r}: its one pod would be replaced (a second comes up first)"
        return Refusal("SingleReplica", f"{message}; give it 2 replicas, or allow_rollout")
    if facts.workload.rollout == "progressing":
        return Refusal("RolloutInProgress", f"zone {zone!r}: its pods are being replaced; it is tried again later")
    waited, cool_down_s = around.since_rollout_s, around.settings.rollout_cool_down_s
    if waited is not None and waited < cool_down_s:
        message = f"zone {zone!r}: its pods were replaced {waited:.0f} s ago; the next time is after {cool_down_s:g} s"
        return Refusal("CoolDown", message)
    return exhausted(zone, around.budgets, facts.pod_labels, strategy.unavailable)


def _demand(wanted: State, facts: DeploymentFacts, around: Around, in_place: bool) -> Demand:
    container, replicas = facts.workload.container, facts.workload.replicas
    before = pod_total(facts.pod_spec, {container: _base(facts, around)})
    after = before if wanted.resources is None else pod_total(facts.pod_spec, {container: wanted.resources})
    rolls = (wanted.resources is not None and not in_place) or wanted.bandwidth is not None
    surge = min(facts.strategy.surge, replicas) if rolls else 0
    return Demand(facts.workload.zone, before, after, replicas, wanted.replicas or replicas, surge, in_place)
