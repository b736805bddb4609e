"""Documents of the API made into zones: tolerant of what is absent, clear about what is broken."""

import contextlib
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.contracts import Amounts
from bridges.errors import DeniedError, MalformedError
from bridges.kubernetes.budgets import exhausted, read_budgets
from bridges.kubernetes.deployments import read_deployment
from bridges.kubernetes.documents import flag, moment, part, quantity, rows, text, texts, whole
from bridges.kubernetes.fields import leaves
from bridges.kubernetes.marks import MARK, Mark, State, decode, encode
from bridges.kubernetes.pods import by_deployment, deployment_of, read_nodes, read_pod
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.sizes import Ratios, Size, Sizing
from bridges.kubernetes.verdicts import Memory, echoed, undone
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import Json, deployment, rule
from tests.bridges.kubernetes_site import Site, zone_of

SIZES = st.builds(Size, *[st.none() | st.integers(0, 10**15)] * 2)
STATES = st.builds(
    State,
    st.none() | st.builds(Sizing, SIZES, SIZES),
    st.none() | st.integers(0, 10**6),
    st.none() | st.integers(1, 10**12).map(str),
)
RATIOS = st.none() | st.fractions(Fraction(1, 1000), 1000)
MARKS = st.builds(
    Mark,
    st.text(min_size=1, max_size=128),
    STATES,
    STATES,
    st.builds(Ratios, RATIOS, RATIOS),
    st.none() | st.floats(1.0, 4e9),
    st.booleans(),
    st.integers(0, 99),
    st.booleans(),
)


def living(**status: Any) -> Json:
    manifest = deployment("zone-1", replicas=2)
    manifest["metadata"] |= {"uid": "u", "resourceVersion": "7", "namespace": "n", "generation": 3}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), 2)
    return {**manifest, "status": {"observedGeneration": 3, **counts, **status}}


@given(mark=MARKS)
def test_a_mark_survives_its_annotation(mark: Mark) -> None:
    assert decode(encode(mark)) == mark


@pytest.mark.parametrize("broken", [None, "", "{", "[]", "{}", '{"manager": "m", "asked": {"replicas": -1}}', "x" * 5000,
                                    '{"manager": "m", "ratios": ["1/0", null]}', '{"manager": "m", "undone": true}'])  # fmt: skip
def test_a_mark_that_cannot_be_read_is_none(broken: str | None) -> None:
    assert decode(broken) is None


@given(annotation=st.text(max_size=200))
def test_no_annotation_of_others_is_an_error(annotation: str) -> None:
    manifest = living()
    manifest["metadata"]["annotations"] = {MARK: annotation}
    read_deployment(manifest, "", "")


def test_a_deployment_is_read() -> None:
    facts = read_deployment(living(), "zone", "")
    workload = facts.workload
    assert (workload.zone, workload.namespace, workload.uid, workload.version) == ("zone-1", "n", "u", "7")
    assert (workload.replicas, workload.ready_replicas, workload.rollout, workload.observed) == (2, 2, "complete", True)
    assert workload.requests == workload.limits == Amounts(0.1, 33.554432)
    assert workload.bandwidth_mbps is None


@pytest.mark.parametrize(
    ("status", "rollout", "problem"),
    [
        ({}, "complete", ""),
        ({"observedGeneration": 2}, "progressing", ""),
        ({"updatedReplicas": 1}, "progressing", ""),
        ({"replicas": 3}, "progressing", ""),  # an old pod is still there
        ({"availableReplicas": None}, "progressing", ""),
        ({"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}, "stuck",
         "ProgressDeadlineExceeded: "),
        ({"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}]},
         "stuck", "FailedCreate: quota"),
        ({"observedGeneration": 2, "conditions": [{"type": "ReplicaFailure", "status": "True"}]}, "progressing", ""),
    ],
)  # fmt: skip
def test_how_a_rollout_fares(status: Json, rollout: str, problem: str) -> None:
    workload = read_deployment(living(**status), "zone", "").workload
    assert (workload.rollout, workload.problem) == (rollout, problem)


@pytest.mark.parametrize(
    ("strategy", "replicas", "expected"),
    [
        ({}, 1, (1, 0)),
        ({}, 10, (3, 2)),  # a quarter, one way rounded up, the other down
        ({"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 3}}, 5, (3, 3)),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "1%"}}, 5, (0, 1)),
        ({"type": "Recreate"}, 5, (0, 5)),
    ],
)
def test_how_pods_are_replaced(strategy: Json, replicas: int, expected: tuple[int, int]) -> None:
    manifest = living()
    manifest["spec"] |= {"strategy": strategy, "replicas": replicas}
    assert read_deployment(manifest, "", "").strategy == expected


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("metadata", "uid"), None, "without uid or resourceVersion"),
        (("metadata", "name"), 5, "metadata.name: expected a text"),
        (("spec", "replicas"), "2", "spec.replicas: expected a whole number"),
        (("spec", "replicas"), True, "spec.replicas: expected a whole number"),
        (("spec", "template"), [], "spec.template: expected an object"),
        (("spec", "strategy"), {"rollingUpdate": {"maxSurge": "many"}}, "expected a number or a percentage"),
        (("metadata", "annotations"), {"a": 1}, "metadata.annotations.a: expected a text"),
        (("metadata", "managedFields"), [{"fieldsV1": {"k:{": {}}}], "expected a key in JSON"),
    ],
)
def test_t37_a_broken_deployment_is_told_with_the_place(path: tuple[str, str], value: Any, said: str) -> None:
    manifest = living()
    manifest[path[0]][path[1]] = value
    with pytest.raises(MalformedError, match=said):
        read_deployment(manifest, "", "")


@given(document=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["metadata", "spec", "status", "name", "items", "a"]), inner, max_size=4),
))  # fmt: skip
def test_t37_no_answer_makes_a_reader_fail_otherwise(document: Any) -> None:
    if not isinstance(document, dict):
        return
    for reader in (
        lambda: read_deployment(document, "", ""),
        lambda: read_pod(document, ""),
        lambda: texts(document, "spec"),
    ):
        with contextlib.suppress(MalformedError):
            reader()


def test_absent_is_empty_and_wrong_is_an_error() -> None:
    assert (part({}, "a", "b"), rows({}, "a"), text({}, "a"), texts({"a": None}, "a")) == ({}, [], "", {})
    assert (flag({}, "a"), whole({}, "a", default=1), moment({}, "a")) == (False, 1, None)
    for read in (lambda: rows({"a": [1]}, "a"), lambda: moment({"a": "noon"}, "a"), lambda: flag({"a": 1}, "a")):
        with pytest.raises(MalformedError, match="a: expected"):
            read()
    with pytest.raises(MalformedError, match="2 items, more than 1"):
        rows({"a": [{}, {}]}, "a", most=1)
    with pytest.raises(MalformedError, match="cpu: quantity 'many'"):
        quantity("many", "cpu")


def test_fields_that_go_too_deep_are_not_followed() -> None:
    fields: Json = {}
    for _ in range(60):
        fields = {"f:a": fields}
    with pytest.raises(MalformedError, match="at most 40 levels"):
        list(leaves(fields))


def pod(name: str, owner: str = "zone-1-abc", digest: str = "abc", phase: str = "Running") -> Json:
    owners = [{"kind": "ReplicaSet", "name": owner, "controller": True}]
    return {
        "metadata": {"name": name, "labels": {"pod-template-hash": digest}, "ownerReferences": owners},
        "status": {"phase": phase},
    }


def test_t10_pods_belong_to_the_deployment_that_made_them_and_ended_ones_do_not_count() -> None:
    assert deployment_of(pod("a")) == "zone-1"
    assert deployment_of({"metadata": {"name": "alone"}}) == ""
    found = by_deployment([pod("a"), pod("b", phase="Failed"), pod("c", phase="Succeeded"), pod("d", "zone-2-abc")])
    assert {name: [each["metadata"]["name"] for each in pods] for name, pods in found.items()} == {
        "zone-1": ["a"],
        "zone-2": ["d"],
    }


def test_t52_the_latest_kill_for_memory_is_told() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z"}}
    statuses = [{"name": "zone", "restartCount": 3, "lastState": ended, "state": {"running": {}}}]
    facts = read_pod({"metadata": {"name": "a"}, "status": {"containerStatuses": statuses}}, "zone")
    assert (facts.pod.restarts, facts.pod.killed_for_memory_s) == (3, 1767225600.0)


def test_nodes_that_take_no_pods_have_no_room() -> None:
    ready = {"allocatable": {"cpu": "2", "memory": "1G"}, "conditions": [{"type": "Ready", "status": "True"}]}
    nodes = [
        {"metadata": {"name": "b"}, "status": ready},
        {"metadata": {"name": "a"}, "spec": {"unschedulable": True}, "status": ready},
        {"metadata": {"name": "c"}, "status": {"allocatable": {"cpu": "2"}}},
    ]
    asking = {"nodeName": "b", "containers": [{"name": "x", "resources": {"requests": {"cpu": "500m"}}}]}
    (node,) = read_nodes(nodes, [{"spec": asking}, {"spec": asking, "status": {"phase": "Failed"}}])
    assert (node.name, node.capacity, node.asked) == ("b", Amounts(2.0, 1000.0), Amounts(0.5, 0.0))


def test_budgets_count_the_pods_that_they_choose() -> None:
    selector = {
        "matchLabels": {"app": "zone-1"},
        "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["b"]}],
    }
    budgets = read_budgets(
        [{"metadata": {"name": "b"}, "spec": {"selector": selector}, "status": {"disruptionsAllowed": 1}}]
    )
    labels = {"app": "zone-1", "tier": "a"}
    assert exhausted("zone-1", budgets, labels, 1) is None
    assert exhausted("zone-1", budgets, labels, 2) is not None
    assert exhausted("zone-1", budgets, {**labels, "tier": "b"}, 2) is None


def test_an_answer_that_drops_what_was_written_is_not_believed() -> None:
    wanted = State(Sizing(Size(200), Size()), 3, None)
    assert echoed("plaza", wanted, wanted._replace(replicas=1), in_place=False) is None  # replicas are written apart
    refusal = echoed("plaza", wanted, State(Sizing(Size(100), Size()), 3), in_place=False)
    assert refusal is not None
    assert (refusal.code, "its resources" in refusal.message) == ("NotEchoed", True)
    assert undone(State(replicas=3), Mark("m", State(Sizing(), 3), in_place=True)) == ()


def test_a_war_is_counted_once_a_change_and_forgotten_in_time() -> None:
    facts = read_deployment(living(), "zone", "")
    memory = Memory(ClusterSettings(namespace="n", undone_most=2, undone_window_s=100.0))
    memory.wrote("u", Mark("m", State(replicas=5)), None)
    assert [refusal.code for refusal in memory.look(facts, 0.0).values()] == ["Undone"]
    assert memory.look(facts, 1.0) == {}  # told once
    memory.wrote("u", Mark("m", State(replicas=5)), None)
    assert {refusal.code for refusal in memory.look(facts, 2.0).values()} == {"GitOpsRevert"}
    assert {refusal.code for refusal in memory.look(facts, 99.0).values()} == {"GitOpsRevert"}
    assert memory.look(facts, 100.0) == {}  # the first is old news
    memory.forget(frozenset())
    assert memory.look(facts, 101.0) == {}


@pytest.mark.parametrize(
    "options",
    [{"namespace": ""}, {"selector": ""}, {"conflict": "always"}, {"tries": 0}, {"rollout_cool_down_s": float("nan")}],
)
def test_settings_that_cannot_be_are_refused(options: Json) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        ClusterSettings(**{"namespace": "n", **options})


SEES = [rule("apps", "deployments", "list"), rule("", "pods limitranges resourcequotas", "list"),
        rule("policy", "poddisruptionbudgets", "list")]  # fmt: skip


def test_nodes_that_may_not_be_read_are_done_without(site: Site, service_account_kubeconfig: Any) -> None:
    site.add("zone-1")
    allowed = service_account_kubeconfig([*SEES, rule("autoscaling", "horizontalpodautoscalers", "list")])
    cluster = site.cluster(kubeconfig=allowed, read_nodes=True)
    assert cluster.read().nodes == ()
    cluster.read()
    entries = site.audit.since(user="bridge")
    assert [entry.code for entry in entries if entry.resource == "nodes"] == [403]  # asked once


def test_t39_autoscalers_that_may_not_be_read_are_an_error(site: Site, service_account_kubeconfig: Any) -> None:
    site.add("zone-1")
    with pytest.raises(DeniedError, match="horizontalpodautoscalers"):
        site.cluster(kubeconfig=service_account_kubeconfig(SEES)).read()


def test_t73_reading_changes_nothing_and_asks_for_nothing_but_lists(site: Site) -> None:
    site.add("zone-1")
    site.audit.mark()
    cluster = site.cluster()
    snapshot = cluster.read()
    cluster.verify(snapshot)
    asked = site.audit.since(namespace=site.namespace)
    assert {entry.verb for entry in asked} == {"list"}
    kinds = ["deployments", "pods", "limitranges", "resourcequotas", "horizontalpodautoscalers", "poddisruptionbudgets"]
    assert sorted(entry.resource for entry in asked) == sorted(kinds)  # one list each
    assert zone_of(cluster, "zone-1").held == {}
