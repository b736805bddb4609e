"""What a learned policy sees, by hand for a row of three zones."""

import math
from typing import Any

import numpy as np
import pytest

from metaverse_env.observation import (
    FORECAST_FEATURES,
    FORECAST_TICKS,
    WORLD_FEATURES,
    ZONE_FEATURES,
    Observer,
    feature_table,
)
from metaverse_env.scenario import load_scenario
from metaverse_env.simulator.constants import Constants, build_constants
from metaverse_env.simulator.records import TELEMETRY, WEATHER
from metaverse_env.telemetry import Command, Forecast, Telemetry

ALLOCATION = np.array([2.0, 1000.0, 100.0])


@pytest.fixture(scope="module")
def constants() -> Constants:
    """Return three zones in a row, with round peaks: the grid of three has two columns, and zone 0 is the corner."""
    base = load_scenario("multi_zone")
    packed = build_constants(base.with_changes(layout=base.layout.model_copy(update={"zones": 3})))
    packed.zones["peak_users"] = 49.5
    packed.zones["peak_allocation"] = 2.0 * ALLOCATION
    return packed


def telemetry(**changes: Any) -> Telemetry:
    """Return one world of three equal zones; a value given for three zones differs between them."""
    zones, weather = np.zeros((1, 3), dtype=TELEMETRY), np.zeros(1, dtype=WEATHER)
    weather["price_factor"] = 1.0
    usual = {"users": 40.0, "usage": 0.5 * ALLOCATION, "allocation": ALLOCATION, "latency_ms": 100.0, "age_s": 60.0}
    for name, value in {**usual, "observed": 1.0, "ready": 1.0, **changes}.items():
        (weather if name in WEATHER.names else zones)[name] = value
    return Telemetry(zones, weather, np.zeros((1, 3, 0), dtype=np.float32))


def observe(
    constants: Constants, now: Telemetry, before: Telemetry | None = None, allocation: Any = ALLOCATION, **more: Any
) -> dict[str, float]:
    """Return the features of the first zone and of the world by name."""
    pending = Command.of(np.tile(allocation, (1, 3, 1)), more.get("handover", 0.0))
    observer = Observer(constants, forecast="forecast" in more)
    row = observer(now, before or now, more.get("forecast"), pending)[0]
    names = [feature.name for feature in observer.zone_features]
    assert row.dtype == np.float32
    assert len(row) == observer.size == 3 * len(names) + len(WORLD_FEATURES)
    world = zip((feature.name for feature in WORLD_FEATURES), row[3 * len(names) :], strict=True)
    return dict(zip(names, row[: len(names)].tolist(), strict=True)) | {name: float(value) for name, value in world}


def test_a_zone_in_its_middle(constants: Constants) -> None:
    seen = observe(constants, telemetry(restarts=2.0, node_free=0.25), handover=0.25)
    expected = {
        "users": 2.0 * math.log(41.0) / math.log(100.0) - 1.0,
        **{f"{name}_utilisation": 0.0 for name in ("cpu", "memory", "bandwidth")},
        **{f"{name}_allocation": -0.25 for name in ("cpu", "memory", "bandwidth")},  # half of the peak's
        **{f"{name}_pending": 0.0 for name in ("cpu", "memory", "bandwidth")},
        "handover": -0.5,
        "latency": 0.0,
        "users_trend": 0.0,
        "latency_trend": 0.0,
        "neighbour_utilisation": 0.0,
        "neighbour_trend": 0.0,
        "metric_age": 0.0,
        "observed": 1.0,
        "ready": 1.0,
        "restarts": 0.0,
        "node_free": 0.25,
    }
    assert {name: seen[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert set(seen) - set(expected) == {feature.name for feature in WORLD_FEATURES}


@pytest.mark.parametrize(
    ("changes", "feature", "value"),
    [
        ({"users": 0.0}, "users", -1.0),
        ({"users": 99.0}, "users", 1.0),
        ({"users": 9999.0}, "users", 1.0),
        ({"usage": (1.5, 0.0, 500.0)}, "cpu_utilisation", 0.5),
        ({"usage": (1.5, 0.0, 500.0)}, "memory_utilisation", -1.0),
        ({"usage": (1.5, 0.0, 500.0)}, "bandwidth_utilisation", 1.0),
        ({"allocation": (8.0, 500.0, 1e6)}, "cpu_allocation", 0.25),
        ({"allocation": (8.0, 500.0, 1e6)}, "memory_allocation", -0.5),
        ({"allocation": (8.0, 500.0, 1e6)}, "bandwidth_allocation", 1.0),
        ({"allocation": (4.0, 500.0, 1.0)}, "cpu_pending", -0.5),
        ({"allocation": (4.0, 500.0, 1.0)}, "memory_pending", 0.5),
        ({"allocation": (4.0, 500.0, 1.0)}, "bandwidth_pending", 1.0),
        ({"latency_ms": 400.0}, "latency", 0.5),
        ({"latency_ms": 25.0}, "latency", -0.5),
        ({"latency_ms": 1e5}, "latency", 1.0),
        ({"latency_ms": 0.0}, "latency", -1.0),
        ({"age_s": 0.0}, "metric_age", -1.0),
        ({"age_s": 30.0}, "metric_age", -0.5),
        ({"age_s": 500.0}, "metric_age", 1.0),
        ({"observed": 0.0}, "observed", -1.0),
        ({"ready": 0.0}, "ready", -1.0),
        ({"restarts": 0.0}, "restarts", -1.0),
        ({"restarts": 9.0}, "restarts", 1.0),
        ({"node_free": -3.0}, "node_free", -1.0),
        ({"price_factor": math.sqrt(2.0)}, "price", 0.5),
        ({"price_factor": 0.25}, "price", -1.0),
    ],
)
def test_one_value_moves_its_feature(constants: Constants, changes: Any, feature: str, value: float) -> None:
    assert observe(constants, telemetry(**changes))[feature] == pytest.approx(value, abs=1e-6)


def test_what_is_pending_is_relative_to_what_is_in_effect(constants: Constants) -> None:
    seen = observe(constants, telemetry(), allocation=(4.0, 500.0, 100.0))
    assert [seen[f"{name}_pending"] for name in ("cpu", "memory", "bandwidth")] == pytest.approx([0.5, -0.5, 0.0])


def test_trends_compare_with_the_tick_before(constants: Constants) -> None:
    before = telemetry(users=40.0, latency_ms=100.0)
    seen = observe(constants, telemetry(users=50.0, latency_ms=50.0), before)
    assert (seen["users_trend"], seen["latency_trend"]) == pytest.approx((0.5, -0.5))
    assert observe(constants, telemetry(users=0.0), before)["users_trend"] == -1.0
    assert observe(constants, telemetry(users=1.0), telemetry(users=0.0))["users_trend"] == 1.0


def test_neighbours_are_averaged(constants: Constants) -> None:
    assert constants.edges["zone"][0].tolist() == [1, 2]
    usage = [ALLOCATION, (0.2, 900.0, 50.0), (0.4, 100.0, 40.0)]
    now = telemetry(users=(40.0, 44.0, 38.0), usage=usage)
    seen = observe(constants, now, telemetry())
    assert seen["neighbour_utilisation"] == pytest.approx(2.0 * (0.9 + 0.4) / 2.0 - 1.0)
    assert seen["neighbour_trend"] == pytest.approx((0.2 - 0.1) / 2.0)


@pytest.mark.parametrize(("hours", "day"), [(0.0, (0.0, 1.0)), (6.0, (1.0, 0.0)), (42.0, (0.0, 0.0))])
def test_time_goes_round(constants: Constants, hours: float, day: tuple[float, float]) -> None:
    seen = observe(constants, telemetry(time_s=3600.0 * hours))
    if hours < 24.0:
        assert (seen["day_sin"], seen["day_cos"]) == pytest.approx(day, abs=1e-6)
    week = 2.0 * math.pi * hours / 168.0
    assert (seen["week_sin"], seen["week_cos"]) == pytest.approx((math.sin(week), math.cos(week)), abs=1e-6)


def test_a_forecast_is_relative_to_what_is_pending(constants: Constants) -> None:
    values = np.zeros((1, 3, len(FORECAST_TICKS), 4, 3), dtype=np.float32)
    values[..., :3, 0], values[..., :3, 1] = 0.5 * ALLOCATION, 2.0 * ALLOCATION
    values[..., 3, 0], values[..., 3, 1] = 200.0, 1e9
    values[:, :, 2, 0, 0] = 0.0
    seen = observe(constants, telemetry(), forecast=Forecast(values, FORECAST_TICKS))
    assert seen["cpu_cores_median_1"] == seen["memory_mb_median_16"] == pytest.approx(-0.5)
    assert seen["cpu_cores_p90_4"] == seen["bandwidth_mbps_p90_8"] == pytest.approx(0.5)
    assert seen["latency_ms_median_4"] == pytest.approx(0.25)
    assert seen["latency_ms_p90_16"] == 1.0
    assert seen["cpu_cores_median_8"] == -1.0


def test_every_zone_has_its_own_rows(constants: Constants) -> None:
    now = telemetry(users=(0.0, 9.0, 99.0))
    width = len(ZONE_FEATURES)
    row = Observer(constants, forecast=False)(now, now, None, Command.of(np.tile(ALLOCATION, (1, 3, 1))))[0]
    assert row[0 : 3 * width : width] == pytest.approx([-1.0, 0.0, 1.0], abs=1e-6)


def test_features_have_different_names_and_are_documented() -> None:
    features = (*ZONE_FEATURES, *FORECAST_FEATURES, *WORLD_FEATURES)
    assert len({feature.name for feature in features}) == len(features)
    assert all(feature.meaning and feature.unit for feature in features)
    table = feature_table()
    assert all(f"| `{feature.name}` |" in table for feature in features)
