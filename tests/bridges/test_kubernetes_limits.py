"""What cannot come about is told before it is asked for; and taken back when it was not foreseen."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.contracts import Amounts, Change, Node, Pod, Workload
from bridges.kubernetes.limits import Demand, Ledger, changes_qos, grant, invalid, open_ledger, out_of_range
from bridges.kubernetes.rules import Quota, Rules, bounds_of, read_rules
from bridges.kubernetes.sizes import Ratios, Size, Sizing, pod_total, qos_of, ratios_of, rescaled
from tests.bridges.control_plane import Json, wait_for
from tests.bridges.kubernetes_site import Site, one, resources, zone_of

MB = 1_000_000


def sizing(cpu: int, memory: int, times: int = 1) -> Sizing:
    return Sizing(Size(cpu, memory * MB), Size(cpu * times, memory * MB * times))


def left_of(ledger: Ledger) -> Json:
    return {each.name: dict(each.left) for each in ledger.rules.quotas}


def demand(before: Sizing, after: Sizing, pods: int, then: int, surge: int) -> Demand:
    return Demand("plaza", before, after, pods, then, surge)


def workload(*nodes: str) -> Workload:
    pods = tuple(Pod(f"pod-{index}", node) for index, node in enumerate(nodes))
    none = Amounts(None, None)
    return Workload("plaza", "n", "plaza", "u", "zone", "1", len(nodes), len(nodes), none, none, pods=pods)


def limit_range(kind: str, **rules: Json) -> Json:
    return {"kind": "LimitRange", "metadata": {"name": "bounds"}, "spec": {"limits": [{"type": kind, **rules}]}}


def quota(hard: Json, used: Json | None = None, **spec: object) -> Json:
    status = {"hard": hard, "used": used or {}}
    return {"kind": "ResourceQuota", "metadata": {"name": "share"}, "spec": {"hard": hard, **spec}, "status": status}


def pod_spec(*containers: Json) -> Json:
    return {"containers": [{"name": f"c{index}", "resources": each} for index, each in enumerate(containers)]}


def test_limits_keep_their_ratio_to_requests() -> None:
    now = Sizing(Size(100, 64 * MB), Size(250, None))
    assert ratios_of(now) == Ratios(Fraction(5, 2), None)
    assert rescaled(now, Size(333, None), ratios_of(now)) == Sizing(Size(333, 64 * MB), Size(833, None))


@given(cpu=st.integers(1, 10**6), limit=st.integers(1, 10**6), new=st.integers(1, 10**6))
def test_no_rescaling_puts_a_limit_below_its_request(cpu: int, limit: int, new: int) -> None:
    now = Sizing(Size(cpu, None), Size(max(cpu, limit), None))
    after = rescaled(now, Size(new, None), ratios_of(now))
    assert after.limits.millicores is not None
    assert after.limits.millicores >= new
    assert after.limits.millicores - new * Fraction(max(cpu, limit), cpu) < 1  # rounded up to the next millicore


def test_t57_classes_of_service_are_those_of_kubernetes() -> None:
    both = {"cpu": "1", "memory": "1Gi"}
    assert qos_of(pod_spec({"requests": both, "limits": both})) == "Guaranteed"
    assert qos_of(pod_spec({"limits": both})) == "Guaranteed"  # requests are the limits then
    assert qos_of(pod_spec({"requests": both, "limits": both}, {})) == "Burstable"
    assert qos_of(pod_spec({"requests": {"cpu": "1"}})) == "Burstable"
    assert qos_of(pod_spec({}, {})) == "BestEffort"


def test_t57_a_change_of_class_is_refused() -> None:
    spec = pod_spec({"requests": {"cpu": "100m", "memory": "64M"}, "limits": {"cpu": "100m", "memory": "64M"}})
    assert changes_qos("plaza", spec, "c0", sizing(200, 64)) is None
    refusal = changes_qos("plaza", spec, "c0", sizing(200, 64, times=2))
    assert refusal is not None
    assert refusal.code == "QoSChange"
    assert "Guaranteed would become Burstable" in refusal.message


def test_t63_a_request_above_its_limit_is_refused() -> None:
    assert invalid("plaza", sizing(100, 64)) is None
    refusal = invalid("plaza", Sizing(Size(200, MB), Size(100, MB)))
    assert refusal is not None
    assert "cpu request 200m of CPU is above the limit 100m of CPU" in refusal.message


@pytest.mark.parametrize(
    ("kind", "rules", "wanted", "said"),
    [
        ("Container", {"min": {"cpu": "200m"}}, sizing(100, 64), "at least 200m of CPU"),
        ("Container", {"max": {"cpu": "150m"}}, sizing(100, 64, 2), "at most 150m of CPU"),
        ("Container", {"max": {"memory": "50M"}}, sizing(100, 64), "at most 50000000 bytes of memory"),
        ("Container", {"maxLimitRequestRatio": {"cpu": "1.5"}}, sizing(100, 64, 2), "at most 1.5 times the request"),
        ("Pod", {"max": {"cpu": "300m"}}, sizing(250, 64), "at most 300m of CPU"),
        ("Pod", {"max": {"cpu": "400m"}}, sizing(250, 64), ""),
        ("Container", {"max": {"cpu": "300m"}}, sizing(250, 64), ""),
    ],
)
def test_t62_limit_ranges_are_kept(kind: str, rules: dict[str, Json], wanted: Sizing, said: str) -> None:
    spec = pod_spec({"requests": {"cpu": "50m"}}, {"requests": {"cpu": "100m"}, "limits": {"cpu": "100m"}})
    refusal = out_of_range("plaza", spec, "c0", wanted, read_rules([limit_range(kind, **rules)], []))
    assert (refusal is None) == (said == "")
    assert refusal is None or said in refusal.message


def test_what_a_pod_asks_for_counts_all_containers() -> None:
    spec = pod_spec({"requests": {"cpu": "100m"}}, {"requests": {"cpu": "50m", "memory": "8M"}})
    spec["initContainers"] = [{"name": "first", "resources": {"requests": {"cpu": "500m", "memory": "1M"}}}]
    spec["overhead"] = {"cpu": "10m"}
    assert pod_total(spec).requests == Size(500, 8 * MB)  # the first container runs alone, and is larger
    assert pod_total(spec, {"c0": sizing(600, 64)}).requests == Size(660, 72 * MB)


@pytest.mark.parametrize(
    ("asked", "left", "granted"),
    [
        (demand(sizing(100, 64), sizing(200, 64), 1, 1, 1), "200m", True),  # one new pod beside the old
        (demand(sizing(100, 64), sizing(200, 64), 1, 1, 1), "199m", False),
        (demand(sizing(100, 64), sizing(200, 64), 4, 4, 1), "500m", True),  # four new ones and the last old one
        (demand(sizing(100, 64), sizing(200, 64), 4, 4, 1), "499m", False),
        (demand(sizing(100, 64), sizing(100, 64), 2, 5, 0), "300m", True),  # three more
        (demand(sizing(100, 64), sizing(100, 64), 2, 5, 0), "299m", False),
        (demand(sizing(200, 64), sizing(100, 64), 2, 1, 0), "0", True),
        (demand(sizing(200, 64), sizing(100, 64), 2, 2, 1), "100m", True),  # smaller pods, but one too many for a while
        (demand(sizing(200, 64), sizing(100, 64), 2, 2, 1), "0", False),
    ],
)
def test_t62_quotas_hold_at_the_worst_moment_of_a_rollout(asked: Demand, left: str, granted: bool) -> None:
    rules = read_rules([], [quota({"requests.cpu": left})])
    ledger, refusal = grant(open_ledger(rules, ()), asked, workload())
    assert (refusal is None) == granted
    assert refusal is None or "ResourceQuota 'share'" in refusal.message
    assert granted or ledger.rules == rules


def test_t62_what_is_granted_is_no_longer_left() -> None:
    ledger = open_ledger(read_rules([], [quota({"cpu": "1", "pods": "5"}, {"cpu": "400m", "pods": "3"})]), ())
    assert left_of(ledger) == {"share": {"requests.cpu": 600, "pods": 2}}
    ledger, refusal = grant(ledger, demand(sizing(100, 1), sizing(100, 1), 3, 5, 0), workload())
    assert refusal is None
    assert left_of(ledger) == {"share": {"requests.cpu": 400, "pods": 0}}
    _, refusal = grant(ledger, demand(sizing(100, 1), sizing(100, 1), 1, 2, 0), workload())
    assert refusal is not None
    assert "has 0 of pods left, the change needs 1 more" in refusal.message


def test_quotas_of_other_pods_do_not_count() -> None:
    assert read_rules([], [quota({"pods": "0"}, scopes=["BestEffort"])]).quotas == ()
    assert read_rules([], [quota({"pods": "0"}, scopes=["NotBestEffort"])]).quotas != ()


def test_t62_a_pod_that_says_nothing_is_not_let_in_by_a_quota() -> None:
    silent = Sizing(Size(100, None), Size())
    _, refusal = grant(
        open_ledger(Rules((), (Quota("q", {"limits.cpu": 9}),)), ()), demand(silent, silent, 1, 2, 0), workload()
    )
    assert refusal is not None
    assert "wants every pod to say its limits.cpu" in refusal.message


def nodes(*free: int) -> tuple[Node, ...]:
    return tuple(
        Node(f"n{index}", Amounts(4.0, 8000.0), Amounts(4.0 - cpu / 1000, 0.0)) for index, cpu in enumerate(free)
    )


@pytest.mark.parametrize(
    ("asked", "free", "on", "granted"),
    [
        (demand(sizing(100, 1), sizing(300, 1), 1, 1, 1), (300,), ("n0",), True),
        (demand(sizing(100, 1), sizing(300, 1), 1, 1, 1), (299,), ("n0",), False),
        (demand(sizing(100, 1), sizing(300, 1), 1, 1, 1), (200, 200), ("n0",), False),  # enough, but nowhere together
        (demand(sizing(100, 1), sizing(300, 1), 2, 2, 1), (300, 100), ("n0", "n1"), False),  # the second finds no place
        (demand(sizing(100, 1), sizing(300, 1), 2, 2, 1), (300, 200), ("n0", "n1"), True),
        (demand(sizing(100, 1), sizing(100, 1), 1, 4, 0), (200, 100), ("n0",), True),
        (demand(sizing(100, 1), sizing(100, 1), 1, 5, 0), (200, 100), ("n0",), False),
    ],
)
def test_t62_pods_need_a_node_with_room(
    asked: Demand, free: tuple[int, ...], on: tuple[str, ...], granted: bool
) -> None:
    _, refusal = grant(open_ledger(Rules(), nodes(*free)), asked, workload(*on))
    assert (refusal is None) == granted
    assert refusal is None or refusal.code == "NoCapacity"


def test_bounds_are_the_strictest_of_all() -> None:
    ranges = [
        limit_range("Container", min={"cpu": "50m"}, max={"cpu": "2"}),
        limit_range("Container", max={"cpu": "1"}),
    ]
    bounds = bounds_of(read_rules(ranges, [quota({"cpu": "3"}, {"cpu": "4"}), quota({"requests.memory": "1G"})]))
    assert bounds.least == Amounts(0.05, None)
    assert bounds.most == Amounts(1.0, None)
    assert bounds.left == Amounts(0.0, 1000.0)


def test_t62_what_a_limit_range_forbids_is_not_written(site: Site) -> None:
    site.put({"apiVersion": "v1", **limit_range("Container", max={"cpu": "500m", "memory": "1Gi"})})
    site.add("zone-1")
    cluster = site.cluster()
    assert cluster.read().bounds.most == Amounts(0.5, 1073.741824)
    site.audit.mark()
    assert one(cluster, "zone-1", cpu=0.6).code == "LimitRange"
    assert site.writes() == []
    assert one(cluster, "zone-1", cpu=0.5).result == "written"


def test_t62_what_a_quota_has_not_is_not_written(site: Site) -> None:
    site.put({"apiVersion": "v1", **quota({"requests.cpu": "500m", "pods": "4"})})
    site.add("zone-1"), site.add("zone-2")
    cluster = site.cluster()
    wait_for(lambda: cluster.read().bounds.left.cpu_cores == 0.3, "the quota to be counted")
    site.audit.mark()
    receipts = cluster.write(
        [Change("zone-1", Amounts(0.2, None)), Change("zone-2", Amounts(0.2, None))], cluster.read()
    )
    assert [receipt.code for receipt in receipts] == ["", "Quota"]  # what the first takes is not there for the second
    assert "has 100m of requests.cpu left, the change needs 200m more" in receipts[1].message
    assert {entry.name for entry in site.entries()} == {"zone-1"}


def unforeseen(site: Site, hard: Json) -> Callable[[], None]:
    """Return what makes a quota after everything was read."""
    return lambda: site.plane.apply({"apiVersion": "v1", **quota(hard)}, namespace=site.namespace)


def test_t62_what_a_quota_stops_all_the_same_is_taken_back(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster(fence=unforeseen(site, {"requests.cpu": "150m"}))
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    wait_for(lambda: zone_of(cluster, "zone-1").problem.startswith("FailedCreate: "), "the pods to be refused")
    (receipt,) = cluster.verify(cluster.read())
    assert (receipt.result, receipt.code) == ("written", "FailedCreate")
    assert "taken back to the last that worked" in receipt.message
    assert resources(site.plane.get(path))["requests"]["cpu"] == "100m"
    site.settle()
    assert cluster.verify(cluster.read()) == ()


def test_t62_so_are_replicas(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster(fence=unforeseen(site, {"pods": "2"}))
    assert one(cluster, "zone-1", replicas=4).result == "written"
    wait_for(lambda: zone_of(cluster, "zone-1").problem, "the pods to be refused")
    (receipt,) = cluster.verify(cluster.read())
    assert (receipt.code, receipt.change.replicas) == ("FailedCreate", 1)
    assert site.plane.get(path)["spec"]["replicas"] == 1


def test_t66_a_rollout_that_is_stuck_is_taken_back_once(site: Site) -> None:
    def impatient(manifest: Json) -> None:
        manifest["spec"]["progressDeadlineSeconds"] = 1

    path = site.add("zone-1", impatient)
    cluster = site.cluster()
    assert one(cluster, "zone-1", cpu=500.0).result == "written"  # no node has that
    wait_for(lambda: zone_of(cluster, "zone-1").problem.startswith("ProgressDeadlineExceeded"), "the deadline")
    restarted = site.cluster()  # the mark tells it
    (receipt,) = restarted.verify(restarted.read())
    assert (receipt.result, receipt.code) == ("written", "ProgressDeadlineExceeded")
    assert resources(site.plane.get(path))["requests"]["cpu"] == "100m"
    site.settle()
    assert restarted.verify(restarted.read()) == ()


def test_t66_a_second_failure_is_told_and_left(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster(fence=unforeseen(site, {"pods": "1"}))
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    wait_for(lambda: zone_of(cluster, "zone-1").problem, "the pods to be refused")
    assert cluster.verify(cluster.read())[0].result == "written"
    site.plane.apply({"apiVersion": "v1", **quota({"pods": "0"})}, namespace=site.namespace)
    for name in [pod["metadata"]["name"] for pod in site.pods()]:
        site.plane.send("DELETE", f"/api/v1/namespaces/{site.namespace}/pods/{name}")
    wait_for(lambda: zone_of(cluster, "zone-1").problem, "the pods to be refused again")
    site.audit.mark()
    (receipt,) = cluster.verify(cluster.read())
    assert (receipt.result, receipt.code) == ("failed", "FailedCreate")
    assert "nothing to take it back to" in receipt.message
    assert site.writes() == []
    assert resources(site.plane.get(path))["requests"]["cpu"] == "100m"
