"""The client against the real API server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridges.errors import ConflictError, NotFoundError, RejectedError
from bridges.kubernetes.client import ApiClient, ClientOptions
from bridges.kubernetes.resources import CONFIG_MAPS, DEPLOYMENTS, PODS
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import ControlPlane


@pytest.fixture
def admin(control_plane: ControlPlane) -> Iterator[ApiClient]:
    with ApiClient.from_kubeconfig(control_plane.kubeconfig) as client:
        yield client


def test_an_object_is_made_read_changed_and_deleted(admin: ApiClient, namespace: str) -> None:
    target = CONFIG_MAPS.at(namespace, "settings")
    made = admin.create(CONFIG_MAPS.at(namespace), {"metadata": {"name": "settings"}, "data": {"mode": "shadow"}})
    assert admin.get(target)["data"] == {"mode": "shadow"}
    read = admin.replace(target, {**made, "data": {"mode": "canary"}})
    version = read["metadata"]["resourceVersion"]
    changed = admin.patch(target, {"metadata": {"resourceVersion": version}, "data": {"mode": "active"}})
    assert changed["data"] == {"mode": "active"}
    applied = admin.apply(CONFIG_MAPS.at(namespace, "other"), {"data": {"a": "b"}})
    assert applied["data"] == {"a": "b"}
    assert [item["metadata"]["name"] for item in admin.list(CONFIG_MAPS.at(namespace)).items][-2:] == [
        "other",
        "settings",
    ]
    admin.delete(target, made["metadata"]["uid"])
    with pytest.raises(NotFoundError, match=r"get configmaps .*/settings: 404"):
        admin.get(target)


def test_another_object_under_the_same_name_is_not_deleted(admin: ApiClient, namespace: str) -> None:
    admin.create(CONFIG_MAPS.at(namespace), {"metadata": {"name": "settings"}})
    with pytest.raises(ConflictError, match="UID"):
        admin.delete(CONFIG_MAPS.at(namespace, "settings"), "11111111-2222-3333-4444-555555555555")


def test_a_dry_run_changes_nothing(admin: ApiClient, namespace: str, deploy: Callable[..., str]) -> None:
    deploy("zone-1", ready=False)
    target = DEPLOYMENTS.at(namespace, "zone-1")
    before = admin.get(target)
    tried = admin.apply(target, {"spec": {"replicas": 3}}, force=True, dry_run=True)
    assert tried["spec"]["replicas"] == 3
    assert admin.get(target)["spec"]["replicas"] == before["spec"]["replicas"] == 1


def test_lists_are_read_in_pages_and_chosen_by_labels(
    control_plane: ControlPlane, namespace: str, deploy: Callable[..., str]
) -> None:
    for number in range(5):
        deploy(f"zone-{number}", ready=False, replicas=0, even="yes" if number % 2 == 0 else "no")
    with ApiClient.from_kubeconfig(control_plane.kubeconfig, options=ClientOptions(page=2)) as client:
        listing = client.list(DEPLOYMENTS.at(namespace))
        assert [item["metadata"]["name"] for item in listing.items] == [f"zone-{number}" for number in range(5)]
        assert client.traffic.requests == 3
        assert listing.version
        chosen = client.list(DEPLOYMENTS.at(namespace), label_selector="even=yes")
        assert [item["metadata"]["name"] for item in chosen.items] == ["zone-0", "zone-2", "zone-4"]


def test_an_unknown_field_is_refused_or_dropped_but_never_ours_to_miss(admin: ApiClient, namespace: str) -> None:
    """1.20 drops it silently, as ``fieldValidation`` came later; the parameter itself does no harm."""
    made = admin.create(CONFIG_MAPS.at(namespace), {"metadata": {"name": "x"}, "dat": {"a": "b"}})
    assert "dat" not in made


def test_what_should_not_be_asked_is_refused_before(admin: ApiClient, namespace: str) -> None:
    with pytest.raises(ConfigurationError, match="the name of one object is needed"):
        admin.get(DEPLOYMENTS.at(namespace))
    with pytest.raises(ConfigurationError, match="resourceVersion is needed"):
        admin.patch(DEPLOYMENTS.at(namespace, "zone-1"), {"spec": {"replicas": 2}})
    with pytest.raises(ConfigurationError, match="JSON"):
        admin.apply(DEPLOYMENTS.at(namespace, "zone-1"), {"spec": {"replicas": float("nan")}})
    with pytest.raises(ConfigurationError, match=r"name of Pod '\.\./secrets' cannot be"):
        PODS.at(namespace, "../secrets")
    assert admin.traffic.requests == 0


def test_an_invalid_object_is_rejected_with_the_servers_words(admin: ApiClient, namespace: str) -> None:
    with pytest.raises(RejectedError, match=r"create deployments\.apps .*: 422 .*spec\.selector"):
        admin.create(DEPLOYMENTS.at(namespace), {"metadata": {"name": "zone-1"}, "spec": {"replicas": -1}})


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.yaml': there is no such file"):
        ApiClient.from_kubeconfig(tmp_path / "nothing.yaml")
    (tmp_path / "empty.yaml").touch()
    with pytest.raises(ConfigurationError, match="cannot log in to Kubernetes: Invalid kube-config") as refusal:
        ApiClient.from_kubeconfig(tmp_path / "empty.yaml")
    assert ".." not in str(refusal.value)
    with pytest.raises(ConfigurationError, match="https:// is needed"):
        ApiClient.at("http://127.0.0.1:8080", tmp_path / "token")
