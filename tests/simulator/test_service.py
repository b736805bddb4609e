"""The service formulas: values worked out by hand, and the one rule they all keep, that more is never slower."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.simulator import queueing, service
from metaverse_env.simulator.tick_surface import axis_of, load_tick_surface

SURFACE = load_tick_surface(30.0, 0.3)
TABLE = (axis_of(SURFACE.rho_grid), axis_of(SURFACE.threads_utilisation_grid), SURFACE.latency_ms)

demands = st.floats(0.0, 100.0)
allocations = st.floats(0.05, 200.0)
more = st.floats(1.0, 20.0)
threads_ = st.floats(1.0, 128.0)
backlogs = st.floats(0.0, 500.0)
scvs = st.floats(0.0, 100.0)


def not_slower(roomy: tuple[float, ...], tight: tuple[float, ...]) -> bool:
    """Compare latencies one by one; a billionth is rounding."""
    return all(a <= b * (1.0 + 1e-9) + 1e-9 for a, b in zip(roomy, tight, strict=True))


# --- requests ---------------------------------------------------------------------------------------------------------


def test_mm1_sojourn_is_exponential() -> None:
    # mean 10 / (1 - 0.5) = 20 ms; the quantiles of an exponential
    expected = 20.0 * math.log(2), 20.0 * math.log(20), 20.0 * math.log(100)
    assert service.request_latency_ms(0.5, 1.0, 4.0, 10.0, 1.0, 1.0, 0.0) == pytest.approx(expected)


def test_constant_service_waits_behind_an_exponential_tail() -> None:
    # rho 0.6: mean wait 10 x 1/2 x 0.6/0.4 = 7.5 ms, of the 60 % that wait 12.5 ms; p95 = 10 + 12.5 ln(0.6/0.05)
    _, p95, p99 = service.request_latency_ms(0.6, 1.0, 1.0, 10.0, 1.0, 0.0, 0.0)
    assert (p95, p99) == pytest.approx((10.0 + 12.5 * math.log(12), 10.0 + 12.5 * math.log(60)))


def test_two_servers_by_hand() -> None:
    # c = 2, rho = 0.8: share 0.8^(sqrt 6 - 1) = 0.7237; wait 10/2 x 0.7236/0.2 = 18.09 ms
    assert queueing.erlang_wait_share(0.8, 2.0) == pytest.approx(0.72365, abs=1e-5)
    assert queueing.sakasegawa_mean_wait_ms(10.0, 0.8, 2.0, 1.0, 1.0) == pytest.approx(18.091, abs=1e-3)
    _, p95, _ = service.request_latency_ms(1.6, 2.0, 8.0, 10.0, 1.0, 1.0, 0.0)
    assert p95 == pytest.approx((10.0 + 18.091) * math.log(20), abs=0.01)


def test_regular_arrivals_of_constant_work_never_wait() -> None:
    assert service.request_latency_ms(0.9, 1.0, 1.0, 10.0, 0.0, 0.0, 0.0) == pytest.approx((10.0, 10.0, 10.0))


def test_an_idle_pod_takes_just_the_service_time() -> None:
    assert service.request_latency_ms(0.0, 2.0, 2.0, 12.0, 1.0, 0.0, 0.0) == pytest.approx((12.0, 12.0, 12.0), rel=1e-4)


def test_a_quota_below_one_core_stretches_the_service() -> None:
    whole = service.request_latency_ms(0.5, 1.0, 4.0, 10.0, 1.0, 1.0, 0.0)
    half = service.request_latency_ms(0.25, 0.5, 4.0, 10.0, 1.0, 1.0, 0.0)
    assert half == pytest.approx(tuple(2.0 * quantile for quantile in whole))


def test_overload_is_the_steady_state_at_the_cap_plus_the_backlog() -> None:
    at_cap = service.request_latency_ms(service.RHO_CAP, 1.0, 1.0, 10.0, 1.0, 1.0, 0.0)
    overloaded = service.request_latency_ms(2.0, 1.0, 1.0, 10.0, 1.0, 1.0, 3.0)
    assert overloaded == pytest.approx(tuple(3000.0 + quantile for quantile in at_cap))


@pytest.mark.parametrize(("quota_cores", "measured_p95_ms"), [(0.3, 306.0), (1.0, 27.0)])
def test_a_real_pods_p95_is_met_within_a_factor_of_two(quota_cores: float, measured_p95_ms: float) -> None:
    # 15 requests/s of 12 ms of CPU each, constant, Poisson arrivals, a thread for every request
    _, p95, _ = service.request_latency_ms(15 * 0.012, quota_cores, 64.0, 12.0, 1.0, 0.0, 0.0)
    assert 0.5 < p95 / measured_p95_ms < 2.0


@given(demands, allocations, more, threads_, scvs, scvs)
def test_requests_are_never_slower_with_more_quota(
    demand: float, quota: float, factor: float, threads: float, arrival_scv: float, service_scv: float
) -> None:
    tight = service.request_latency_ms(demand, quota, threads, 12.0, arrival_scv, service_scv, 0.0)
    roomy = service.request_latency_ms(demand, quota * factor, threads, 12.0, arrival_scv, service_scv, 0.0)
    assert not_slower(roomy, tight)
    assert tight[0] <= tight[1] <= tight[2]
    assert all(math.isfinite(quantile) for quantile in tight)


# --- frames -----------------------------------------------------------------------------------------------------------

PLANE = np.array([[[1, 2, 3], [3, 4, 5]], [[5, 6, 7], [11, 12, 13]]], np.float32)
AXIS = axis_of(np.array([0.25, 0.75], np.float32))


@pytest.mark.parametrize(
    ("quota_cores", "threads", "expected"),
    [
        (4.0, 4.0, (1.0, 2.0, 3.0)),  # rho and u at the first point
        (2.0, 4.0, (3.0, 4.0, 5.0)),  # halfway along rho: (1 + 5) / 2
        (2.0, 2.0, (5.0, 6.0, 7.0)),  # the middle: (1 + 3 + 5 + 11) / 4
        (0.5, 0.5, (11.0, 12.0, 13.0)),  # beyond the far corner
        (100.0, 100.0, (1.0, 2.0, 3.0)),  # before the first point
    ],
)
def test_tick_latency_is_bilinear_and_clipped(
    quota_cores: float, threads: float, expected: tuple[float, float, float]
) -> None:
    assert service.tick_latency_ms(1.0, quota_cores, threads, 0.0, AXIS, AXIS, PLANE) == pytest.approx(expected)


def test_a_backlog_adds_to_every_quantile() -> None:
    assert service.tick_latency_ms(1.0, 4.0, 4.0, 1.5, AXIS, AXIS, PLANE) == pytest.approx((1501.0, 1502.0, 1503.0))


def test_beyond_its_threads_a_pod_gains_nothing_from_quota() -> None:
    enough = service.tick_latency_ms(2.4, 4.0, 4.0, 0.0, *TABLE)
    assert service.tick_latency_ms(2.4, 400.0, 4.0, 0.0, *TABLE) == pytest.approx(enough, rel=1e-6)


@given(demands, allocations, more, threads_)
def test_frames_are_never_slower_with_more_quota(demand: float, quota: float, factor: float, threads: float) -> None:
    tight = service.tick_latency_ms(demand, quota, threads, 0.0, *TABLE)
    assert not_slower(service.tick_latency_ms(demand, quota * factor, threads, 0.0, *TABLE), tight)
    assert tight[0] <= tight[1] <= tight[2]


@given(demands, allocations, more, threads_)
def test_frames_are_never_slower_with_more_threads(demand: float, quota: float, factor: float, threads: float) -> None:
    tight = service.tick_latency_ms(demand, quota, threads, 0.0, *TABLE)
    assert not_slower(service.tick_latency_ms(demand, quota, threads * factor, 0.0, *TABLE), tight)


# --- backlog ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backlog_core_s", "demand_cores", "expected"),
    [
        (0.0, 3.0, 15.0),  # grows by (3 - 2) x 15
        (4.0, 1.9, 2.5),  # drains by 0.1 x 15
        (4.0, 1.0, 0.0),  # is gone
        (0.0, 9.0, 20.0),  # holds no more than 10 s of two cores
    ],
)
def test_backlog_grows_and_drains_by_what_is_missing_or_spare(
    backlog_core_s: float, demand_cores: float, expected: float
) -> None:
    assert service.backlog_after(backlog_core_s, demand_cores, 2.0, 4.0, 15.0, 10.0) == pytest.approx(expected)


def test_threads_limit_capacity_as_the_quota_does() -> None:
    assert service.backlog_after(0.0, 3.0, 8.0, 2.0, 1.0, 10.0) == pytest.approx(1.0)
    assert service.backlog_delay_s(6.0, 8.0, 2.0) == pytest.approx(3.0)
    assert service.time_dilation(4.0, 8.0, 2.0) == pytest.approx(0.5)


@given(backlogs, demands, allocations, more, threads_)
def test_a_backlog_is_never_longer_with_more_quota(
    backlog: float, demand: float, quota: float, factor: float, threads: float
) -> None:
    delays = [
        service.backlog_delay_s(service.backlog_after(backlog, demand, cores, threads, 15.0, 5.0), cores, threads)
        for cores in (quota, quota * factor)
    ]
    assert delays[1] <= delays[0] * (1.0 + 1e-9)
    assert 0.0 <= delays[0] <= 5.0 * (1.0 + 1e-9)


@pytest.mark.parametrize(("demand_cores", "expected"), [(0.0, 1.0), (2.0, 1.0), (4.0, 0.5)])
def test_time_runs_slower_only_beyond_capacity(demand_cores: float, expected: float) -> None:
    assert service.time_dilation(demand_cores, 2.0, 8.0) == pytest.approx(expected)


# --- bandwidth --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demand_mbps", "expected_ms"),
    [
        (0.0, 0.0),
        (50.0, 20.0 + 20.0 * 0.03125 * 2.995732),  # burst 0.5 x 40; p95 wait of mean 20 x 0.25^2 / 2 x 0.5 / 0.5
        (80.0, 32.0 + 32.0 * 0.125 * 2.995732),  # burst 0.8 x 40; mean wait 32 x 0.25^2 / 2 x 0.8 / 0.2
        (99.0, 39.6 + 100.0),  # the wait would be 367 ms: the buffer is full
        (100.0, 40.0 + 100.0),
        (200.0, 40.0 + 100.0 + 150.0),  # half of it is lost
    ],
)
def test_bandwidth_delay_by_hand(demand_mbps: float, expected_ms: float) -> None:
    assert service.bandwidth_delay_ms(demand_mbps, 100.0, 40.0, 100.0, 300.0) == pytest.approx(expected_ms)


def test_bandwidth_delay_has_no_jump_at_capacity() -> None:
    below, above = (service.bandwidth_delay_ms(mbps, 100.0, 40.0, 100.0, 300.0) for mbps in (99.9999, 100.0001))
    assert above - below == pytest.approx(0.0, abs=0.01)


@given(demands, allocations, more, st.floats(0.0, 100.0))
def test_egress_is_never_slower_with_more_bandwidth(
    demand: float, allocation: float, factor: float, frame_ms: float
) -> None:
    tight = service.bandwidth_delay_ms(demand, allocation, frame_ms, 100.0, 300.0)
    assert not_slower((service.bandwidth_delay_ms(demand, allocation * factor, frame_ms, 100.0, 300.0),), (tight,))
    assert service.bandwidth_loss(demand, allocation * factor) <= service.bandwidth_loss(demand, allocation)


@pytest.mark.parametrize(("demand_mbps", "expected"), [(0.0, 0.0), (100.0, 0.0), (125.0, 0.2), (400.0, 0.75)])
def test_what_exceeds_the_allocation_is_lost(demand_mbps: float, expected: float) -> None:
    assert service.bandwidth_loss(demand_mbps, 100.0) == pytest.approx(expected)


# --- memory, restarts, the whole --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("memory_mb", "killed"), [(511.0, False), (512.0, False), (512.5, True)])
def test_memory_above_its_limit_is_killed(memory_mb: float, killed: bool) -> None:
    assert service.out_of_memory(memory_mb, 512.0) is killed


@pytest.mark.parametrize(
    ("kills", "u", "expected_s"),
    [
        (1.0, 0.0, 3.0),
        (1.0, 1.0, 10.0),
        (2.0, 0.5, 6.5 + 10.0),
        (4.0, 0.5, 6.5 + 40.0),
        (6.0, 0.5, 6.5 + 160.0),
        (7.0, 0.5, 6.5 + 300.0),  # 320 is beyond the last
        (5000.0, 0.5, 6.5 + 300.0),  # and so is what overflows
    ],
)
def test_crash_back_off_doubles_up_to_its_last(kills: float, u: float, expected_s: float) -> None:
    assert service.restart_delay_s(kills, u, 3.0, 10.0, 10.0, 300.0) == pytest.approx(expected_s)


def test_user_latency_adds_up_and_is_capped() -> None:
    assert service.user_latency_ms(20.0, 30.0, 33.0, 40.0, 2000.0) == pytest.approx(106.5)
    assert service.user_latency_ms(20.0, 30.0, 33.0, 5000.0, 2000.0) == pytest.approx(2000.0)


def test_utilisation_is_demand_over_allocation() -> None:
    assert service.utilisation(1.5, 2.0) == pytest.approx(0.75)
