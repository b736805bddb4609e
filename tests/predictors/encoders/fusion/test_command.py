"""``metaverse train fusion`` on a tiny budget, and the bank that its weights make."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from metaverse_env.simulator.intents import load_bank
from predictors.encoders.fusion.runtime import Fusion
from predictors.encoders.scenes import ACTIVITIES
from predictors.encoders.scenes.folders import write_samples

IMAGES = ("--encoders", "efficientnet")


def metaverse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="metaverse")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    write_samples(out, "train", count=6, modalities=("image",))
    return out


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def interrupt(*some: object, **more: object) -> None:
    raise KeyboardInterrupt


def test_a_fusion_is_trained_judged_and_makes_a_bank(
    samples: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = tmp_path / "tested"
    write_samples(tested, "test", count=6, modalities=("image",))
    command = [
        *("train", "fusion", "--images", samples / "images", *IMAGES, "--cache", cache, "--test", tested),
        *("--scenario", "single_zone", "--worlds", "24", "--steps", "60", "--out", tmp_path / "run"),
    ]
    with monkeypatch.context() as patch:
        patch.setattr("predictors.encoders.fusion.command.compare", interrupt)
        stopped = metaverse(*command)
    assert stopped.exit_code == 130
    assert "the fusion is trained: " in stopped.stderr
    assert "with --resume judges it" in stopped.stderr
    found = metaverse(*command, "--json", "--resume")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["steps"] == 60
    assert 0.0 <= told["test"]["single"]["image"] <= 1.0
    fusion = Fusion(tmp_path / "run" / "model" / "fusion")
    assert fusion.card.metrics == told["test"]
    assert fusion.card.makers["image"].backend == "efficientnet"
    refused = metaverse(*command)
    assert (refused.exit_code, "holds a run" in refused.stderr) == (2, True)
    told_again = metaverse(*command, "--resume")
    assert f"figures of the test: {tmp_path / 'run' / 'figures.json'}" in told_again.stdout
    assert "whose activity the fusion's own head tells: image" in told_again.stdout
    named = ["--fusion", tmp_path / "run", "--cache", cache]
    found = metaverse("encode", "bank", "--images", tested / "images", *IMAGES, *named, "--out", tmp_path / "bank.npz")
    assert found.exit_code == 0, found.output
    told = json.loads(load_bank(str(tmp_path / "bank.npz"), ACTIVITIES).provenance)
    assert told["projection"] == {
        "kind": "fusion",
        "sha256": fusion.card.digest,
        "aligned_with": "text",
        "data": "6 samples of each activity and modality, 24 worlds of single_zone",
    }


def test_too_few_samples_to_learn_from_are_refused(cache: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, "train", count=2, modalities=("image",))
    command = ["train", "fusion", "--images", tmp_path / "images", *IMAGES, "--cache", cache, "--out", tmp_path / "run"]
    found = metaverse(*command)
    assert found.exit_code == 2
    assert "2 samples of each activity are too few to learn from; give at least 4" in found.stderr
    assert "loading encoders" not in found.stderr
    shutil.copy(tmp_path / "images" / "idle" / "000.png", tmp_path / "images" / "idle" / "009.png")
    found = metaverse(*command)
    assert "image idle 3, image social 2" in found.stderr
    assert "A fusion learns from equally many of each" in found.stderr
    (tmp_path / "images" / "idle" / "009.png").unlink()
    shutil.rmtree(tmp_path / "images" / "concert")
    for name in ACTIVITIES[:-1]:
        for number in (2, 3):
            shutil.copy(tmp_path / "images" / name / "000.png", tmp_path / "images" / name / f"00{number}.png")
    found = metaverse(*command)
    assert "no samples of concert, which users of the scenario do" in found.stderr
