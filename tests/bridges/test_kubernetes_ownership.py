"""Others who decide about a zone: told apart, left alone, and never fought with."""

from collections.abc import Iterator
from typing import Any

import pytest

from bridges.clock import ManualClock
from bridges.contracts import Change
from bridges.kubernetes.autoscalers import read_autoscalers, read_hpa, read_scaled_object, read_vpa
from bridges.kubernetes.deployments import read_deployment
from bridges.kubernetes.fields import leaves, owners_of
from bridges.kubernetes.ownership import gitops_of, may_force
from bridges.kubernetes.settings import ClusterSettings
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import ControlPlane, Json, deployment, wait_for
from tests.bridges.kubernetes_site import MANAGER, SETUP, Site, container_of, one, resources, zone_of

HPA = "HorizontalPodAutoscaler"


def hpa(target: str, metric: str = "cpu") -> Json:
    goal = {"type": "Utilization", "averageUtilization": 80}
    metrics = [{"type": "Resource", "resource": {"name": metric, "target": goal}}]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": reference, "maxReplicas": 5, "metrics": metrics}
    return {"apiVersion": "autoscaling/v2beta2", "kind": HPA, "metadata": {"name": f"{target}-hpa"}, "spec": spec}


def custom(group: str, version: str, kind: str) -> Json:
    """Return a definition of somebody else's kind, without its schema."""
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    served = {"name": version, "served": True, "storage": True, "schema": schema}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [served]}
    metadata = {"name": f"{plural}.{group}"}
    # Groups under k8s.io want to know who approved of them.
    metadata |= {"annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}}  # type: ignore[dict-item]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }


@pytest.fixture(scope="module")
def kinds(control_plane: ControlPlane) -> Iterator[None]:
    """Let the server know VerticalPodAutoscalers and ScaledObjects, while these tests run."""
    groups = [("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler"), ("keda.sh", "v1alpha1", "ScaledObject")]
    definitions = [custom(*each) for each in groups]
    control_plane.apply(*definitions)
    for group, version, kind in groups:
        path = f"/apis/{group}/{version}/namespaces/default/{kind.lower()}s"
        wait_for(lambda path=path: control_plane.send("GET", path).is_success, kind)  # type: ignore[misc]
    yield
    for definition in definitions:
        control_plane.send(
            "DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition['metadata']['name']}"
        )


def reapply(site: Site, manifest: Json, manager: str = SETUP) -> None:
    """Apply a whole manifest by force, as GitOps tools do."""
    path = f"/apis/apps/v1/namespaces/{site.namespace}/deployments/{manifest['metadata']['name']}"
    site.plane.call("PATCH", path, manifest, "apply", fieldManager=manager, force="true")


def zone_manifest(**options: Any) -> Json:
    return deployment("zone-1", team="zones", **options)


def test_t17_a_conflict_names_the_manager_and_nothing_is_forced(site: Site) -> None:
    path = site.add("zone-1")
    receipt = one(site.cluster(conflict="refuse"), "zone-1", cpu=0.2, replicas=2)
    assert (receipt.result, receipt.code) == ("refused", "FieldManagerConflict")
    assert f"{SETUP!r} owns spec.replicas" in receipt.message
    assert site.writes() == []
    assert resources(site.plane.get(path))["requests"]["cpu"] == "100m"


def test_t17_nor_what_somebody_takes_between_reading_and_writing(site: Site) -> None:
    path = site.add("zone-1")
    one(site.cluster(), "zone-1", cpu=0.2)
    site.settle()
    site.audit.mark()
    theirs = {"name": "zone", "resources": {"requests": {"cpu": "150m"}, "limits": {"cpu": "150m"}}}
    intent = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [theirs]}}}}

    def take() -> None:
        reapply(site, {**intent, "metadata": {"name": "zone-1"}}, "somebody")

    receipt = one(site.cluster(fence=take), "zone-1", cpu=0.3)
    assert (receipt.result, receipt.code) == ("refused", "FieldManagerConflict")
    assert "'somebody' owns" in receipt.message
    assert resources(site.plane.get(path))["requests"]["cpu"] == "150m"
    assert [(entry.code, "force" in entry.query) for entry in site.entries() if MANAGER in entry.query] == [
        (409, False)
    ]


def test_t18_force_takes_from_those_who_are_listed_alone(site: Site) -> None:
    site.add("zone-1")
    assert one(site.cluster(force_from=("kubectl",)), "zone-1", cpu=0.2).code == "FieldManagerConflict"
    assert site.writes() == []
    assert one(site.cluster(force_from=(SETUP,)), "zone-1", cpu=0.2).result == "written"


@pytest.mark.parametrize(
    "manager", ["kube-controller-manager", "keda-operator", "vpa-updater", "horizontal-pod-autoscaler"]
)
def test_t18_nothing_is_ever_taken_from_autoscalers(site: Site, manager: str) -> None:
    with pytest.raises(ConfigurationError, match="never taken from autoscalers"):
        ClusterSettings(namespace="zones", conflict="force", force_from=(manager,))
    site.add("zone-1")
    reapply(site, zone_manifest(), manager)
    receipt = one(site.cluster(), "zone-1", cpu=0.2)
    assert receipt.code == "FieldManagerConflict"
    assert manager in receipt.message
    assert not may_force({"spec.replicas": manager}, ClusterSettings(namespace="zones", conflict="force"))


def test_t19_after_two_reverts_nothing_is_written_for_a_while(site: Site) -> None:
    def by_argo(manifest: Json) -> None:
        manifest["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "zones:apps/Deployment:zones/zone-1"}

    manifest = zone_manifest()
    by_argo(manifest)
    path = site.add("zone-1", by_argo)
    clock = ManualClock()
    cluster = site.cluster(clock=clock)
    for _ in range(2):
        assert one(cluster, "zone-1", cpu=0.2).result == "written"
        site.settle()
        reapply(site, manifest)
        site.settle()
        clock.advance(15.0)
        told = one(cluster, "zone-1", cpu=0.2)
        assert told.result == "refused"
        clock.advance(15.0)
    assert told.code == "GitOpsRevert"
    assert "Argo CD undid resources 2 times" in told.message
    assert "RespectIgnoreDifferences" in told.message
    site.audit.mark()
    snapshot = cluster.read()
    assert [receipt.code for receipt in cluster.verify(snapshot)] == ["GitOpsRevert"]
    assert cluster.write([Change("zone-1", replicas=3)], snapshot)[0].code == "GitOpsRevert"
    assert site.writes() == []
    clock.advance(3600.0)
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    assert resources(site.plane.get(path))["requests"]["cpu"] == "200m"


def test_t20_a_field_that_gitops_drops_keeps_our_value(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster()
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    without = zone_manifest()
    del container_of(without)["resources"]
    reapply(site, without)
    assert resources(site.plane.get(path))["requests"] == {"cpu": "200m", "memory": "32Mi"}
    site.settle()
    site.audit.mark()
    assert (
        one(site.cluster(conflict="refuse"), "zone-1", cpu=0.3).result == "written"
    )  # nobody is left to conflict with


def test_t21_a_jump_to_one_replica_is_told_and_not_learnt_from(site: Site) -> None:
    path = site.add("zone-1", replicas=2)
    cluster = site.cluster()
    assert one(cluster, "zone-1", replicas=4).result == "written"
    site.settle()
    without = zone_manifest()
    del without["spec"]["replicas"]
    reapply(site, without)
    assert site.plane.get(path)["spec"]["replicas"] == 1
    site.settle()
    site.audit.mark()
    snapshot = cluster.read()
    assert snapshot.workloads[0].held["replicas"].startswith("ReplicasReset: ")
    assert [(receipt.result, receipt.code) for receipt in cluster.verify(snapshot)] == [("refused", "ReplicasReset")]
    assert cluster.write([Change("zone-1", replicas=3)], snapshot)[0].code == "ReplicasReset"
    assert site.writes() == []
    assert one(cluster, "zone-1", replicas=4).result == "written"  # told once, put right in the next cycle


def test_t22_an_intent_that_would_take_away_what_we_own_is_refused(site: Site) -> None:
    path = site.add("zone-1")
    more = {"name": "zone", "env": [{"name": "EXTRA", "value": "kept"}]}
    spec = {"template": {"spec": {"containers": [more]}}}
    reapply(
        site, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "zone-1"}, "spec": spec}, MANAGER
    )
    site.settle()
    site.audit.mark()
    receipt = one(site.cluster(), "zone-1", cpu=0.2)
    assert (receipt.result, receipt.code) == ("refused", "IncompleteIntent")
    assert 'env[name="EXTRA"]' in receipt.message
    assert site.writes() == []
    assert any(entry["name"] == "EXTRA" for entry in container_of(site.plane.get(path))["env"])


def test_t22_what_was_owned_is_named_again_by_every_intent(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster()
    assert one(cluster, "zone-1", cpu=0.2).result == "written"
    site.settle()
    assert one(cluster, "zone-1", replicas=2).result == "written"  # writes the mark alone, or so it might seem
    assert resources(site.plane.get(path))["requests"] == {"cpu": "200m", "memory": "32Mi"}


def test_t27_a_zone_with_an_autoscaler_by_cpu_is_left_alone(site: Site) -> None:
    site.add("zone-1")
    site.put(hpa("zone-1"))
    site.audit.mark()
    cluster = site.cluster()
    assert zone_of(cluster, "zone-1").autoscalers == (f"{HPA}/zone-1-hpa",)
    for change in ({"cpu": 0.2}, {"memory": 64.0}, {"replicas": 2}):
        receipt = one(cluster, "zone-1", **change)  # type: ignore[arg-type]
        assert (receipt.result, receipt.code) == ("refused", "OwnedByHPA")
        assert f"{HPA}/zone-1-hpa" in receipt.message
    assert site.writes() == []


def test_t27_memory_is_allowed_by_configuration(site: Site) -> None:
    path = site.add("zone-1")
    site.put(hpa("zone-1"))
    receipt = one(site.cluster(memory_beside_hpa=True), "zone-1", cpu=0.2, memory=64.0)
    assert (receipt.result, receipt.code) == ("written", "OwnedByHPA")  # in part, and the rest is told
    assert resources(site.plane.get(path))["requests"] == {"cpu": "100m", "memory": "62500Ki"}


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(
    ("mode", "code"),
    [("Auto", "OwnedByVPA"), ("Recreate", "OwnedByVPA"), ("InPlaceOrRecreate", "OwnedByVPA"), ("Off", "")],
)
def test_t28_a_vpa_that_acts_holds_the_size(site: Site, mode: str, code: str) -> None:
    site.add("zone-1")
    spec = {"targetRef": {"kind": "Deployment", "name": "zone-1"}, "updatePolicy": {"updateMode": mode}}
    kind = "VerticalPodAutoscaler"
    site.put({"apiVersion": "autoscaling.k8s.io/v1", "kind": kind, "metadata": {"name": "v"}, "spec": spec})
    cluster = site.cluster()
    assert one(cluster, "zone-1", cpu=0.2).code == code
    site.settle()
    assert one(cluster, "zone-1", replicas=2).result == "written"


@pytest.mark.usefixtures("kinds")
def test_keda_holds_replicas_unless_it_is_paused(site: Site) -> None:
    site.add("zone-1")
    scaled = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "k", "annotations": {}}}
    spec = {"scaleTargetRef": {"name": "zone-1"}, "triggers": [{"type": "prometheus"}]}
    site.put({**scaled, "spec": spec})
    cluster = site.cluster()
    assert one(cluster, "zone-1", replicas=2).code == "OwnedByKEDA"
    scaled["metadata"]["annotations"] = {"autoscaling.keda.sh/paused": "true"}
    site.put({**scaled, "spec": spec})
    assert one(cluster, "zone-1", replicas=2).result == "written"


def test_t29_two_deployments_of_one_zone_are_both_left_alone(site: Site) -> None:
    for name in ("first", "second"):
        site.add(name, lambda manifest: manifest["metadata"]["labels"].update(zone="plaza"))
    cluster = site.cluster(zone_label="zone")
    (workload,) = cluster.read().workloads
    assert workload.zone == "plaza"
    assert (
        workload.held["cpu"]
        == "AmbiguousZone: the Deployments first, second all say that they are zone 'plaza'; one may"
    )
    assert one(cluster, "plaza", cpu=0.2, replicas=2).code == "AmbiguousZone"
    assert site.writes() == []


def test_t29_two_deployments_that_choose_the_same_pods_are_both_left_alone(site: Site) -> None:
    def shared(manifest: Json) -> None:
        manifest["spec"]["selector"]["matchLabels"] = {"team": "zones"}

    site.add("zone-1", shared), site.add("zone-2"), site.add("other")
    receipts = [one(site.cluster(), zone, replicas=2) for zone in ("zone-1", "zone-2")]
    assert {receipt.code for receipt in receipts} == {"AmbiguousSelector"}
    assert site.writes() == []


def test_t29_two_bridges_do_not_share_a_deployment(site: Site) -> None:
    site.add("zone-1")
    assert one(site.cluster(), "zone-1", cpu=0.2).result == "written"
    site.settle()
    site.audit.mark()
    receipt = one(site.cluster(manager="another-bridge"), "zone-1", cpu=0.3)
    assert (receipt.result, receipt.code) == ("refused", "AnotherBridge")
    assert site.writes() == []


def test_t30_who_scales_is_known_without_managed_fields(site: Site) -> None:
    path = site.add("zone-1")
    cluster = site.cluster()
    assert one(cluster, "zone-1", replicas=2).result == "written"
    site.settle()
    fields = site.plane.get(path)["metadata"]["managedFields"]
    assert not any(entry["manager"] == MANAGER and "f:spec" in entry["fieldsV1"] for entry in fields)  # as 1.20 does
    site.plane.call("PATCH", f"{path}/scale", {"spec": {"replicas": 3}}, "merge")
    site.settle()
    restarted = site.cluster()  # remembers by the mark alone
    held = zone_of(restarted, "zone-1").held
    assert "somebody else changed replicas from 2 to 3" in held["replicas"]
    assert "cpu" not in held
    assert one(restarted, "zone-1", replicas=2).result == "written"


def test_an_autoscaler_of_any_version_is_read() -> None:
    target = {"kind": "Deployment", "name": "zone-1"}
    named = {"metadata": {"name": "one"}}
    first = read_hpa({**named, "spec": {"scaleTargetRef": target, "targetCPUUtilizationPercentage": 80}})
    bare = read_hpa({**named, "spec": {"scaleTargetRef": target}})
    both = read_hpa(hpa("zone-1", "memory"))
    assert first is not None and first.metrics == {"cpu"}  # noqa: PT018
    assert bare is not None and bare.metrics == {"cpu"}  # noqa: PT018
    assert both is not None and both.metrics == {"memory"}  # noqa: PT018
    assert read_hpa({**named, "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "zone-1"}}}) is None


def test_a_paused_scaled_object_that_pins_replicas_still_holds_them() -> None:
    notes = {"autoscaling.keda.sh/paused-replicas": "4", "autoscaling.keda.sh/paused": "true"}
    document = {"metadata": {"name": "k", "annotations": notes}, "spec": {"scaleTargetRef": {"name": "zone-1"}}}
    pinned = read_scaled_object(document)
    assert pinned is not None
    assert not pinned.paused


def test_a_vpa_says_which_resources_it_controls() -> None:
    policies = {"containerPolicies": [{"containerName": "*", "controlledResources": ["memory"]}]}
    spec = {"targetRef": {"kind": "Deployment", "name": "zone-1"}, "resourcePolicy": policies}
    found = read_vpa({"metadata": {"name": "v"}, "spec": spec})
    assert found is not None
    assert (found.mode, found.resources) == ("Auto", {"memory"})
    assert list(read_autoscalers([], [{"metadata": {"name": "v"}, "spec": spec}], [])) == ["zone-1"]


@pytest.mark.parametrize(
    ("labels", "notes", "tool"),
    [
        ({"argocd.argoproj.io/instance": "zones"}, {}, "Argo CD"),
        ({"kustomize.toolkit.fluxcd.io/name": "zones"}, {}, "Flux"),
        ({}, {"argocd.argoproj.io/tracking-id": "zones"}, "Argo CD"),
        ({}, {}, ""),
    ],
)
def test_gitops_is_told_by_its_marks(labels: Json, notes: Json, tool: str) -> None:
    manifest = deployment("zone-1", **labels)
    manifest["metadata"] |= {"uid": "u", "resourceVersion": "1", "annotations": notes}
    assert gitops_of(read_deployment(manifest, "", "")) == tool


def test_owners_are_read_of_every_leaf() -> None:
    fields = {"f:spec": {"f:replicas": {}, "f:list": {'k:{"name":"a"}': {".": {}, "f:x": {}}, 'v:"f"': {}}}}
    assert list(leaves(fields)) == ["spec.replicas", 'spec.list[name="a"].x', 'spec.list["f"]']
    entry = {"manager": "m", "operation": "Apply", "fieldsV1": fields}
    assert set(owners_of({"metadata": {"managedFields": [entry]}})) == set(leaves(fields))
