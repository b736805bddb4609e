"""The tick server: frames followed by hand, the figures it must reproduce, and the table that ships with the package."""

import shlex
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator import tick_server
from metaverse_env.simulator.tick_server import frame_work, response_times_ms, run_frame, simulate_tick_server
from metaverse_env.simulator.tick_surface import TABLE_NAME, load_tick_surface, read_table

QUANTILES = [0.5, 0.95, 0.99]
FRAMES = 200_000


# --- frames by hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start_ms", "work_ms", "period_end_ms", "budget_ms", "expected"),
    [
        (0.0, 20.0, 100.0, 40.0, (20.0, 100.0, 20.0)),  # fits
        (0.0, 60.0, 100.0, 40.0, (120.0, 200.0, 20.0)),  # frozen from 40 to 100
        (90.0, 30.0, 100.0, 40.0, (120.0, 200.0, 20.0)),  # crosses into a new period, unfrozen
        (10.0, 100.0, 100.0, 0.0, (320.0, 400.0, 20.0)),  # starts frozen, is frozen twice more
        (350.0, 10.0, 100.0, 0.0, (360.0, 400.0, 30.0)),  # three periods later the quota is whole, and no more
        (100.0, 5.0, 100.0, 0.0, (105.0, 200.0, 35.0)),  # exactly at the end of a period
    ],
)
def test_one_frame_by_hand(
    start_ms: float, work_ms: float, period_end_ms: float, budget_ms: float, expected: tuple[float, float, float]
) -> None:
    assert run_frame(start_ms, work_ms, period_end_ms, budget_ms, 40.0, 100.0) == pytest.approx(expected)


def test_frames_queue_in_order() -> None:
    # no throttling: ends at 70, 90, 110, 160
    response_ms = response_times_ms(50.0, np.array([70.0, 20.0, 10.0, 10.0]), quota_ms=100.0)
    assert response_ms == pytest.approx([70.0, 40.0, 10.0, 10.0])


def test_a_frozen_server_delays_the_frames_behind() -> None:
    # quota 30: ends at 110 (frozen 30-100), 120 (20 left), 130; then due at 150 with 0 left: frozen until 200
    response_ms = response_times_ms(50.0, np.array([40.0, 10.0, 10.0, 10.0]), quota_ms=30.0)
    assert response_ms == pytest.approx([110.0, 70.0, 30.0, 60.0])


def test_the_phase_says_how_old_the_first_period_is() -> None:
    assert response_times_ms(50.0, np.array([40.0]), quota_ms=30.0, phase_ms=60.0) == pytest.approx([50.0])


@given(
    st.lists(st.floats(0.1, 80.0), min_size=1, max_size=40),
    st.floats(5.0, 100.0),
    st.floats(1.0, 5.0),
    st.sampled_from([1.0, 1.0 / 2.0, 1.0 / 7.0]),
)
def test_no_frame_ends_later_with_more_quota_or_threads(
    work_ms: list[float], quota_ms: float, quota_factor: float, per_thread: float
) -> None:
    work = np.array(work_ms)
    tight = response_times_ms(50.0, work, quota_ms)
    assert (response_times_ms(50.0, work, quota_ms * quota_factor) <= tight + 1e-6).all()
    assert (response_times_ms(50.0, work * per_thread, quota_ms * per_thread) <= tight + 1e-6).all()


# --- steady states ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rho", "expected_ms"),
    [(0.5, (24, 39, 47)), (0.8, (41, 70, 87)), (0.9, (53, 106, 138)), (0.95, (71, 187, 252))],
)
def test_one_core_reproduces_the_world_models_figures(rho: float, expected_ms: tuple[float, float, float]) -> None:
    response_ms = simulate_tick_server(rho, 1.0, 1.0, server_tick_hz=20.0, cv=0.3)
    assert np.quantile(response_ms, QUANTILES) == pytest.approx(expected_ms, rel=0.08)


@pytest.mark.parametrize(("rho", "expected_p99_ms"), [(0.6, 29.0), (0.7, 53.0)])
def test_throttling_makes_p99_jump_where_threads_are_twice_the_quota(rho: float, expected_p99_ms: float) -> None:
    response_ms = simulate_tick_server(rho, 1.0, 2.0, server_tick_hz=20.0, cv=0.3, frames=FRAMES)
    assert np.quantile(response_ms, 0.99) == pytest.approx(expected_p99_ms, rel=0.03)


def test_periods_in_step_with_the_frames_are_the_worst_phase() -> None:
    p99_ms = [
        np.quantile(
            simulate_tick_server(0.7, 1.0, 2.0, server_tick_hz=20.0, cv=0.3, frames=FRAMES, phase_ms=phase_ms), 0.99
        )
        for phase_ms in (0.0, 12.5, 25.0, 37.5)
    ]
    assert p99_ms[0] > 1.2 * max(p99_ms[1:])


def test_only_ratios_matter() -> None:
    small = simulate_tick_server(0.5, 0.75, 1.0, server_tick_hz=30.0, cv=0.3, frames=5000)
    large = simulate_tick_server(4.0, 6.0, 8.0, server_tick_hz=30.0, cv=0.3, frames=5000)
    assert small == pytest.approx(large)


def test_response_times_scale_with_frame_and_period() -> None:
    work_ms = 20.0 * frame_work(0.5, 5000, seed=1)
    slow = response_times_ms(50.0, work_ms, quota_ms=60.0, period_ms=100.0)
    assert response_times_ms(25.0, work_ms / 2, quota_ms=30.0, period_ms=50.0) == pytest.approx(slow / 2)


def test_the_seed_decides_everything() -> None:
    runs = [simulate_tick_server(0.8, 1.0, 2.0, server_tick_hz=60.0, cv=0.3, frames=2000, seed=s) for s in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("cv", tick_server.CVS)
def test_frame_work_has_mean_one_and_its_cv(cv: float) -> None:
    work = frame_work(cv, 1_000_000, seed=0)
    assert work.mean() == pytest.approx(1.0, rel=0.005)
    assert work.std() == pytest.approx(cv, rel=0.02)


@pytest.mark.parametrize(("quota_cores", "threads"), [(1.0, 2.0), (2.0, 1.0)])
def test_a_server_without_a_steady_state_is_refused(quota_cores: float, threads: float) -> None:
    with pytest.raises(ConfigurationError, match=r"demand_cores = 1\.5 .* give more cores"):
        simulate_tick_server(1.5, quota_cores, threads, server_tick_hz=20.0, cv=0.3)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"frames = 10 .* at least 1000"):
        frame_work(0.3, 10, seed=0)


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_never_falls_along_rho_or_u_or_quantiles() -> None:
    latency_ms = read_table()["latency_ms"]
    assert np.isfinite(latency_ms).all()
    for axis in (2, 3, 4):
        assert (np.diff(latency_ms, axis=axis) >= 0.0).all()


@pytest.mark.parametrize("grid", ["rho_grid", "threads_utilisation_grid"])
def test_the_grids_are_even(grid: str) -> None:
    assert np.diff(read_table()[grid]) == pytest.approx(0.01, rel=1e-4)


def test_the_table_is_small() -> None:
    assert len((resources.files("metaverse_env.data") / TABLE_NAME).read_bytes()) < 300 * 1024


@pytest.mark.parametrize(("hz", "cv", "rho", "u"), [(0, 1, 40, 40), (1, 1, 40, 18), (1, 2, 65, 10), (2, 3, 60, 50)])
def test_the_tables_cells_can_be_made_again(hz: int, cv: int, rho: int, u: int) -> None:
    table = read_table()
    response_ms = simulate_tick_server(
        1.0,
        1.0 / tick_server.RHO_GRID[rho],
        1.0 / tick_server.THREADS_UTILISATION_GRID[u],
        server_tick_hz=tick_server.SERVER_TICK_HZ[hz],
        cv=tick_server.CVS[cv],
        frames=int(table["frames"]),
        seed=int(table["seed"]),
    )
    assert table["latency_ms"][hz, cv, rho, u] == pytest.approx(np.quantile(response_ms, QUANTILES), abs=0.01)


@pytest.mark.parametrize("row", [5, 30, 68])
def test_the_running_maximum_only_removes_rounding(row: int) -> None:
    # the table's cells, without the running maximum: they rise by themselves
    raw_ms = [
        np.quantile(
            simulate_tick_server(
                1.0, 1.0 / tick_server.RHO_GRID[row], 1.0 / u, server_tick_hz=30.0, cv=0.5, frames=5000
            ),
            QUANTILES,
        )
        for u in tick_server.THREADS_UTILISATION_GRID
    ]
    assert (np.diff(raw_ms, axis=0) > -1e-6).all()


def test_a_surface_at_a_point_of_the_table_is_the_tables() -> None:
    surface = load_tick_surface(30.0, 0.5)
    assert surface.latency_ms == pytest.approx(read_table()["latency_ms"][1, 2], rel=1e-6)
    assert surface.latency_ms.dtype == surface.rho_grid.dtype == surface.threads_utilisation_grid.dtype == np.float32
    assert surface.latency_ms.flags.c_contiguous


def test_a_surface_between_two_points_is_their_mean() -> None:
    latency_ms = read_table()["latency_ms"]
    assert load_tick_surface(60.0, 0.4).latency_ms == pytest.approx(latency_ms[2, 1:3].mean(axis=0), rel=1e-5)
    # 24 Hz is 41.7 ms, halfway between the frames of 20 Hz and 30 Hz
    assert load_tick_surface(24.0, 0.8).latency_ms == pytest.approx(latency_ms[:2, 3].mean(axis=0), rel=1e-5)


def test_a_shorter_period_scales_the_table() -> None:
    # 60 Hz with a period of 50 ms is 30 Hz with one of 100 ms, twice as fast
    halved = load_tick_surface(60.0, 0.3, cfs_period_ms=50.0)
    assert halved.latency_ms == pytest.approx(load_tick_surface(30.0, 0.3).latency_ms / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((90.0, 0.3), r"service.server_tick_hz = 90 Hz .* 20 to 60 Hz with a quota period of 100 ms\. Choose"),
        ((30.0, 0.05), r"service.server_cv = 0.05 is outside .* 0.1 to 0.8\. Choose"),
        ((30.0, 0.3, 50.0), r"service.server_tick_hz = 30 Hz .* 40 to 120 Hz with a quota period of 50 ms"),
    ],
)
def test_what_lies_outside_the_table_is_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_tick_surface(*arguments)


def test_the_command_inside_rebuilds_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tick_server, "RHO_GRID", np.linspace(0.3, 0.98, 5))
    monkeypatch.setattr(tick_server, "THREADS_UTILISATION_GRID", np.linspace(0.02, 0.98, 4))
    command = shlex.split(str(read_table()["command"]))
    assert command[:3] == ["python", "-m", "metaverse_env.simulator.tick_server"]
    out = tmp_path / "made" / "table.npz"
    assert tick_server.main([*command[3:], "--frames", "1000", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    with np.load(out) as made:
        assert made["latency_ms"].shape == (3, 4, 5, 4, 3)
        assert set(made.files) == set(read_table())


def test_the_program_refuses_too_few_frames(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        tick_server.main(["--frames", "10"])
    assert "frames = 10" in capsys.readouterr().err
