"""The autoscaler's arithmetic, held against Kubernetes' own unit tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.baselines.hpa import (
    Behaviour,
    Change,
    MetricsError,
    Pod,
    PodSample,
    RatePolicy,
    Readiness,
    Recommended,
    Rules,
    Tolerance,
    average_value_replicas,
    combined,
    limited,
    limited_by_rates,
    pods_replicas,
    stabilised,
    stabilised_down,
    utilisation_replicas,
    value_replicas,
)
from agents.baselines.hpa.pods import pod_samples
from metaverse_env.autoscaling.behaviour import down_limit, up_limit

NOW_S = 10_000.0
Case = dict[str, Any]


def pods(given: Case) -> list[Pod]:
    fields = ("name", "phase", "ready", "start_time_s", "ready_transition_s", "deleting", "requests_milli")
    return [Pod(**{field: pod[field] for field in fields}) for pod in given["pods"]]


def tolerance(given: Case) -> Tolerance:
    return Tolerance(given["tolerance"]["scale_down"], given["tolerance"]["scale_up"])


def rules(given: Case) -> Rules:
    policies = tuple(RatePolicy(one["type"], one["value"], one["period_s"]) for one in given["policies"])
    window_s = given["stabilization_window_s"]
    return Rules(policies, given["select_policy"], 300.0 if window_s is None else window_s)


def changes(given: list[Case]) -> list[Change]:
    return [Change(event["change"], NOW_S - event["age_s"]) for event in given]


def log(given: Case) -> tuple[Recommended, ...]:
    return tuple(Recommended(entry["replicas"], NOW_S - entry["age_s"]) for entry in given["recommendations"])


def resource(given: Case) -> Case:
    samples: dict[str, PodSample] = {}
    for metric in given["metrics"]:
        one = {metric["pod"]: metric["containers"]}
        samples |= pod_samples(one, metric["timestamp_s"], metric["window_s"], given["container"])
    proposal = utilisation_replicas(
        pods(given),
        samples,
        given["target_utilization_percent"],
        given["current_replicas"],
        now_s=given["now_s"],
        resource=given["resource"],
        container=given["container"],
        tolerance=tolerance(given),
        readiness=Readiness(given["cpu_initialization_period_s"], given["initial_readiness_delay_s"]),
    )
    return dict(zip(("replicas", "utilization_percent", "raw_value_milli"), proposal, strict=True))


def per_pod(given: Case) -> Case:
    found = pods(given)
    values = given["metric_values_milli"]
    samples = {pod.name: PodSample(value) for pod, value in zip(found, values, strict=False)}
    target, current = given["target_usage_milli"], given["current_replicas"]
    proposal = pods_replicas(found, samples, target, current, now_s=1e6, tolerance=tolerance(given))
    return {"replicas": proposal.replicas, "usage_milli": proposal.usage}


def whole(given: Case) -> Case:
    usage, target, current = sum(given["metric_values_milli"]), given["target_usage_milli"], given["current_replicas"]
    proposal = value_replicas(usage, target, current, pods(given), tolerance(given))
    return {"replicas": proposal.replicas, "usage_milli": proposal.usage}


def average(given: Case) -> Case:
    usage, target, current = sum(given["metric_values_milli"]), given["target_usage_milli"], given["current_replicas"]
    proposal = average_value_replicas(usage, target, current, tolerance(given))
    return {"replicas": proposal.replicas, "usage_milli": proposal.usage}


def without_behaviour(given: Case) -> Case:
    result = limited(
        *(given[name] for name in ("current_replicas", "desired_replicas", "min_replicas", "max_replicas"))
    )
    return {"replicas": int(result.replicas), "condition_reason": str(result.reason)}


def with_behaviour(given: Case) -> Case:
    result = limited_by_rates(
        *(given[name] for name in ("current_replicas", "desired_replicas", "min_replicas", "max_replicas")),
        Behaviour(rules(given["scale_up"]), rules(given["scale_down"])),
        changes(given["scale_up_events"]),
        changes(given["scale_down_events"]),
        NOW_S,
    )
    return {"replicas": int(result.replicas), "condition_reason": str(result.reason)}


def stabilise(given: Case) -> Case:
    window_s = given["downscale_stabilisation_window_s"]
    replicas, after = stabilised_down(log(given), given["desired_replicas"], NOW_S, window_s)
    return {"replicas": int(replicas), "log_length": len(after)}


def stabilise_both(given: Case) -> Case:
    windows = given["scale_up_stabilization_s"], given["scale_down_stabilization_s"]
    replicas, after = stabilised(log(given), given["current_replicas"], given["desired_replicas"], NOW_S, *windows)
    return {"replicas": int(replicas), "log": [entry.replicas for entry in after]}


def limit(given: Case, function: Any) -> Case:
    events = changes(given["scale_up_events"]), changes(given["scale_down_events"])
    return {"limit": int(function(given["current_replicas"], *events, rules(given["rules"]), NOW_S))}


def several(given: Case) -> Case:
    result = combined(given["proposals"], given["spec_replicas"])
    return {"replicas": result.replicas, "error": not result.decided}


def documented(given: Case) -> Case:
    usage, target, current = (
        given[name] for name in ("current_metric_milli", "desired_metric_milli", "current_replicas")
    )
    ready = [Pod(str(number)) for number in range(current)]
    return {"replicas": value_replicas(usage, target, current, ready).replicas, "ratio": usage / target}


FUNCTIONS = {
    "GetResourceReplicas": resource,
    "GetMetricReplicas": per_pod,
    "GetObjectMetricReplicas": whole,
    "GetExternalMetricReplicas": whole,
    "GetObjectPerPodMetricReplicas": average,
    "GetExternalPerPodMetricReplicas": average,
    "convertDesiredReplicasWithRules": without_behaviour,
    "convertDesiredReplicasWithBehaviorRate": with_behaviour,
    "stabilizeRecommendation": stabilise,
    "stabilizeRecommendationWithBehaviors": stabilise_both,
    "calculateScaleDownLimitWithBehaviors": lambda given: limit(given, down_limit),
    "calculateScaleUpLimitWithScalingRules": lambda given: limit(given, up_limit),
    "computeReplicasForMetrics": several,
    "doc-example": documented,
}


def test_decides_as_kubernetes_does(assets: Path, subtests: pytest.Subtests) -> None:
    vectors = json.loads((assets / "vectors" / "hpa_vectors.json").read_text(encoding="utf-8"))["vectors"]
    assert len(vectors) >= 70
    for case in vectors:
        with subtests.test(case["id"], case=case["case"]):
            function, expected = FUNCTIONS[case["function"]], case["expected"]
            if "error_contains" in expected:
                with pytest.raises(MetricsError, match=expected["error_contains"]):
                    function(case["input"])
            else:
                got = function(case["input"])
                assert {name: got[name] for name in expected} == expected
