"""What the dynamics learns from: what was seen, what is only a lower bound, and what says nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from predictors.stgnn.card import WEIGHTS
from predictors.stgnn.data import Recording, record
from predictors.stgnn.dynamics.batches import spread_ranks
from predictors.stgnn.dynamics.evaluation import evaluate_dynamics, look, residual_parts
from predictors.stgnn.dynamics.features import DYNAMICS_FEATURES
from predictors.stgnn.dynamics.model import DynamicsNet
from predictors.stgnn.dynamics.recording import ALLOCATED, MEASURED, RUNNING, USED
from predictors.stgnn.dynamics.task import DynamicsTask
from predictors.stgnn.training import Progress, Run, Settings

Array = np.ndarray


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record("multi_zone", range(3), ticks=60)


@pytest.fixture(scope="module")
def shipped() -> DynamicsNet:
    net = DynamicsNet()
    net.load_state_dict(load_file(WEIGHTS / "stgnn_dynamics.safetensors"))
    return net.eval()


def test_a_recording_holds_what_a_cluster_could_show(recording: Recording) -> None:
    measured = recording.measured
    assert measured.shape == (60, 3, 30, len(MEASURED))
    running = measured[..., RUNNING] > 0.0
    used, allocated = measured[..., USED], measured[..., ALLOCATED]
    assert (used[..., [0, 2]] <= allocated[..., [0, 2]] * 1.000001).all()
    assert not used[~running].any()
    throttled = used[running][:, 0] >= 0.98 * allocated[running][:, 0]
    assert 0.1 < throttled.mean() < 0.5
    wanted = recording.demand[running][:, 0]
    assert wanted[throttled].mean() > 1.2 * used[running][throttled, 0].mean(), "what it hides"


def made_up(**columns: Array) -> Recording:
    """Return two ticks of one world of one zone, in which nothing happens but what is said."""
    base = record("single_zone", [0], ticks=2)
    measured = base.measured.copy()
    measured[..., USED], measured[..., ALLOCATED], measured[..., RUNNING] = 1.0, 2.0, 1.0
    for name, values in columns.items():
        measured[:, 0, 0, MEASURED.index(name)] = values
    fields = {name: getattr(base, name) for name in base.__dataclass_fields__}
    return Recording(**(fields | {"measured": measured}))


def batch_of(recording: Recording) -> dict[str, Array]:
    batch = DynamicsTask().batch(recording, np.array([1]), np.array([0]))
    return {name: tensor.numpy() for name, tensor in batch.items()}


@pytest.mark.parametrize(
    ("used", "bound", "low", "high"),
    [
        ((1.0, 1.0), 0.0, 1.0, 1.0),
        ((1.0, 2.0), 1.0, 2.0, np.inf),
        ((2.0, 1.0), -1.0, 0.0, 1.0),
        ((2.0, 2.0), 1.0, 0.0, np.inf),
    ],
)
def test_what_is_a_bound(used: tuple[float, float], bound: float, low: float, high: float) -> None:
    """Two ticks with 2 cores given: throttled, at least that is wanted; after it, what was left over is worked off."""
    batch = batch_of(made_up(used_cpu_cores=np.array(used)))
    assert float(batch["bound"][0, 0]) == bound
    assert float(batch["low"][0, 0]) == pytest.approx(np.log(low) if low else -np.inf)
    assert float(batch["high"][0, 0]) == pytest.approx(np.log(high))
    assert float(batch["bound"][0, 2]) == 0.0, "egress goes on"


def test_memory_is_never_throttled_and_counts_from_one_tick_to_the_next() -> None:
    full = batch_of(made_up(used_memory_mb=np.array([2.0, 2.0])))
    assert full["bound"][0, 1] == 0.0
    assert full["memory"][0, 0] == 2.0
    for running, counts in (((1.0, 1.0), 1.0), ((0.0, 1.0), 0.0), ((1.0, 0.0), 0.0)):
        batch = batch_of(made_up(running=np.array(running)))
        assert float(batch["counts"][0, 1]) == counts
        assert float(batch["counts"][0, 0]) == float(batch["latency_counts"][0]) == running[1]


def test_latency_is_above_the_way_and_ends_at_its_bound() -> None:
    seen = {"latency_p50_ms": 25.0, "latency_ms": 30.0, "latency_p99_ms": 2000.0, "round_trip_ms": 20.0}
    batch = batch_of(made_up(**{name: np.array([value, value]) for name, value in seen.items()}))
    np.testing.assert_allclose(np.exp(batch["latency"][0]), [5.0, 10.0, 1980.0], rtol=1e-6)
    np.testing.assert_array_equal(batch["latency_bound"][0], [0.0, 0.0, 1.0])
    np.testing.assert_allclose(batch["waiting"][0], 10.0)


def test_ranks_fill_the_interval() -> None:
    ranks = spread_ranks(2000)
    assert ((ranks > 0.0) & (ranks < 1.0)).all()
    for resource in (0, 2):
        np.testing.assert_array_equal(
            np.sort(ranks[:, :, resource], axis=0) // 0.25, np.arange(4)[:, None].repeat(2000, 1)
        )
        np.testing.assert_allclose(np.sort(ranks[:, :, resource].ravel()), np.linspace(0, 1, 8000), atol=2e-3)
    assert abs(np.corrcoef(ranks[..., 0].ravel(), ranks[..., 2].ravel())[0, 1]) < 0.7


def test_batches_are_finite(recording: Recording) -> None:
    batch = DynamicsTask().sample([recording], np.random.default_rng(0))
    assert batch["features"].shape == (510, len(DYNAMICS_FEATURES))
    limits = batch.pop("low"), batch.pop("high")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in batch.values())
    assert bool((limits[0] <= limits[1]).all())


class Short(DynamicsTask):
    steps = 40


def test_loss_falls(recording: Recording, tmp_path: Path) -> None:
    losses: list[Progress] = []
    Run(Short(), Settings(epochs=2, rate=DynamicsTask.rate), tmp_path).fit([recording], [recording], losses.append)
    assert losses[-1].validation[-1] < losses[-1].validation[0]


# --- how good the shipped one is ---


def test_it_knows_demand_that_it_could_not_see(shipped: DynamicsNet) -> None:
    """Where zones are given 0.3 to 1 of what they want, and use all of it, it still tells what they want."""
    starved = record("multi_zone", range(70_000_000, 70_000_004), multiples=(0.3, 1.0), ticks=120)
    task, worlds = DynamicsTask(), np.arange(4)
    errors, hidden = [], []
    for tick in range(40, 120, 8):
        batch = task.batch(starved, np.full(4, tick), worlds)
        with torch.no_grad():
            demand = shipped.demand(shipped.read(batch["features"]), batch["users"]).numpy()
        wanted, used = starved.demand[tick].reshape(-1, 3), np.exp(batch["used"].numpy())
        many = (batch["users"].numpy()[:, 0] >= 5.0) & (starved.remote[tick].sum(axis=-1).ravel() == 0.0)
        errors.append(np.log(demand[many] / wanted[many]))
        hidden.append(np.log(used[many] / wanted[many]))
    for resource in (0, 2):
        assert np.concatenate(hidden)[:, resource].mean() < -0.15
        assert abs(np.median(np.concatenate(errors)[:, resource])) < 0.12
        assert np.concatenate(errors)[:, resource].std() < 0.3


def test_one_tick_ahead_it_beats_persistence(shipped: DynamicsNet) -> None:
    recording = record("multi_zone", range(71_000_000, 71_000_004), ticks=120)
    seen = look(shipped, recording)
    figures = evaluate_dynamics(seen, residual_parts(seen))
    for target, error in figures["mae"].items():
        assert error < figures["persistence_mae"][target], target
    for target, deviation in figures["deviation"].items():
        assert 0.5 < deviation < 1.3, target
