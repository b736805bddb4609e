"""What every cluster must do, in memory or real: subclass :class:`ClusterContract` and give it the fixture ``site``.

The site has at least two zones, ``names``, each one pod of one container with requests equal to limits, that nobody
else owns; ``size`` is what a pod has; ``settle`` waits until no rollout is under way.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from bridges.contracts import Amounts, Change, Cluster, Snapshot, Workload


class Site(NamedTuple):
    cluster: Cluster
    names: tuple[str, ...]
    size: Amounts
    settle: Callable[[], None]


def zone_of(snapshot: Snapshot, name: str) -> Workload:
    return next(workload for workload in snapshot.workloads if workload.zone == name)


class ClusterContract:
    """The rules; each test leaves the zones sound, but not as it found them."""

    def test_is_a_cluster(self, site: Site) -> None:
        assert isinstance(site.cluster, Cluster)

    def test_reads_every_zone_sorted_with_its_pods(self, site: Site) -> None:
        snapshot = site.cluster.read()
        assert tuple(workload.zone for workload in snapshot.workloads) == tuple(sorted(site.names))
        for workload in snapshot.workloads:
            assert workload.uid
            assert workload.version
            assert workload.replicas == workload.ready_replicas == len(workload.pods)
            assert all(pod.ready and pod.phase == "Running" and not pod.deleting for pod in workload.pods)
            assert all(pod.requests.cpu_cores == workload.requests.cpu_cores for pod in workload.pods)

    def test_reading_changes_nothing(self, site: Site) -> None:
        first, second = site.cluster.read(), site.cluster.read()
        for name in site.names:
            assert zone_of(first, name).requests == zone_of(second, name).requests
            assert zone_of(first, name).replicas == zone_of(second, name).replicas

    def test_a_dry_run_writes_nothing(self, site: Site) -> None:
        before = site.cluster.read()
        change = Change(site.names[0], requests=Amounts(2 * site.size.cpu_cores, None), replicas=2)
        (receipt,) = site.cluster.write([change], before, dry_run=True)
        after = zone_of(site.cluster.read(), site.names[0])
        assert (receipt.result, receipt.code) == ("dry_run", "")
        assert after.requests == zone_of(before, site.names[0]).requests
        assert after.replicas == zone_of(before, site.names[0]).replicas

    def test_writes_requests_and_keeps_the_ratio_of_limits(self, site: Site) -> None:
        goal = Amounts(round(1.5 * site.size.cpu_cores, 3), site.size.memory_mb + 1)
        (receipt,) = site.cluster.write([Change(site.names[0], requests=goal)], site.cluster.read())
        assert (receipt.result, receipt.code) == ("written", "")
        now = zone_of(site.cluster.read(), site.names[0])
        assert now.requests == pytest.approx(goal)
        assert now.limits == pytest.approx(goal)
        assert zone_of(site.cluster.read(), site.names[1]).requests == site.size

    def test_pods_follow_the_template_after_the_rollout(self, site: Site) -> None:
        goal = Amounts(round(1.25 * site.size.cpu_cores, 3), None)
        site.cluster.write([Change(site.names[0], requests=goal)], site.cluster.read())
        site.settle()
        now = zone_of(site.cluster.read(), site.names[0])
        assert now.rollout == "complete"
        assert [pod.requests.cpu_cores for pod in now.pods if not pod.deleting] == [goal.cpu_cores]

    def test_scales_out_and_in(self, site: Site) -> None:
        for replicas in (2, 1):
            change = Change(site.names[0], replicas=replicas)
            (receipt,) = site.cluster.write([change], site.cluster.read())
            assert receipt.result == "written"
            site.settle()
            now = zone_of(site.cluster.read(), site.names[0])
            assert now.replicas == now.ready_replicas == replicas

    def test_what_is_so_already_is_left_alone(self, site: Site) -> None:
        now = zone_of(site.cluster.read(), site.names[0])
        change = Change(now.zone, requests=now.requests, replicas=now.replicas)
        (receipt,) = site.cluster.write([change], site.cluster.read())
        assert receipt.result == "unchanged"

    def test_quantities_are_compared_as_the_cluster_rounds_them(self, site: Site) -> None:
        now = zone_of(site.cluster.read(), site.names[0])
        change = Change(now.zone, requests=Amounts(now.requests.cpu_cores + 1e-5, None))
        (receipt,) = site.cluster.write([change], site.cluster.read())
        assert receipt.result == "unchanged"

    @pytest.mark.parametrize("cores", [float("nan"), float("inf"), -1.0, 0.0])
    def test_t63_nonsense_is_refused(self, site: Site, cores: float) -> None:
        change = Change(site.names[0], requests=Amounts(cores, None))
        (receipt,) = site.cluster.write([change], site.cluster.read())
        assert receipt.result == "refused"
        assert site.names[0] in receipt.message

    def test_an_unknown_zone_stops_no_other(self, site: Site) -> None:
        good = Change(site.names[1], requests=Amounts(round(1.1 * site.size.cpu_cores, 3), None))
        receipts = site.cluster.write([Change("no-such-zone", replicas=2), good], site.cluster.read())
        assert [receipt.result for receipt in receipts] == ["refused", "written"]
        assert receipts[0].code == "NotFound"
        assert [receipt.change.zone for receipt in receipts] == ["no-such-zone", site.names[1]]
