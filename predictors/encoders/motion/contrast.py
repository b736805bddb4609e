"""The loss that pulls a motion to its sentence and away from the others', in both directions.

Symmetric InfoNCE (Radford et al., CLIP, 2021). A sentence that also fits a motion is no negative of it: pairs that
share a caption, or whose sentences a language model holds for alike, are left out (Petrovich et al., TMR, ICCV 2023).
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

ALIKE: Final = 0.8
"""Cosine from which two sentences are held for alike [V: TMR]."""


def contrast(motions: Tensor, sentences: Tensor, scale: Tensor, alike: Tensor) -> Tensor:
    """Return the mean loss of matching pairs.

    Args:
        motions: Unit vectors ``[pairs, n]``.
        sentences: Unit vectors ``[pairs, n]``, of the same rows.
        scale: Of the similarities.
        alike: ``bool [pairs, pairs]``, sentences (columns) that fit a motion (row) too; the diagonal does not matter.

    >>> eye = torch.eye(2)
    >>> round(float(contrast(eye, eye, torch.tensor(1.0), torch.zeros(2, 2, dtype=torch.bool))), 4)
    0.3133
    """
    own = torch.eye(len(motions), dtype=torch.bool, device=motions.device)
    logits = (scale * motions @ sentences.T).masked_fill(alike & ~own, -torch.inf)
    places = torch.arange(len(motions), device=motions.device)
    cross = nn.functional.cross_entropy
    return 0.5 * (cross(logits, places) + cross(logits.T, places))


def alike_pairs(captions: Sequence[frozenset[str]], texts: Sequence[str], embeddings: Tensor) -> Tensor:
    """Return which sentences fit which motions besides their own, ``bool [pairs, pairs]``.

    Args:
        captions: All that is said of each motion.
        texts: The sentence of each that is learnt from now.
        embeddings: Of the language model, unit vectors ``[pairs, n]``.
    """
    shared = torch.tensor([[text in known for text in texts] for known in captions], device=embeddings.device)
    return shared | (embeddings @ embeddings.T > ALIKE)
