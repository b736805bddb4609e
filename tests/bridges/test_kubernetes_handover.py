"""Handover as weights of routes: numbers that add up, and a route that somebody else made."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.kubernetes.routing import WHOLE, reweighted, weights
from metaverse_env.errors import ActionError
from tests.bridges.control_plane import ControlPlane, Json, wait_for
from tests.bridges.kubernetes_site import Site, one

ROUTES = "httproutes.gateway.networking.k8s.io"


def route(*backends: str, version: str = "7") -> Json:
    rules = [{"backendRefs": [{"name": name, "port": 8080, "weight": 1} for name in backends]}]
    metadata = {"name": "zone-1", "resourceVersion": version}
    return {"metadata": metadata, "spec": {"rules": rules}}


@given(shares=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), whole=st.floats(0.0, 1.0))
def test_weights_are_whole_numbers_that_add_up(shares: list[float], whole: float) -> None:
    total = sum(shares) or 1.0
    asked = {f"n{index}": whole * share / max(total, 1.0) for index, share in enumerate(shares)}
    found = weights(asked, "own")
    assert sum(found.values()) == WHOLE
    assert all(abs(found[name] - share * WHOLE) <= 1.0 + 1e-6 for name, share in asked.items())
    assert min(found.values()) >= 0


@pytest.mark.parametrize("shares", [{"n": 1.1}, {"n": -0.1}, {"n": float("nan")}, {"n": 0.6, "m": 0.5}])
def test_shares_that_cannot_be_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ActionError, match="zone 'own'"):
        weights(shares, "own")


def test_only_weights_are_changed_as_of_the_version_that_was_read() -> None:
    wanted, services = weights({"b": 0.25}, "a"), {"a": "zone-a", "b": "zone-b"}
    body, missing = reweighted(route("zone-a", "zone-b", "zone-c"), wanted, services)
    assert missing == []
    assert body is not None
    assert body["metadata"] == {"resourceVersion": "7"}
    backends = body["spec"]["rules"][0]["backendRefs"]
    assert [(each["name"], each["port"], each["weight"]) for each in backends] == [
        ("zone-a", 8080, 750),
        ("zone-b", 8080, 250),
        ("zone-c", 8080, 0),
    ]
    body["metadata"]["resourceVersion"] = "8"
    assert reweighted(body, wanted, services) == (None, [])


def test_a_neighbour_that_a_route_cannot_send_to_is_not_added() -> None:
    wanted, services = weights({"b": 0.25}, "a"), {"a": "zone-a", "b": "zone-b"}
    assert reweighted(route("zone-a"), wanted, services) == (None, ["b"])


@pytest.fixture(scope="module")
def routes(control_plane: ControlPlane) -> Iterator[None]:
    """Let the server know HTTPRoutes, while these tests run."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute"}
    spec = {"group": "gateway.networking.k8s.io", "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": ROUTES, "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}}
    control_plane.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": spec,
        }
    )
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes"
    wait_for(lambda: control_plane.send("GET", path).is_success, "HTTPRoutes")
    yield
    control_plane.send("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{ROUTES}")


@pytest.mark.usefixtures("routes")
def test_a_route_is_given_weights(site: Site) -> None:
    site.add("zone-1"), site.add("zone-2")
    kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "zone-1"}}
    path = site.put({**kind, "spec": route("zone-1", "zone-2")["spec"]})
    site.audit.mark()
    cluster = site.cluster()
    assert one(cluster, "zone-1", handover={"zone-2": 0.25}).result == "written"
    backends = site.plane.get(path)["spec"]["rules"][0]["backendRefs"]
    assert [each["weight"] for each in backends] == [750, 250]
    assert one(cluster, "zone-1", handover={"zone-2": 0.25}).result == "unchanged"
    assert site.writes() == [("patch", "httproutes")]
    assert "no HTTPRoute 'zone-2'" in one(cluster, "zone-2", handover={"zone-1": 0.1}).advice[0]
    assert one(cluster, "zone-1", handover={"zone-2": 1.5}).code == "Invalid"


@pytest.mark.usefixtures("routes")
def test_without_a_route_it_is_advice(site: Site) -> None:
    site.add("zone-1"), site.add("zone-2")
    receipt = one(site.cluster(), "zone-1", handover={"zone-2": 0.25})
    assert receipt.result == "unchanged"
    assert "there is no HTTPRoute 'zone-1'" in receipt.advice[0]
    assert "there is no zone plaza" in one(site.cluster(), "zone-1", handover={"plaza": 0.25}).advice[0]
