"""The project's own samples: the same again, all different, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from metaverse_env.errors import ConfigurationError, MissingDependencyError, UnknownNameError
from metaverse_env.scenario.workload import DEFAULT_ACTIVITIES
from predictors.encoders.motion.reading import read_motion
from predictors.encoders.scenes import ACTIVITIES, SPLITS, speech
from predictors.encoders.scenes.brush import Brush, blend
from predictors.encoders.scenes.folders import read_list, write_samples
from predictors.encoders.scenes.images import DRAWINGS, draw
from predictors.encoders.scenes.motions import FITTING
from predictors.encoders.scenes.speech import sentences, speak


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    write_samples(out, "test", count=2, seed=1)
    return out


def test_all_activities_of_the_default_scenario_can_be_shown() -> None:
    assert tuple(activity.name for activity in DEFAULT_ACTIVITIES) == ACTIVITIES
    assert set(DRAWINGS) == set(FITTING) == set(sentences("train")) == set(sentences("test")) == set(ACTIVITIES)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_a_drawing_is_the_same_for_the_same_chance_and_another_for_another(activity: str) -> None:
    first, again, other = (np.asarray(draw(activity, np.random.default_rng(seed))) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (240, 320, 3)
    assert np.abs(first.astype(float) - other).mean() > 5.0
    assert first.std() > 15.0


def test_concerts_are_dark_and_parks_are_not() -> None:
    mean = {
        name: np.mean([np.asarray(draw(name, np.random.default_rng(seed))).mean() for seed in range(6)])
        for name in ("concert", "game", "trade")
    }
    assert mean["concert"] < 0.7 * min(mean["game"], mean["trade"])


def test_an_arm_that_is_straight_down_ends_below_the_shoulder() -> None:
    brush = Brush(np.random.default_rng(0))
    brush.box(0.0, 0.0, 1.0, 1.0, (255, 255, 255))
    brush._limb((0.5, 0.2), 0.0, 0.5, (0, 0, 0), 0.02)
    dark = np.argwhere(np.asarray(brush.image).sum(axis=2) == 0)
    height, width = brush.image.height, brush.image.width
    assert abs(dark[:, 0].max() / height - 0.71) < 0.01
    assert abs(dark[:, 1].mean() / width - 0.5) < 0.01


def test_colours_blend_in_line() -> None:
    assert blend((0, 0, 0), (10, 20, 30), 0.0) == (0, 0, 0)
    assert blend((0, 0, 0), (10, 20, 30), 1.0) == (10, 20, 30)


def test_no_sentence_is_in_both_splits() -> None:
    train, test = ({text for texts in sentences(split).values() for text in texts} for split in SPLITS)
    assert not train & test
    assert len(train) == len(test) == 6 * 24


def test_speech_is_heard_at_16_khz_and_no_louder_than_full_scale() -> None:
    said, wave = speak("trade", 25, "train", np.random.default_rng(0))
    assert said == sentences("train")["trade"][1]
    assert wave.dtype == np.float32
    assert 1.0 < len(wave) / 16_000 < 6.0
    assert 0.2 < np.abs(wave).max() <= 1.0


def test_without_the_program_that_speaks_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech.shutil, "which", lambda program: None)
    with pytest.raises(MissingDependencyError, match="apt-get install espeak-ng"):
        speak("idle", 0, "test", np.random.default_rng(0))


@pytest.mark.parametrize("act", [lambda r: draw("sleep", r), lambda r: speak("sleep", 0, "test", r)])
def test_what_nobody_knows_to_show_is_refused(act: object) -> None:
    with pytest.raises(UnknownNameError, match="'sleep'"):
        act(np.random.default_rng(0))  # type: ignore[operator]


def test_folders_hold_what_their_lists_say(written: Path) -> None:
    for folder, suffix in (("images", ".png"), ("audio", ".wav"), ("motion", ".npy")):
        listed = read_list(written / folder)["files"]
        there = {path.relative_to(written / folder).as_posix() for path in (written / folder).glob("*/*")}
        assert set(listed) == there
        assert len(there) == 2 * len(ACTIVITIES)
        assert {Path(name).suffix for name in there} == {suffix}
        assert all("synthetic" in sample.origin for sample in listed.values())


def test_samples_are_readable_and_differ(written: Path) -> None:
    with Image.open(written / "images" / "game" / "001.png") as image:
        assert image.size == (320, 240)
    wave, rate_hz = soundfile.read(written / "audio" / "idle" / "000.wav")
    assert (rate_hz, wave.ndim) == (16_000, 1)
    first, second = (read_motion(written / "motion" / "build" / f"00{place}.npy") for place in (0, 1))
    assert first.rate_hz == 20.0
    assert first.positions.shape != second.positions.shape or not np.allclose(first.positions, second.positions)


def test_the_same_again_gives_the_same_files(written: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, "test", count=2, seed=1)
    for path in written.rglob("*.*"):
        assert (tmp_path / path.relative_to(written)).read_bytes() == path.read_bytes(), path.name


def test_splits_have_nothing_in_common(written: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, "train", count=2, seed=1)
    for path in written.glob("*/*/*"):
        assert (tmp_path / path.relative_to(written)).read_bytes() != path.read_bytes()


def test_a_folder_with_other_samples_is_left_alone(written: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"images holds samples made with .* name another folder"):
        write_samples(written, "train", count=2, seed=1)


def test_recorded_samples_take_the_place_of_synthetic_ones(assets: Path, tmp_path: Path) -> None:
    told = write_samples(tmp_path, "test", count=3, modalities=("image", "motion"), licensed=assets / "samples")
    assert told["motion"] == {"Apache-2.0": 12, "MIT": 6}
    listed = read_list(tmp_path / "motion")["files"]
    assert listed["game/humanoid3d_kick.txt"].licence == "MIT"
    assert len(list((tmp_path / "motion" / "game").iterdir())) == 3


def test_recorded_samples_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no usgov_photos/34501842524_3c858b3080_k\.jpg"):
        write_samples(tmp_path / "out", count=1, modalities=("image",), licensed=tmp_path)


@pytest.mark.parametrize("text", ["no JSON", json.dumps({"files": [{"file": "a"}]}), "[]"])
def test_a_damaged_list_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "samples.json").write_text(text)
    with pytest.raises(ConfigurationError, match="is no list of samples"):
        read_list(tmp_path)
