"""``metaverse benchmark encoders``: files of ordinary size, one fresh process each, and what is missing is named."""

import io
import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.encoders.samples import FRAMES_HZ, HEIGHT, MOTION_S, RATE_HZ, SPEAKER, SPEECH_S, WIDTH, write_samples
from metaverse_env.cli import app
from predictors.encoders.image.reading import read_image
from tests.absent import unavailable

QUATERNIONS = (4, 8, 12, 16, 21, 25, 30, 35, 39)
"""Columns at which one begins in a frame of DeepMimic: root, chest, neck; hips, ankles, shoulders."""


@pytest.fixture(autouse=True, scope="module")
def _speaker() -> None:
    if shutil.which(SPEAKER) is None:
        unavailable(f"recordings are spoken by {SPEAKER}: apt-get install {SPEAKER}")


def test_files_differ_and_are_the_same_every_time(tmp_path: Path) -> None:
    for modality in ("image", "speech", "motion"):
        folders = [tmp_path / modality / part for part in ("one", "other")]
        for folder in folders:
            folder.mkdir(parents=True)
        one, other = (write_samples(modality, 2, folder) for folder in folders)
        assert one[0].read_bytes() == other[0].read_bytes() != one[1].read_bytes()


def test_files_are_of_the_size_that_is_said(tmp_path: Path) -> None:
    assert read_image(write_samples("image", 1, tmp_path)[0]).shape == (HEIGHT, WIDTH, 3)
    with wave.open(io.BytesIO(write_samples("speech", 1, tmp_path)[0].read_bytes())) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (RATE_HZ, SPEECH_S * RATE_HZ)
        assert np.abs(np.frombuffer(sound.readframes(RATE_HZ), "<i2")).max() > 3000
    frames = np.array(json.loads(write_samples("motion", 1, tmp_path)[0].read_bytes())["Frames"])
    assert frames.shape == (MOTION_S * FRAMES_HZ, 44)
    for column in QUATERNIONS:
        np.testing.assert_allclose(np.linalg.norm(frames[:, column : column + 4], axis=1), 1.0)


def test_what_is_here_is_measured_and_what_is_missing_is_named() -> None:
    words = [
        "benchmark",
        "encoders",
        "--encoders",
        "efficientnet+efficientnet=./nowhere",
        "--samples",
        "2",
        "--rounds",
        "1",
        "--json",
    ]
    done = CliRunner().invoke(app, words, prog_name="metaverse")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["batch_size"] == 2
    measured, missing = told["rows"]
    assert measured["encoder"] == "efficientnet"
    assert measured["dimension"] == 1280
    assert measured["samples_per_s"] > 0.0
    assert measured["peak_mb"] >= measured["loaded_mb"] > 100.0
    assert "only a .safetensors file is read" in missing["problem"]


@pytest.mark.parametrize(
    ("named", "message"), [("blib", "unknown encoder 'blib'"), ("blip=", "name a folder after '='")]
)
def test_a_name_that_there_is_not_is_refused(named: str, message: str) -> None:
    done = CliRunner().invoke(app, ["benchmark", "encoders", "--encoders", named], prog_name="metaverse")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_nothing_measured_is_a_failure() -> None:
    done = CliRunner().invoke(app, ["benchmark", "encoders", "--encoders", "kan=./nowhere"], prog_name="metaverse")
    assert done.exit_code != 0
