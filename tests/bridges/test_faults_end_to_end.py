"""What fails around a bridge that acts: nothing is lost, nothing wrong is written, and it goes on by itself.

One process under the manifests' account, a real API server and a real Prometheus. The policy asks for amounts that the
test chose, so the server's audit log tells each write from all others.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridges.control_plane import AuditLog, ControlPlane, wait_for
from tests.bridges.fault_proxy import FaultProxy
from tests.bridges.kubernetes_site import resources
from tests.bridges.running_bridge import Bridge, Installation, written
from tests.bridges.steady_prometheus import Measuring

NAN = float("nan")
NAMED = {"metadata": {"name": "controller"}}


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measuring]:
    made = Measuring(tmp_path_factory.mktemp("measuring"))
    yield made
    made.close()


@pytest.fixture
def installation(
    control_plane: ControlPlane, audit_log: AuditLog, measuring: Measuring, tmp_path: Path
) -> Iterator[Installation]:
    made = Installation(control_plane, audit_log, measuring, tmp_path)
    yield made
    made.close()


@pytest.fixture
def bridge(installation: Installation) -> Bridge:
    """Return a bridge that wrote to zone-1 already."""
    return installation.running()


def test_t42_an_api_server_that_is_killed_and_comes_back(installation: Installation, bridge: Bridge) -> None:
    wait_for(lambda: bridge.ready() == 200, "readiness")
    os.kill(installation.plane.process("kube-apiserver"), signal.SIGKILL)
    bridge.wish(policy={"zone-2": 0.2})
    found = bridge.until_mode("hold", "ClusterUnavailable")
    assert (found["decider"], found["written_to"], bool(found["error"])) == ("nobody", "none", True)
    wait_for(lambda: bridge.ready() == 503, "the end of readiness")
    installation.plane.up()
    bridge.until_written("zone-2")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "200m")]
    assert bridge.ready() == 200


def test_t13_a_prometheus_that_is_stopped_and_comes_back(installation: Installation, bridge: Bridge) -> None:
    installation.measuring.stop()
    try:
        found = bridge.until_mode("hold", "TooManyIll")
        assert set(found["ill"].values()) == {"Unmeasured: Unreachable"}
        bridge.wish(policy={"zone-2": 0.2})
        assert {one["state"]["mode"] for one in bridge.cycles(3)} == {"hold"}
        assert installation.writes() == [("zone-1", "200m")]
    finally:
        installation.measuring.start()
    bridge.until_written("zone-2")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "200m")]


def test_t38_a_token_that_is_revoked_and_replaced(installation: Installation, bridge: Bridge) -> None:
    account = f"/api/v1/namespaces/{installation.namespace}/serviceaccounts/controller"
    installation.plane.call("DELETE", account)
    found = bridge.until_mode("hold", "ClusterUnavailable")  # the server believes a token for 10 s more
    assert found["error"].startswith("UnauthorisedError")
    bridge.wish(policy={"zone-2": 0.2})
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m")]
    installation.install({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "controller"}})
    installation.log_in(bridge.folder / "kubeconfig")
    bridge.until_written("zone-2")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "200m")]


def test_t39_rights_that_lack_at_the_start_are_named_and_waited_for(installation: Installation) -> None:
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{installation.namespace}/rolebindings/controller"
    binding = installation.plane.get(bindings)
    installation.plane.call("DELETE", bindings)
    bridge = installation.start()
    wait_for(lambda: "missing permission: verb 'list' on 'deployments.apps'" in bridge.reasons(), "the verb's name")
    bridge.wish(policy={"zone-1": 0.2})
    installation.install({name: binding[name] for name in ("apiVersion", "kind", "roleRef", "subjects")} | NAMED)
    bridge.until_written("zone-1")
    wait_for(lambda: bridge.ready() == 200, "readiness")
    assert installation.writes() == [("zone-1", "200m")]


def test_t23_a_zone_that_is_deleted_and_made_again(installation: Installation, bridge: Bridge) -> None:
    gone = f"{installation.root}/zone-3"
    installation.plane.call("DELETE", gone)
    bridge.until(lambda one: "zone-3" in one["ill"], "the end of the zone")
    bridge.wish(policy={"zone-2": 0.2, "zone-3": 0.3})
    bridge.until_written("zone-2")
    bridge.cycles(3)
    assert installation.plane.send("GET", gone).status_code == 404  # applying to it would have made it anew
    installation.install(installation.manifest("zone-3"))
    bridge.until_written("zone-3")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "200m"), ("zone-3", "300m")]


def test_t27_an_autoscaler_that_comes_and_goes(installation: Installation, bridge: Bridge) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "zone-1"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 80}
    scaler = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "zone-1"}}
    installation.install({**scaler, "spec": spec})
    bridge.wish(policy={"zone-1": 0.3, "zone-2": 0.2})
    bridge.until_written("zone-2")
    bridge.until_refused("zone-1", "OwnedByHPA")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "200m")]
    root = f"/apis/autoscaling/v1/namespaces/{installation.namespace}/horizontalpodautoscalers"
    installation.plane.call("DELETE", f"{root}/zone-1")
    bridge.until_written("zone-1")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "200m"), ("zone-1", "300m")]


def test_t62_a_quota_that_is_hit_and_raised(installation: Installation, bridge: Bridge) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "little"}}
    installation.install({**quota, "spec": {"hard": {"requests.cpu": "450m"}}})  # 400m are in use
    path = f"/api/v1/namespaces/{installation.namespace}/resourcequotas/little"
    wait_for(lambda: installation.plane.get(path)["status"].get("used"), "the quota's account")
    bridge.wish(policy={"zone-2": 0.3})
    bridge.until_refused("zone-2", "Quota")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m")]
    installation.install({**quota, "spec": {"hard": {"requests.cpu": "2"}}})
    bridge.until_written("zone-2")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "300m")]


def test_t17_a_field_manager_who_takes_a_zone_and_gives_it_back(installation: Installation, bridge: Bridge) -> None:
    theirs = installation.manifest("zone-2")
    amounts = theirs["spec"]["template"]["spec"]["containers"][0]["resources"]
    for side in ("requests", "limits"):
        amounts[side]["cpu"] = "150m"
    installation.install(theirs, manager="somebody-else")
    bridge.wish(policy={"zone-2": 0.3, "zone-3": 0.2})
    bridge.until_written("zone-3")
    bridge.until_refused("zone-2", "FieldManagerConflict")
    bridge.cycles(2)
    assert resources(installation.plane.get(f"{installation.root}/zone-2"))["requests"]["cpu"] == "150m"
    installation.install(installation.manifest("zone-2"))
    bridge.until_written("zone-2")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-3", "200m"), ("zone-2", "300m")]


def test_t67_a_policy_that_says_what_is_no_number(installation: Installation, bridge: Bridge) -> None:
    bridge.wish(policy={"zone-1": NAN, "zone-2": 0.3}, heuristic={"zone-3": 0.2})
    first = bridge.until(lambda one: one["fault"]["code"], "the fault")
    assert first["fault"]["code"] == "Invalid"
    assert "zone 'zone-1': cpu_cores = nan" in first["fault"]["words"]
    assert (first["decider"], written(first)) == ("heuristic", ["zone-3"])
    bridge.until_mode("fallback", "PolicyFails")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-3", "200m")]
    bridge.wish(policy={"zone-2": 0.3})
    bridge.until_mode("active", "Recovered")
    bridge.until(lambda one: True, "a cycle")
    bridge.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-3", "200m"), ("zone-2", "300m")]


def test_t45_a_leader_that_is_frozen_within_a_write(installation: Installation, fault_proxy: FaultProxy) -> None:
    frozen = installation.running("frozen", fault_proxy.url)
    standby = installation.start("standby")
    standby.until(lambda one: not one["leader"], "a standby")
    fault_proxy.inject("hold", method="PATCH", path="/deployments/zone-2?f")
    frozen.wish(policy={"zone-1": 0.35, "zone-2": 0.35})
    wait_for(lambda: fault_proxy.count("PATCH", "/deployments/zone-2?f"), "the write under way")
    frozen.send(signal.SIGSTOP)
    standby.wish(policy={"zone-2": 0.25, "zone-3": 0.2})
    found = standby.until_written("zone-2", "zone-3")
    assert found["state"]["mode"] == "active"
    fault_proxy.release()
    wait_for(lambda: [one for one in installation.asked() if one.code == 409], "the late write, refused")
    asked = len(installation.asked())
    frozen.send(signal.SIGCONT)
    late = frozen.until(lambda one: one["state"]["reason"] == "NotLeader", "what it thinks of itself")
    assert (late["state"]["mode"], late["written_to"]) == ("hold", "none")
    frozen.cycles(2)
    assert len(installation.asked()) == asked
    before, after = installation.epochs()[:-2], sorted(installation.epochs()[-2:])
    assert {("zone-1", "200m", "0")} <= set(before) <= {("zone-1", "200m", "0"), ("zone-1", "350m", "0")}
    assert after == [("zone-2", "250m", "1"), ("zone-3", "200m", "1")]


def test_t50_a_controller_that_is_killed_within_a_write(installation: Installation, fault_proxy: FaultProxy) -> None:
    killed = installation.running(server=fault_proxy.url)
    fault_proxy.inject("slow", method="PATCH", path="/deployments/zone-2?f", seconds=60.0)
    killed.wish(policy={"zone-2": 0.3, "zone-3": 0.3})
    wait_for(lambda: ("zone-2", "300m") in installation.writes(), "a write that the server did")
    killed.kill()
    again = installation.start()
    wait_for(lambda: ("zone-3", "300m") in installation.writes(), "the rest of it", 60.0, 0.5)
    again.cycles(2)
    assert installation.writes() == [("zone-1", "200m"), ("zone-2", "300m"), ("zone-3", "300m")]


def test_t47_a_leader_that_ends_and_a_standby_that_acts_before_its_next_tick(installation: Installation) -> None:
    leader, standby = installation.running("leader", tick_s=6.0), installation.start("standby", tick_s=6.0)
    standby.wish(policy={"zone-2": 0.2})
    before = standby.until(lambda one: not one["leader"], "a standby")
    leader.send(signal.SIGTERM)
    found = standby.until_written("zone-2")
    assert (found["cycle"], found["epoch"]) == (before["cycle"] + 1, 1)
    assert found["time_s"] - before["time_s"] < 5.0
    assert leader.process.wait(30.0) == 0, leader.said
    assert installation.epochs() == [("zone-1", "200m", "0"), ("zone-2", "200m", "1")]
