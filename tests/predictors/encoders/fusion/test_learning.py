"""What a fusion learns from, that it learns, and how it is judged."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from metaverse_env.errors import ConfigurationError, ScenarioError
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.intents import load_bank
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Telemetry
from predictors.encoders.bank import build_bank, write_bank
from predictors.encoders.fusion import worlds
from predictors.encoders.fusion.judging import FIGURES, Concatenation, compare
from predictors.encoders.fusion.learner import FusionLearner, Lesson
from predictors.encoders.fusion.net import FusionNet, hide_modalities, moments, pooled
from predictors.encoders.fusion.runtime import Fusion, FusionCard
from predictors.encoders.fusion.worlds import AHEAD_TICKS, Experience, live_through
from predictors.encoders.training.loop import Run, Settings
from tests.predictors.encoders.fusion.making import clustered

NAMES = ("build", "concert", "game", "idle", "social", "trade")
MODALITIES = ("image", "speech")


def lesson(samples: int, seeds: range, seed: int) -> Lesson:
    signals = clustered(NAMES, samples, seed)
    return Lesson(signals, live_through("single_zone", NAMES, MODALITIES, samples, seeds))


@pytest.fixture(scope="module")
def lessons() -> tuple[Lesson, Lesson]:
    return lesson(6, range(40), 1), lesson(4, range(1000, 1012), 2)


def after_a_tick(scenario: Scenario) -> Telemetry:
    world = SimulatedWorld(scenario, worlds=2, intents=True)
    return world.step(Command.of(world.reset(seeds=[1, 2]).allocation)).telemetry


def learner(lessons: tuple[Lesson, Lesson], aligned: str = "text") -> FusionLearner:
    card = FusionCard(lessons[0].signals.makers, NAMES, 32, aligned, data="a test")
    return FusionLearner(*lessons, card)


@pytest.fixture(scope="module")
def trained(lessons: tuple[Lesson, Lesson], tmp_path_factory: pytest.TempPathFactory) -> tuple[FusionLearner, Fusion]:
    one = learner(lessons)
    settings = Settings(steps=450, batch_size=64, rate=4e-3, every=100)
    return one, Fusion(Run(one, settings, tmp_path_factory.mktemp("run")).fit() / "fusion")


# --- what it learns from ---


def test_moments_hold_what_a_minute_of_a_world_shows(lessons: tuple[Lesson, Lesson]) -> None:
    seen = lessons[0].experience
    count = len(seen.now)
    assert count > 500
    assert seen.shares.shape == (count, 2 * 6 * 6)
    np.testing.assert_allclose(seen.shares.sum(axis=1), 1.0, atol=1e-5)
    assert seen.later.shape == (count, len(AHEAD_TICKS))
    assert seen.growth.shape == (count, len(AHEAD_TICKS), 2)
    assert set(np.unique(seen.now)) == set(range(6))
    assert np.isfinite(seen.growth).all()
    assert np.isfinite(seen.context).all()


def test_signals_are_mostly_of_what_users_do_and_some_of_what_they_will(lessons: tuple[Lesson, Lesson]) -> None:
    seen = lessons[0].experience
    by_activity = seen.shares.reshape(len(seen.now), 2, 6, -1).sum(axis=(1, 3))
    rows = np.arange(len(seen.now))
    assert by_activity[rows, seen.now].mean() > 0.8
    turning = seen.later[:, 0] != seen.now
    assert by_activity[turning, seen.later[turning, 0]].mean() > 0.25
    assert by_activity[~turning].max(axis=1).mean() > by_activity[turning].max(axis=1).mean()


def test_labels_are_those_of_a_world_that_is_run_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "EPISODE_TICKS", 40)
    seen = live_through("single_zone", NAMES, MODALITIES, 2, [14])
    order = [activity.name for activity in load_scenario("single_zone").intents.activities]
    world = SimulatedWorld("single_zone", intents=True)
    telemetry = world.reset(seeds=[14])
    doing = []
    for _ in range(40):
        telemetry = world.step(Command.of(3.0 * np.maximum(telemetry.usage, 0.1))).telemetry
        doing.append(NAMES.index(order[int(world.state.zones["activity"][0, 0])]))
    ticks = list(range(4, 24, 4))
    assert len(seen.now) == len(ticks), "there are signals at every one"
    assert seen.now.tolist() == [doing[tick] for tick in ticks]
    assert seen.later.tolist() == [[doing[tick + ahead] for ahead in AHEAD_TICKS] for tick in ticks]


def test_a_scenario_whose_activities_have_no_samples_is_refused() -> None:
    with pytest.raises(ScenarioError, match="holds no activity 'concert'"):
        live_through("single_zone", [name for name in NAMES if name != "concert"], MODALITIES, 2, [0])


def test_the_mean_that_a_world_takes_over_a_bank_is_the_fusion(
    trained: tuple[FusionLearner, Fusion], tmp_path: Path
) -> None:
    """A bank of the fusion's vectors, in the same worlds, gives what the fusion makes of the samples that were shown."""
    fusion, signals = trained[1], clustered(NAMES, 3, 7)
    write_bank(tmp_path / "bank.npz", build_bank(signals, fusion, {}))
    base = load_scenario("multi_zone")
    intents = base.intents.model_copy(update={"bank": str(tmp_path / "bank.npz")})
    numbered = worlds._numbered_bank(tmp_path / "numbers.npz", NAMES, MODALITIES, 3)
    counted = base.intents.model_copy(update={"bank": str(numbered)})
    shown, counts = (after_a_tick(base.with_changes(intents=spec)) for spec in (intents, counted))
    assert (counts.zones["signals"] > 0).mean() > 0.5
    vectors = np.concatenate([fusion.vectors(name, rows) for name, rows in signals.flat().items()])
    np.testing.assert_allclose(shown.intents, counts.intents @ vectors, atol=1e-5)
    embeddings, masks = {}, {}
    for place, (name, rows) in enumerate(signals.flat().items()):
        share = counts.intents.reshape(2, 30, 2, -1)[:, :, place]
        times = np.rint(share * counts.zones["signals"][..., None]).astype(int)
        most = max(1, int(times.sum(axis=-1).max()))
        embeddings[name], masks[name] = np.zeros((2, 30, most, rows.shape[1])), np.zeros((2, 30, most), dtype=bool)
        for world, zone in np.ndindex(2, 30):
            repeated = np.repeat(rows, times[world, zone], axis=0)
            embeddings[name][world, zone, : len(repeated)], masks[name][world, zone, : len(repeated)] = repeated, True
    fused, there = fusion.fuse(embeddings, masks)
    np.testing.assert_array_equal(there, counts.zones["signals"] > 0)
    np.testing.assert_allclose(fused, shown.intents, atol=1e-5)


# --- that it learns ---


def test_it_tells_activities_of_samples_that_it_never_saw(trained: tuple[FusionLearner, Fusion]) -> None:
    fusion, unseen = trained[1], clustered(NAMES, 20, 3)
    for name, rows in unseen.embeddings.items():
        told = fusion.activity(fusion.vectors(name, rows)).argmax(axis=-1) == np.arange(6)[:, None]
        assert told.mean() > 0.8, name


def test_its_vectors_agree_with_the_bank_that_networks_were_trained_with(
    trained: tuple[FusionLearner, Fusion],
) -> None:
    fusion, unseen = trained[1], clustered(NAMES, 20, 3)
    means = load_bank("text", NAMES).vectors.mean(axis=(0, 2))
    for name, rows in unseen.embeddings.items():
        ours = fusion.vectors(name, rows).mean(axis=1)
        cosines = (ours * means).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(means, axis=1)
        assert cosines.min() > 0.7, name


def test_numpy_runs_what_torch_trained(trained: tuple[FusionLearner, Fusion]) -> None:
    one, fusion = trained
    unseen = clustered(NAMES, 5, 4)
    with torch.inference_mode():
        theirs = one.net.eval().vectors({name: torch.from_numpy(rows) for name, rows in unseen.flat().items()})  # type: ignore[operator]
    ours = np.concatenate([fusion.vectors(name, rows) for name, rows in unseen.flat().items()])
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(lessons: tuple[Lesson, Lesson], tmp_path: Path) -> None:
    def run(folder: Path, steps: int, resume: bool = False) -> Run:
        return Run(learner(lessons), Settings(steps=20, batch_size=64, every=5), folder, resume)

    whole = run(tmp_path / "whole", 20)
    whole.fit()
    part = run(tmp_path / "part", 20)

    class StoppedError(Exception): ...

    def stop(progress: object) -> None:
        if part.progress.step == 10:
            raise StoppedError

    with pytest.raises(StoppedError):
        part.fit(stop)
    again = run(tmp_path / "part", 20, resume=True)
    again.fit()
    for name, tensor in whole.learner.net.state_dict().items():
        torch.testing.assert_close(again.learner.net.state_dict()[name], tensor, rtol=0, atol=0)


def test_a_bank_of_another_width_cannot_be_agreed_with(lessons: tuple[Lesson, Lesson], tmp_path: Path) -> None:
    about = np.array(json.dumps({}))
    np.savez(
        tmp_path / "b.npz",
        vectors=np.ones((1, 6, 1, 8), np.float32),
        activities=NAMES,
        modalities=["a"],
        provenance=about,
    )
    with pytest.raises(ConfigurationError, match="have 8 numbers, and 32 are needed"):
        learner(lessons, str(tmp_path / "b.npz"))


def test_hidden_modalities_leave_something_to_see() -> None:
    torch.manual_seed(0)
    shares = torch.zeros(400, 3 * 4)
    shares[:, 0], shares[:200, 5] = 0.5, 0.5
    hidden = hide_modalities(shares, 3)
    assert (hidden.sum(dim=1) > 0).all()
    assert torch.equal(hidden[200:], shares[200:]), "the only modality is never hidden"
    share = (hidden[:200, 0] == 0).float().mean()
    assert 0.1 < share < 0.4
    intents = pooled(hidden, torch.eye(12))
    torch.testing.assert_close(intents.sum(dim=1), torch.ones(400))


# --- how it is judged ---


def test_a_fusion_is_judged_beside_its_rivals(
    trained: tuple[FusionLearner, Fusion], lessons: tuple[Lesson, Lesson]
) -> None:
    found = compare(trained[1], *lessons, steps=250, seeds=1)
    assert list(found["figures"]) == ["fusion", "principal components", "concatenation", "no intents"]
    for one in found["figures"].values():
        for name in FIGURES:
            assert one["low"][name] <= one["mean"][name] <= one["high"][name]
    wrong = {name: one["mean"]["activity now"] for name, one in found["figures"].items()}
    assert wrong["fusion"] < 0.35 < wrong["no intents"]
    assert found["figures"]["no intents"]["gain"]["cpu +4"] == 0.0
    assert set(found["single"]) == set(MODALITIES)


def test_side_by_side_each_modality_has_its_place() -> None:
    beside = Concatenation({"image": np.array([[0.0, 1.0], [2.0, 3.0]]), "speech": np.array([[5.0], [7.0]])})
    found = beside.vectors("speech", np.array([[7.0]]))
    np.testing.assert_allclose(found, [[0.0, 0.0, 1.0]], rtol=2e-3)
    assert beside.vectors("image", np.zeros((4, 3, 2))).shape == (4, 3, 3)


def test_moments_are_picked_by_place(lessons: tuple[Lesson, Lesson]) -> None:
    seen: Experience = lessons[0].experience
    batch = moments(seen, [3, 1])
    np.testing.assert_array_equal(batch["now"].numpy(), seen.now[[3, 1]])
    assert isinstance(learner(lessons).net, FusionNet)
