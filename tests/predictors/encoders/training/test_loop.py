"""The loop that all encoders share: the same end whether it is interrupted or not, and nothing lost."""

import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from metaverse_env.errors import CheckpointError, ConfigurationError
from predictors.encoders.training import curves
from predictors.encoders.training.command import check_free, train_encoder
from predictors.encoders.training.interrupting import interruption
from predictors.encoders.training.layout import MODEL
from predictors.encoders.training.loop import Progress, Run, Settings
from predictors.encoders.training.schedule import places_of, rate_of

SETTINGS = Settings(seed=3, steps=12, batch_size=4, rate=0.05, warmup_steps=2, every=4, device="cpu")


class Tied(nn.Module):
    """A layer whose weights go by two names, as those of a language model's first and last layer do."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False)
        self.last = nn.Linear(3, 3, bias=False)
        self.last.weight = self.first.weight
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.drop(self.first(x)))
        return out


class Doubling:
    """Learns to double three numbers, by a network with dropout and with noise of its own."""

    kind, size, watched, words = "doubling-encoder", 10, "loss", MappingProxyType({"half": "a half, %"})

    def __init__(self, data: str = "ten rows", offset: float = 0.0) -> None:
        torch.manual_seed(0)
        self.data, self.offset, self.net = data, offset, Tied()
        self.rows = torch.linspace(-1.0, 1.0, 30).reshape(10, 3)
        self.seen: list[list[int]] = []

    def loss(self, places: Sequence[int], random: np.random.Generator) -> Tensor:
        self.seen.append(list(places))
        assert self.net.training
        noise = torch.from_numpy(random.normal(0.0, 0.01, (len(places), 3)).astype(np.float32))
        rows = self.rows[list(places)]
        return nn.functional.mse_loss(self.net(rows + noise), 2.0 * rows) + self.offset

    def validate(self) -> Mapping[str, float]:
        assert not self.net.training
        return {"loss": float(nn.functional.mse_loss(self.net(self.rows), 2.0 * self.rows)), "half": 0.5}

    def save(self, folder: Path) -> None:
        save_file({"weight": self.net.first.weight.detach()}, folder / "model.safetensors")


def weights(run: Run) -> Tensor:
    return run.learner.net.state_dict()["first.weight"].clone()


def test_it_learns_and_keeps_the_best(tmp_path: Path) -> None:
    run = Run(Doubling(), SETTINGS, tmp_path)
    kept = run.fit()
    looks = run.progress.looks
    assert [look["step"] for look in looks] == [4, 8, 12]
    assert run.progress.best == min(look["loss"] for look in looks) < 1.0
    saved = load_file(kept / "model.safetensors")["weight"]
    if run.progress.best_step == 12:
        torch.testing.assert_close(saved, weights(run))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.safetensors", MODEL]


@pytest.mark.parametrize("stop_at", [1, 4, 7])
def test_an_interrupted_run_that_is_resumed_ends_the_same(tmp_path: Path, stop_at: int) -> None:
    whole = Run(Doubling(), SETTINGS, tmp_path / "whole")
    whole.fit()

    def interrupt(progress: Progress) -> None:
        if progress.step == stop_at:
            signal.raise_signal(signal.SIGINT)

    first = Run(Doubling(), SETTINGS, tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        first.fit(interrupt)
    assert first.progress.step == stop_at
    second = Run(Doubling(), SETTINGS, tmp_path / "parts", resume=True)
    assert second.progress.step == first.progress.step
    second.fit()
    assert torch.equal(weights(second), weights(whole))
    assert second.progress.looks == whole.progress.looks
    assert second.progress.best_step == whole.progress.best_step
    assert second.learner.seen == whole.learner.seen[first.progress.step :]  # type: ignore[attr-defined]


def test_the_global_generators_and_ctrl_c_are_left_as_they_were(tmp_path: Path) -> None:
    run = Run(Doubling(), SETTINGS, tmp_path)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    before = signal.getsignal(signal.SIGINT)
    run.fit()
    assert torch.equal(torch.rand(1), expected)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_is_answered_and_a_second_one_ends_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    with interruption() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        assert "Ctrl-C again ends at once" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_it_stops_when_nothing_improves(tmp_path: Path) -> None:
    learner = Doubling()
    learner.validate = lambda: {"loss": 1.0}  # type: ignore[method-assign]
    run = Run(learner, Settings(steps=100, every=2, patience=3, device="cpu"), tmp_path)
    run.fit()
    assert (run.progress.step, run.progress.best_step) == (8, 2)


def test_a_loss_that_is_no_number_ends_it(tmp_path: Path) -> None:
    run = Run(Doubling(offset=float("nan")), SETTINGS, tmp_path)
    with pytest.raises(ConfigurationError, match=r"step 1: the loss is nan; take a lower learning rate than 0\.05"):
        run.fit()


@pytest.mark.parametrize(
    ("learner", "settings", "message"),
    [
        (Doubling("other rows"), SETTINGS, "with data ten rows, not other rows"),
        (Doubling("rows of seed 4"), replace(SETTINGS, seed=4), "with seed 3, not 4; give the same"),
        (Doubling(), replace(SETTINGS, rate=0.1), "with learning rate 0.05, not 0.1"),
    ],
)
def test_another_run_is_not_resumed(tmp_path: Path, learner: Doubling, settings: Settings, message: str) -> None:
    Run(Doubling(), SETTINGS, tmp_path).fit()
    with pytest.raises(CheckpointError, match=message):
        Run(learner, settings, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"steps": 0}, "steps is 0"), ({"batch_size": 0}, "batch_size is 0"), ({"rate": float("nan")}, "rate is nan")],
)
def test_impossible_settings_are_refused(changed: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Settings(**changed)  # type: ignore[arg-type]


def test_the_command_writes_the_folder_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = check_free(tmp_path / "run", SETTINGS, resume=False, overwrite=False)
    figures = train_encoder(Doubling(), SETTINGS, folder, resume=False, as_json=True, about={"command": "this"})
    assert json.loads(capsys.readouterr().out) == figures
    names = {path.name.split(".")[0] for path in folder.iterdir()}
    assert names == {"checkpoint", "config", "curves", "events", "metrics", MODEL}
    assert json.loads((folder / "config.json").read_text())["command"] == "this"
    assert len(json.loads((folder / "metrics.json").read_text())["looks"]) == 3
    with pytest.raises(ConfigurationError, match="holds a run; --resume goes on, --overwrite starts anew"):
        check_free(folder, SETTINGS, resume=False, overwrite=False)
    with pytest.raises(ConfigurationError, match="give one of them"):
        check_free(folder, SETTINGS, resume=True, overwrite=True)
    assert check_free(folder, SETTINGS, resume=True, overwrite=False) == folder


def test_what_cannot_be_resumed_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing to resume, for there is no .*checkpoint\.safetensors"):
        check_free(tmp_path, SETTINGS, resume=True, overwrite=False)
    Run(Doubling(), SETTINGS, tmp_path).fit()
    check_free(tmp_path, replace(SETTINGS, threads=2), resume=True, overwrite=False)
    with pytest.raises(CheckpointError, match="with steps 12, not 20"):
        check_free(tmp_path, replace(SETTINGS, steps=20), resume=True, overwrite=False)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match=r"is damaged .*--overwrite"):
        check_free(tmp_path, SETTINGS, resume=True, overwrite=False)


def test_figures_are_told_in_words_with_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_encoder(Doubling(), SETTINGS, tmp_path, resume=False, as_json=False, about={})
    told = capsys.readouterr()
    assert "a half, %" in told.out
    assert str(tmp_path / MODEL) in told.out


def test_a_training_that_nobody_watches_tells_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("predictors.forecasting.progress.time.monotonic", lambda: float(next(clock)))
    train_encoder(Doubling(), SETTINGS, tmp_path, resume=False, as_json=True, about={})
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "step 4/12, " in line]
    assert 4 <= len(lines) < 10


def test_legends_lie_below_the_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(curves, "Figure", lambda *some, **more: drawn.append(Figure(*some, **more)) or drawn[-1])
    looks = [{"step": step, "training": 2.0, "loss": 1.0, "wer": 50.0, "far": 0.3} for step in (10, 20)]
    curves.draw_curves(looks, 20, "speech", {"wer": "word error rate, %"}, tmp_path / "curves.png")
    axes = drawn[0].axes
    assert [axis.get_ylabel() for axis in axes] == ["loss", "%", ""]
    for axis in axes:
        assert axis.get_legend().get_window_extent().y1 <= axis.get_window_extent().y0


def test_every_sample_comes_equally_often() -> None:
    places = [place for step in range(15) for place in places_of(step, 10, 4, seed=1)]
    assert sorted(places) == sorted(list(range(10)) * 6)
    assert places_of(2, 10, 4, seed=1) == places[8:12]
    assert places_of(0, 10, 4, seed=2) != places[:4]


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_of(step, 100, 10, 1.0) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.51)
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
