"""Training: resumable, reproducible, gated on the validation part."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from metaverse_env.errors import CheckpointError
from predictors.forecasting.linear import blocks
from predictors.forecasting.selection import Linear
from predictors.stgnn.panel import run as module
from predictors.stgnn.panel.fitting import Fitting, build
from predictors.stgnn.panel.judge import STRETCHES, Judge
from predictors.stgnn.panel.network import PanelNet, TensorInputs
from predictors.stgnn.panel.run import PanelRun, Progress

Shaken = Callable[..., PanelNet]
QUICK = Fitting(seed=3, members=2, steps=30, hidden=8)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND_STEPS", 10)


def same_weights(one: PanelNet, other: PanelNet) -> None:
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, rtol=0, atol=0, msg=name)


class InterruptionError(Exception):
    pass


def interrupt_after(rounds: int) -> Callable[[Progress], None]:
    left = [rounds]

    def report(progress: Progress) -> None:
        left[0] -= 1
        if not left[0]:
            raise InterruptionError

    return report


def test_the_same_seed_gives_the_same_weights(linear: Linear) -> None:
    first = PanelRun(linear, QUICK).fit()
    same_weights(first, PanelRun(linear, QUICK).fit())
    other = PanelRun(linear, replace(QUICK, seed=4)).fit()
    assert not torch.equal(first.members[0].heads.weight, other.members[0].heads.weight)  # type: ignore[union-attr,arg-type]


@pytest.mark.parametrize("rounds", [1, 3, 5])
def test_an_interrupted_run_ends_with_the_same_weights(linear: Linear, tmp_path: Path, rounds: int) -> None:
    """Interrupted within the first member, at its end, and within the second one."""
    whole = PanelRun(linear, QUICK)
    expected = whole.fit()
    with pytest.raises(InterruptionError):
        PanelRun(linear, QUICK, tmp_path).fit(interrupt_after(rounds))
    resumed = PanelRun(linear, QUICK, tmp_path, resume=True)
    same_weights(expected, resumed.fit())
    assert resumed.progress.ratios == whole.progress.ratios
    assert resumed.progress.losses == whole.progress.losses


def test_a_finished_run_has_nothing_left_to_do(linear: Linear, tmp_path: Path) -> None:
    expected = PanelRun(linear, QUICK, tmp_path).fit()
    again = PanelRun(linear, QUICK, tmp_path, resume=True)
    same_weights(expected, again.fit(interrupt_after(1)))


def test_checkpoints_that_do_not_fit_are_refused(linear: Linear, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing to resume"):
        PanelRun(linear, QUICK, tmp_path, resume=True)
    PanelRun(linear, QUICK, tmp_path, fixed={"data": "a"}).fit()
    PanelRun(linear, replace(QUICK, minutes=1.0, threads=2), tmp_path, resume=True, fixed={"data": "a"})
    with pytest.raises(CheckpointError, match="made with other settings"):
        PanelRun(linear, replace(QUICK, seed=9), tmp_path, resume=True, fixed={"data": "a"})
    with pytest.raises(CheckpointError, match="made with other fixed"):
        PanelRun(linear, QUICK, tmp_path, resume=True, fixed={"data": "b"})
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(CheckpointError, match="is damaged"):
        PanelRun(linear, QUICK, tmp_path, resume=True)


def test_it_stops_when_nothing_is_gained(linear: Linear) -> None:
    run = PanelRun(linear, replace(QUICK, members=1, steps=1000, rate=0.0, patience=2))
    run.fit()
    assert len(run.progress.ratios[0]) == 2


def test_it_stops_in_time(linear: Linear) -> None:
    run = PanelRun(linear, replace(QUICK, members=2, steps=10**9, patience=10**9, minutes=0.02))
    run.fit()
    assert run.progress.member == 2


# --- gates ---


def validation_errors(net: PanelNet, linear: Linear) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean absolute errors of median and skip, and mean squared ones of mean and skip, each ``[H, F]``."""
    windows = linear.windows
    first, end = windows.series.train_end, windows.series.validation_end
    sums, count = np.zeros((4, 3, 2)), np.zeros((3, 2))
    for part in blocks(windows, windows.origins(first, end)):
        levels, weights = windows.targets(part, first, end)
        with torch.no_grad():
            found = net(TensorInputs.of(windows.inputs(part)))
            values = [net.values(one).numpy() for one in (found.median, found.skip[0], found.mean, found.skip[1])]
        truth = windows.scaling.values(levels)
        for number, value in enumerate(values):
            error = (value - truth) * weights
            sums[number] += (np.abs(error) if number < 2 else error**2).sum(axis=(1, 2))
        count += weights.sum(axis=(1, 2))
    return tuple(sums / count)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["trained", "shaken"])
def test_gated_it_is_never_worse_than_its_skip_on_the_validation_part(
    linear: Linear, shaken: Shaken, kind: str
) -> None:
    """Of a network that learnt something, and of one that has only noise to add."""
    if kind == "trained":
        net = PanelRun(linear, replace(QUICK, steps=100)).fit()
    else:
        net = shaken(linear)
        net.gates.copy_(Judge(net, linear.windows).gates())
    median, skip, mean, mean_skip = validation_errors(net, linear)
    assert (median <= skip * 1.005).all(), "half a standard error of chance is forgiven"
    assert (mean <= mean_skip * 1.015).all(), "and about three times as much of a squared one, whose chance is larger"


def test_noise_is_gated_off(linear: Linear, shaken: Shaken) -> None:
    net = shaken(linear)
    assert Judge(net, linear.windows).gates().mean() < 0.1


def test_a_perfect_correction_is_used_whole(linear: Linear, shaken: Shaken, monkeypatch: pytest.MonkeyPatch) -> None:
    net = shaken(linear)
    judge = Judge(net, linear.windows)
    honest = net.forward

    def perfect(inputs: TensorInputs, member: int | None = None) -> object:
        outputs = honest(inputs, member)
        levels = torch.from_numpy(linear.windows.scaling.levels(judge._truth.float().numpy()))
        return outputs._replace(median=levels, mean=levels)

    monkeypatch.setattr(net, "forward", perfect)
    assert (judge.gates() == 1.0).all()


def test_spreads_are_stretched_to_cover(linear: Linear) -> None:
    """Those that are far too small get the largest factor, those that are far too large the smallest."""
    net = build(linear, QUICK).cpu()
    judge = Judge(net, linear.windows)
    for shift, factor in ((-9.0, STRETCHES[-1]), (9.0, STRETCHES[0])):
        with torch.no_grad():
            for member in net.members:
                member.heads.bias.view(-1, 4)[:, 1:3] = shift  # type: ignore[union-attr,operator,index]
        assert (judge.stretch()[0] == factor).all()
