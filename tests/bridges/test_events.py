"""Events and conditions as the real server keeps them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.clock import ManualClock
from bridges.contracts import Amounts, Change, Receipt, Workload
from bridges.errors import DeniedError, RejectedError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.conditions import NAME, Condition, ConditionBoard, data_of, since
from bridges.kubernetes.events import EventRecorder, Happening, clip, event_name, happening_of
from tests.bridges.control_plane import ControlPlane, rule

RULES = [
    rule("events.k8s.io", "events", "create patch"),
    rule("", "configmaps", "create"),
    rule("", "configmaps", "patch", [NAME]),
]
NONE = Amounts(None, None)


@pytest.fixture
def client(service_account_kubeconfig: Callable[..., Path]) -> Iterator[ApiClient]:
    with ApiClient.from_kubeconfig(service_account_kubeconfig(RULES), clock=ManualClock()) as made:
        yield made


def workload(namespace: str, name: str = "zone-1") -> Workload:
    return Workload(name, namespace, name, f"uid-of-{name}", "zone", "1", 1, 1, NONE, NONE)


def events(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    listed = plane.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
    return [event for event in listed if event["reportingController"] == "metaverse-env.dev/bridge"]


def test_what_goes_on_is_one_event_with_a_series(
    control_plane: ControlPlane, namespace: str, client: ApiClient
) -> None:
    recorder, clock = EventRecorder(client, "replica-1"), client.clock
    assert isinstance(clock, ManualClock)
    refused = Happening("Warning", "OwnedByHPA", "Rescale", "zone 'zone-1': HorizontalPodAutoscaler/zone-1 scales it")
    for _ in range(9):  # every 15 s for two minutes
        recorder.record(workload(namespace), refused)
        clock.advance(15.0)
    (event,) = events(control_plane, namespace)
    assert event["metadata"]["name"].startswith("zone-1.")
    assert (event["reason"], event["type"], event["action"]) == ("OwnedByHPA", "Warning", "Rescale")
    assert event["regarding"]["name"] == "zone-1"
    assert event["note"] == refused.note
    assert event["reportingInstance"] == "replica-1"
    assert event["eventTime"] == "2026-01-01T00:00:00.000001Z"
    assert event["series"] == {"count": 9, "lastObservedTime": "2026-01-01T00:02:00.000001Z"}
    assert client.traffic.requests == 3  # the first, and one a minute
    recorder.record(workload(namespace), refused._replace(reason="GitOpsRevert"))
    recorder.record(workload(namespace, "zone-2"), refused)
    assert len(events(control_plane, namespace)) == 3
    clock.advance(361.0)
    recorder.record(workload(namespace), refused)
    assert len(events(control_plane, namespace)) == 4
    assert recorder.lost == 0


def test_a_series_whose_event_is_gone_begins_anew(
    control_plane: ControlPlane, namespace: str, client: ApiClient
) -> None:
    recorder, clock = EventRecorder(client, "replica-1"), client.clock
    assert isinstance(clock, ManualClock)
    happening = Happening("Normal", "SuccessfulRescale", "Rescale", "more users")
    recorder.record(workload(namespace), happening)
    (event,) = events(control_plane, namespace)
    control_plane.call("DELETE", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events/{event['metadata']['name']}")
    clock.advance(61.0)
    recorder.record(workload(namespace), happening)
    assert len(events(control_plane, namespace)) == 1
    assert recorder.lost == 0


def test_long_and_strange_words_are_accepted_by_the_server(
    control_plane: ControlPlane, namespace: str, client: ApiClient
) -> None:
    recorder = EventRecorder(client, "r" * 300)
    long_name = "z" * 60 + "." + "y" * 190
    recorder.record(workload(namespace, long_name), Happening("Normal", "R" * 200, "A" * 200, "広場 🏟\n" * 400))
    (event,) = events(control_plane, namespace)
    assert len(event["note"].encode()) <= 1024
    assert len(event["reason"]) == len(event["action"]) == len(event["reportingInstance"]) == 128
    assert recorder.lost == 0


def test_what_cannot_be_written_is_counted_and_stops_nobody(
    namespace: str, service_account_kubeconfig: Callable[..., Path]
) -> None:
    with ApiClient.from_kubeconfig(service_account_kubeconfig(name="nobody")) as client:
        recorder = EventRecorder(client, "replica-1")
        recorder.tell([Receipt(Change("zone-1"), "failed", "Conflict", "others")], {"zone-1": workload(namespace)})
        assert recorder.lost == 1


def test_receipts_that_are_worth_telling() -> None:
    change = Change("zone-1", replicas=2, reason="more users")
    assert happening_of(Receipt(change, "written")) == ("Normal", "SuccessfulRescale", "Rescale", "more users")
    assert happening_of(Receipt(change, "refused", "OwnedByHPA", "it scales")) == (
        "Warning",
        "OwnedByHPA",
        "Rescale",
        "it scales",
    )
    assert happening_of(Receipt(change, "written", "Conflict", "a part")) == (
        "Warning",
        "Conflict",
        "Rescale",
        "a part",
    )
    for quiet in ("unchanged", "dry_run", "skipped"):
        assert happening_of(Receipt(change, quiet)) is None  # type: ignore[arg-type]


@given(st.text(), st.integers(3, 100))
def test_clipped_text_fits_and_is_text(text: str, most: int) -> None:
    short = clip(text, most)
    assert len(short.encode()) <= most
    assert short == text or text.startswith(short[:-1])


@given(st.from_regex(r"[a-z]([a-z0-9.-]{0,251}[a-z0-9])?", fullmatch=True))
def test_event_names_are_valid(name: str) -> None:
    made = event_name(name, "0123456789abcdef")
    assert len(made) <= 253
    assert ".." not in made.removeprefix(name[:230])
    assert made.endswith("0123456789abcdef")


def test_conditions_are_written_once_and_keep_their_time(
    control_plane: ControlPlane, namespace: str, client: ApiClient
) -> None:
    board, clock = ConditionBoard(client, namespace), client.clock
    assert isinstance(clock, ManualClock)

    def stored() -> dict[str, Any]:
        data = control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/{NAME}")["data"]
        return {zone: json.loads(text) for zone, text in data.items()}

    able = Condition("AbleToScale", True, "ReadyForNewScale")
    blind = Condition("ScalingActive", None, "Starting", "no cycle yet")
    assert board.show({"zone-1": [blind, able], "zone-2": [able]})
    assert stored()["zone-1"] == [
        {
            "type": "AbleToScale",
            "status": "True",
            "reason": "ReadyForNewScale",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        },
        {
            "type": "ScalingActive",
            "status": "Unknown",
            "reason": "Starting",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "message": "no cycle yet",
        },
    ]
    clock.advance(60.0)
    assert not board.show({"zone-1": [able, blind], "zone-2": [able]})
    assert board.show({"zone-1": [able._replace(reason="Other"), blind._replace(status=False)]})
    assert set(stored()) == {"zone-1"}  # a zone that is gone is gone here too
    times = {one["type"]: one["lastTransitionTime"] for one in stored()["zone-1"]}
    assert times == {"AbleToScale": "2026-01-01T00:00:00Z", "ScalingActive": "2026-01-01T00:01:00Z"}


def test_conditions_that_were_not_written_are_tried_again(
    namespace: str, service_account_kubeconfig: Callable[..., Path], control_plane: ControlPlane
) -> None:
    able = {"zone-1": [Condition("AbleToScale", True, "ReadyForNewScale")]}
    with ApiClient.from_kubeconfig(service_account_kubeconfig(name="nobody")) as client:
        board = ConditionBoard(client, namespace)
        with pytest.raises(DeniedError, match="'patch' on 'configmaps'"):
            board.show(able)
        service_account_kubeconfig(RULES, name="nobody")
        assert board.show(able)


def test_many_zones_fit_and_too_many_are_refused() -> None:
    long = Condition("ScalingLimited", True, "TooManyReplicas", "x" * 500)
    data = data_of({f"zone-{number}": (long, long, long) for number in range(2000)})
    assert sum(map(len, data.values())) < 900_000
    with pytest.raises(RejectedError, match="conditions of 9000 zones do not fit"):
        data_of({f"zone-{number}": (long, long, long) for number in range(9000)})
    with pytest.raises(RejectedError, match="zone 'a b' cannot be a key"):
        data_of({"a b": ()})


def test_a_status_that_comes_back_begins_anew() -> None:
    on, off = Condition("AbleToScale", True, "A"), Condition("AbleToScale", False, "B")
    first = since((), [on], 10.0)
    assert since(first, [on], 20.0)[0].since_s == 10.0
    assert since(since(first, [off], 20.0), [on], 30.0)[0].since_s == 30.0
