"""Wav2Vec2: as transformers runs it, in bounded memory, from checkpoints of every kind."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

from metaverse_env.errors import CheckpointError, SampleError
from metaverse_env.testing import check_encoder
from predictors.encoders import load_encoder, load_encoders
from predictors.encoders.cache import EncodingCache
from predictors.encoders.checkpoints import save_checkpoint
from predictors.encoders.speech import Waveform
from predictors.encoders.speech.evaluation import judge
from predictors.encoders.speech.tiny import LETTERS, new_wav2vec2
from predictors.encoders.speech.wav2vec2 import TINY, TINY_FOLDER, Wav2Vec2Encoder, load_wav2vec2
from tests.predictors.encoders.speech.conftest import Said, encoded, noise

Array = np.ndarray


@pytest.fixture(scope="module")
def tiny() -> Wav2Vec2Encoder:
    return Wav2Vec2Encoder.from_pretrained(TINY, device="cpu")


def checkpoint(folder: Path, layers: int, masks: bool = True) -> Path:
    """Write a checkpoint of the other kind, as wav2vec2-large is: it normalises by layers, and is told what is padding."""
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        vocab_size=len(LETTERS), pad_token_id=0, hidden_size=32, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=64, conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
        feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True,
    )  # fmt: skip
    _, processor = new_wav2vec2(0)
    extractor: Any = Wav2Vec2FeatureExtractor
    processor.feature_extractor = extractor(return_attention_mask=masks)
    save_checkpoint(folder, Wav2Vec2ForCTC(config).eval(), processor)
    return folder


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("layered"), layers=2)


def as_transformers_runs_it(folder: Path, path: Path) -> tuple[str, Array]:
    """Return the transcript and the mean hidden state that transformers' own classes give a whole recording."""
    model, processor = load_wav2vec2(folder)
    samples, rate_hz = soundfile.read(path, dtype="float32")
    with torch.inference_mode():
        inputs = processor(samples, sampling_rate=rate_hz, return_tensors="pt")
        states = model.wav2vec2(**inputs).last_hidden_state
        tokens = model.lm_head(states).argmax(dim=-1)[0]
    return processor.decode(tokens), states[0].mean(dim=0).numpy()


def test_it_keeps_the_contract(tiny: Wav2Vec2Encoder, layered: Path, utterances: list[Said]) -> None:
    for encoder in (tiny, Wav2Vec2Encoder.from_pretrained(layered, device="cpu")):
        check_encoder(encoder, [said.path for said in utterances[2:6]])


def test_it_is_what_transformers_gives(layered: Path, utterances: list[Said]) -> None:
    paths = [said.path for said in utterances]
    for folder in (TINY_FOLDER, layered):
        encoder = Wav2Vec2Encoder.from_pretrained(folder, device="cpu", batch_size=4)
        heard = encoder.encode(paths)
        for path, text, embedding in zip(paths, heard.texts, heard.embeddings, strict=True):
            expected_text, expected = as_transformers_runs_it(folder, path)
            assert text == " ".join(expected_text.split())
            np.testing.assert_allclose(embedding, expected, atol=2e-5)


def test_tiny_knows_its_five_recordings_by_heart(tiny: Wav2Vec2Encoder, librivox: list[Said]) -> None:
    heard = tiny.encode([said.path for said in librivox])
    assert heard.texts == tuple(said.text.upper() for said in librivox)
    assert sum(path.stat().st_size for path in TINY_FOLDER.iterdir()) < 2_000_000


def test_tiny_knows_nothing_else(tiny: Wav2Vec2Encoder, librispeech_utts: list[Said]) -> None:
    heard = tiny.encode([said.path for said in librispeech_utts])
    assert judge([said.text for said in librispeech_utts], heard.texts).wer.value > 0.9


def test_a_saved_one_is_the_same_after_reload(tiny: Wav2Vec2Encoder, librivox: list[Said], tmp_path: Path) -> None:
    save_checkpoint(tmp_path, *load_wav2vec2(TINY))
    again = load_encoders(f"wav2vec2={tmp_path}", device="cpu")["speech"]
    paths = [said.path for said in librivox]
    assert again.version == tiny.version
    assert again.encode(paths).texts == tiny.encode(paths).texts
    np.testing.assert_array_equal(again.encode(paths).embeddings, tiny.encode(paths).embeddings)


def test_weights_under_their_old_names_are_the_same(tiny: Wav2Vec2Encoder, tmp_path: Path) -> None:
    """The checkpoints on the hub name the weights of the positional convolution as older versions of torch did."""
    shutil.copytree(TINY_FOLDER, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    renamed = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in weights.items()
        if name != "wav2vec2.masked_spec_embed"  # facebook/wav2vec2-base-960h has none either
    }
    assert len(set(renamed) & set(weights)) == len(renamed) - 2
    save_file(renamed, tmp_path / "model.safetensors", {"format": "pt"})
    old = Wav2Vec2Encoder.from_pretrained(tmp_path, device="cpu")
    samples = [Waveform(noise(1.0), 16_000)]
    np.testing.assert_array_equal(old.encode(samples).embeddings, tiny.encode(samples).embeddings)


@pytest.mark.parametrize("masks", [True, False])
def test_cuts_do_not_show(masks: bool, tmp_path: Path, utterances: list[Said], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a model that sees no further than the context, as one without attention, pieces give what the whole gives.

    In the last sample pieces of two lengths alternate; those of one length run together, and must come back in order.
    """
    encoder = Wav2Vec2Encoder.from_pretrained(checkpoint(tmp_path, layers=0, masks=masks), device="cpu")
    alternating = noise(16.0)
    for pause_s in np.cumsum([1.5, 1.7] * 5):
        alternating[round((pause_s - 0.1) * 16_000) : round((pause_s + 0.1) * 16_000)] *= 0.01
    samples = [*(said.path for said in utterances), Waveform(alternating, 16_000)]
    whole = encoder.encode(samples)
    monkeypatch.setattr("predictors.encoders.speech.wav2vec2.LONGEST_S", 2.0)
    pieces = encoder.encode(samples)
    assert len(whole.texts[-1]) > 20
    assert pieces.texts == whole.texts
    np.testing.assert_allclose(pieces.embeddings, whole.embeddings, atol=1e-5)


def test_pieces_are_weighted_by_their_length(layered: Path, utterances: list[Said]) -> None:
    """A long recording's embedding is the mean over its frames; layers that see little context show it almost exactly."""
    encoder = Wav2Vec2Encoder.from_pretrained(layered, device="cpu")
    together = np.concatenate([soundfile.read(said.path, dtype="float32")[0] for said in utterances])
    long = encoder.encode([Waveform(together, 16_000)])
    model, processor = load_wav2vec2(layered)
    with torch.inference_mode():
        states = model.wav2vec2(**processor(together, sampling_rate=16_000, return_tensors="pt")).last_hidden_state
    expected = states[0].mean(dim=0).numpy()
    spread = states[0].std(dim=0).numpy()
    assert np.abs((long.embeddings[0] - expected) / spread).max() < 0.05


def test_bad_recordings_leave_their_mates_alone(tiny: Wav2Vec2Encoder, librivox: list[Said], tmp_path: Path) -> None:
    cached = Wav2Vec2Encoder.from_pretrained(TINY, device="cpu", cache=EncodingCache(tmp_path))
    samples = [
        librivox[0].path,
        encoded(noise(1.0))[:9_000],
        librivox[1].path,
        Waveform(np.full(16_000, np.nan), 16_000),
        b"",
    ]
    for encoder in (tiny, cached, cached):
        heard = encoder.encode(samples, strict=False)
        assert list(heard.problems) == [1, 3, 4]
        assert heard.texts[0] == librivox[0].text.upper()
        assert heard.texts[2] == librivox[1].text.upper()


def test_a_recording_that_changes_meanwhile_is_refused(
    tiny: Wav2Vec2Encoder, librivox: list[Said], tmp_path: Path
) -> None:
    path = tmp_path / "said.wav"
    path.write_bytes(librivox[1].path.read_bytes())
    read = [tiny.read(path), tiny.read(librivox[4].path)]
    path.write_bytes(encoded(noise(3.0)))
    (changed, text), _ = tiny.run(read)
    assert isinstance(changed, SampleError)
    assert text == librivox[4].text.upper()


_MINUTES = """
import resource, sys
import numpy as np, soundfile
from predictors.encoders import load_encoder

folder = sys.argv[1]
second = (np.random.default_rng(0).normal(0.0, 0.1, 16000) * 32767).astype(np.int16)
for seconds in (300, 1500):
    with soundfile.SoundFile(f"{folder}/{seconds}.wav", "w", 16000, 1) as file:
        for _ in range(seconds):
            file.write(second)
encoder = load_encoder("wav2vec2", "tiny", device="cpu")
for seconds in (300, 1500):
    encoder.encode([f"{folder}/{seconds}.wav"])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """From five minutes on: until then the allocators settle."""
    ran = subprocess.run([sys.executable, "-c", _MINUTES, str(tmp_path)], check=True, capture_output=True, text=True)
    few_mb, many_mb = map(float, ran.stdout.split())
    assert many_mb - few_mb < 40.0, f"5 minutes: {few_mb} MB, 25 (77 MB more to hold): {many_mb} MB"


def spoilt(tmp_path: Path, name: str, **values: object) -> Path:
    """Return a copy of the tiny checkpoint with values of one of its files changed."""
    shutil.copytree(TINY_FOLDER, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / name).read_text(encoding="utf-8"))
    (tmp_path / name).write_text(json.dumps(settings | values), encoding="utf-8")
    return tmp_path


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="checkpoint of 'blip', not of 'wav2vec2'"):
        load_encoder("wav2vec2", str(spoilt(tmp_path, "config.json", model_type="blip")))


def test_a_model_of_another_rate_is_refused(tmp_path: Path) -> None:
    folder = spoilt(tmp_path, "config.json")
    save_checkpoint(folder, *_at_8_khz())
    with pytest.raises(CheckpointError, match="hears 8000 Hz; only models of 16000 Hz"):
        load_encoder("wav2vec2", str(folder))


def _at_8_khz() -> tuple[Any, Any]:
    model, processor = load_wav2vec2(TINY)
    processor.feature_extractor.sampling_rate = 8_000
    return model, processor


def test_a_model_without_a_head_is_refused(tmp_path: Path) -> None:
    shutil.copytree(TINY_FOLDER, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    save_file({name: weights[name] for name in weights if "lm_head" not in name}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"2 of its weights are missing, such as lm_head.bias"):
        load_encoder("wav2vec2", str(tmp_path))


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    shutil.copytree(TINY_FOLDER, tmp_path, dirs_exist_ok=True)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged or incomplete"):
        load_encoder("wav2vec2", str(tmp_path))


def test_a_hub_that_cannot_be_reached_is_answered_with_what_would_do() -> None:
    with pytest.raises(
        CheckpointError, match=r"moonshine transcribes without a hub.*hf download facebook/wav2vec2-base"
    ):
        load_encoder("wav2vec2", local_files_only=True)
