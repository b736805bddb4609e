"""The mutating requests themselves: each behind a fence, with its precondition, and read back from its answer."""

from collections.abc import Callable
from typing import NamedTuple

from bridges.contracts import Clock
from bridges.errors import ConflictError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.deployments import DeploymentFacts, read_deployment
from bridges.kubernetes.documents import text
from bridges.kubernetes.intents import changed_paths, incomplete, intent
from bridges.kubernetes.limits import Refusal
from bridges.kubernetes.marks import EPOCH, Mark, State
from bridges.kubernetes.ownership import conflict, may_force, takable
from bridges.kubernetes.pods import PodFacts
from bridges.kubernetes.resizing import resize_body
from bridges.kubernetes.resources import DEPLOYMENTS, PODS, Json
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Ratios, Sizing
from bridges.kubernetes.verdicts import Memory, echoed
from metaverse_env.errors import ClusterError

Fence = Callable[[], None]
Epoch = Callable[[], int | None]


class RefusedError(ClusterError):
    """A change is not written; raised and caught in this package.

    Attributes:
        refusal: Why.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal

    def __reduce__(self) -> tuple[type["RefusedError"], tuple[Refusal]]:
        return type(self), (self.refusal,)


class FencedError(ClusterError):
    """We are not, or no longer, who may write."""


class Put(NamedTuple):
    """What is put.

    Attributes:
        wanted: Values; parts that are ``None`` stay as they are.
        ratios: To remember.
        in_place: Whether resources go to running pods and not to the template.
        good: What to take back to, when this fails.
        reverted: Whether this is the taking back.
    """

    wanted: State
    ratios: Ratios
    in_place: bool
    good: State
    reverted: bool = False


class Putter:
    """Writes.

    Args:
        client: Of the cluster, behind its fence.
        settings: What may be done.
        clock: For what is remembered.
        memory: Of what was written.
        epoch: Of the leadership, stamped on what is written; what a later leader wrote is left alone.
    """

    def __init__(
        self, client: ApiClient, settings: ClusterSettings, clock: Clock, memory: Memory, epoch: Epoch
    ) -> None:
        self._client, self._settings, self._clock, self._memory = client, settings, clock, memory
        self._epoch = epoch

    @property
    def manager(self) -> str:
        """Our field manager."""
        return self._client.options.field_manager

    def _not_superseded(self, facts: DeploymentFacts) -> None:
        """Leave alone what a later leader wrote.

        Raises:
            FencedError: It did.
        """
        epoch, there = self._epoch(), facts.workload.annotations.get(EPOCH, "")
        if epoch is not None and there.isascii() and there.isdigit() and int(there[:18]) > epoch:
            raise FencedError(f"zone {facts.workload.zone!r}: a leader of epoch {there} wrote here; ours is {epoch}")

    def put(self, facts: DeploymentFacts, put: Put, dry_run: bool) -> str:
        """Write to a Deployment: what its template and mark say, and replicas. Returns its version.

        Replicas alone go first, as of the version that was read: the mark would set its controllers in motion.
        """
        self._not_superseded(facts)
        template = put.wanted._replace(replicas=None, resources=None if put.in_place else put.wanted.resources)
        rolls, replicas, version = template != State(), put.wanted.replicas, facts.workload.version
        if replicas is not None and not rolls:
            version = self._scale(facts, replicas, version, dry_run)
            facts = facts._replace(workload=facts.workload._replace(version=version, replicas=replicas))
        version = self._put_template(facts, put, template, rolls, dry_run)
        return self._scale(facts, replicas, version, dry_run) if replicas is not None and rolls else version

    def _put_template(self, facts: DeploymentFacts, put: Put, template: State, rolls: bool, dry_run: bool) -> str:
        mark = self._mark(facts, put, rolls)
        body = intent(facts, template, mark, self._number(), self.manager)
        answer = self._apply(facts, template, body, dry_run)
        after = read_deployment(answer, self._settings.container, self._settings.zone_label)
        refusal = echoed(facts.workload.zone, put.wanted, after.state, put.in_place)
        if refusal is not None:
            raise RefusedError(refusal)
        if not dry_run:
            self._memory.wrote(facts.workload.uid, mark, self._clock.monotonic_s() if rolls else None)
        return facts.workload.version if dry_run else after.workload.version

    def resize(self, facts: PodFacts, container: str, target: Sizing, dry_run: bool) -> None:
        """Give a running pod another size."""
        body = resize_body(facts, container, target)
        self._client.patch(PODS.at(self._settings.namespace, facts.pod.name, "resize"), body, dry_run=dry_run)

    def evict(self, pod: str) -> None:
        """Ask for a pod to go; the server refuses (429) while a disruption budget does not allow it."""
        version = self._client.features().policy
        body = {"apiVersion": f"policy/{version}", "kind": "Eviction", "metadata": {"name": pod}}
        self._client.create(PODS.at(self._settings.namespace, pod, "eviction"), body)

    def _number(self) -> str:
        epoch = self._epoch()
        return "" if epoch is None else str(epoch)

    def _mark(self, facts: DeploymentFacts, put: Put, rolls: bool) -> Mark:
        before = self._memory.mark(facts) or Mark(self.manager)
        return Mark(
            manager=self.manager,
            asked=_asked(put.wanted, before, facts.state),
            good=put.good,
            ratios=put.ratios,
            rollout_s=round(self._clock.unix_s(), 3) if rolls else before.rollout_s,
            reverted=put.reverted,
            undone=self._memory.times_undone(facts.workload.uid),
            in_place=put.in_place or (before.in_place and put.wanted.resources is None),
        )

    def _apply(self, facts: DeploymentFacts, template: State, body: Json, dry_run: bool) -> Json:
        refusal = incomplete(body, facts, self.manager)
        if refusal is not None:
            raise RefusedError(refusal)
        target = DEPLOYMENTS.at(self._settings.namespace, facts.workload.name)
        force = takable(facts.owners, changed_paths(facts, template), self.manager, self._settings)
        if force:  # from those who own them as it was read, and from nobody who came since
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": facts.workload.version}}
        try:
            return self._client.apply(target, body, force, dry_run)
        except ConflictError as error:
            if error.fields and not may_force(error.fields, self._settings):
                raise RefusedError(conflict(error.fields)) from error
            raise

    def _scale(self, facts: DeploymentFacts, replicas: int, version: str, dry_run: bool) -> str:
        body = {"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}}
        target = DEPLOYMENTS.at(self._settings.namespace, facts.workload.name, "scale")
        answer = self._client.patch(target, body, kind="merge", dry_run=dry_run)
        found = answer.get("spec", {}).get("replicas")
        if found != replicas:
            message = f"zone {facts.workload.zone!r}: the server answers {found!r} replicas, not {replicas}"
            raise RefusedError(Refusal("NotEchoed", message))
        return text(answer, "metadata", "resourceVersion")


def _asked(wanted: State, before: Mark, now: State) -> State:
    """Return what counts as asked for: what is now, and of what was before what still stands there."""
    unseen = before.in_place or before.asked.resources == now.resources
    return State(
        wanted.resources or (before.asked.resources if unseen else None),
        wanted.replicas or (now.replicas if before.asked.replicas == now.replicas else None),
        wanted.bandwidth or (now.bandwidth if before.asked.bandwidth == now.bandwidth else None),
    )
