"""A cluster in memory: what examples and tests run on where there is none, and what a dry run is.

Its Deployments are served by the project's own physics: users come and go, a change takes its time, memory that runs
out kills. Limits, quotas, other owners and faults are those of a real cluster, and so are the receipts.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from bridges.admission import changes_nothing, limits_for, not_found, refusal, requested, rounded, serving
from bridges.clock import ManualClock
from bridges.contracts import Amounts, Bounds, Change, Clock, Node, Pod, Receipt, Snapshot, Workload
from bridges.dryrun_parts import Deployment, Faults, together
from bridges.dryrun_service import DryRunTelemetry, Service
from bridges.errors import NotFoundError, OutcomeUnknownError
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.zones import name_order

PROGRESS_DEADLINE_S: Final = 600.0
"""After so long a rollout counts as stuck; Kubernetes' default."""
MANAGER: Final = "metaverse-bridge"


class DryRunCluster:
    """Zones as Deployments in memory: a :class:`~bridges.contracts.Cluster`.

    Time passes on the clock: whoever looks later finds it later. The same seed gives the same users.

    Args:
        scenario: Who comes, what they need and how they are served; its zones are the Deployments.
        clock: Shared with whoever waits for it; one that passes by waiting, if none is given.
        seed: Of the users.
        replicas: Of each zone at the start; what the zone has is shared among them.
        amounts: Requests and limits of each pod at the start; drawn as the scenario says, if none are given.
        bounds: What the namespace allows.
        namespace: Of all Deployments.

    Attributes:
        faults: What goes wrong.
        telemetry: What it measures of itself, a :class:`~bridges.contracts.TelemetrySource`.
        written: Every receipt of a change that was made, in order.

    >>> cluster = DryRunCluster("single_zone")
    >>> snapshot = cluster.read()
    >>> change = Change("zone-1", requests=Amounts(2.0, 2048.0))
    >>> cluster.write([change], snapshot, dry_run=True)[0].result
    'dry_run'
    >>> cluster.write([change], snapshot)[0].result
    'written'
    >>> cluster.read().workloads[0].requests
    Amounts(cpu_cores=2.0, memory_mb=2048.0)
    """

    def __init__(
        self,
        scenario: str | Scenario = "multi_zone",
        *,
        clock: Clock | None = None,
        seed: int = 0,
        replicas: int = 1,
        amounts: Amounts | None = None,
        bounds: Bounds | None = None,
        namespace: str = "metaverse",
    ) -> None:
        self.clock, self.bounds = clock or ManualClock(), bounds or Bounds()
        self.service = Service(load_scenario(scenario), self.clock, seed)
        self.faults, self.telemetry = Faults(), DryRunTelemetry(self)
        self.written: list[Receipt] = []
        self._namespace, self._version = namespace, 0
        self.deployments = {zone: self._deployed(zone, replicas, amounts) for zone in self.service.zones.names}

    def _deployed(self, zone: str, replicas: int, amounts: Amounts | None) -> Deployment:
        has = self.service.telemetry["allocation"][self.service.zones.index(zone)]
        cores, megabytes, mbps = (float(value) / replicas for value in has)
        size = rounded(amounts or Amounts(cores, megabytes))
        made = Workload(
            zone=zone,
            namespace=self._namespace,
            name=zone,
            uid=f"{self._namespace}-{zone}-1",
            container="zone",
            version=self._next_version(),
            replicas=replicas,
            ready_replicas=replicas,
            requests=size,
            limits=size,
            bandwidth_mbps=round(mbps, 3),
        )
        return Deployment(made, made, self.clock.monotonic_s(), self.clock.unix_s())

    def _next_version(self) -> str:
        self._version += 1
        return str(self._version)

    def catch_up(self) -> None:
        """Let the time pass that has passed on the clock, and rollouts land."""
        self.service.catch_up({zone: self._goal(one) for zone, one in self.deployments.items()})
        for zone, deployment in self.deployments.items():
            amounts, mbps, _ = self._goal(deployment)
            if zone not in self.faults.stuck and self.service.in_effect(zone, amounts, mbps):
                deployment.running = deployment.asked

    def _goal(self, deployment: Deployment) -> tuple[Amounts, float, float]:
        stays = deployment.asked.zone in self.faults.stuck or deployment.asked.rollout == "paused"
        workload = deployment.running if stays else deployment.asked
        most = self.service.scenario.actuation.allocation_max[2]
        mbps = most if workload.bandwidth_mbps is None else workload.bandwidth_mbps * workload.replicas
        return together(workload), mbps, deployment.handover

    def read(self) -> Snapshot:
        """Return how things stand now.

        Raises:
            ClusterError: The fault that is switched on for reading.
        """
        if self.faults.reading is not None:
            raise self.faults.reading
        self.catch_up()
        workloads = tuple(self._seen(self.deployments[zone]) for zone in sorted(self.deployments, key=name_order))
        return Snapshot(workloads, self._nodes(), self.bounds, self.clock.monotonic_s())

    def _seen(self, deployment: Deployment) -> Workload:
        pods, rollout = self._pods(deployment), deployment.rollout
        late = self.clock.monotonic_s() - deployment.changed_s > PROGRESS_DEADLINE_S
        rollout = "stuck" if late and rollout == "progressing" else rollout
        return deployment.asked._replace(ready_replicas=serving(pods), rollout=rollout, pods=pods)

    def _pods(self, deployment: Deployment) -> tuple[Pod, ...]:
        running, index = deployment.running, self.service.zones.index(deployment.asked.zone)
        row = self.service.telemetry[index]
        return tuple(
            Pod(
                name=f"{running.name}-{running.version}-{number}",
                node=f"node-{int(self.service.zones.node[index]) + 1}",
                ready=bool(row["ready"]),
                address=f"198.18.{index % 250}.{number % 250 + 1}",
                started_s=deployment.changed_unix_s,
                ready_since_s=deployment.changed_unix_s,
                requests=running.requests,
                limits=running.limits,
                restarts=int(row["restarts"]),
                killed_for_memory_s=self.service.killed_s.get(running.zone),
            )
            for number in range(running.replicas)
        )

    def _nodes(self) -> tuple[Node, ...]:
        capacity = self.service.node_capacity
        asked = np.zeros((len(capacity), 2))
        for zone, deployment in self.deployments.items():
            requests = np.array(deployment.running.requests, dtype=float)
            asked[self.service.zones.node[self.service.zones.index(zone)]] += deployment.running.replicas * requests
        amounts = zip(capacity[:, :2].tolist(), asked.tolist(), strict=True)
        return tuple(Node(f"node-{n}", Amounts(*has), Amounts(*wants)) for n, (has, wants) in enumerate(amounts, 1))

    def write(self, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        """Ask for changes; see :meth:`bridges.contracts.Cluster.write`.

        Raises:
            ClusterError: The fault that is switched on for writing.
            OutcomeUnknownError: Answers are lost; the changes are made all the same.
        """
        if self.faults.writing is not None:
            raise self.faults.writing
        self.catch_up()
        seen = {workload.zone: workload for workload in snapshot.workloads}
        receipts = tuple(self._ask(change, seen.get(change.zone), dry_run) for change in changes)
        self.written += [receipt for receipt in receipts if receipt.result == "written"]
        if self.faults.answers_lost:
            raise OutcomeUnknownError("the connection broke before the answer; read back what was done")
        return receipts

    def _ask(self, change: Change, seen: Workload | None, dry_run: bool) -> Receipt:
        deployment = self.deployments.get(change.zone)
        if deployment is None or seen is None:
            return not_found(change).receipt(change)
        now = deployment.asked
        if (why := refusal(change, now, self.bounds)) is not None:
            return why.receipt(change)
        if now.uid != seen.uid:
            return Receipt(change, "refused", "Replaced", f"zone {change.zone!r} was made anew since; read it again")
        if now.version != seen.version:
            message = f"zone {change.zone!r} is at version {now.version}, read at {seen.version}; read it again"
            return Receipt(change, "failed", "Conflict", message)
        if changes_nothing(now, change):
            return Receipt(change, "unchanged", version=now.version)
        return Receipt(change, "dry_run", version=now.version) if dry_run else self._make(change, deployment)

    def _make(self, change: Change, deployment: Deployment) -> Receipt:
        now, requests = deployment.asked, requested(deployment.asked, change)
        owned = {"spec.replicas": MANAGER} if change.replicas is not None else {}
        goal = now._replace(
            requests=requests,
            limits=limits_for(now, requests) if change.requests is not None else now.limits,
            replicas=now.replicas if change.replicas is None else change.replicas,
            bandwidth_mbps=now.bandwidth_mbps if change.bandwidth_mbps is None else change.bandwidth_mbps,
            managers={**now.managers, **owned},
            version=self._next_version(),
        )
        if change.handover is not None:
            deployment.handover = min(1.0, sum(change.handover.values()))
        self._ask_for(deployment, goal)
        return Receipt(change, "written", version=goal.version)

    def _ask_for(self, deployment: Deployment, goal: Workload) -> None:
        deployment.asked = goal
        deployment.changed_s, deployment.changed_unix_s = self.clock.monotonic_s(), self.clock.unix_s()

    def edit(self, zone: str, **fields: Any) -> None:
        """Change a Deployment as somebody else would: any fields of its :class:`~bridges.contracts.Workload`.

        Raises:
            NotFoundError: There is none.
        """
        deployment = self._deployment(zone)
        self._ask_for(deployment, deployment.asked._replace(**{"version": self._next_version(), **fields}))

    def delete(self, zone: str) -> None:
        """Delete a Deployment, as somebody else would.

        Raises:
            NotFoundError: There is none.
        """
        self._deployment(zone)
        del self.deployments[zone]

    def _deployment(self, zone: str) -> Deployment:
        if zone not in self.deployments:
            raise NotFoundError(f"no Deployment {zone!r} in namespace {self._namespace!r}")
        return self.deployments[zone]
