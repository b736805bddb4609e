"""The text bank: how sentences become vectors, that the shipped file is that, and what the vectors can tell."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario.workload import DEFAULT_ACTIVITIES
from metaverse_env.simulator.intents import IntentBank, load_bank
from predictors.encoders.activity_texts import MODALITIES, load_texts
from predictors.encoders.text_bank import (
    BUCKETS,
    DIMENSIONS,
    build_bank,
    embed,
    features,
    hashed_counts,
    leading_scores,
    main,
    tf_idf,
)

NAMES = tuple(activity.name for activity in DEFAULT_ACTIVITIES)
ABOUT = '[about]\nversion = 1\nlicence = "MIT"\norigin = "a test"\n'


def own_texts(samples: int = 12, speech: int | None = None) -> str:
    lines = [ABOUT]
    for activity, words in (("swim", "water wave dive"), ("paint", "brush colour canvas")):
        lines.append(f"[activities.{activity}]")
        for modality in MODALITIES:
            count = speech if speech is not None and modality == "speech" else samples
            lines.append(f"{modality} = {json.dumps([f'{words} {modality} {number}' for number in range(count)])}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def shipped() -> IntentBank:
    return load_bank("text", NAMES)


# --- from a sentence to a vector ---


def test_features_are_words_and_marked_ngrams() -> None:
    assert dict(features("Hi!")) == {"word hi": 2.0, "part <hi": 1.0, "part hi>": 1.0, "part <hi>": 1.0}


def test_counts_fall_into_the_bucket_of_their_crc32() -> None:
    counts = hashed_counts("hi hi")
    expected = np.zeros(BUCKETS)
    for name, weight in (("word hi", 4), ("part <hi", 2), ("part hi>", 2), ("part <hi>", 2)):
        expected[zlib.crc32(name.encode()) % BUCKETS] += weight
    np.testing.assert_array_equal(counts, expected)


def test_tf_idf_by_hand() -> None:
    # N = 3; the first column is in all rows (idf 1), the second in one (idf 1 + ln 2).
    weights = tf_idf(np.array([[np.e - 1, np.e - 1], [1.0, 0.0], [1.0, 0.0]]))
    rare = 1 + np.log(2)
    np.testing.assert_allclose(weights, [np.array([1, rare]) / np.hypot(1, rare), [1, 0], [1, 0]])


def test_leading_scores_keep_the_largest_variances_and_fix_the_sign() -> None:
    centred = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, -5], [0, 0, 5]])
    scores = leading_scores(centred, 2)
    np.testing.assert_allclose(np.abs(scores), np.abs(centred[:, [2, 0]]), atol=1e-12)
    assert np.all(scores[np.abs(scores).argmax(axis=0), [0, 1]] > 0)


def test_embedding_is_centred_per_modality_with_mean_norm_one() -> None:
    texts = load_texts()
    vectors = embed(texts.sentences, modalities=3)
    assert vectors.shape == (432, DIMENSIONS)
    np.testing.assert_allclose(vectors.reshape(3, -1, DIMENSIONS).mean(axis=1), 0.0, atol=1e-12)
    assert np.linalg.norm(vectors, axis=1).mean() == pytest.approx(1.0)


def test_distances_are_those_of_the_weights_up_to_what_is_cut_off() -> None:
    """With as many dimensions as the data has, the projection only rotates."""
    centred = np.random.default_rng(0).normal(size=(10, 40))
    centred -= centred.mean(axis=0)
    scores = leading_scores(centred, 9)
    np.testing.assert_allclose(scores @ scores.T, centred @ centred.T, atol=1e-9)


# --- the sentences ---


def test_shipped_sentences_cover_the_default_activities_and_differ() -> None:
    texts = load_texts()
    assert texts.activities == NAMES
    assert texts.samples == 24
    assert len(texts.sentences) == len(set(texts.sentences)) == len(MODALITIES) * len(NAMES) * 24


def test_sentences_lie_modality_by_modality(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(own_texts(2))
    assert [sentence.split()[0] + sentence.split()[3] for sentence in load_texts(file).sentences[::2]] == [
        "waterimage",
        "brushimage",
        "waterspeech",
        "brushspeech",
        "watermotion",
        "brushmotion",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[about", "are not TOML"),
        (ABOUT, r"\[activities\] is missing or empty"),
        (own_texts().replace(ABOUT, ""), r"\[about\] is missing"),
        (own_texts().replace("version = 1", "version = 'one'"), r"'version' of type int, not 'one'"),
        (own_texts().replace('licence = "MIT"', ""), r"'licence' of type str, not None"),
        (own_texts().replace("speech = ", "talk = ", 1), r"\[activities.swim\] needs a list of sentences 'speech'"),
        (
            own_texts().replace('"water wave dive image 0"', '"..."'),
            r"'...' in \[activities.swim\] 'image' is no sentence",
        ),
        (own_texts().replace('"water wave dive image 0"', "7"), r"7 in \[activities.swim\]"),
        (own_texts(12, speech=9), "same number of sentences, not 9 to 12"),
    ],
)
def test_wrong_texts_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load_texts(file)


def test_absent_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml cannot be read: No such file"):
        load_texts(tmp_path / "absent.toml")


# --- the file ---


def test_shipped_bank_is_what_the_shipped_sentences_give(shipped: IntentBank) -> None:
    rebuilt = build_bank(load_texts())
    np.testing.assert_allclose(shipped.vectors, rebuilt["vectors"], atol=1e-5)
    assert shipped.modalities == tuple(rebuilt["modalities"]) == MODALITIES
    assert shipped.provenance == str(rebuilt["provenance"])


def test_provenance_says_that_the_text_is_synthetic(shipped: IntentBank) -> None:
    told = json.loads(shipped.provenance)
    assert told["encoder"] == "none"
    assert "synthetic" in told["origin"]
    assert told["licence"] == "Apache-2.0"
    assert told["texts_version"] == 1
    assert told["texts_crc32"] == load_texts().crc32
    assert "python -m predictors.encoders.text_bank" in told["command"]


def test_command_writes_the_same_bytes_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    assert main(["--out", str(first)]) == main(["--out", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    assert "432 sentences about idle, social" in capsys.readouterr().out


def test_own_activities_reach_a_scenario(tmp_path: Path) -> None:
    texts, out = tmp_path / "own.toml", tmp_path / "own.npz"
    texts.write_text(own_texts())
    assert main(["--texts", str(texts), "--out", str(out)]) == 0
    bank = load_bank(str(out), ["paint", "swim"])
    assert bank.vectors.shape == (3, 2, 12, DIMENSIONS)
    assert json.loads(bank.provenance)["licence"] == "MIT"


@pytest.mark.parametrize(("samples", "out", "message"), [(5, "own.npz", "too few"), (12, "no/own.npz", "cannot write")])
def test_command_fails_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], samples: int, out: str, message: str
) -> None:
    texts = tmp_path / "own.toml"
    texts.write_text(own_texts(samples))
    assert main(["--texts", str(texts), "--out", str(tmp_path / out)]) == 2
    assert message in capsys.readouterr().err


# --- what the vectors can tell ---


def nearest(signals: NDArray[np.floating], centroids: NDArray[np.floating]) -> NDArray[np.intp]:
    """Index of the centroid with the highest cosine, for each signal."""
    units = centroids / np.linalg.norm(centroids, axis=-1, keepdims=True)
    best: NDArray[np.intp] = (signals @ units.T).argmax(axis=-1)
    return best


def leave_one_out(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether the nearest centroid of all other signals, of any modality, names the activity: ``[M, K, S]``."""
    totals, count = vectors.sum(axis=(0, 2), dtype=np.float64), vectors.shape[0] * vectors.shape[2]
    hits = np.zeros(vectors.shape[:3], np.bool_)
    for modality, activity, sample in np.ndindex(hits.shape):
        centroids = totals / count
        centroids[activity] = (totals[activity] - vectors[modality, activity, sample]) / (count - 1)
        hits[modality, activity, sample] = nearest(vectors[modality, activity, sample], centroids) == activity
    return hits


def test_one_signal_tells_the_activity_often_but_not_always(shipped: IntentBank) -> None:
    hits = leave_one_out(shipped.vectors)
    chance = 1 / len(NAMES)
    assert 0.55 < hits.mean() < 0.75, f"accuracy {hits.mean():.3f}"
    assert hits.mean(axis=(1, 2)).min() > 2.5 * chance, "of the weakest modality"
    assert hits.mean(axis=(0, 2)).min() > 2.5 * chance, "of the weakest activity"


def test_eight_signals_tell_more_than_one(shipped: IntentBank) -> None:
    """Means over eight signals of mixed modalities, held out from the centroids."""
    known, held_out = shipped.vectors[:, :, :12], shipped.vectors[:, :, 12:]
    centroids = known.mean(axis=(0, 2))
    rng = np.random.default_rng(0)
    pooled = held_out.transpose(1, 0, 2, 3).reshape(len(NAMES), -1, DIMENSIONS)
    activity = rng.integers(len(NAMES), size=2000)
    ones, eights = (pooled[activity[:, None], rng.integers(36, size=(2000, size))].mean(axis=1) for size in (1, 8))
    one, eight = (float((nearest(signals, centroids) == activity).mean()) for signals in (ones, eights))
    assert eight > max(0.85, one + 0.2), f"accuracy {one:.3f} from one signal, {eight:.3f} from eight"


@pytest.mark.parametrize("modality", MODALITIES)
def test_modalities_agree(shipped: IntentBank, modality: str) -> None:
    """Centroids of the two other modalities name the activity of this one's signals, and of its centroids always."""
    index = shipped.modalities.index(modality)
    others = np.delete(shipped.vectors, index, axis=0).mean(axis=(0, 2))
    signals = shipped.vectors[index]
    truth = np.arange(len(NAMES))
    assert (nearest(signals, others) == truth[:, np.newaxis]).mean() > 2.5 / len(NAMES)
    np.testing.assert_array_equal(nearest(signals.mean(axis=1), others), truth)
