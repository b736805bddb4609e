"""Where a controller works: a real cluster with its lease, or one in memory."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bridges.clock import ManualClock, SystemClock
from bridges.contracts import Clock, Cluster, TelemetrySource
from bridges.controller.deciding import Decision
from bridges.controller.gate import Alone, Gate, Leadership, Switch
from bridges.controller.telling import teller
from bridges.controller.watching import OneByOne
from bridges.dryrun import DryRunCluster
from bridges.kubernetes.lease import LEASE
from metaverse_env.errors import ClusterError
from metaverse_env.scenario import Scenario

if TYPE_CHECKING:
    from bridges.kubernetes.client import ApiClient


def _nobody(decision: Decision) -> None:
    """Tell nobody."""


class Asked(NamedTuple):
    """How a cluster is reached.

    Attributes:
        namespace: Whose Deployments are zones.
        selector: Labels that choose them, or ``None`` for those of the manifests.
        kubeconfig: A file, or ``None`` for ``KUBECONFIG``, the home folder's, or the pod's own account.
        prometheus: Address of a Prometheus, or ``None``.
        queries: A preset, or a file.
        scrape_s: How often it takes values, s.
        objective_ms: The latency objective.
        lease: Name of the lease that replicas share.
        acts: Whether it may write at all, and so needs the lease.
        rollouts: Whether a lone pod may be replaced where the server cannot resize it.
        rollout_cool_down_s: Between two replacements of it, s.
        take_from: Field managers from whom fields may be taken: whoever installed the zones owns their amounts.
    """

    namespace: str
    selector: str | None = None
    kubeconfig: Path | None = None
    prometheus: str | None = None
    queries: str = "zone"
    scrape_s: float = 15.0
    objective_ms: float = 100.0
    lease: str = LEASE
    acts: bool = False
    rollouts: bool = False
    rollout_cool_down_s: float = 60.0
    take_from: tuple[str, ...] = ()


class Site(NamedTuple):
    """A cluster, its telemetry, their clock, and the door before its writes.

    Attributes:
        cluster: What is read and written.
        telemetry: What measures it.
        clock: Their time.
        gate: The door.
        missing: Returns what the account may not do and needs, in words.
        tell: Tells the cluster of a decision.
        drift: Returns how many pods of each zone have not got the size that they were asked to be resized to.
    """

    cluster: Cluster
    telemetry: TelemetrySource
    clock: Clock
    gate: Gate
    missing: Callable[[], Sequence[str]] = tuple
    tell: Callable[[Decision], None] = _nobody
    drift: Callable[[], Mapping[str, int]] = dict


def in_memory(
    scenario: str | Scenario, seed: int, switch: Switch, stopping: Callable[[], bool], clock: Clock | None = None
) -> Site:
    """Return a cluster in memory.

    Args:
        scenario: Of its physics.
        seed: Of its users.
        switch: What people shut the door with.
        stopping: Whether the process is asked to end.
        clock: Its time; by default it passes by waiting, at once.
    """
    cluster = DryRunCluster(scenario, seed=seed, clock=clock or ManualClock())
    gate = Gate(switch, Alone(), stopping)
    return Site(OneByOne(cluster, gate.check), cluster.telemetry, cluster.clock, gate)


def real(
    asked: Asked,
    clock: SystemClock,
    switch: Switch,
    stopping: Callable[[], bool],
    closing: ExitStack,
    ticks: SystemClock | None = None,
) -> Site:
    """Return a real cluster; who may write waits for its lease.

    Args:
        asked: How it is reached.
        clock: The machine's.
        switch: What people shut the door with.
        stopping: Whether the process is asked to end.
        closing: Ends the connections.
        ticks: Waited with between cycles, and woken as soon as it leads; by default ``clock``, which nobody wakes.

    Raises:
        ConfigurationError: It cannot be reached like that.
        MissingDependencyError: The extra ``bridges`` is not installed.
    """
    from bridges.connecting import log_in, sources_of  # noqa: PLC0415
    from bridges.kubernetes.cluster import KubernetesCluster  # noqa: PLC0415  one in memory needs no such package
    from bridges.kubernetes.lease import unique_identity  # noqa: PLC0415
    from bridges.kubernetes.settings import ClusterSettings  # noqa: PLC0415

    client = log_in(asked.kubeconfig, clock)
    closing.callback(client.close)
    leadership = _leadership(asked, clock, closing, ticks) if asked.acts else Alone()
    gate = Gate(switch, leadership, stopping)
    settings = ClusterSettings(
        namespace=asked.namespace, allow_rollout=asked.rollouts, rollout_cool_down_s=asked.rollout_cool_down_s
    )
    settings = settings if asked.selector is None else replace(settings, selector=asked.selector)
    settings = replace(settings, conflict="force", force_from=asked.take_from) if asked.take_from else settings
    cluster = KubernetesCluster(client, settings, gate.check, lambda: leadership.epoch)
    telemetry = sources_of(client, clock, asked.prometheus, asked.queries, asked.scrape_s, asked.objective_ms)
    told = teller(client, asked.namespace, unique_identity()) if asked.acts else _nobody
    return Site(cluster, telemetry, ticks or clock, gate, partial(_missing, client, asked), told, lambda: cluster.drift)


def _missing(client: "ApiClient", asked: Asked) -> tuple[str, ...]:
    """Return what the account may not do and needs (T39)."""
    from bridges.kubernetes.preflight import Uses, needs, refused  # noqa: PLC0415

    uses = Uses(lease=asked.lease if asked.acts else "")
    try:
        wanted = [
            one for one in needs("active" if asked.acts else "shadow", client.features(), uses) if not one.optional
        ]
        return tuple(str(one) for one in refused(client, asked.namespace, wanted))
    except ClusterError as error:
        return (f"what the account may do could not be asked: {error}",)


def _leadership(asked: Asked, clock: SystemClock, closing: ExitStack, ticks: SystemClock | None) -> Leadership:
    """Return the election for the lease, through a client of its own, so that renewing waits for nobody."""
    from bridges.connecting import log_in  # noqa: PLC0415
    from bridges.kubernetes.election import Election  # noqa: PLC0415
    from bridges.kubernetes.lease import LeaseSettings  # noqa: PLC0415

    client = log_in(asked.kubeconfig, clock)
    closing.callback(client.close)
    won = (ticks or SystemClock()).wake
    return Election(client, LeaseSettings(namespace=asked.namespace, name=asked.lease), won)
