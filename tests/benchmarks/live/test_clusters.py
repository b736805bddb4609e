"""A cluster that is looked at and never written to: in memory, and at its own pace."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from benchmarks.live.clusters import ClusterSource
from benchmarks.live.worker import Worker
from bridges.clock import ManualClock, SystemClock
from bridges.connecting import Site
from bridges.contracts import Amounts
from bridges.dryrun import DryRunCluster
from bridges.errors import UnavailableError
from metaverse_env.errors import ClusterError, ConfigurationError, LifecycleError
from metaverse_env.live.commands import Inject, Pause, Restart, Speed, SwitchPolicy, SwitchScenario
from metaverse_env.live.session import Session

WITHIN_S = 20.0


def site_of(cluster: DryRunCluster) -> Site:
    return Site(cluster, cluster.telemetry, cluster.clock)


def told(session: Session, kind: str = "note") -> list[str]:
    return [message.text for message in session.interface.messages if message.kind == kind]


Watch = Callable[..., Session]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Return a function that watches a cluster; what it began is ended."""
    sessions: list[Session] = []

    def begin(cluster: DryRunCluster, policy: str = "threshold", paced: bool = False, tick_s: float = 15.0) -> Session:
        site = site_of(cluster)
        source = ClusterSource(site, "in memory", policy, forecaster="none", tick_s=tick_s, paced=paced)
        sessions.append(Session(source, ticks_per_s=1.0))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.close()


def test_a_cluster_is_shown_and_nothing_is_ever_written(watch: Watch) -> None:
    cluster = DryRunCluster("multi_zone", seed=3)
    session = watch(cluster)
    before = {zone: one.asked for zone, one in cluster.deployments.items()}
    session.advance(12.0)
    assert session.source.ticks == 13
    assert cluster.written == []
    assert {zone: one.asked for zone, one in cluster.deployments.items()} == before
    assert (session.interface.source, session.interface.state) == ("cluster", "live")
    wishes = told(session, "dry-run")
    assert wishes
    assert all(words.startswith("threshold would ask: zone-") for words in wishes)
    assert told(session, "real") == []  # nobody changed anything
    assert sum(zone.users for zone in session.snapshot.zones) > 0


def test_what_others_change_is_told_as_real(watch: Watch) -> None:
    cluster = DryRunCluster("multi_zone", seed=3)
    session = watch(cluster, policy="hold")
    session.advance(2.0)
    now = cluster.deployments["zone-4"].asked.requests
    assert now is not None
    assert now.cpu_cores is not None
    more = Amounts(2.0 * now.cpu_cores, now.memory_mb)
    cluster.edit("zone-4", requests=more, limits=more)
    session.advance(1.0)
    assert len(told(session, "real")) == 1
    assert told(session, "real")[0].startswith(f"zone-4 CPU {now.cpu_cores:.2f} to {more.cpu_cores:.2f} cores")


def test_a_cluster_that_cannot_be_read_is_away_and_comes_back(watch: Watch) -> None:
    cluster = DryRunCluster("single_zone")
    session = watch(cluster)
    session.advance(1.0)
    cluster.faults.reading = UnavailableError("no route to the API server")
    session.advance(2.0)
    assert session.interface.state == "away"
    assert "no route to the API server" in session.interface.state_text
    assert len([text for text in told(session, "real") if "no route" in text]) == 1
    assert not session.apply(Restart())
    cluster.faults.reading = None
    session.advance(1.0)
    assert (session.interface.state, session.interface.state_text) == ("live", "")


def test_one_that_cannot_be_read_at_first_is_an_error() -> None:
    cluster = DryRunCluster("single_zone")
    cluster.faults.reading = UnavailableError("no route to the API server")
    with pytest.raises(ClusterError, match="no route"):
        ClusterSource(site_of(cluster), "x", "hold", forecaster="none", paced=False)


def test_zones_that_go_are_told_and_a_new_start_leaves_them_out(watch: Watch) -> None:
    cluster = DryRunCluster("multi_zone")
    session = watch(cluster, policy="hold")
    session.advance(1.0)
    cluster.delete("zone-7")
    session.advance(3.0)
    assert told(session).count("zones came or went: zone-7; start anew to see them") == 1
    assert len(session.snapshot.zones) == 30
    assert session.apply(Restart())
    assert len(session.snapshot.zones) == 29
    session.advance(2.0)
    assert len(session.frame().hits) > 29


def test_what_only_a_simulation_can_do_is_refused(watch: Watch) -> None:
    session = watch(DryRunCluster("single_zone"))
    for command, words in (
        (Inject("flash_crowd"), "only looked at"),
        (Inject("node_failure"), "only looked at"),
        (SwitchScenario("complex"), "plays no scenario"),
        (SwitchPolicy("oracle"), "a cluster has none"),
    ):
        assert not session.apply(command)
        assert words in told(session)[-1]
    assert session.apply(SwitchPolicy("hold"))
    assert session.policy == "hold"
    with pytest.raises(ConfigurationError, match="a cluster has none"):
        ClusterSource(site_of(DryRunCluster("single_zone")), "x", "oracle", forecaster="none", paced=False)


def test_a_cluster_of_its_own_pace_never_keeps_the_picture_waiting(watch: Watch) -> None:
    cluster = DryRunCluster("single_zone", clock=SystemClock())
    session = watch(cluster, paced=True, tick_s=1.0)
    assert session.interface.state == "waiting"
    longest_s, phases, end_s = 0.0, [], time.monotonic() + WITHIN_S
    while session.source.ticks < 3:
        assert time.monotonic() < end_s
        began_s = time.monotonic()
        session.advance(0.02)
        longest_s = max(longest_s, time.monotonic() - began_s)
        phases.append(session.phase)
        time.sleep(0.02)
    assert longest_s < 0.5  # a tick lasts 1 s
    assert max(phases) <= 1.0
    assert session.interface.state == "live"
    assert not session.apply(Speed(4.0))
    assert "ticks at its own pace" in told(session)[-1]


def test_a_pause_lets_the_cluster_go_on_unseen(watch: Watch) -> None:
    cluster = DryRunCluster("single_zone", clock=SystemClock())
    session = watch(cluster, paced=True, tick_s=1.0)
    session.apply(Pause())
    for _ in range(5):
        session.advance(1.0)
    assert session.source.ticks == 0


def test_a_new_start_and_the_end_wait_for_no_tick(watch: Watch) -> None:
    cluster = DryRunCluster("single_zone", clock=SystemClock())
    session = watch(cluster, paced=True, tick_s=15.0)
    session.advance(0.1)  # from here on a thread waits for a tick of 15 s
    time.sleep(0.2)
    began_s = time.monotonic()
    assert session.apply(Restart())
    session.advance(0.1)
    session.close()
    assert time.monotonic() - began_s < 4.0


def test_a_manual_clock_passes_at_once(watch: Watch) -> None:
    clock = ManualClock()
    session = watch(DryRunCluster("single_zone", clock=clock))
    session.advance(9.0)
    assert clock.monotonic_s() == 10 * 15.0


def test_a_worker_does_one_thing_at_a_time() -> None:
    worker: Worker[int] = Worker()
    gate, calls = threading.Event(), []

    def work(number: int) -> int:
        calls.append(number)
        gate.wait(WITHIN_S)
        return number

    worker.begin(lambda: work(1))
    worker.begin(lambda: work(2))  # is not begun: one is under way
    assert worker.result() is None
    assert not worker.idle_within(0.05)
    gate.set()
    assert worker.idle_within(WITHIN_S)
    assert worker.result() is None  # it was forgotten
    worker.begin(lambda: work(3))
    assert worker.idle_within(WITHIN_S)
    assert calls == [1, 3]

    def fail() -> int:
        raise LifecycleError("broken")

    worker.begin(fail)
    with pytest.raises(LifecycleError, match="broken"):
        fetched(worker)
    worker.close(WITHIN_S)


def fetched(worker: Worker[int]) -> int:
    end_s = time.monotonic() + WITHIN_S
    while (result := worker.result()) is None:
        assert time.monotonic() < end_s
    return result
