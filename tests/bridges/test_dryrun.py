"""The cluster in memory: it keeps the contract, and goes wrong where it is told to."""

import pytest

from bridges.clock import ManualClock
from bridges.contracts import Amounts, Bounds, Change, TelemetrySource
from bridges.dryrun import DryRunCluster
from bridges.errors import ConflictError, NotFoundError, OutcomeUnknownError, UnavailableError
from metaverse_env.scenario import Scenario, load_scenario
from tests.bridges.contract_cluster import ClusterContract, Site, zone_of

SIZE = Amounts(1.0, 1024.0)


def three_zones() -> Scenario:
    plain = load_scenario("multi_zone")
    return plain.with_changes(layout=plain.layout.model_copy(update={"zones": 3}))


@pytest.fixture
def cluster() -> DryRunCluster:
    return DryRunCluster(three_zones(), amounts=SIZE)


def wait(cluster: DryRunCluster, seconds: float = 300.0) -> None:
    assert isinstance(cluster.clock, ManualClock)
    cluster.clock.advance(seconds)


class TestContract(ClusterContract):
    @pytest.fixture
    def site(self, cluster: DryRunCluster) -> Site:
        return Site(cluster, ("zone-1", "zone-2", "zone-3"), SIZE, lambda: wait(cluster))


def ask(cluster: DryRunCluster, change: Change) -> tuple[str, str]:
    (receipt,) = cluster.write([change], cluster.read())
    return receipt.result, receipt.code


def test_a_change_takes_its_time(cluster: DryRunCluster) -> None:
    assert ask(cluster, Change("zone-1", requests=Amounts(3.0, None))) == ("written", "")
    now = zone_of(cluster.read(), "zone-1")
    assert (now.requests.cpu_cores, now.pods[0].requests.cpu_cores, now.rollout) == (3.0, 1.0, "progressing")
    wait(cluster)
    now = zone_of(cluster.read(), "zone-1")
    assert (now.pods[0].requests.cpu_cores, now.rollout) == (3.0, "complete")


def test_the_same_seed_gives_the_same_users() -> None:
    readings = []
    for _ in range(2):
        cluster = DryRunCluster(three_zones(), seed=7)
        wait(cluster)
        readings.append(cluster.telemetry.read(cluster.read().workloads))
    assert readings[0] == readings[1]


def test_measures_itself(cluster: DryRunCluster) -> None:
    assert isinstance(cluster.telemetry, TelemetrySource)
    wait(cluster)
    reading = cluster.telemetry.read(cluster.read().workloads)["zone-1"]
    assert reading["users"].quality == "fresh"
    assert reading["cpu_cores"].value > 0.0
    assert 15.0 <= reading["latency_ms"].age_s <= 45.0


def test_memory_that_runs_out_kills(cluster: DryRunCluster) -> None:
    wait(cluster)
    ask(cluster, Change("zone-1", requests=Amounts(None, 256.0)))
    wait(cluster)
    pod = zone_of(cluster.read(), "zone-1").pods[0]
    assert pod.restarts >= 1
    assert pod.killed_for_memory_s is not None


@pytest.mark.parametrize(
    ("bounds", "change", "code"),
    [
        (Bounds(most=Amounts(1.5, None)), Change("zone-1", requests=Amounts(1.6, None)), "AboveLimitRange"),
        (Bounds(least=Amounts(0.5, None)), Change("zone-1", requests=Amounts(0.4, None)), "BelowLimitRange"),
        (Bounds(left=Amounts(1.0, None)), Change("zone-1", replicas=3), "QuotaExceeded"),
        (Bounds(left=Amounts(None, 100.0)), Change("zone-1", requests=Amounts(None, 1200.0)), "QuotaExceeded"),
    ],
)
def test_t62_what_the_namespace_does_not_allow_is_refused(bounds: Bounds, change: Change, code: str) -> None:
    assert ask(DryRunCluster(three_zones(), amounts=SIZE, bounds=bounds), change) == ("refused", code)


def test_within_a_quota_is_allowed() -> None:
    cluster = DryRunCluster(three_zones(), amounts=SIZE, bounds=Bounds(left=Amounts(1.0, 1024.0)))
    assert ask(cluster, Change("zone-1", replicas=2)) == ("written", "")


@pytest.mark.parametrize(
    ("fields", "result", "code"),
    [
        ({"autoscalers": ("HorizontalPodAutoscaler/zone-1",)}, "refused", "OwnedByHPA"),
        ({"autoscalers": ("ScaledObject/zone-1",)}, "refused", "OwnedByHPA"),
        ({"rollout": "paused"}, "skipped", "Paused"),
        ({"replicas": 0}, "skipped", "ZeroReplicas"),
        ({"deleting": True}, "skipped", "Deleting"),
    ],
)
def test_other_owners_and_states_come_first(
    cluster: DryRunCluster, fields: dict[str, object], result: str, code: str
) -> None:
    cluster.edit("zone-1", **fields)
    assert ask(cluster, Change("zone-1", replicas=2)) == (result, code)


def test_t28_a_vpa_keeps_requests_and_leaves_replicas(cluster: DryRunCluster) -> None:
    cluster.edit("zone-1", autoscalers=("VerticalPodAutoscaler/zone-1",))
    assert ask(cluster, Change("zone-1", requests=Amounts(2.0, None))) == ("refused", "OwnedByVPA")
    assert ask(cluster, Change("zone-1", replicas=2)) == ("written", "")


def test_what_is_held_may_not_be_written_and_the_rest_may(cluster: DryRunCluster) -> None:
    cluster.edit("zone-1", held={"cpu": "FieldManagerConflict: helm owns it"})
    assert ask(cluster, Change("zone-1", requests=Amounts(2.0, None))) == ("refused", "FieldManagerConflict")
    assert ask(cluster, Change("zone-1", replicas=2)) == ("written", "")


def test_t15_a_stale_snapshot_conflicts(cluster: DryRunCluster) -> None:
    before = cluster.read()
    cluster.edit("zone-1", annotations={"by": "somebody"})
    (receipt,) = cluster.write([Change("zone-1", replicas=2)], before)
    assert (receipt.result, receipt.code) == ("failed", "Conflict")


def test_a_deleted_zone_is_gone(cluster: DryRunCluster) -> None:
    before = cluster.read()
    cluster.delete("zone-1")
    assert len(cluster.read().workloads) == 2
    (receipt,) = cluster.write([Change("zone-1", replicas=2)], before)
    assert receipt.code == "NotFound"
    with pytest.raises(NotFoundError, match="zone-1"):
        cluster.edit("zone-1", replicas=3)


def test_faults_last_until_taken_back(cluster: DryRunCluster) -> None:
    cluster.faults.reading = UnavailableError("busy", retry_after_s=2.0)
    with pytest.raises(UnavailableError):
        cluster.read()
    cluster.faults.reading = None
    cluster.faults.writing = ConflictError("owned")
    with pytest.raises(ConflictError):
        cluster.write([Change("zone-1", replicas=2)], cluster.read())
    cluster.faults.writing = None
    assert cluster.written == []
    assert ask(cluster, Change("zone-1", replicas=2)) == ("written", "")


def test_t36_an_answer_that_is_lost_may_have_been_a_yes(cluster: DryRunCluster) -> None:
    cluster.faults.answers_lost = True
    with pytest.raises(OutcomeUnknownError):
        cluster.write([Change("zone-1", replicas=2)], cluster.read())
    assert zone_of(cluster.read(), "zone-1").replicas == 2


def test_t66_a_stuck_rollout_says_so(cluster: DryRunCluster) -> None:
    cluster.faults.stuck.add("zone-1")
    ask(cluster, Change("zone-1", requests=Amounts(3.0, None)))
    wait(cluster)
    assert zone_of(cluster.read(), "zone-1").rollout == "progressing"
    wait(cluster, 400.0)
    assert zone_of(cluster.read(), "zone-1").rollout == "stuck"


def test_silence_and_zeros_are_two_things(cluster: DryRunCluster) -> None:
    wait(cluster)
    cluster.faults.silent.add("zone-1")
    cluster.faults.zeros.add("zone-2")
    readings = cluster.telemetry.read(cluster.read().workloads)
    assert (readings["zone-1"]["users"].value, readings["zone-1"]["users"].quality) == (None, "missing")
    assert (readings["zone-2"]["users"].value, readings["zone-2"]["users"].quality) == (0.0, "fresh")
