"""Error rates, counted by hand."""

import json
from fractions import Fraction

import pytest

from metaverse_env.errors import ConfigurationError
from predictors.encoders.speech.evaluation import NORMALISE, judge


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("He was NOT an ill-disposed young man.", "he was not an ill disposed young man"),
        ("Mr. John, and Mrs. Dashwood", "mister john and missus dashwood"),
        ("It’s the 'market'—isn't it?", "it's the market isn't it"),
        ("  a \n b_c ", "a bc"),
        ("♪ ?", ""),
        ("10 minutes", "10 minutes"),
    ],
)
def test_what_is_compared(text: str, normal: str) -> None:
    assert NORMALISE(text) == normal


def test_errors_are_counted_by_kind() -> None:
    judged = judge(
        ["The cat sat on the mat.", "Come here!", "one two three"],
        ["the cat sit on mat", "come over here", ""],
        list("abc"),
    )
    first, second, third = judged.utterances
    assert (first.words, first.substitutions, first.insertions, first.deletions) == (6, 1, 0, 1)
    assert (second.words, second.substitutions, second.insertions, second.deletions) == (2, 0, 1, 0)
    assert (third.words, third.deletions, third.character_errors) == (3, 3, 13)
    assert judged.wer.value == pytest.approx(float(Fraction(6, 11)))
    assert first.wer == pytest.approx(2 / 6)
    figures = judged.figures()
    assert (figures["substitutions"], figures["insertions"], figures["deletions"]) == (1, 1, 4)
    assert figures["cer"]["value"] == pytest.approx((1 + 4 + 5 + 13) / (22 + 9 + 13))
    assert [row["name"] for row in judged.rows()] == ["a", "b", "c"]
    json.dumps([figures, judged.rows()])


def test_the_interval_is_over_utterances() -> None:
    same = judge(["one two"] * 20, ["one too"] * 20).wer
    assert (same.value, same.low, same.high) == (0.5, 0.5, 0.5)
    mixed = judge(["one two"] * 20, ["one two"] * 10 + ["three four"] * 10).wer
    assert mixed.value == 0.5
    assert (mixed.low, mixed.high) == pytest.approx((0.3, 0.7), abs=0.05)  # 0.5 ± 1.96 sqrt(.25 / 20), in twentieths
    assert judge(["a", "b"], ["a", "c"], seed=3) == judge(["a", "b"], ["a", "c"], seed=3)


@pytest.mark.parametrize(
    ("references", "hypotheses", "message"),
    [
        ([], [], "0 references"),
        (["a"], ["a", "b"], "1 references, 2 hypotheses"),
        (["a", "?!"], ["a", "b"], r"utterance 1: its reference '\?!' has no words"),
    ],
)
def test_what_cannot_be_compared_is_refused(references: list[str], hypotheses: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        judge(references, hypotheses)
