"""A world server under a CPU quota, simulated frame by frame: where the tick model's latencies come from.

Every frame brings lognormal work that all threads share perfectly. They run until the quota of the kernel's period is
spent and then freeze until the next one ([V] CFS bandwidth control); frames queue in order. The response time is the
end of a frame less its scheduled start. The first period starts with the first frame and, as a period holds a whole
number of frames at 20, 30 and 60 Hz, the two stay in step: the worst phase of those tried, so the table errs on the
safe side.

Only ratios matter. In units of the threads a frame holds ``u T`` of work and a period allows ``u / rho`` of its length,
with ``rho = demand / quota`` and ``u = demand / threads``; so one table over (rho, u) serves pods of every size.

``python -m metaverse_env.simulator.tick_server`` rebuilds the table that ships with the package.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from rich.progress import track

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.errors import ConfigurationError
from metaverse_env.simulator.tick_surface import TABLE_NAME, TABLE_PERIOD_MS
from metaverse_env.units import MS_PER_S

Array = np.ndarray

SERVER_TICK_HZ: Final = (20.0, 30.0, 60.0)
CVS: Final = (0.1, 0.3, 0.5, 0.8)
RHO_GRID: Final = np.linspace(0.30, 0.98, 69)
"""Even, and fine enough for the jump of a quantile where throttling sets in; below 0.3 hardly a frame is throttled."""
THREADS_UTILISATION_GRID: Final = np.linspace(0.02, 0.98, 97)
QUANTILES: Final = (0.5, 0.95, 0.99)
FRAMES: Final = 400_000
SEED: Final = 20
_STEP_MS: Final = 1 / 64  # latencies are rounded to it, far below their error: the file is half as large
_WARM_UP_SHARE: Final = 0.02  # of the frames, dropped: the server starts empty
LEAST_FRAMES: Final = 1000

Kinds = Iterable[tuple[float, float]]


@compiled
def run_frame(
    start_ms: float, work_ms: float, period_end_ms: float, budget_ms: float, quota_ms: float, period_ms: float
) -> tuple[float, float, float]:
    """Run one frame to its end.

    Args:
        start_ms: When it may start: scheduled, and the frame before it done.
        work_ms: Its work over the number of threads.
        period_end_ms: End of the quota's period that was last in use.
        budget_ms: What is left of that period's quota, over the number of threads.
        quota_ms: Quota of a whole period, over the number of threads; positive.
        period_ms: Length of a period.

    Returns:
        End of the frame; end of the period in use; what is left of its quota.
    """
    clock = start_ms
    while True:
        if clock >= period_end_ms:
            period_end_ms += period_ms * (math.floor((clock - period_end_ms) / period_ms) + 1.0)
            budget_ms = quota_ms
        slice_ms = min(work_ms, budget_ms, period_end_ms - clock)
        clock += slice_ms
        work_ms -= slice_ms
        budget_ms -= slice_ms
        if work_ms <= 0.0:
            return clock, period_end_ms, budget_ms
        if budget_ms <= 0.0:
            clock = period_end_ms


def response_times_ms(
    frame_ms: float, work_ms: Array, quota_ms: float, period_ms: float = TABLE_PERIOD_MS, phase_ms: float = 0.0
) -> Array:
    """Return the response time ``[N]`` of every frame, ms.

    Args:
        frame_ms: Time between scheduled starts.
        work_ms: ``[N]``, work of each frame over the number of threads.
        quota_ms: Quota of a period, over the number of threads; positive.
        period_ms: Length of a period.
        phase_ms: Age of the first period when the first frame starts.

    >>> response_times_ms(50.0, np.array([70.0, 20.0]), quota_ms=60.0)
    array([110.,  80.])
    """
    response_ms = np.empty_like(work_ms)
    _run_frames(response_ms, frame_ms, work_ms, quota_ms, period_ms, phase_ms)
    return response_ms


@entry_point
def _run_frames(
    response_ms: Array, frame_ms: float, work_ms: Array, quota_ms: float, period_ms: float, phase_ms: float
) -> None:
    finish_ms, period_end_ms, budget_ms = 0.0, period_ms - phase_ms, quota_ms
    for frame in range(work_ms.size):
        due_ms = frame * frame_ms
        finish_ms, period_end_ms, budget_ms = run_frame(
            max(due_ms, finish_ms), work_ms[frame], period_end_ms, budget_ms, quota_ms, period_ms
        )
        response_ms[frame] = finish_ms - due_ms


def frame_work(cv: float, frames: int, seed: int) -> Array:
    """Return the work ``[frames]`` of frames: lognormal, mean 1. One seed gives the same draws for every ``cv``.

    Raises:
        ConfigurationError: Too few frames for a p99.
    """
    if frames < LEAST_FRAMES:
        raise ConfigurationError(f"frames = {frames} is too few for a p99. Simulate at least {LEAST_FRAMES}.")
    sigma = math.sqrt(math.log1p(cv * cv))
    return np.exp(sigma * np.random.default_rng(seed).standard_normal(frames) - 0.5 * sigma * sigma)


def simulate_tick_server(
    demand_cores: float,
    quota_cores: float,
    threads: float,
    *,
    server_tick_hz: float,
    cv: float,
    frames: int = FRAMES,
    seed: int = SEED,
    phase_ms: float = 0.0,
) -> Array:
    """Return the response times of a tick server's frames, ms, without those of its warm-up.

    Args:
        demand_cores: Mean work per time, cores; below quota and threads, or no steady state exists.
        quota_cores: CPU allowed.
        threads: Cores that it can use at once.
        server_tick_hz: Frames per second.
        cv: Coefficient of variation of the work in a frame.
        frames: How many to simulate.
        seed: Of the work.
        phase_ms: Age of the first quota period when the first frame starts.

    Raises:
        ConfigurationError: Too few frames, or a demand that is not above 0 and below quota and threads.
    """
    if not 0.0 < demand_cores < min(quota_cores, threads):
        raise ConfigurationError(
            f"demand_cores = {demand_cores:g} must be above 0 and below both quota_cores = {quota_cores:g} and"
            f" threads = {threads:g}, or the queue has no steady state. Lower it, or give more cores."
        )
    rho, u = demand_cores / quota_cores, demand_cores / threads
    return _settled_ms(frame_work(cv, frames, seed), MS_PER_S / server_tick_hz, rho, u, phase_ms)


def _settled_ms(work: Array, frame_ms: float, rho: float, u: float, phase_ms: float = 0.0) -> Array:
    """Return the response times after the warm-up of the server that (rho, u) stands for; ``work`` has mean 1."""
    quota_ms = u / max(rho, u) * TABLE_PERIOD_MS
    response_ms = response_times_ms(frame_ms, work * (u * frame_ms), quota_ms, TABLE_PERIOD_MS, phase_ms)
    return response_ms[int(_WARM_UP_SHARE * work.size) :]


def simulate_surface(server_tick_hz: float, cv: float, frames: int, seed: int) -> Array:
    """Return the latency ``[R, U, 3]`` of one kind of server over the grids, ms.

    All cells see the same frames, so that more quota or more threads are never slower, path by path; the running
    maximum along both axes only removes what rounding leaves of the contrary. Where rho <= u nothing is throttled, and
    the cell equals its neighbour.
    """
    surface = np.zeros((len(RHO_GRID), len(THREADS_UTILISATION_GRID), len(QUANTILES)))
    work, frame_ms = frame_work(cv, frames, seed), MS_PER_S / server_tick_hz
    for (row, rho), (column, u) in product(enumerate(RHO_GRID), enumerate(THREADS_UTILISATION_GRID)):
        if row and rho <= u:
            surface[row, column] = surface[row - 1, column]
        else:
            surface[row, column] = np.quantile(_settled_ms(work, frame_ms, rho, u), QUANTILES)
    return np.maximum.accumulate(np.maximum.accumulate(surface, axis=0), axis=1)


def build_surfaces(
    frames: int = FRAMES, seed: int = SEED, progress: Callable[[Kinds], Kinds] = iter
) -> dict[str, Array]:
    """Simulate the whole table.

    Args:
        frames: Frames per cell.
        seed: Of the work in the frames.
        progress: Wraps the list of (Hz, CV) to go through, such as a progress bar.

    Returns:
        The grids, ``latency_ms`` ``float32 [Hz, CV, R, U, 3]``, and what it takes to make the same again.
    """
    surfaces = [simulate_surface(hz, cv, frames, seed) for hz, cv in progress([*product(SERVER_TICK_HZ, CVS)])]
    shape = (len(SERVER_TICK_HZ), len(CVS), *surfaces[0].shape)
    return {
        "server_tick_hz": np.array(SERVER_TICK_HZ, np.float32),
        "cv": np.array(CVS, np.float32),
        "rho_grid": RHO_GRID.astype(np.float32),
        "threads_utilisation_grid": THREADS_UTILISATION_GRID.astype(np.float32),
        "latency_ms": (np.round(np.reshape(surfaces, shape) / _STEP_MS) * _STEP_MS).astype(np.float32),
        "cfs_period_ms": np.array(TABLE_PERIOD_MS),
        "frames": np.array(frames),
        "seed": np.array(seed),
        "command": np.array(f"python -m metaverse_env.simulator.tick_server --frames {frames} --seed {seed}"),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the table and write it; the program behind ``python -m``."""
    parser = argparse.ArgumentParser(prog="tick_server", description="Rebuild the latency table of the tick server.")
    parser.add_argument("--frames", type=int, default=FRAMES, help="frames per cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the frames' work (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=_shipped_path(), help="file to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        table = build_surfaces(options.frames, options.seed, lambda kinds: track(kinds, "tick servers"))
    except ConfigurationError as error:
        parser.error(str(error))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, allow_pickle=False, **table)
    print(f"{options.out}: {options.out.stat().st_size / 1024:.0f} KiB")
    return 0


def _shipped_path() -> Path:
    return Path(__file__).parents[1] / "data" / TABLE_NAME


if __name__ == "__main__":
    sys.exit(main())
