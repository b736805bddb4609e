"""Panels as traces: what of them is replayed, where they split, and what is said of the rest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaverse_env.errors import MetaverseError, TraceError, UnknownNameError
from metaverse_env.panels import Panel, save_panel
from metaverse_env.scenario.infrastructure import DemandSpec
from metaverse_env.traces import Trace, load_trace

MONDAY_S = 1_704_067_200.0
"""2024-01-01 00:00 UTC."""


def panel(timestamps: Any = None, mask: Any = None, **features: Any) -> Panel:
    """Return a panel of six times and two zones; a feature is one number, one per time, or ``[6, 2]``."""
    columns = [
        np.broadcast_to(np.reshape(value, (*np.shape(value), *(1,) * (2 - np.ndim(value)))), (6, 2))
        for value in features.values()
    ]
    values = np.stack(columns, axis=-1).astype(np.float32)
    return Panel(values, tuple(features), ("lobby", "arena"), timestamps, mask)


def test_users_and_demand_come_by_name_whatever_their_order() -> None:
    users, cores = np.arange(12.0).reshape(6, 2), np.arange(12.0).reshape(6, 2) / 10
    trace = load_trace(panel(bandwidth_mbps=7.0, cpu_cores=cores, users=users))
    np.testing.assert_array_equal(trace.users, users)
    assert trace.demand is not None
    np.testing.assert_array_equal(trace.demand[..., 0], cores.astype(np.float32))
    assert np.isnan(trace.demand[..., 1]).all()
    assert (trace.demand[..., 2] == 7.0).all()
    assert (trace.quantity, trace.names) == ("users, cpu_cores, bandwidth_mbps", ("lobby", "arena"))
    assert "The panel lacks memory_mb, which the formulas compute" in trace.describe()


def test_users_alone_are_a_trace_of_users() -> None:
    trace = load_trace(panel(users=5.0))
    assert trace.demand is None
    assert "lacks" not in trace.describe()


def test_requests_are_a_proxy_and_called_so() -> None:
    trace = load_trace(panel(requests_per_min=600.0))
    assert trace.quantity == "requests/min (proxy for users)"
    assert (trace.users == 600.0).all()
    assert load_trace(panel(requests_per_min=600.0, users=5.0)).users.max() == 5.0


@pytest.mark.parametrize(
    ("feature", "demand", "users"),
    [
        # 0.1 + 0.004 n + 0.00008 n min(n - 1, 25), with n = 10: 0.1472; with n = 100: 0.7.
        ("cpu_cores", 0.1472, 10.0),
        ("cpu_cores", 0.7, 100.0),
        ("cpu_cores", 0.05, 0.0),
        # 0.057 n + 0.052 n min(n - 1, 25), with n = 20: 20.9.
        ("bandwidth_mbps", 20.9, 20.0),
        # 400 + 6 n, with n = 50: 700.
        ("memory_mb", 700.0, 50.0),
    ],
)
def test_without_users_as_many_are_assumed_as_the_demand_needs(feature: str, demand: float, users: float) -> None:
    assert DemandSpec().cpu_per_pair_mcores == 0.08
    trace = load_trace(panel(**{feature: demand}))
    np.testing.assert_allclose(trace.users, users, rtol=1e-5, atol=1e-6)
    assert f"as many are assumed as would need the recorded {feature}" in trace.describe()


def test_times_are_kept_and_gaps_split() -> None:
    times = MONDAY_S + np.array([0.0, 15, 30, 90, 105, 120])
    trace = load_trace(panel(timestamps=times, users=5.0))
    np.testing.assert_array_equal(trace.times_s, times)
    assert (trace.segments, trace.gaps[0].missing) == (((0, 3), (3, 6)), 3)


def test_without_times_samples_start_on_a_monday() -> None:
    trace = load_trace(panel(users=5.0))
    assert trace.times_s.tolist() == [345_600.0 + 15.0 * row for row in range(6)]
    assert "taken 15 s apart from a Monday" in trace.describe()
    assert "1970-01-05 00:00:00 UTC" in trace.describe()


def test_a_row_in_which_anything_replayed_is_missing_splits() -> None:
    cores = np.ones((6, 2))
    cores[2, 1] = np.nan
    assert load_trace(panel(users=5.0, cpu_cores=cores).select("lobby")).segments == ((0, 6),)
    trace = load_trace(panel(users=5.0, cpu_cores=cores))
    assert (trace.segments, trace.blank_rows) == (((0, 2), (2, 5)), 1)
    assert trace.demand is not None
    assert np.isfinite(trace.demand[..., 0]).all()
    masked = load_trace(panel(users=5.0, mask=np.array([[1, 1]] * 3 + [[0, 1]] + [[1, 1]] * 2, dtype=np.bool_)))
    assert masked.segments == ((0, 3), (3, 5))


def test_a_feature_without_any_value_is_as_good_as_not_there() -> None:
    trace = load_trace(panel(users=np.nan, cpu_cores=1.0, memory_mb=np.nan))
    assert (trace.segments, trace.quantity) == (((0, 6),), "cpu_cores")
    assert "The panel lacks memory_mb and bandwidth_mbps" in trace.describe()
    assert "neither users nor demand" in refusal(users=np.nan)


def test_what_is_not_replayed_does_not_split() -> None:
    latency = np.array([50.0, np.nan, 70, np.nan, np.nan, 60])
    trace = load_trace(panel(users=5.0, cpu_cores=1.0, latency_ms=latency, temperature=np.nan))
    assert trace.segments == ((0, 6),)
    said = trace.describe()
    assert "latency_ms (mean 60, at most 70) held for the allocation of its time: not replayed." in said
    assert "Not replayed: temperature." in said


def test_samples_near_their_allocation_are_counted() -> None:
    used, given = np.array([1.0, 1.9, 2.0, 1.0, 1.0, 1.0]), 2.0
    assert (
        "cpu_cores: 16.7% of the samples are near"
        in load_trace(panel(cpu_cores=used, allocated_cpu_cores=given)).describe()
    )
    assert "near" not in load_trace(panel(cpu_cores=used, allocated_cpu_cores=9.0)).describe()


def test_a_scale_is_for_demand_too() -> None:
    trace = load_trace(panel(users=4.0, cpu_cores=0.5)).scaled(10.0)
    assert (trace.scale, trace.users.max()) == (2.5, 10.0)
    assert trace.demand is not None
    assert trace.demand[0, 0].tolist() == pytest.approx([1.25, np.nan, np.nan], nan_ok=True)
    assert "Users and demand are the file's numbers times 2.5" in trace.describe()


def test_zones_are_selected_with_their_demand() -> None:
    trace = load_trace(panel(users=4.0, cpu_cores=np.tile([0.5, 0.7], (6, 1)))).select("arena")
    assert trace.demand is not None
    assert trace.demand[:, :, 0].tolist() == [[pytest.approx(0.7)]] * 6


def refusal(**features: Any) -> str:
    with pytest.raises(MetaverseError) as caught:
        load_trace(panel(**features))
    return str(caught.value)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({"cpu_core": 1.0, "users": 2.0}, "'cpu_core'. Did you mean 'cpu_cores'?"),
        ({"user": 1.0}, "'user'. Did you mean 'users'?"),
        ({"memory_gb": 1.0, "users": 1.0}, "'memory_gb'. Did you mean 'memory_mb'?"),
        ({"latency_ms": 50.0, "load": 1.0}, "neither users nor demand to replay; its features are latency_ms, load."),
        (
            {"users": 1.0, "memory_mb": [3, 3, -1, 3, 3, 3]},
            "row 2, zone 'lobby': memory_mb = -1 MB; it must be from 0 to 3.4e+38. Write NaN",
        ),
        (
            {"users": 1.0, "cpu_cores": [np.nan] * 5 + [1.0]},
            "has 1 rows in which users, cpu_cores were observed in every zone; at least 2 are needed. Most is missing of "
            "cpu_cores in zone 'lobby': 5 of 6 rows. Leave that zone out",
        ),
    ],
)
def test_what_cannot_be_replayed_is_named(features: dict[str, Any], words: str) -> None:
    assert words in refusal(**features)


def test_a_name_that_is_near_is_an_unknown_name_and_the_rest_a_trace_error() -> None:
    with pytest.raises(UnknownNameError):
        load_trace(panel(bandwith_mbps=1.0))
    with pytest.raises(TraceError):
        load_trace(panel(latency_ms=1.0))


def test_numbers_beyond_float32_are_refused() -> None:
    values = np.full((3, 1, 1), 1e39)
    with pytest.raises(TraceError, match=r"row 0, zone 'hall': users = 1e\+39 users"):
        load_trace(Panel(values, ("users",), ("hall",)))


def test_a_file_is_read_by_its_ending(tmp_path: Path) -> None:
    save_panel(tmp_path / "panel.npz", panel(users=5.0, cpu_cores=1.0))
    trace = load_trace(tmp_path / "panel.npz")
    assert isinstance(trace, Trace)
    assert trace.source == str(tmp_path / "panel.npz")
    with pytest.raises(MetaverseError, match="does not exist"):
        load_trace(tmp_path / "nowhere.npz")
