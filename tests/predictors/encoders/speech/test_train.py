"""``metaverse train speech-encoder``: on LibriSpeech's layout, to the end, resumed, and read again."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from metaverse_env.cli import app
from predictors.encoders import load_encoder
from predictors.encoders.speech.learner import SpeechLearner
from predictors.encoders.speech.librispeech import Utterance, read_librispeech
from predictors.encoders.speech.wav2vec2 import TINY, load_wav2vec2
from tests.predictors.encoders.speech.conftest import Said, noise
from tests.predictors.encoders.speech.test_librispeech import make_librispeech, transcripts

SMALL = ["--from", "tiny", "--batch-size", "2", "--threads", "1", "--device", "cpu", "--json"]


@pytest.fixture
def part(tmp_path: Path, librivox: list[Said]) -> Path:
    """Return three short utterances of two speakers."""
    return make_librispeech(tmp_path, [librivox[place] for place in (1, 2, 4)])


def train(*arguments: str | Path | int) -> Result:
    words = ["train", "speech-encoder", *SMALL, *map(str, arguments)]
    return CliRunner().invoke(app, words, prog_name="metaverse")


def said(done: Result) -> str:
    return " ".join(done.output.split())


def test_it_learns_and_is_read_again(part: Path, tmp_path: Path, librispeech_utts: list[Said]) -> None:
    other = make_librispeech(tmp_path / "other", librispeech_utts[1:2], 1, "dev-clean")
    out = tmp_path / "run"
    done = train("--data", other, "--validation", part, "--out", out, "--steps", 4, "--every", 2, "--watch", "loss")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert {"loss", "wer", "cer", "training", "kept_at_step", "steps"} <= set(figures)
    looks = json.loads((out / "metrics.json").read_text())["looks"]
    assert [look["step"] for look in looks] == [2, 4]
    assert looks[1]["training"] < looks[0]["training"]
    assert {path.suffix for path in (out / "model").iterdir()} == {".json", ".safetensors"}
    config = json.loads((out / "config.json").read_text())
    assert config["data"].startswith("1 utterances of 1 speaker (")
    assert (out / "curves.png").stat().st_size > 5_000
    assert list(out.glob("events.*"))
    heard = load_encoder("wav2vec2", str(out / "model"), device="cpu").encode(
        [each.audio for each in read_librispeech(part)]
    )
    assert heard.mask.all()


def test_the_shipped_one_is_made_by_its_command(assets: Path, tmp_path: Path) -> None:
    """Its first steps; all of them take minutes."""
    clips = assets / "samples" / "librivox_5"
    done = train(
        "--data", clips, "--validation", clips, "--from", "new", "--watch", "loss", "--out", tmp_path, "--steps", 10,
        "--every", 5, "--batch-size", 5,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    looks = json.loads((tmp_path / "metrics.json").read_text())["looks"]
    assert looks[1]["training"] < 0.8 * looks[0]["training"]
    assert looks[1]["wer"] == 100.0


def test_fine_tuning_that_is_interrupted_and_resumed_ends_the_same(
    part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ["--data", part, "--every", "2", "--steps", 4, "--train-features"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(*begin, "--out", whole).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(SpeechLearner, "loss", pressing_ctrl_c(SpeechLearner.loss, at_call=3))
        stopped = train(*begin, "--out", parts)
    assert stopped.exit_code != 0
    assert "Interrupted after step 3; the same command with --resume goes on" in stopped.output
    assert "holds a run; --resume goes on" in said(train(*begin, "--out", parts))
    assert train(*begin, "--out", parts, "--resume").exit_code == 0
    for name in ("checkpoint.safetensors", "model/model.safetensors"):
        one, other = load_file(whole / name), load_file(parts / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def pressing_ctrl_c(loss: Callable[..., torch.Tensor], at_call: int) -> Callable[..., torch.Tensor]:
    calls = 0

    def pressing(*arguments: object) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == at_call:
            signal.raise_signal(signal.SIGINT)
        return loss(*arguments)

    return pressing


def test_a_run_is_not_resumed_on_other_transcripts(part: Path, tmp_path: Path) -> None:
    assert train("--data", part, "--out", tmp_path / "run", "--steps", 1).exit_code == 0
    transcripts(part).write_text(transcripts(part).read_text().replace("YOUNG", "OLD"))
    again = said(train("--data", part, "--out", tmp_path / "run", "--steps", 1, "--resume"))
    assert "was made with data 2 utterances of 1 speaker" in again


@pytest.fixture(scope="module")
def known() -> tuple[Any, Any]:
    return load_wav2vec2(TINY)


def test_the_loss_is_that_of_transformers(known: tuple[Any, Any], librivox: list[Said]) -> None:
    model, processor = known
    spoken = Utterance("a-b-1", librivox[1].path, "HE WAS NOT HERE")
    learner = SpeechLearner(model, processor, [spoken], [spoken])
    inputs = processor(soundfile.read(spoken.audio)[0], sampling_rate=16_000, return_tensors="pt")
    labels = processor(text=spoken.text, return_tensors="pt").input_ids
    with torch.inference_mode():
        expected = model(**inputs, labels=labels).loss / labels.shape[1]  # transformers sums over characters
        mine = learner.loss([0], np.random.default_rng(0))
    assert float(mine) == pytest.approx(float(expected), rel=1e-4)


def test_what_it_knows_by_heart_costs_nothing(known: tuple[Any, Any], librivox: list[Said]) -> None:
    spoken = [Utterance(said.path.stem, said.path, said.text) for said in librivox]
    figures = SpeechLearner(*known, spoken, spoken).validate()
    assert figures["loss"] < 0.05
    assert figures["wer"] == figures["cer"] == 0.0


def test_the_convolutions_stay_unless_it_is_said(known: tuple[Any, Any], librivox: list[Said]) -> None:
    spoken = [Utterance("a-b-1", librivox[1].path, librivox[1].text)]
    model = SpeechLearner(*known, spoken, spoken).net
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained
    assert not any("feature_extractor" in name for name in trained)


@pytest.mark.parametrize(
    ("seconds", "text", "message"),
    [
        (1.0, "DON'T PAY €5", "the model cannot write '5 €' in"),
        (0.3, "MUCH MORE THAN COULD BE SAID IN SO SHORT A TIME", "its 47 characters do not fit into 0.30 s"),
        (41.0, "A LOT", "lasts 41.0 s, of at most 40 s"),
    ],
)
def test_what_cannot_be_learnt_is_said_at_once(
    known: tuple[Any, Any], tmp_path: Path, seconds: float, text: str, message: str
) -> None:
    soundfile.write(tmp_path / "said.wav", noise(seconds), 16_000)
    spoken = [Utterance("a-b-1", tmp_path / "said.wav", text)]
    with pytest.raises(ValueError, match=f"utterance a-b-1.* {message}" if "lasts" not in message else message):
        SpeechLearner(*known, spoken, spoken)


def test_a_damaged_recording_is_named(part: Path, tmp_path: Path) -> None:
    path = part / "100" / "7" / "100-7-0001.flac"
    path.write_bytes(path.read_bytes()[:5_000])
    done = train("--data", part, "--out", tmp_path / "run", "--steps", 2)
    assert done.exit_code == 2
    assert "utterance 100-7-0001: " in said(done)
    path.write_bytes(b"")
    assert "utterance 100-7-0001: " in said(train("--data", part, "--out", tmp_path / "run2"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr", "0"], "the learning rate is 0.0"),
        (["--from", "./nowhere"], "there is no such folder"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--validation", "/nowhere"], "there is no such folder"),
    ],
)
def test_wrong_settings_are_said_at_once(part: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = train("--data", part, "--out", tmp_path / "run", *arguments)
    assert done.exit_code != 0
    assert message in said(done)
