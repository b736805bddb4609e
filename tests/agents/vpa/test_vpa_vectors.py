"""The recommender and the updater, held against Kubernetes' own unit tests."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.baselines.vpa import (
    Buckets,
    Checkpoint,
    Histogram,
    bumped,
    confidence,
    exponential,
    linear,
    priority,
    scaled_by_confidence,
    with_least,
    with_margin,
)
from agents.baselines.vpa.recommending import whole
from metaverse_env.errors import CheckpointError

Case = dict[str, Any]


def buckets(options: Case) -> Buckets:
    if options["kind"] == "linear":
        return linear(options["max"], options["bucket"], options["epsilon"])
    return exponential(options["max"], options["first"], options["ratio"], options["epsilon"])


def filled(given: Case) -> Histogram:
    histogram = Histogram(buckets(given["options"]), half_life_s=given.get("half_life_s", math.inf))
    for sample in given.get("samples", ()):
        histogram.add(sample["value"], sample["weight"], sample.get("time_s", 0.0))
    return histogram


def percentiles(given: Case, expected: Case) -> Case:
    histogram, shares = filled(given), [share for share, _ in expected["percentiles"]]
    values = histogram.percentiles(shares)
    return {"percentiles": [[share, float(value)] for share, value in zip(shares, values, strict=True)]}


def steps(given: Case, expected: Case) -> Case:
    histogram, empty = filled(given), []
    for step in given["steps"]:
        if step["op"] != "new":
            {"add": histogram.add, "sub": histogram.subtract}[step["op"]](step["value"], step["weight"])
        empty.append(bool(histogram.empty))
    return {"empty_after_each_step": empty}


def options(given: Case, expected: Case) -> Case:
    made = buckets(given["options"])
    return {
        "num_buckets": len(made.starts),
        "bucket_starts": [[n, float(made.starts[n])] for n, _ in expected["bucket_starts"]],
        "find_bucket": [[value, int(made.find(value))] for value, _ in expected["find_bucket"]],
    }


def saved(given: Case, expected: Case) -> Case:
    checkpoint = filled(given).save()
    return {
        "total_weight": checkpoint.total_weight,
        "bucket_weights": {str(bucket): weight for bucket, weight in checkpoint.bucket_weights.items()},
    }


def loaded(given: Case, expected: Case) -> Case:
    histogram = filled(given)
    weights = {int(bucket): weight for bucket, weight in given["bucket_weights"].items()}
    try:
        histogram.load(Checkpoint(given["total_weight"], weights))
    except CheckpointError:
        return {"error": True}
    kept = {str(bucket): float(histogram.weights[bucket]) for bucket in np.flatnonzero(histogram.weights)}
    return {"total_weight": float(histogram.total), "bucket_weights": kept}


def round_trip(given: Case, expected: Case) -> Case:
    again = Histogram(buckets(given["options"]))
    again.load(filled(given).save())
    return {"empty_after_load": bool(again.empty)}


def known(given: Case, expected: Case) -> Case:
    names = ("first_sample_s", "last_sample_s", "total_samples", "confidence_interval_s")
    return {"confidence": float(confidence(*(given[name] for name in names)))}


def amount(function: Any, *names: str) -> Any:
    return lambda given, expected: {"amount": float(function(*(given[name] for name in names)))}


def kill(given: Case, expected: Case) -> Case:
    names = ("request_bytes", "memory_peak_bytes", "ratio", "min_bump_bytes")
    return {"sample_bytes": float(bumped(*(given[name] for name in names)))}


def update(given: Case, expected: Case) -> Case:
    containers = list(given["containers"].values())
    names = sorted({resource for one in containers for resource in one["target"]})
    fields = [
        [[one.get(field, {}).get(name, np.nan) for name in names] for one in containers]
        for field in ("request", "target", "lower", "upper")
    ]
    outside, scale_up, difference = priority(*(np.array(field) for field in fields))
    return {"outside_recommended_range": bool(outside), "scale_up": bool(scale_up), "resource_diff": float(difference)}


def recommended(given: Case, expected: Case) -> Case:
    settings, half_life_s = given["aggregation"], given["aggregation"]["half_life_s"]
    cpu = Histogram(buckets(settings["cpu_options"]), half_life_s=half_life_s)
    memory = Histogram(buckets(settings["memory_options"]), half_life_s=half_life_s)
    for time_s, cores in given["cpu_samples"]:
        cpu.add(cores, 0.1, time_s)
    for time_s, used in given["memory_peaks"]:
        memory.add(used, 1.0, time_s)
    times = [time_s for time_s, _ in given["cpu_samples"]]
    sure = confidence(times[0], times[-1], len(times), 86_400.0)
    result: Case = {}
    for name, histogram, unit, least in (
        ("cpu_milli", cpu, 1000.0, 25.0),
        ("memory_bytes", memory, 1.0, 262_144_000.0),
    ):
        median, p90, p95 = (with_margin(whole(value * unit), 0.15) for value in histogram.percentiles((0.5, 0.9, 0.95)))
        bounds = {
            "target": p90,
            "lower_bound": scaled_by_confidence(median, sure, 0.001, -2.0),
            "upper_bound": scaled_by_confidence(p95, sure, 1.0, 1.0),
        }
        for bound, value in bounds.items():
            result.setdefault(bound, {})[name] = float(with_least(value, least))
    return result


FUNCTIONS = {
    "histogram.percentiles": percentiles,
    "decaying_histogram.percentiles": percentiles,
    "histogram.steps": steps,
    "histogram.options": options,
    "checkpoint.save": saved,
    "checkpoint.load": loaded,
    "checkpoint.roundtrip_nonempty": round_trip,
    "confidence": known,
    "confidence_multiplier": amount(scaled_by_confidence, "base", "confidence", "multiplier", "exponent"),
    "margin": amount(with_margin, "base", "fraction"),
    "min_resource": amount(with_least, "base", "pod_min", "containers"),
    "oom_bump": kill,
    "update_priority": update,
    "recommendation": recommended,
}


def same(value: Any, expected: Any) -> None:
    """Compare within a relative 1e-9, inside lists and tables too."""
    if isinstance(expected, dict):
        assert value.keys() == expected.keys()
        for name, part in expected.items():
            same(value[name], part)
    elif isinstance(expected, list):
        for part, wanted in zip(value, expected, strict=True):
            same(part, wanted)
    else:
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_recommends_as_kubernetes_does(assets: Path, subtests: pytest.Subtests) -> None:
    vectors = json.loads((assets / "vectors" / "vpa_vectors.json").read_text(encoding="utf-8"))["vectors"]
    assert len(vectors) >= 31
    for case in vectors:
        with subtests.test(case["id"], test=case["source_test"]):
            same(FUNCTIONS[case["function"].split(" ")[0]](case["input"], case["expected"]), case["expected"])
