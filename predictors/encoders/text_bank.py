"""The bank of intents that is made from sentences alone.

A simulated world needs embeddings of what users show, say and do, and it must run without any encoder of images,
speech or motion. So this bank holds what such encoders would *describe*, in sentences written for the purpose
(``activity_texts.toml``), turned into vectors by counting: it is synthetic, says so in its provenance, and claims
nothing about any encoder.

Method: words and character n-grams, hashed into buckets [1]; TF-IDF weights with the smoothed idf
``ln((1 + N) / (1 + df)) + 1`` and unit rows [2]; centred; projected on the leading right singular vectors (latent
semantic analysis [3]). Centring is done per modality, since captions, speech and descriptions of motion differ in
style more than in topic, and a mean over signals would otherwise tell which modalities were sampled.

[1] Weinberger et al., "Feature hashing for large scale multitask learning", 2009. [2] Manning, Raghavan and Schütze,
"Introduction to Information Retrieval", 2008, chapter 6. [3] Deerwester et al., "Indexing by latent semantic
analysis", 1990.

Command: ``python -m predictors.encoders.text_bank --out bank.npz``. There is no randomness: the same sentences give
the same file.
"""

import argparse
import json
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from metaverse_env.cli import WRONG_USAGE
from metaverse_env.errors import ConfigurationError, MetaverseError
from predictors.encoders.activity_texts import MODALITIES, ActivityTexts, load_texts

DIMENSIONS: Final = 32
"""Length of an embedding [choice]; with 64, leave-one-out accuracy of one sentence is .67 instead of .61 [M]."""
BUCKETS: Final = 8192
"""Buckets of the hash [choice]; the 4,465 features of the shipped sentences fall into 3,463 of them [M]."""
NGRAM_SIZES: Final = (3, 4)
WORD_WEIGHT: Final = 2.0
"""A whole word counts as two of its n-grams [choice]."""
COMMAND: Final = "python -m predictors.encoders.text_bank"

Floats = NDArray[np.float64]


def build_bank(texts: ActivityTexts) -> dict[str, NDArray[Any]]:
    """Turn sentences into a bank.

    Returns:
        ``vectors`` float32 ``[modalities, activities, samples, 32]`` with mean norm 1, ``activities`` ``[K]``,
        ``modalities`` ``[3]`` and ``provenance``, a JSON string.

    Raises:
        ConfigurationError: There are too few sentences for 32 dimensions.
    """
    shape = (len(MODALITIES), len(texts.activities), texts.samples)
    return {
        "vectors": embed(texts.sentences, modalities=shape[0]).astype(np.float32).reshape(*shape, DIMENSIONS),
        "activities": np.array(texts.activities),
        "modalities": np.array(MODALITIES),
        "provenance": np.array(_provenance(texts)),
    }


def write_bank(out: Path, texts: ActivityTexts) -> None:
    """Build the bank and write it as ``.npz``; the same texts give the same bytes.

    Raises:
        ConfigurationError: The texts are too few, or the file cannot be written.
    """
    arrays = build_bank(texts)
    try:
        with out.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the bank {out}: {error.strerror}. Name a file in a folder that exists."
        ) from error


def embed(sentences: Sequence[str], modalities: int) -> Floats:
    """Embed sentences that lie modality by modality, as many of each.

    Returns:
        ``[len(sentences), 32]``, mean zero within each modality, mean norm 1.

    Raises:
        ConfigurationError: Fewer sentences than dimensions and modalities together.
    """
    if len(sentences) < DIMENSIONS + modalities:
        raise ConfigurationError(
            f"{len(sentences)} sentences are too few for {DIMENSIONS} dimensions; "
            f"give at least {DIMENSIONS + modalities} over all activities and modalities."
        )
    weights = tf_idf(np.stack([hashed_counts(sentence) for sentence in sentences]))
    centred = weights.reshape(modalities, -1, BUCKETS)
    centred = (centred - centred.mean(axis=1, keepdims=True)).reshape(len(sentences), BUCKETS)
    scores = leading_scores(centred, DIMENSIONS)
    scaled: Floats = scores / np.linalg.norm(scores, axis=1).mean()
    return scaled


def features(sentence: str) -> Iterator[tuple[str, float]]:
    """Yield each word and each character n-gram of a marked word, with its weight.

    >>> [name for name, _ in features("a Cat!")]
    ['word a', 'part <a>', 'word cat', 'part <ca', 'part cat', 'part at>', 'part <cat', 'part cat>']
    """
    for word in re.findall(r"\w+", sentence.lower()):
        yield f"word {word}", WORD_WEIGHT
        marked = f"<{word}>"
        for size in NGRAM_SIZES:
            yield from ((f"part {marked[at : at + size]}", 1.0) for at in range(len(marked) - size + 1))


def hashed_counts(sentence: str) -> Floats:
    """Return the weight ``[8192]`` that falls into each bucket; CRC-32 is the same on every machine."""
    names, weights = zip(*features(sentence), strict=True)
    buckets = [zlib.crc32(name.encode()) % BUCKETS for name in names]
    counts = np.zeros(BUCKETS)
    np.add.at(counts, buckets, weights)
    return counts


def tf_idf(counts: Floats) -> Floats:
    """Weight counts ``[N, buckets]`` by ``ln(1 + count)`` and by rarity, each row to unit length.

    >>> tf_idf(np.array([[1.0, 0.0], [1.0, 1.0]])).round(3).tolist()
    [[1.0, 0.0], [0.58, 0.815]]
    """
    document_frequency = np.count_nonzero(counts, axis=0)
    idf = np.log((1 + len(counts)) / (1 + document_frequency)) + 1.0
    weights: Floats = np.log1p(counts) * idf
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return weights


def leading_scores(centred: Floats, dimensions: int) -> Floats:
    """Return the coordinates ``[N, dimensions]`` along the leading singular vectors, largest first.

    The sign of a singular vector is arbitrary: here the coordinate that is largest in size is positive.
    """
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    scores: Floats = left[:, :dimensions] * sizes[:dimensions]
    largest = np.take_along_axis(scores, np.abs(scores).argmax(axis=0)[np.newaxis], axis=0)
    scores *= np.where(largest < 0, -1.0, 1.0)
    return scores


def _provenance(texts: ActivityTexts) -> str:
    told = {
        "what": "embeddings of sentences about activities, for simulated intents",
        "origin": texts.origin,
        "encoder": "none",
        "method": f"hashed words and character n-grams {NGRAM_SIZES}, TF-IDF, centred per modality, truncated SVD",
        "command": f"{COMMAND} [--texts TEXTS.toml] --out BANK.npz",
        "texts_version": texts.version,
        "texts_crc32": texts.crc32,
        "licence": texts.licence,
        "seed": None,
    }
    return json.dumps(told)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build a bank from the command line; return 0 when done and 2 where what was asked for cannot be."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Build the bank of intents from sentences alone.")
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    parser.add_argument("--texts", type=Path, help="your own sentences (.toml); without it, the shipped ones")
    chosen = parser.parse_args(arguments)
    try:
        texts = load_texts(chosen.texts)
        write_bank(chosen.out, texts)
    except MetaverseError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return WRONG_USAGE
    print(f"{chosen.out}: {len(texts.sentences)} sentences about {', '.join(texts.activities)}; {texts.origin}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
