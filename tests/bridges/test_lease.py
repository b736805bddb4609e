"""Leader election on the real server, with clocks that go when they are told to, and with real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.clock import ManualClock
from bridges.errors import DeniedError, NotLeaderError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.election import Election
from bridges.kubernetes.lease import LeaseSettings, Record, Sight, decide, lease_body, look, micro_time
from bridges.kubernetes.resources import LEASES
from metaverse_env.errors import ConfigurationError
from tests.bridges.control_plane import AuditLog, ControlPlane, rule, wait_for
from tests.bridges.fault_proxy import FaultProxy

ROOT = Path(__file__).parents[2]
NAME = "metaverse-bridge"
Join = Callable[..., tuple[Election, ManualClock]]


@pytest.fixture
def join(service_account_kubeconfig: Callable[..., Path], namespace: str) -> Iterator[Join]:
    """Return what makes a replica with a clock of its own; all may do no more than the election needs."""
    clients: list[ApiClient] = []

    def make(identity: str, server: str = "", **settings: Any) -> tuple[Election, ManualClock]:
        clock = settings.pop("clock", None) or ManualClock()
        kubeconfig = service_account_kubeconfig(
            [rule("coordination.k8s.io", "leases", "get create update")], server=server
        )
        clients.append(ApiClient.from_kubeconfig(kubeconfig, clock=clock))
        return Election(clients[-1], LeaseSettings(namespace=namespace, identity=identity, **settings)), clock

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def lease(control_plane: ControlPlane, namespace: str) -> Callable[[], dict[str, Any]]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{NAME}"
    return lambda: control_plane.get(path)


def test_t44_of_two_replicas_exactly_one_leads(join: Join, lease: Callable[[], dict[str, Any]]) -> None:
    (one, one_clock), (other, other_clock) = join("one"), join("other")
    assert one.step()
    assert not other.step()
    for _ in range(30):  # seconds; the holder renews, so nobody else ever takes it
        for clock in (one_clock, other_clock):
            clock.advance(1.0)
        assert (one.step(), other.step()) == (True, False)
    assert one.check().epoch == one.epoch == 0
    assert (one.leading, other.leading, other.epoch) == (True, False, None)
    with pytest.raises(NotLeaderError, match="other does not lead; one held leases"):
        other.check()
    assert lease()["spec"]["leaseTransitions"] == 0


def test_t44_the_race_to_create_has_one_winner(
    join: Join, fault_proxy: FaultProxy, lease: Callable[[], dict[str, Any]]
) -> None:
    (slow, _), (fast, _) = join("slow", server=fault_proxy.url), join("fast")
    assert fast.step()
    fault_proxy.inject(status=404, body=b"404 page not found", method="GET")  # it saw none just before
    assert not slow.step()
    assert slow.problem == "another replica was faster"
    assert lease()["spec"]["holderIdentity"] == "fast"


def test_t44_a_stale_write_loses(join: Join, control_plane: ControlPlane, lease: Callable[[], dict[str, Any]]) -> None:
    (one, _), (late, late_clock), (early, early_clock) = join("one"), join("late"), join("early")
    one.step(), late.step(), early.step()
    for clock in (late_clock, early_clock):
        clock.advance(16.0)
    late._look(late._client)  # it will decide to take it …
    stale = late._lease
    assert early.step()  # … but this one is faster
    late._look, late._lease = lambda client: None, stale  # type: ignore[method-assign]
    late._sight = Sight(late._sight.record, 0.0) if late._sight else None
    assert not late.step()
    assert late.problem == "another replica was faster"
    assert (lease()["spec"]["holderIdentity"], lease()["spec"]["leaseTransitions"]) == ("early", 1)


def test_t45_who_slept_longer_than_the_lease_writes_no_more(join: Join) -> None:
    (sleeper, sleeper_clock), (other, other_clock) = join("sleeper"), join("other")
    sleeper.step(), other.step()
    for clock in (sleeper_clock, other_clock):
        clock.advance(15.1)
    with pytest.raises(NotLeaderError):  # before it even tried to renew
        sleeper.check()
    assert other.step()
    assert other.check().epoch == 1
    assert not sleeper.step()
    assert sleeper.holder == "other"


def test_t45_who_slept_and_found_its_lease_untouched_leads_in_a_new_epoch(join: Join) -> None:
    sleeper, clock = join("sleeper")
    sleeper.step()
    clock.advance(3600.0)
    assert sleeper.step()
    assert sleeper.check().epoch == 1


def test_t46_who_cannot_renew_stops_before_others_may_start(join: Join, fault_proxy: FaultProxy) -> None:
    (cut_off, clock), (other, other_clock) = join("cut-off", server=fault_proxy.url), join("other")
    cut_off.step(), other.step()
    fault_proxy.inject("reset", times=1000)
    led, led_other = [], []
    for _ in range(40):
        for each in (clock, other_clock):
            each.advance(0.5)
        led.append(cut_off.step()), led_other.append(other.step())
    assert not any(mine and theirs for mine, theirs in zip(led, led_other, strict=True))
    stopped_s, started_s = 0.5 * (led.index(False) + 1), 0.5 * (led_other.index(True) + 1)
    assert stopped_s <= 10.0  # sooner, as tries take time too
    assert started_s == 15.0
    assert "ProtocolError" in cut_off.problem or "not asked" in cut_off.problem


def test_t46_leadership_counts_from_the_sending_of_a_renewal(join: Join, fault_proxy: FaultProxy) -> None:
    slow, clock = join("slow", server=fault_proxy.url)
    slow.step()
    first = slow.check().until_s
    clock.advance(2.0)
    slow.step()
    assert slow.check().until_s == first + 2.0


def test_t47_a_released_lease_is_taken_at_once(join: Join, lease: Callable[[], dict[str, Any]]) -> None:
    (one, _), (other, _) = join("one"), join("other")
    one.step(), other.step()
    one.release()
    assert lease()["spec"]["holderIdentity"] == ""
    with pytest.raises(NotLeaderError):
        one.check()
    assert other.step()
    assert other.check().epoch == 1


def test_t47_what_is_no_longer_ours_is_not_released(join: Join, lease: Callable[[], dict[str, Any]]) -> None:
    (one, _), (other, other_clock) = join("one"), join("other")
    one.step(), other.step()
    other_clock.advance(16.0)
    assert other.step()
    one.release()  # by its own clock it leads; the version says otherwise
    assert lease()["spec"]["holderIdentity"] == "other"


def test_t48_whole_seconds_are_accepted(
    join: Join, control_plane: ControlPlane, lease: Callable[[], dict[str, Any]]
) -> None:
    election, _ = join("one", clock=ManualClock(unix_s=1_767_225_600.0))
    assert election.step(), election.problem
    assert lease()["spec"]["renewTime"] == "2026-01-01T00:00:00.000001Z"
    body = {**lease(), "spec": {**lease()["spec"], "renewTime": "2026-01-01T00:00:00Z"}}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{body['metadata']['namespace']}/leases/{NAME}"
    assert control_plane.send("PUT", path, body).status_code == 400  # what the package would have sent


@given(st.floats(0, 4e9))
def test_t48_no_time_has_a_microsecond_of_zero(unix_s: float) -> None:
    text = micro_time(unix_s)
    assert len(text) == len("2026-01-01T00:00:00.000001Z")
    assert not text.endswith(".000000Z")


@pytest.mark.parametrize("skew_s", [-3600.0, 3600.0])
def test_t49_the_holders_wall_clock_does_not_matter(join: Join, skew_s: float) -> None:
    one, one_clock = join("one", clock=ManualClock(unix_s=1_767_225_600.0 + skew_s))
    other, other_clock = join("other", clock=ManualClock(monotonic_s=1e6))
    one.step()
    assert not other.step()
    for _ in range(14):
        other_clock.advance(1.0)
        assert not other.step()
    one_clock.advance(9.0)
    assert one.step()  # one renewal, and the waiting begins anew
    for _ in range(15):
        assert not other.step()
        other_clock.advance(1.0)
    assert other.step()


def test_t51_another_applications_lease_is_left_alone(
    join: Join, control_plane: ControlPlane, namespace: str, lease: Callable[[], dict[str, Any]]
) -> None:
    theirs = {"metadata": {"name": NAME}, "spec": {"holderIdentity": "vpa-recommender", "leaseDurationSeconds": 1}}
    control_plane.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **theirs}, namespace=namespace)
    election, clock = join("one")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="held by 'vpa-recommender', belongs to another application"):
            election.step()
        clock.advance(3600.0)
    assert lease()["spec"] == theirs["spec"]


def test_t51_installations_side_by_side_do_not_meet(join: Join) -> None:
    (one, _), (other, _) = join("one", name="bridge-east"), join("other", name="bridge-west")
    assert one.step()
    assert other.step()
    by_mistake, _ = join("third", name="bridge-east", installation="north")
    with pytest.raises(ConfigurationError, match=r"bridge-east, held by 'one', belongs to another .*installation"):
        by_mistake.step()


def test_a_deleted_lease_does_not_turn_back_the_epochs(join: Join, control_plane: ControlPlane, namespace: str) -> None:
    election, clock = join("one")
    election.step()
    clock.advance(60.0)
    election.step()
    control_plane.call("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{NAME}")
    assert election.step()
    assert election.check().epoch == 2


def test_an_account_that_may_not_is_told(
    join: Join, service_account_kubeconfig: Callable[..., Path], namespace: str
) -> None:
    with ApiClient.from_kubeconfig(service_account_kubeconfig(name="nobody")) as client:
        election = Election(client, LeaseSettings(namespace=namespace))
        assert not election.step()
        assert "Allow verb 'get' on 'leases.coordination.k8s.io'" in election.problem
        with pytest.raises(DeniedError):
            client.get(LEASES.at(namespace, NAME))


def test_settings_that_are_not_safe_are_refused() -> None:
    safe = LeaseSettings(namespace="x")
    assert safe.identity != LeaseSettings(namespace="x").identity
    for wrong in (
        {"renew_deadline_s": 15.0},
        {"retry_s": 6.0},
        {"duration_s": 0},
        {"installation": "a_b"},
        {"identity": ""},
    ):
        with pytest.raises(ConfigurationError):
            replace(safe, **wrong)  # type: ignore[arg-type]


def test_decisions_by_hand() -> None:
    settings = LeaseSettings(namespace="x", identity="me")
    theirs = Record("other", 15.0, 4, "100", True)
    seen = look(None, theirs, 50.0)
    assert look(seen, theirs, 60.0).since_s == 50.0
    assert look(seen, theirs._replace(version="101"), 60.0).since_s == 60.0
    assert decide(None, settings, False, 0.0) == "create"
    assert [decide(seen, settings, False, now) for now in (50.0, 64.9, 65.0)] == ["wait", "wait", "take"]
    longer = Sight(theirs._replace(duration_s=40.0), 50.0)  # their promise counts, not ours
    assert [decide(longer, settings, False, now) for now in (65.0, 89.9, 90.0)] == ["wait", "wait", "take"]
    mine = Sight(theirs._replace(holder="me"), 50.0)
    assert [decide(mine, settings, leading, 51.0) for leading in (True, False)] == ["renew", "take"]
    assert decide(Sight(theirs._replace(holder=""), 50.0), settings, False, 50.0) == "take"
    assert lease_body("create", settings, None, 6, 0.0)["spec"]["leaseTransitions"] == 7


@pytest.fixture
def replicas(
    control_plane: ControlPlane, namespace: str, service_account_kubeconfig: Callable[..., Path]
) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    control_plane.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "journal"}}, namespace=namespace)
    processes: list[subprocess.Popen[str]] = []

    def start(identity: str) -> subprocess.Popen[str]:
        rules = [rule("coordination.k8s.io", "leases", "get create update"), rule("", "configmaps", "get patch")]
        command = [sys.executable, str(Path(__file__).with_name("replica.py"))]
        arguments = [str(service_account_kubeconfig(rules, name=identity)), namespace, identity]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
        processes.append(subprocess.Popen(command + arguments, env=environment, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def test_t45_a_frozen_leader_writes_nothing_when_it_wakes(
    control_plane: ControlPlane, namespace: str, audit_log: AuditLog, replicas: Callable[[str], subprocess.Popen[str]]
) -> None:
    journal = f"/api/v1/namespaces/{namespace}/configmaps/journal"
    frozen = replicas("frozen")
    assert told(frozen)["leading"] is True
    wait_for(lambda: control_plane.get(journal).get("data", {}).get("by") == "frozen", "the first leader's writes")
    standby = replicas("standby")
    assert told(standby)["leading"] is False
    frozen.send_signal(signal.SIGSTOP)
    assert told(standby)["leading"] is True
    wait_for(lambda: control_plane.get(journal)["data"]["by"] == "standby", "the second leader's writes")
    mark = audit_log.mark()
    frozen.send_signal(signal.SIGCONT)
    time.sleep(1.0)
    done = [
        entry for entry in audit_log.since(mark, namespace=namespace) if entry.verb == "patch" and entry.code == 200
    ]
    assert len(done) > 5
    assert {entry.user.rpartition(":")[2] for entry in done} == {"standby"}
    written = [entry for entry in audit_log.since(0, namespace=namespace) if (entry.verb, entry.code) == ("patch", 200)]
    epochs = [int(entry.body["data"]["epoch"]) for entry in written if entry.body and "data" in entry.body]
    assert epochs == sorted(epochs)  # no write of an earlier epoch after one of a later


def test_t47_sigterm_hands_over_in_less_than_two_seconds(
    control_plane: ControlPlane, namespace: str, replicas: Callable[[str], subprocess.Popen[str]]
) -> None:
    leader = replicas("leader")
    assert told(leader)["leading"] is True
    standby = replicas("standby")
    assert told(standby)["leading"] is False
    asked_s = time.monotonic()
    leader.terminate()
    assert told(standby)["leading"] is True
    assert time.monotonic() - asked_s < 2.0
    assert leader.wait(10.0) == 0
