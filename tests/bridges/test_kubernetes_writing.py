"""Writing to the real API server: what is asked for arrives, exactly once, and nothing else."""

from collections.abc import Callable

import pytest

from bridges.clock import ManualClock
from bridges.contracts import Amounts, Change, Cluster, Verifier
from bridges.kubernetes.marks import BANDWIDTH, EPOCH, MARK, decode
from metaverse_env.errors import ClusterError, LifecycleError
from tests.bridges.control_plane import Json
from tests.bridges.kubernetes_site import MANAGER, SETUP, Site, container_of, one, resources, zone_of


def sized(requests: Json, limits: Json) -> Callable[[Json], None]:
    def edit(manifest: Json) -> None:
        container_of(manifest)["resources"] = {"requests": requests, "limits": limits}

    return edit


def touch(site: Site, path: str, value: str) -> None:
    """Change something of a Deployment that is nobody's business, as its controllers do all the time."""
    site.plane.call("PATCH", path, {"metadata": {"labels": {"touched": value}}}, "merge", fieldManager=SETUP)


def scale(site: Site, path: str, replicas: int) -> None:
    site.plane.call("PATCH", f"{path}/scale", {"spec": {"replicas": replicas}}, "merge", fieldManager=SETUP)


def test_it_is_a_cluster_that_looks_after_what_it_wrote(site: Site) -> None:
    assert isinstance(site.cluster(), Cluster)
    assert isinstance(site.cluster(), Verifier)


def test_requests_are_written_and_limits_keep_their_ratio(site: Site) -> None:
    path = site.add("zone-1", sized({"cpu": "100m", "memory": "32Mi"}, {"cpu": "300m", "memory": "64Mi"}))
    receipt = one(site.cluster(), "zone-1", cpu=0.25, memory=48.0)
    assert (receipt.result, receipt.code, receipt.advice) == ("written", "", ())
    wanted = {"requests": {"cpu": "250m", "memory": "46875Ki"}, "limits": {"cpu": "750m", "memory": "93750Ki"}}
    assert resources(site.plane.get(path)) == wanted
    assert [(entry.code, "force" in entry.query) for entry in site.entries()] == [(200, True)]  # as it is allowed here
    site.settle()
    assert one(site.cluster(), "zone-1", cpu=0.3).result == "written"
    assert "force" not in site.entries()[-1].query  # the fields are ours now


def test_a_ratio_does_not_drift_by_rounding(site: Site) -> None:
    path = site.add("zone-1", sized({"cpu": "3m", "memory": "32Mi"}, {"cpu": "7m", "memory": "32Mi"}))
    cluster = site.cluster()
    for cpu in (0.002, 0.001, 0.3):
        assert one(cluster, "zone-1", cpu=cpu).result == "written"
        site.settle()
    assert resources(site.plane.get(path))["limits"]["cpu"] == "700m"


def test_replicas_go_through_the_scale_subresource(site: Site) -> None:
    path = site.add("zone-1")
    assert one(site.cluster(), "zone-1", replicas=3).result == "written"
    assert site.plane.get(path)["spec"]["replicas"] == 3
    assert site.writes() == [("patch", "deployments/scale"), ("patch", "deployments")]
    assert "spec" not in site.entries()[-1].body  # the last only leaves the mark: pods are not replaced


def test_a_dry_run_writes_nothing(site: Site) -> None:
    path = site.add("zone-1")
    before = site.plane.get(path)
    cluster = site.cluster()
    (receipt,) = cluster.write([Change("zone-1", Amounts(0.2, None), replicas=2)], cluster.read(), dry_run=True)
    assert receipt.result == "dry_run"
    assert site.writes() == []
    assert site.plane.get(path)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_a_snapshot_that_is_not_the_last_is_refused(site: Site) -> None:
    site.add("zone-1")
    cluster = site.cluster()
    old = cluster.read()
    cluster.read()
    with pytest.raises(LifecycleError, match="not the last that this cluster read"):
        cluster.write([], old)


def test_one_failure_stops_no_other(site: Site) -> None:
    site.add("zone-1"), site.add("zone-2")
    cluster = site.cluster()
    changes = [
        Change("zone-0", replicas=2),
        Change("zone-1", Amounts(-1.0, None)),
        Change("zone-2", Amounts(0.2, None)),
    ]
    receipts = cluster.write(changes, cluster.read())
    assert [receipt.code for receipt in receipts] == ["NotFound", "Invalid", ""]


def test_a_fence_that_closes_drops_the_write(site: Site) -> None:
    site.add("zone-1"), site.add("zone-2")

    def closed() -> None:
        raise ClusterError("the lease was lost")

    cluster = site.cluster(fence=closed)
    changes = [Change("zone-1", Amounts(0.2, None)), Change("zone-2", replicas=2)]
    receipts = cluster.write(changes, cluster.read())
    assert [(receipt.result, receipt.code) for receipt in receipts] == [("skipped", "Fenced")] * 2
    assert "the lease was lost" in receipts[1].message
    assert receipts[1].change is changes[1]
    assert site.writes() == []


def test_the_fence_is_asked_before_each_request(site: Site) -> None:
    site.add("zone-1")
    passed: list[None] = []
    cluster = site.cluster(fence=lambda: passed.append(None))
    assert one(cluster, "zone-1", cpu=0.2, replicas=2).result == "written"
    assert len(passed) == len(site.entries()) >= 2  # more, when a controller came between


def test_a_later_leaders_epoch_is_left_alone(site: Site) -> None:
    path = site.add("zone-1")
    assert one(site.cluster(epoch=lambda: 7), "zone-1", cpu=0.2).result == "written"
    assert site.plane.get(path)["metadata"]["annotations"][EPOCH] == "7"
    site.settle()
    late = one(site.cluster(epoch=lambda: 6), "zone-1", cpu=0.3)
    assert (late.result, late.code) == ("skipped", "Fenced")
    assert resources(site.plane.get(path))["requests"]["cpu"] == "200m"


def test_the_mark_says_what_was_asked_and_what_was_good(site: Site) -> None:
    path = site.add("zone-1")
    one(site.cluster(), "zone-1", cpu=0.2)
    mark = decode(site.plane.get(path)["metadata"]["annotations"][MARK])
    assert mark is not None
    assert mark.manager == MANAGER
    assert mark.asked.resources is not None
    assert mark.good.resources is not None
    assert mark.asked.resources.requests.millicores == 200
    assert mark.good.resources.requests.millicores == 100
    assert mark.asked.replicas is None


def test_t11_pods_that_are_being_replaced_are_left_in_peace(site: Site) -> None:
    site.add("zone-1")
    cluster = site.cluster()
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    again = one(cluster, "zone-1", cpu=0.3)
    assert (again.result, again.code) == ("skipped", "RolloutInProgress")
    assert one(cluster, "zone-1", cpu=0.2).result == "unchanged"


def test_pods_are_not_replaced_again_within_the_cool_down(site: Site) -> None:
    site.add("zone-1")
    clock = ManualClock()
    cluster = site.cluster(clock=clock, rollout_cool_down_s=60.0)
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    site.settle()
    clock.advance(59.0)
    assert one(cluster, "zone-1", cpu=0.3).code == "CoolDown"
    assert one(cluster, "zone-1", replicas=2).result == "written"  # no pod is replaced
    site.settle()
    clock.advance(1.0)
    assert one(cluster, "zone-1", cpu=0.3).result == "written"


def test_the_cool_down_outlasts_a_restart_and_a_wrong_clock(site: Site) -> None:
    site.add("zone-1")
    first = ManualClock(unix_s=2_000_000_000.0)
    assert one(site.cluster(clock=first, rollout_cool_down_s=60.0), "zone-1", cpu=0.2).result == "written"
    site.settle()
    behind = ManualClock(unix_s=2_000_000_000.0 - 600.0)
    restarted = site.cluster(clock=behind, rollout_cool_down_s=60.0)
    assert one(restarted, "zone-1", cpu=0.3).code == "CoolDown"
    behind.advance(60.0)  # ten minutes of skew do not make it wait for ten minutes
    assert one(restarted, "zone-1", cpu=0.3).result == "written"


def test_t15_a_stale_version_is_read_again_and_recomputed(site: Site) -> None:
    path = site.add("zone-1")
    disturbances = iter(("a", "b", "c"))

    def disturb() -> None:
        touch(site, path, next(disturbances, "c"))

    assert one(site.cluster(fence=disturb), "zone-1", replicas=2).result == "written"
    codes = [entry.code for entry in site.entries() if entry.subresource == "scale"]
    assert codes[-1] == 200
    assert 409 in codes


def test_t15_after_five_tries_it_is_told(site: Site) -> None:
    path = site.add("zone-1")
    numbers = iter(range(100))
    receipt = one(site.cluster(fence=lambda: touch(site, path, str(next(numbers)))), "zone-1", replicas=2)
    assert (receipt.result, receipt.code) == ("failed", "Conflict")
    assert [entry.code for entry in site.entries() if entry.subresource == "scale"] == [409] * 5
    assert site.plane.get(path)["spec"]["replicas"] == 1


def test_t15_what_somebody_else_changed_meanwhile_is_never_overwritten(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster()
    snapshot = cluster.read()
    scale(site, path, 5)
    (receipt,) = cluster.write([Change("zone-1", replicas=2)], snapshot)
    assert (receipt.result, receipt.code) == ("skipped", "ChangedMeanwhile")
    assert site.plane.get(path)["spec"]["replicas"] == 5


def test_t16_every_write_but_apply_has_a_precondition(site: Site) -> None:
    site.add("zone-1")
    one(site.cluster(), "zone-1", cpu=0.2, replicas=2)
    for entry in site.entries():
        pinned = "resourceVersion" in entry.body["metadata"]
        assert pinned or entry.subresource == ""
        assert pinned or "force" not in entry.query  # what is taken by force is taken as it was read
        assert entry.subresource or "uid" in entry.body["metadata"]


def test_t23_a_target_that_is_gone_is_not_made_anew(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster()
    snapshot = cluster.read()
    site.plane.call("DELETE", path)
    (receipt,) = cluster.write([Change("zone-1", Amounts(0.2, None))], snapshot)
    assert (receipt.result, receipt.code) == ("skipped", "Gone")
    assert site.writes() == []


def test_t23_not_even_when_it_goes_between_reading_and_writing(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster(fence=lambda: site.plane.send("DELETE", path) and None)
    assert one(cluster, "zone-1", cpu=0.2).code == "Gone"
    assert site.plane.send("GET", path).status_code == 404
    assert [entry.code for entry in site.entries()] == [409]  # its uid is in the intent


def test_t23_one_that_was_made_again_is_another(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster()
    snapshot = cluster.read()
    site.plane.call("DELETE", path)
    site.add("zone-1", ready=False)
    (receipt,) = cluster.write([Change("zone-1", Amounts(0.2, None))], snapshot)
    assert receipt.code == "Gone"
    assert "made again" in receipt.message


def test_t24_what_is_so_already_is_not_written(site: Site) -> None:
    path = site.add("zone-1", sized({"cpu": "0.15", "memory": "32Mi"}, {"cpu": "0.3", "memory": "32Mi"}))
    before = site.plane.get(path)["metadata"]
    receipt = one(site.cluster(), "zone-1", cpu=0.15, memory=33.554432, replicas=1)
    assert receipt.result == "unchanged"
    assert site.writes() == []
    after = site.plane.get(path)["metadata"]
    assert (after["generation"], after["resourceVersion"]) == (before["generation"], before["resourceVersion"])


def test_t25_sidecars_survive(site: Site) -> None:
    def with_sidecar(manifest: Json) -> None:
        sidecar = {
            "name": "proxy",
            "image": "zone:1",
            "env": [{"name": "PORT", "value": "8081"}],  # two cannot listen on one
            "resources": {"requests": {"cpu": "10m"}, "limits": {"cpu": "20m"}},
        }
        manifest["spec"]["template"]["spec"]["containers"].append(sidecar)

    path = site.add("zone-1", with_sidecar)
    before = container_of(site.plane.get(path), "proxy")
    assert one(site.cluster(container="zone"), "zone-1", cpu=0.2).result == "written"
    found = site.plane.get(path)
    assert container_of(found, "proxy") == before
    assert resources(found)["requests"]["cpu"] == "200m"
    assert container_of(found)["env"]  # and so does all else of the container


@pytest.mark.parametrize("container", ["other", ""])
def test_t26_an_unknown_container_is_a_mistake_of_configuration(site: Site, container: str) -> None:
    def two(manifest: Json) -> None:
        manifest["spec"]["template"]["spec"]["containers"].append(
            {"name": "proxy", "image": "zone:1", "env": [{"name": "PORT", "value": "8081"}]}
        )

    site.add("zone-1", two)
    receipt = one(site.cluster(container=container), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("refused", "UnknownContainer")
    assert site.writes() == []


def test_t31_the_field_manager_is_ours(site: Site) -> None:
    path = site.add("zone-1")
    one(site.cluster(manager="metaverse-test"), "zone-1", cpu=0.2)
    entries = site.plane.get(path)["metadata"]["managedFields"]
    assert [(entry["operation"]) for entry in entries if entry["manager"] == "metaverse-test"] == ["Apply"]
    assert not any("OpenAPI" in entry["manager"] for entry in entries)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5, 0.0, 1e12])
def test_t63_impossible_amounts_never_reach_the_server(site: Site, value: float) -> None:
    site.add("zone-1")
    cluster = site.cluster(bandwidth="annotation")
    changes = [
        Change("zone-1", Amounts(value, None)),
        Change("zone-1", Amounts(None, value)),
        Change("zone-1", bandwidth_mbps=value),
        Change("zone-1", replicas=value),  # type: ignore[arg-type]
    ]
    receipts = cluster.write(changes, cluster.read())
    assert [(receipt.result, receipt.code) for receipt in receipts] == [("refused", "Invalid")] * 4
    assert all("'zone-1'" in receipt.message for receipt in receipts)
    assert site.writes() == []


def test_t64_amounts_are_whole_millicores_and_bytes(site: Site) -> None:
    path = site.add("zone-1")
    assert one(site.cluster(), "zone-1", cpu=0.1 + 0.2, memory=33.5544331234).result == "written"
    assert resources(site.plane.get(path))["requests"] == {"cpu": "300m", "memory": "33554433"}
    site.settle()
    assert one(site.cluster(), "zone-1", cpu=1e-10).result == "written"
    assert resources(site.plane.get(path))["requests"]["cpu"] == "1m"


def test_t65_paused_zones_are_skipped(site: Site) -> None:
    path = site.add("zone-1")
    site.plane.call("PATCH", path, {"spec": {"paused": True}}, "merge", fieldManager=SETUP)
    receipt = one(site.cluster(), "zone-1", cpu=0.2, replicas=2)
    assert (receipt.result, receipt.code) == ("skipped", "Paused")
    assert site.writes() == []


def test_t65_zones_scaled_to_nothing_are_skipped(site: Site) -> None:
    site.add("zone-1", replicas=0)
    receipt = one(site.cluster(), "zone-1", replicas=2)
    assert (receipt.result, receipt.code) == ("skipped", "ZeroReplicas")
    assert site.writes() == []


def test_t65_zones_that_are_being_deleted_are_skipped(site: Site) -> None:
    def held(manifest: Json) -> None:
        manifest["metadata"]["finalizers"] = ["metaverse-env.dev/test"]

    path = site.add("zone-1", held)
    site.plane.call("DELETE", path)
    receipt = one(site.cluster(), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("skipped", "Deleting")
    assert site.writes() == []
    site.plane.call("PATCH", path, {"metadata": {"finalizers": None}}, "merge", fieldManager=SETUP)


def test_bandwidth_is_an_annotation_of_pods_where_a_plugin_honours_it(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster(bandwidth="annotation")
    assert one(cluster, "zone-1", bandwidth_mbps=12.5).result == "written"
    notes = site.plane.get(path)["spec"]["template"]["metadata"]["annotations"]
    assert notes == {BANDWIDTH: "12500000"}
    site.settle()
    assert zone_of(cluster, "zone-1").bandwidth_mbps == 12.5
    assert one(cluster, "zone-1", bandwidth_mbps=12.5).result == "unchanged"
    assert one(cluster, "zone-1", cpu=0.2).result == "written"  # an intent that forgot it would take it away
    assert site.plane.get(path)["spec"]["template"]["metadata"]["annotations"] == notes


def test_bandwidth_is_advice_elsewhere(site: Site) -> None:
    site.add("zone-1")
    receipt = one(site.cluster(), "zone-1", bandwidth_mbps=12.5)
    assert receipt.result == "unchanged"
    assert "12.5 Mbps" in receipt.advice[0]
    assert site.writes() == []


def test_handover_is_advice_without_routes(site: Site) -> None:
    site.add("zone-1"), site.add("zone-2")
    receipt = one(site.cluster(), "zone-1", handover={"zone-2": 0.25})
    assert receipt.result == "unchanged"
    assert "25 % to 'zone-2'" in receipt.advice[0]
    assert site.writes() == []
