"""Figures of retrieval, by hand and against chance."""

import numpy as np
import pytest

from metaverse_env.errors import ConfigurationError
from predictors.encoders.motion.evaluation import gallery, interval, pools, relevance, row_of


def test_ranks_and_chance_by_hand() -> None:
    similarities = np.array([[0.9, 0.1, 0.5, 0.2], [0.3, 0.8, 0.7, 0.6], [0.5, 0.5, 0.1, 0.5]])
    relevant = relevance([("a",), ("c", "d"), ("b",)], ["a", "b", "c", "d"])
    ranks = gallery(similarities, relevant, ["x", "y", "z"])
    assert ranks.ranks.tolist() == [[1, 2, 3]]  # the last has two equals, which go before it
    row = row_of(ranks)
    assert row.protocol == "gallery of 4"
    assert row.r_precision == pytest.approx((1 / 3, 2 / 3, 1.0))
    assert row.median_rank == 2.0
    assert row.chance == pytest.approx(((1 + 2 + 1) / 12, (0.5 + 5 / 6 + 0.5) / 3, (0.75 + 1.0 + 0.75) / 3))


def test_without_knowledge_it_is_as_good_as_chance() -> None:
    random = np.random.default_rng(0)
    captions = [(f"{number} a", f"{number} b") for number in range(60)]
    sentences = [sentence for known in captions for sentence in known]
    relevant = relevance(captions * 5, sentences)
    similarities = random.normal(size=relevant.shape)
    sources = [f"performer {number // 30}" for number in range(300)]
    for ranks in (gallery(similarities, relevant, sources), pools(similarities, relevant, sources, random, 10)):
        row = row_of(ranks)
        np.testing.assert_allclose(row.r_precision, row.chance, atol=0.03)
        assert all(low <= value <= high for low, value, high in zip(row.low, row.r_precision, row.high, strict=True))


def test_pools_hold_one_right_sentence_and_no_two_of_a_kind() -> None:
    captions = [(f"{number} a", f"{number} b") for number in range(40)]
    relevant = relevance(captions, [sentence for known in captions for sentence in known])
    kind = np.repeat(np.arange(40), 2)
    ranks = pools(np.where(relevant, 1.0, -kind / 100.0), relevant, ["s"] * 40, np.random.default_rng(0), 3)
    assert ranks.protocol == "pools of 32"
    assert (ranks.ranks == 1).all()
    worst = pools(np.where(relevant, -1.0, 0.0), relevant, ["s"] * 40, np.random.default_rng(0), 3)
    assert (worst.ranks == 32).all()


def test_few_sentences_make_small_pools() -> None:
    relevant = relevance([("a",), ("b",), ("c",)], ["a", "b", "c"])
    ranks = pools(np.eye(3), relevant, ["x", "y", "z"], np.random.default_rng(0))
    assert ranks.protocol == "pools of 3"
    assert ranks.chance == pytest.approx((1 / 3, 2 / 3, 1.0))


def test_intervals_are_over_sources_not_motions() -> None:
    values = np.repeat([[0.0], [1.0], [1.0], [0.0]], 100, axis=0)
    low, high = interval(values, [f"s{number // 100}" for number in range(400)])
    assert (low[0], high[0]) == (0.0, 1.0)  # four performers, not four hundred motions


def test_a_motion_without_a_sentence_cannot_be_judged() -> None:
    with pytest.raises(ConfigurationError, match="each needs a caption"):
        relevance([("a",), ("z",)], ["a", "b"])
