"""Moonshine: real weights on real speech."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from metaverse_env.errors import CheckpointError, SampleError
from metaverse_env.testing import check_encoder
from predictors.encoders import load_encoder
from predictors.encoders.cache import EncodingCache
from predictors.encoders.speech import Waveform
from predictors.encoders.speech.evaluation import judge
from predictors.encoders.speech.moonshine import FILES, LONGEST_S, MoonshineEncoder
from predictors.encoders.text.minilm import SentenceEncoder
from tests.predictors.encoders.speech.conftest import Said, encoded, noise


@pytest.fixture(scope="module")
def moonshine() -> MoonshineEncoder:
    return MoonshineEncoder.from_pretrained(device="cpu")


def test_it_keeps_the_contract(moonshine: MoonshineEncoder, librivox: list[Said]) -> None:
    check_encoder(moonshine, [librivox[1].path, librivox[4].path])


def test_the_eight_real_utterances(moonshine: MoonshineEncoder, utterances: list[Said]) -> None:
    heard = moonshine.encode([said.path for said in utterances])
    judged = judge([said.text for said in utterances], heard.texts, [said.path.stem for said in utterances])
    assert judged.figures()["words"] == 195
    assert judged.wer.value <= 0.06
    assert judged.wer.high <= 0.06
    assert sum(row["insertions"] for row in judged.rows()) == 0, "a word that nobody said"


def test_its_embedding_is_that_of_its_transcript(moonshine: MoonshineEncoder, librivox: list[Said]) -> None:
    heard = moonshine.encode([librivox[1].path])
    (expected,) = SentenceEncoder.from_pretrained(device="cpu").embed(heard.texts)
    assert moonshine.dimension == 384
    np.testing.assert_allclose(heard.embeddings[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    "wordless",
    [
        pytest.param(noise(3.0), id="noise"),
        pytest.param(noise(3.0, level=0.003), id="quiet noise"),
        pytest.param(0.3 * np.sin(np.arange(48_000) * 2 * np.pi * 440 / 16_000), id="tone"),
        pytest.param((noise(3.0) > 0.31) * 0.9, id="clicks"),
        pytest.param(noise(0.1), id="a tenth of a second"),
    ],
)
def test_where_nobody_speaks_nothing_is_made_up(
    moonshine: MoonshineEncoder, librivox: list[Said], wordless: np.ndarray, tmp_path: Path
) -> None:
    moonshine.cache = EncodingCache(tmp_path)
    try:
        heard = moonshine.encode([librivox[1].path, Waveform(wordless, 16_000), librivox[4].path], strict=False)
    finally:
        moonshine.cache = None
    assert list(heard.problems) == [1]
    assert "no words were heard in" in str(heard.problems[1])
    assert "young man" in heard.texts[0]
    assert "amiable himself" in heard.texts[2]


def test_a_recording_of_several_pieces_is_all_its_sentences(moonshine: MoonshineEncoder, librivox: list[Said]) -> None:
    pause = np.zeros(4_800)
    together = np.concatenate([part for said in librivox for part in (soundfile.read(said.path)[0], pause)])
    assert len(together) > LONGEST_S * 16_000
    (text,) = moonshine.encode([Waveform(together, 16_000)]).texts
    assert judge([" ".join(said.text for said in librivox)], [text]).wer.value <= 0.06


def test_bad_recordings_leave_their_mates_alone(moonshine: MoonshineEncoder, librivox: list[Said]) -> None:
    said, cut = librivox[4].path, encoded(noise(1.0))[:9_000]
    with pytest.raises(SampleError, match=r"sample 0: .*truncated.*\(and 1 more of 3\)") as caught:
        moonshine.encode([cut, said, Waveform(np.zeros(16_000), 16_000)])
    assert "amiable himself" in caught.value.encoded.texts[1]  # type: ignore[attr-defined]


def test_it_asks_for_no_sound_card(moonshine: MoonshineEncoder) -> None:
    assert "sounddevice" not in sys.modules


def test_a_folder_without_weights_says_where_there_are_some(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"encoder_model.ort.*is not there.*moonshine-voice 0.0.62"):
        load_encoder("moonshine", str(tmp_path))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        MoonshineEncoder.from_pretrained(tmp_path)
