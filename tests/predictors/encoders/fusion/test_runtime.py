"""The fusion at work: by hand, with masks, and what it refuses."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from metaverse_env.contracts import Encoded
from metaverse_env.errors import CheckpointError, ConfigurationError, SampleError
from predictors.encoders.fusion.runtime import Fusion, ZoneSummary, write_card
from predictors.server.requests import Report
from tests.predictors.encoders.fusion.making import tiny_fusion, tiny_weights

IMAGES = np.array([[1.0, 0.0], [2.0, 2.0]], dtype=np.float32)
"""Standardised: (0, 0) and (1, 1)."""


@pytest.fixture(scope="module")
def fusion(tmp_path_factory: pytest.TempPathFactory) -> Fusion:
    return tiny_fusion(tmp_path_factory.mktemp("fusion"))


def test_a_signal_by_hand(fusion: Fusion) -> None:
    expected = [[0.5, 0.0], [math.tanh(1.0) + 0.5, 2.0 * math.tanh(1.0)]]
    np.testing.assert_allclose(fusion.vectors("image", IMAGES), expected, rtol=1e-6)


def test_signals_of_all_modalities_count_alike(fusion: Fusion) -> None:
    speech = np.array([[0.3]], dtype=np.float32)
    intent, there = fusion.fuse({"image": IMAGES, "speech": speech})
    by_hand = (fusion.vectors("image", IMAGES).sum(axis=0) + math.tanh(0.3)) / 3.0
    np.testing.assert_allclose(intent, by_hand, rtol=1e-6)
    assert there


def test_zones_and_worlds_stay_apart_and_may_be_silent(fusion: Fusion) -> None:
    images = np.broadcast_to(IMAGES, (2, 3, 2, 2)).copy()
    mask = np.ones((2, 3, 2), dtype=bool)
    mask[0, 1], mask[1, 2, 0] = False, False
    images[~mask] = np.nan
    intents, there = fusion.fuse({"image": images}, {"image": mask})
    assert intents.shape == (2, 3, 2)
    assert intents.dtype == np.float32
    assert there.tolist() == [[True, False, True], [True, True, True]]
    np.testing.assert_array_equal(intents[0, 1], 0.0)
    np.testing.assert_allclose(intents[1, 2], fusion.vectors("image", IMAGES)[1], rtol=1e-6)
    np.testing.assert_allclose(intents[0, 0], fusion.vectors("image", IMAGES).mean(axis=0), rtol=1e-6)


def test_a_modality_that_is_missing_is_no_modality_of_zeros(fusion: Fusion) -> None:
    nothing = np.full((1, 1), np.nan, dtype=np.float32)
    alone, _ = fusion.fuse({"image": IMAGES})
    masked, _ = fusion.fuse({"image": IMAGES, "speech": nothing}, {"speech": np.zeros(1, dtype=bool)})
    zeros, _ = fusion.fuse({"image": IMAGES, "speech": np.zeros((1, 1), dtype=np.float32)})
    np.testing.assert_array_equal(alone, masked)
    assert not np.allclose(alone, zeros)


@given(data=st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**32 - 1)))
def test_order_of_signals_does_not_matter_and_masks_are_absence(fusion: Fusion, data: tuple[int, int, int]) -> None:
    images, speech, seed = data
    random = np.random.default_rng(seed)
    given_ = {"image": random.normal(size=(images + 1, 2)), "speech": random.normal(size=(speech, 1))}
    masks = {"image": np.arange(images + 1) < images, "speech": np.ones(speech, dtype=bool)}
    intent, there = fusion.fuse(given_, masks)
    turned, _ = fusion.fuse(
        {name: rows[::-1] for name, rows in given_.items()}, {name: mask[::-1] for name, mask in masks.items()}
    )
    np.testing.assert_allclose(intent, turned, atol=1e-6)
    assert there == (images + speech > 0)
    shorter = {"image": given_["image"][:images], "speech": given_["speech"]}
    np.testing.assert_allclose(intent, fusion.fuse(shorter)[0], atol=1e-6)


def test_what_encoders_refused_does_not_count(fusion: Fusion) -> None:
    rows = np.array([[1.0, 0.0], [np.nan, np.nan]], dtype=np.float32)
    encoded = Encoded("image", "seer", "1", ("a", ""), rows, {1: SampleError("damaged")})
    intent, there = fusion.fuse_encoded([encoded])
    np.testing.assert_allclose(intent, [0.5, 0.0])
    assert there


def test_activity_is_a_softmax(fusion: Fusion) -> None:
    odds = fusion.activity(np.array([1.0, 0.0], dtype=np.float32))
    np.testing.assert_allclose(odds, [math.exp(2) / (math.exp(2) + 1), 1 / (math.exp(2) + 1)], rtol=1e-6)


def test_a_summary_is_a_report_to_the_server() -> None:
    intent = np.linspace(-1, 1, 32, dtype=np.float32)
    report = Report.model_validate(ZoneSummary("plaza", 42.0, intent).as_report())
    assert report.zone_name == "plaza"
    assert report.embedding is not None
    assert len(report.embedding) == 32
    assert "embedding" not in ZoneSummary("plaza", 42.0, None).as_report()


@pytest.mark.parametrize(
    ("embeddings", "masks", "message"),
    [
        ({}, None, "nothing to fuse; give one of image, speech"),
        ({"motion": np.zeros((1, 4))}, None, "image of 2 numbers, speech of 1 numbers, not motion of 4"),
        ({"image": np.zeros((1, 3))}, None, "not image of 3"),
        ({"image": np.zeros((2, 2))}, {"image": np.ones(3, dtype=bool)}, r"mask of image has shape \(3,\)"),
        ({"image": np.full((2, 2), np.nan)}, None, "image: an embedding that is not masked is not finite"),
    ],
)
def test_what_cannot_be_fused_is_refused(fusion: Fusion, embeddings: dict, masks: dict | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fusion.fuse(embeddings, masks)


class Reader:
    """As much of an encoder as is looked at."""

    def __init__(self, backend: str, version: str, dimension: int) -> None:
        self.backend, self.version, self.dimension = backend, version, dimension


def test_encoders_that_it_was_not_made_for_are_refused(fusion: Fusion) -> None:
    fusion.check({"image": Reader("seer", "1", 2)})  # type: ignore[dict-item]
    for other in (Reader("seer", "2", 2), Reader("blip", "1", 2), Reader("seer", "1", 3)):
        with pytest.raises(ConfigurationError, match=r"reads image of seer 1 \(2 numbers\).*metaverse train fusion"):
            fusion.check({"image": other})  # type: ignore[dict-item]
    with pytest.raises(ConfigurationError, match="reads motion of none"):
        fusion.check({"motion": Reader("kan", "1", 128)})  # type: ignore[dict-item]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no fusion"):
        Fusion(tmp_path / "absent")
    tiny_fusion(tmp_path)
    weights, card = tmp_path / "tiny.safetensors", tmp_path / "tiny.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"x")
    with pytest.raises(CheckpointError, match="the SHA-256 differs"):
        Fusion(tmp_path / "tiny.json")
    weights.write_bytes(whole[:40])
    with pytest.raises(CheckpointError, match="no weights of a fusion"):
        Fusion(tmp_path / "tiny")
    card.write_text("{}")
    with pytest.raises(CheckpointError, match="is not the card of a fusion"):
        Fusion(tmp_path / "tiny")


def test_weights_that_lack_something_are_refused(tmp_path: Path) -> None:
    fusion = tiny_fusion(tmp_path)
    assert fusion.modalities == ("image", "speech")
    save_file({name: rows for name, rows in tiny_weights().items() if "now" not in name}, tmp_path / "tiny.safetensors")
    write_card(replace(fusion.card, digest=""), tmp_path / "tiny")
    with pytest.raises(CheckpointError, match=r"lacks now\.bias, now\.weight"):
        Fusion(tmp_path / "tiny")


def test_the_folder_of_a_run_or_of_its_weights_is_as_good_as_the_weights(tmp_path: Path) -> None:
    weights = tmp_path / "run" / "model"
    weights.mkdir(parents=True)
    made = tiny_fusion(weights)
    for suffix in (".json", ".safetensors"):
        (weights / f"tiny{suffix}").rename(weights / f"fusion{suffix}")
    for place in (tmp_path / "run", weights, weights / "fusion", weights / "fusion.json"):
        assert Fusion(place).card == made.card
    with pytest.raises(CheckpointError, match="no fusion"):
        Fusion(tmp_path)
