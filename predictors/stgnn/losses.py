"""What training minimises, in log space, so that a zone of 3 users and one of 300 weigh the same.

Shapes must be equal: broadcasting a target over the wrong axis gives a loss that falls and a network that is wrong.
"""

import torch
from torch import Tensor

from metaverse_env.units import QUANTILES


def pinball(levels: Tensor, truth: Tensor, weights: Tensor, importance: Tensor | None = None) -> Tensor:
    """Return the weighted mean quantile loss.

    Args:
        levels: ``[…, 3]``, the quantiles of the log.
        truth: ``[…]``, the log of what came.
        weights: ``[…]``, 0 leaves a sample out.
        importance: Of each entry of the last axis of ``truth``, by which its losses are multiplied; ``None`` is 1.

    Raises:
        ValueError: Shapes differ.

    >>> round(float(pinball(torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([1.0]), torch.tensor([1.0]))), 4)
    0.7967
    """
    _same_shape(levels[..., 0], truth, weights)
    quantiles = torch.tensor(QUANTILES)
    error = truth[..., None] - levels
    loss = torch.maximum(quantiles * error, (quantiles - 1.0) * error).mean(dim=-1)
    if importance is not None:
        _same_shape(truth[(0,) * (truth.dim() - 1)], importance)
        loss = loss * importance
    return (weights * loss).sum() / weights.sum().clamp(min=1.0)


def _same_shape(*tensors: Tensor) -> None:
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if len(set(shapes)) > 1:
        raise ValueError(f"a loss needs equal shapes, got {', '.join(map(str, shapes))}; it does not broadcast")
