"""What is believed of measurements: missing, stale and zero are three different things."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.contracts import Amounts, Pod, Reading
from bridges.telemetry.combined import CombinedSource, best_of
from bridges.telemetry.quality import (
    QualityLimits,
    Sample,
    Usage,
    counted,
    is_starting,
    judged,
    missing,
    substituted,
    usage_of,
    without_false_zeros,
)
from metaverse_env.errors import ConfigurationError

LIMITS = QualityLimits(scrape_interval_s=15.0)
NOW_S = 1_000_000.0
ONE_CORE = Amounts(1.0, 100.0)


def pod(name: str, **fields: Any) -> Pod:
    old = {"started_s": NOW_S - 3600.0, "ready_since_s": NOW_S - 3590.0, "requests": ONE_CORE}
    return Pod(name, **{**old, **fields})


def use(pods: list[Pod], samples: dict[str, float], target: float = 0.8, field: str = "cpu_cores") -> Reading:
    taken = {name: Sample(value, NOW_S - 5.0) for name, value in samples.items()}
    return usage_of(pods, taken, NOW_S, LIMITS, target, field, "zone")


def test_t05_a_zero_of_an_outage_is_suspicious() -> None:
    before = {"cpu_cores": Reading(0.4, 5.0, "fresh"), "requests_per_s": Reading(20.0, 5.0, "fresh")}
    now = {"cpu_cores": Reading(0.0, 5.0, "fresh"), "requests_per_s": Reading(20.0, 5.0, "fresh")}
    checked = without_false_zeros(now, before, ready=True)
    assert (checked["cpu_cores"].quality, checked["cpu_cores"].code) == ("rejected", "SuspiciousZero")
    assert checked["cpu_cores"].value is None


def test_t05_a_zero_after_the_traffic_went_is_a_zero() -> None:
    before = {"cpu_cores": Reading(0.4, 5.0, "fresh"), "requests_per_s": Reading(20.0, 5.0, "fresh")}
    now = {"cpu_cores": Reading(0.0, 5.0, "fresh"), "requests_per_s": Reading(0.0, 5.0, "fresh")}
    assert without_false_zeros(now, before, ready=True) == now


def test_t05_where_nobody_counts_traffic_a_sudden_zero_is_not_believed() -> None:
    before, now = {"cpu_cores": Reading(0.4, 5.0, "fresh")}, {"cpu_cores": Reading(0.0, 5.0, "fresh")}
    assert without_false_zeros(now, before, ready=True)["cpu_cores"].code == "SuspiciousZero"


def test_t05_memory_of_a_zone_that_serves_is_never_zero() -> None:
    before = {"memory_mb": Reading(50.0, 5.0, "fresh"), "users": Reading(0.0, 1.0, "fresh")}
    now = {"memory_mb": Reading(0.0, 5.0, "fresh"), "users": Reading(0.0, 1.0, "fresh")}
    assert without_false_zeros(now, before, ready=True)["memory_mb"].code == "SuspiciousZero"
    assert without_false_zeros(now, before, ready=False)["memory_mb"].quality == "fresh"


def test_t06_older_than_two_scrapes_is_stale() -> None:
    assert judged(Sample(1.0, NOW_S - 30.0), NOW_S, LIMITS) == Reading(1.0, 30.0, "fresh")
    assert judged(Sample(1.0, NOW_S - 30.1), NOW_S, LIMITS).quality == "stale"


def test_t07_from_the_future_is_a_wrong_clock() -> None:
    assert judged(Sample(1.0, NOW_S + 30.0), NOW_S, LIMITS) == Reading(1.0, 0.0, "fresh")
    assert judged(Sample(1.0, NOW_S + 31.0), NOW_S, LIMITS).code == "ClockSkew"


@pytest.mark.parametrize(
    ("value", "code"),
    [(math.nan, "NotANumber"), (math.inf, "NotANumber"), (-math.inf, "NotANumber"), (-0.1, "Negative")],
)
def test_t08_what_cannot_be_is_rejected(value: float, code: str) -> None:
    reading = judged(Sample(value, NOW_S), NOW_S, LIMITS)
    assert (reading.value, reading.quality, reading.code) == (None, "rejected", code)


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(min_value=-1e9, max_value=1e9, allow_nan=False),
)
def test_a_value_is_only_given_with_its_age_and_never_nonsense(value: float, age_s: float) -> None:
    reading = judged(Sample(value, NOW_S - age_s), NOW_S, LIMITS)
    if reading.quality in ("fresh", "stale"):
        assert reading.value is not None
        assert 0.0 <= reading.value < math.inf
        assert reading.age_s is not None
        assert reading.age_s >= 0.0
    else:
        assert reading.value is None
        assert reading.code


def test_zero_missing_and_stale_are_three_things() -> None:
    kinds = [
        judged(Sample(0.0, NOW_S), NOW_S, LIMITS),
        judged(None, NOW_S, LIMITS),
        judged(Sample(0.0, NOW_S - 99.0), NOW_S, LIMITS),
    ]
    assert [(reading.value, reading.quality) for reading in kinds] == [
        (0.0, "fresh"),
        (None, "missing"),
        (0.0, "stale"),
    ]


def test_t09_missing_pods_never_make_a_zone_shrink_or_grow() -> None:
    pods = [pod(f"p{n}") for n in range(4)]
    low = use(pods, {"p0": 0.5, "p1": 0.5, "p2": 0.5})  # 62 % of the target; the fourth as if it used all it asks for
    assert (low.value, low.code) == (pytest.approx(2.5), "PodsMissing")
    high = use(pods, {"p0": 1.0, "p1": 1.0, "p2": 1.0})  # above the target; with an idle fourth it would be below
    assert high.value == pytest.approx(0.8 * 4)
    hot = use(pods, {"p0": 1.5, "p1": 1.5, "p2": 1.5})
    assert hot.value == pytest.approx(4.5)


@given(st.lists(st.floats(0.0, 4.0), min_size=1, max_size=6), st.integers(1, 6), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_t09_the_decision_never_turns_round(known: list[float], absent: int, target: float) -> None:
    total, count = math.fsum(known), len(known)
    ratio = total / (count * target)
    again = substituted(Usage(total, float(count), float(absent), 0.0), target) / ((count + absent) * target)
    assert (again - 1.0) * (ratio - 1.0) >= -1e-9


def test_t09b_all_missing_is_missing() -> None:
    assert use([pod("p0"), pod("p1")], {}) == missing("NoPodMetrics")


def test_t10_deleted_and_ended_pods_are_ignored() -> None:
    pods = [pod("p0"), pod("gone", deleting=True), pod("failed", phase="Failed"), pod("done", phase="Succeeded")]
    assert [one.name for one in counted(pods)] == ["p0"]
    reading = use(pods, {"p0": 0.5, "gone": 3.0, "failed": 3.0, "done": 3.0})
    assert (reading.value, reading.code) == (0.5, "")


def test_t11_a_surge_pod_without_metrics_changes_nothing() -> None:
    surge = pod("new", ready=False, started_s=NOW_S - 10.0, ready_since_s=NOW_S - 10.0)
    reading = use([pod("p0"), pod("p1"), surge], {"p0": 0.6, "p1": 0.6})
    assert (reading.value, reading.quality) == (pytest.approx(1.2), "fresh")


def test_t12_the_cpu_of_young_pods_is_ignored() -> None:
    young = pod("young", started_s=NOW_S - 100.0, ready_since_s=NOW_S - 2.0)
    reading = use([pod("p0"), young], {"p0": 0.5, "young": 9.0})  # measured before it was ready
    assert reading.value == 0.5
    assert use([young], {"young": 9.0}).code == "PodsStarting"
    settled = pod("settled", started_s=NOW_S - 100.0, ready_since_s=NOW_S - 60.0)
    assert use([pod("p0"), settled], {"p0": 0.5, "settled": 0.4}).value == pytest.approx(0.9)


def test_t12_memory_of_young_pods_counts() -> None:
    young = pod("young", started_s=NOW_S - 100.0, ready_since_s=NOW_S - 2.0)
    assert use([young], {"young": 70.0}, field="memory_mb").value == 70.0


def test_t14_without_a_request_there_is_no_utilisation_and_the_container_is_named() -> None:
    bare = pod("bare", requests=Amounts(None, None))
    reading = use([pod("p0"), bare], {"p0": 0.5})
    assert (reading.quality, reading.code) == ("rejected", "NoRequest:zone")


def hpa_cases(assets: Path) -> list[dict[str, Any]]:
    found = json.loads((assets / "vectors" / "hpa_vectors.json").read_text(encoding="utf-8"))["vectors"]
    chosen = [
        case for case in found if case["function"] == "GetResourceReplicas" and case["input"]["resource"] == "cpu"
    ]
    return [case for case in chosen if not case["input"]["container"] and "replicas" in case["expected"]]


def test_t09_kubernetes_own_cases(assets: Path) -> None:
    """The use that is made up for missing pods gives the replicas of Kubernetes' unit tests."""
    checked = 0
    for case in hpa_cases(assets):
        given_ = case["input"]
        now_s, pods, samples = float(given_["now_s"]), [], {}
        for one in given_["pods"]:
            cores = sum(given_cores or 0 for given_cores in one["requests_milli"].values()) / 1e3
            pods.append(
                Pod(
                    one["name"],
                    phase=one["phase"],
                    ready=one["ready"],
                    started_s=float(one["start_time_s"]),
                    ready_since_s=float(one["ready_transition_s"]),
                    requests=Amounts(cores, None),
                    deleting=one["deleting"],
                )
            )
        for metric in given_["metrics"]:
            value = sum(metric["containers"].values()) / 1e3
            samples[metric["pod"]] = Sample(value, float(metric["timestamp_s"]), float(metric["window_s"]))
        limits = QualityLimits(
            scrape_interval_s=1e7,  # the cases' metrics have no time
            starting_s=float(given_["cpu_initialization_period_s"]),
            readiness_s=float(given_["initial_readiness_delay_s"]),
        )
        starting = [one for one in counted(pods) if is_starting(one, samples.get(one.name), now_s, limits)]
        known = [one for one in counted(pods) if one.name in samples and one not in starting]
        if len(known) + len(starting) == len(counted(pods)):
            continue  # nobody is missing: not what is tested here
        target = given_["target_utilization_percent"] / 100.0
        reading = usage_of(pods, samples, now_s, limits, target)
        absent = [one for one in counted(pods) if one.name not in samples and one not in starting]
        measured = sum(samples[one.name].value for one in known)
        idle = starting if measured > target * sum(one.requests.cpu_cores or 0.0 for one in known) else []
        everyone = sum(one.requests.cpu_cores or 0.0 for one in (*known, *absent, *idle))
        ratio = (reading.value or 0.0) / (everyone * target)
        pods_counted = len(known) + len(absent) + len(idle)
        within = 1 - given_["tolerance"]["scale_down"] <= ratio <= 1 + given_["tolerance"]["scale_up"]
        replicas = given_["current_replicas"] if within else math.ceil(ratio * pods_counted - 1e-9)
        assert replicas == case["expected"]["replicas"], case["id"]
        checked += 1
    assert checked >= 3


def test_limits_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="ahead_s = nan"):
        QualityLimits(ahead_s=math.nan)


class Fixed:
    def __init__(self, **readings: Reading) -> None:
        self.readings = readings

    def read(self, workloads: Any) -> Any:
        return {"a": self.readings}


def test_combined_takes_the_first_fresh_value_of_each_field() -> None:
    old, new, none = Reading(1.0, 99.0, "stale", "Stale"), Reading(2.0, 1.0, "fresh"), missing("Unreachable")
    combined = CombinedSource(Fixed(users=old, cpu_cores=new), Fixed(users=new, cpu_cores=old, memory_mb=none))
    assert combined.read([])["a"] == {"users": new, "cpu_cores": new, "memory_mb": none}
    assert best_of({"users": old}, {"users": none})["users"] == old
    with pytest.raises(ConfigurationError):
        CombinedSource()
