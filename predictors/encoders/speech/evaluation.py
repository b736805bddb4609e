"""Word and character error rates, with intervals that follow from which utterances were judged.

An error rate is of all utterances together: errors over words of the references, as in the literature. Its interval is
a percentile bootstrap over utterances [1]: errors within one are not independent, so words are not resampled.

What is compared is normalised first, by jiwer's transforms in this order: lower case; curly apostrophes to straight
ones, hyphens and dashes to spaces, "mr", "mrs" and "dr" spelt out as LibriSpeech spells them, other punctuation but
apostrophes inside words removed; white space made single. Numbers stay as they are written.

[1] Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", 2004.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import jiwer
import numpy as np

from metaverse_env.errors import ConfigurationError

RESAMPLES: Final = 10_000
"""Of the bootstrap [choice]."""
LEVEL: Final = 0.95
_SPELT_OUT: Final = {r"\bmr\b\.?": "mister", r"\bmrs\b\.?": "missus", r"\bdr\b\.?": "doctor"}

NORMALISE: Final = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({"[‘’]": "'", "[-‐-―]": " ", **_SPELT_OUT, r"[^\w\s']|_": "", r"(?<!\w)'|'(?!\w)": ""}),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ]
)
"""Text to what is compared."""


@dataclass(frozen=True)
class Rate:
    """An error rate, and how sure it is.

    Attributes:
        value: Errors over units of the references; above 1 where much was inserted.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Judged:
    """How well one utterance was transcribed; counts are of words, but ``character_errors`` and ``characters``."""

    name: str
    reference: str
    hypothesis: str
    words: int
    substitutions: int
    insertions: int
    deletions: int
    characters: int
    character_errors: int

    @property
    def errors(self) -> int:
        """Wrong words: substituted, inserted and deleted."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def wer(self) -> float:
        """Word error rate of this utterance alone."""
        return self.errors / self.words


@dataclass(frozen=True)
class Transcription:
    """How well utterances were transcribed.

    Attributes:
        wer: Word error rate of all.
        cer: Character error rate of all, spaces included.
        utterances: Each of them.
    """

    wer: Rate
    cer: Rate
    utterances: tuple[Judged, ...]

    def figures(self) -> dict[str, Any]:
        """Return the figures of all utterances, as JSON has them."""
        counts = ("words", "substitutions", "insertions", "deletions", "characters", "character_errors")
        return {
            "wer": asdict(self.wer),
            "cer": asdict(self.cer),
            "utterances": len(self.utterances),
            **{name: sum(getattr(each, name) for each in self.utterances) for name in counts},
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return one row an utterance, as JSON has them."""
        return [{**asdict(each), "wer": each.wer} for each in self.utterances]


def judge(
    references: Sequence[str], hypotheses: Sequence[str], names: Sequence[str] | None = None, *, seed: int = 0
) -> Transcription:
    """Compare transcripts with what was said.

    Args:
        references: What was said, one text an utterance.
        hypotheses: What was transcribed; an empty one is all words deleted.
        names: Of the utterances; numbers by default.
        seed: Of the bootstrap.

    Raises:
        ConfigurationError: There are none, not as many of each, or a reference without words.
    """
    labels = [str(place) for place in range(len(references))] if names is None else list(names)
    if not references or not len(references) == len(hypotheses) == len(labels):
        raise ConfigurationError(
            f"{len(references)} references, {len(hypotheses)} hypotheses, {len(labels)} names; give as many of each, "
            "and at least one"
        )
    judged = tuple(_judge(*each) for each in zip(labels, references, hypotheses, strict=True))
    wer = _rate([each.errors for each in judged], [each.words for each in judged], seed)
    cer = _rate([each.character_errors for each in judged], [each.characters for each in judged], seed)
    return Transcription(wer, cer, judged)


def _judge(name: str, reference: str, hypothesis: str) -> Judged:
    said, heard = NORMALISE(reference), NORMALISE(hypothesis)
    if not said:
        raise ConfigurationError(f"utterance {name}: its reference {reference!r} has no words; leave the utterance out")
    words, characters = jiwer.process_words(said, heard), jiwer.process_characters(said, heard)
    return Judged(
        name=name,
        reference=said,
        hypothesis=heard,
        words=len(said.split()),
        substitutions=words.substitutions,
        insertions=words.insertions,
        deletions=words.deletions,
        characters=len(said),
        character_errors=characters.substitutions + characters.insertions + characters.deletions,
    )


def _rate(errors: Sequence[int], units: Sequence[int], seed: int) -> Rate:
    """Return errors over units, with its percentile bootstrap over utterances."""
    wrong, total = np.array(errors), np.array(units)
    drawn = np.random.default_rng(seed).multinomial(len(wrong), np.full(len(wrong), 1.0 / len(wrong)), RESAMPLES)
    low, high = np.quantile(drawn @ wrong / (drawn @ total), [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Rate(float(wrong.sum() / total.sum()), float(low), float(high))
