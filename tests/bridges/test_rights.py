"""What the controller's account may do on a real API server: all that a bridge does, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bridges.contracts import Amounts, Change, Receipt
from bridges.controller.sites import Asked
from bridges.errors import DeniedError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.cluster import KubernetesCluster
from bridges.kubernetes.lease import LEASE, LeaseSettings
from bridges.kubernetes.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    LEASES,
    LIMIT_RANGES,
    PODS,
    RESOURCE_QUOTAS,
    Resource,
)
from bridges.kubernetes.settings import ClusterSettings
from bridges.manifests.parts import ZONE_LABEL
from bridges.manifests.permissions import ACTS, SEES, Rules
from bridges.manifests.settings import Settings
from bridges.manifests.writing import make
from tests.bridges.acting import writes
from tests.bridges.control_plane import AuditLog, ControlPlane, wait_for
from tests.bridges.installation import installed

SECRETS = Resource("", "v1", "secrets", "Secret")


@pytest.fixture(scope="module")
def settings(control_plane: ControlPlane) -> Iterator[Settings]:
    """Return the settings of an installation whose accounts, rights and zones are there, for real."""
    with installed(control_plane) as chosen:
        yield chosen


@pytest.fixture
def as_controller(control_plane: ControlPlane, settings: Settings, tmp_path: Path) -> Iterator[ApiClient]:
    """Return a client under the account of the controller."""
    text = control_plane.script("sa-kubeconfig.sh", settings.namespace, "controller", "3600")
    (tmp_path / "kubeconfig").write_text(text, encoding="utf-8")
    with ApiClient.from_kubeconfig(tmp_path / "kubeconfig") as client:
        yield client


@pytest.fixture
def acting(control_plane: ControlPlane, settings: Settings) -> Iterator[None]:
    """Let the controller act, as the component does."""
    added = list(yaml.safe_load_all(make(settings)["components/acting/role.yaml"]))
    control_plane.apply(*added)
    yield
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{settings.namespace}"
    control_plane.call("DELETE", f"{rbac}/rolebindings/controller-acts")
    control_plane.send("DELETE", LEASES.at(settings.namespace, LEASE).path)


def rights(client: ApiClient, namespace: str) -> set[tuple[str, str, str, str]]:
    """Return what an account may do in a namespace, as the server says: group, resource, verb, name."""
    review = Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False)
    body = {"apiVersion": review.api_version, "kind": review.kind, "spec": {"namespace": namespace}}
    status = client.create(review.at(), body)["status"]
    assert not status["incomplete"]
    return {
        (group, resource, verb, name)
        for rule in status["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or [""]
    }


def wanted(table: Rules) -> set[tuple[str, str, str, str]]:
    return {
        (group, resource, verb, name)
        for group, resources, verbs, names in table
        for resource in resources
        for verb in verbs
        for name in names or ("",)
    }


@pytest.mark.parametrize("mode", ["shadow", "active"])
def test_the_account_may_do_what_the_tables_say_and_nothing_else(
    settings: Settings, as_controller: ApiClient, mode: str, request: pytest.FixtureRequest
) -> None:
    if mode == "active":
        request.getfixturevalue("acting")
    everybodys = rights(as_controller, "default")
    assert {resource for _, resource, _, _ in everybodys} == {"selfsubjectaccessreviews", "selfsubjectrulesreviews"}
    mine = wanted(SEES + ACTS if mode == "active" else SEES)
    assert rights(as_controller, settings.namespace) - everybodys == mine


def test_in_shadow_mode_it_reads_and_cannot_write(
    control_plane: ControlPlane, settings: Settings, as_controller: ApiClient
) -> None:
    for resource in (DEPLOYMENTS, PODS, LIMIT_RANGES, RESOURCE_QUOTAS, HORIZONTAL_POD_AUTOSCALERS):
        as_controller.list(resource.at(settings.namespace))
    before = control_plane.get(f"/apis/apps/v1/namespaces/{settings.namespace}/deployments/zone-1")
    for write in writes(as_controller, control_plane, settings):
        with pytest.raises(DeniedError, match=r"verb '(patch|create|update)'"):
            write()
    after = control_plane.get(f"/apis/apps/v1/namespaces/{settings.namespace}/deployments/zone-1")
    assert after["spec"] == before["spec"]


@pytest.mark.usefixtures("acting")
def test_acting_it_can_write_amounts_replicas_lease_and_events(
    control_plane: ControlPlane, settings: Settings, as_controller: ApiClient
) -> None:
    for write in writes(as_controller, control_plane, settings):
        write()
    path = f"/apis/apps/v1/namespaces/{settings.namespace}/deployments/zone-1"
    (container,) = control_plane.get(path)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == "60m"
    lease = as_controller.get(LEASES.at(settings.namespace, LEASE))
    assert lease["spec"]["holderIdentity"] == "me"


@pytest.mark.usefixtures("acting")
def test_acting_it_can_read_no_secret_no_other_namespace_and_make_nothing(
    settings: Settings, as_controller: ApiClient
) -> None:
    here = settings.namespace
    for target in (SECRETS.at(here), CONFIG_MAPS.at(here), DEPLOYMENTS.at("default"), PODS.at(), SECRETS.at()):
        with pytest.raises(DeniedError, match="verb 'list'"):
            as_controller.list(target)
    with pytest.raises(DeniedError, match="verb 'patch'"):
        as_controller.patch(
            DEPLOYMENTS.at("kube-system", "anything"), {"metadata": {"resourceVersion": "1"}}, kind="merge"
        )
    with pytest.raises(DeniedError, match="verb 'get' on 'leases"):
        as_controller.get(LEASES.at(here, "somebody-elses"))
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "new"}, "spec": {"replicas": 1}}
    with pytest.raises(DeniedError):
        as_controller.create(DEPLOYMENTS.at(here), made)


@pytest.mark.usefixtures("acting")
def test_on_old_servers_an_image_can_be_changed_which_the_pages_say(
    settings: Settings, as_controller: ApiClient
) -> None:
    """The residual risk: RBAC has no word for fields. From 1.30 on, components/admission refuses this."""
    container = {"name": "zone", "image": "zone:2"}
    zone = DEPLOYMENTS.at(settings.namespace, "zone-2")
    seen = {"resourceVersion": as_controller.get(zone)["metadata"]["resourceVersion"]}
    body = {"metadata": seen, "spec": {"template": {"spec": {"containers": [container]}}}}
    answer = as_controller.patch(zone, body, dry_run=True)
    assert answer["spec"]["template"]["spec"]["containers"][0]["image"] == "zone:2"
    readme = " ".join(make(settings)["README.md"].split())
    assert "may patch a Deployment may change its image" in readme
    assert "`components/admission` refuses everything but amounts and replicas" in readme


@pytest.mark.parametrize(("group", "resource", "verb"), [("apps", "deployments", "list"), ("", "pods", "list")])
def test_a_right_that_is_taken_away_is_named(
    control_plane: ControlPlane, settings: Settings, as_controller: ApiClient, group: str, resource: str, verb: str
) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{settings.namespace}/roles/controller"
    role = control_plane.get(path)
    fewer = [
        {**rule, "resources": [one for one in rule["resources"] if (rule["apiGroups"], one) != ([group], resource)]}
        for rule in role["rules"]
    ]
    changed = [rule for rule in fewer if rule["resources"]]
    control_plane.call("PATCH", path, {"rules": changed}, kind="merge")
    try:
        with pytest.raises(DeniedError, match=f"verb '{verb}' on '{resource}"):
            as_controller.list({"deployments": DEPLOYMENTS, "pods": PODS}[resource].at(settings.namespace))
    finally:
        control_plane.call("PATCH", path, {"rules": role["rules"]}, kind="merge")


@pytest.mark.usefixtures("acting")
def test_a_bridge_does_all_that_it_may_and_is_refused_nothing_in_the_namespace(
    kube_node: ControlPlane, settings: Settings, as_controller: ApiClient, audit_log: AuditLog
) -> None:
    """What cannot be used here: resizing, routes, other autoscalers and metrics, which this server does not have."""
    chosen = ClusterSettings(
        namespace=settings.namespace,
        selector=ZONE_LABEL,
        zone_label=ZONE_LABEL,
        bandwidth="annotation",
        conflict="force",
        force_from=("test-setup",),
        allow_rollout=True,
        rollout_cool_down_s=0.0,
    )
    mark = audit_log.mark()
    cluster = KubernetesCluster(as_controller, chosen)
    more = Change("zone-1", requests=Amounts(0.06, 72.0), replicas=2, bandwidth_mbps=8.0)
    receipts: list[Receipt] = []

    def written() -> bool:
        receipts.extend(cluster.write([more], cluster.read()))
        return receipts[-1].result != "skipped"  # while its pods are being replaced

    wait_for(written, "the rollout before", 60.0, 0.5)
    assert receipts[-1].result == "written", receipts[-1]
    cluster.verify(cluster.read())
    assert LeaseSettings(namespace=settings.namespace).name == LEASE == Asked(settings.namespace).lease
    for write in writes(as_controller, kube_node, settings)[2:]:
        write()
    seen = as_controller.get(LEASES.at(settings.namespace, LEASE))
    as_controller.replace(LEASES.at(settings.namespace, LEASE), seen)
    user = f"system:serviceaccount:{settings.namespace}:controller"
    asked = [one for one in audit_log.since(mark, user=user) if one.namespace == settings.namespace]
    assert [one for one in asked if one.code == 403] == []
    used = {(one.resource + (f"/{one.subresource}" if one.subresource else ""), one.verb) for one in asked}
    may = {(resource, verb) for _, resource, verb, _ in wanted(SEES + ACTS)}
    assert used <= may
    assert may - used == {
        ("verticalpodautoscalers", "list"), ("scaledobjects", "list"), ("pods/resize", "patch"),
        ("httproutes", "get"), ("httproutes", "patch"), ("events", "patch"),
        ("configmaps", "create"), ("configmaps", "patch"),
    }  # fmt: skip
