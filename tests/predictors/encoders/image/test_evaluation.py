"""BLEU and ROUGE-L of captions, against hand-computed values and sacrebleu's own corpus score."""

import math

import pytest
from sacrebleu.metrics.bleu import BLEU

from metaverse_env.errors import ConfigurationError
from predictors.encoders.image.evaluation import evaluate_captions

REFERENCES = [["a dog runs on the grass", "the dog is running"], ["two cars on a road"], ["people at the harbour now"]]
TEXTS = ["a dog runs on grass", "two cars drive on a road", "people at the harbour now"]


def test_bleu_is_sacrebleus_corpus_score() -> None:
    bleu, _ = evaluate_captions(REFERENCES, TEXTS)
    streams = [[known[0] for known in REFERENCES], ["the dog is running", None, None]]
    expected = BLEU(lowercase=True).corpus_score(TEXTS, streams)  # type: ignore[arg-type]
    assert bleu["value"] == pytest.approx(expected.score)
    assert bleu["low"] <= bleu["value"] <= bleu["high"]
    assert (bleu["figure"], bleu["samples"]) == ("BLEU", 3)


def test_bleu_by_hand() -> None:
    """Of "a b c d e" against "a b c d f": 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples."""
    bleu, _ = evaluate_captions([["a b c d f"]], ["a b c d e"])
    assert bleu["value"] == pytest.approx(100 * math.exp(sum(map(math.log, (4 / 5, 3 / 4, 2 / 3, 1 / 2))) / 4))
    assert bleu["low"] == pytest.approx(bleu["high"])


def test_rouge_by_hand() -> None:
    """The longest common subsequence of the first is 4 of 4 and 4 of 5 words, F = 8/9; the second's best is 1."""
    _, rouge = evaluate_captions([["a cat sat down here"], ["no", "red bus"]], ["a cat sat here", "red bus"])
    assert rouge["value"] == pytest.approx(100 * (8 / 9 + 1) / 2)


def test_the_same_words_are_all_of_it_and_none_are_nothing() -> None:
    assert [row["value"] for row in evaluate_captions([["A dog runs on grass"]], ["a dog runs on grass"])] == (
        pytest.approx([100.0, 100.0])
    )
    assert [row["value"] for row in evaluate_captions([["a dog runs on grass"]], [""])] == [0.0, 0.0]


def test_intervals_narrow_with_more_images_and_depend_on_the_seed_alone() -> None:
    few, many = evaluate_captions(REFERENCES, TEXTS)[1], evaluate_captions(REFERENCES * 20, TEXTS * 20)[1]
    assert many["high"] - many["low"] < 0.5 * (few["high"] - few["low"])
    assert evaluate_captions(REFERENCES, TEXTS, seed=1) == evaluate_captions(REFERENCES, TEXTS, seed=1)


@pytest.mark.parametrize(
    ("references", "texts", "message"),
    [
        ([], [], "0 captions for 0 images"),
        ([["a"]], ["a", "b"], "2 captions for 1 images"),
        ([[]], ["a"], "image 0: a list of at least one reference"),
        (["a sentence"], ["a"], "image 0: a list of at least one reference"),
    ],
)
def test_what_cannot_be_judged_is_refused(references: list[list[str]], texts: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        evaluate_captions(references, texts)
