"""What training a panel's forecaster minimises, in units of the skip's error."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from metaverse_env.units import QUANTILES
from predictors.stgnn.panel.network import Outputs, PanelNet

MOST_ERRORS: Final = 5.0
"""Errors of the skip beyond which a sample pulls the mean no harder."""


def panel_loss(net: PanelNet, outputs: Outputs, levels: Tensor, weights: Tensor) -> Tensor:
    """Return the quantile loss of levels plus the bounded squared error of the mean's values, each over the skip's.

    Args:
        net: Whose skip it is.
        outputs: Forecasts.
        levels: ``[H, B, N, F]``, what came.
        weights: ``[H, B, N, F]``, 0 leaves a sample out.

    Raises:
        ValueError: Shapes differ; nothing is broadcast.
    """
    shapes = {tuple(part.shape) for part in (outputs.median, outputs.mean, levels, weights)}
    if len(shapes) > 1:
        raise ValueError(f"a loss needs equal shapes, got {sorted(shapes)}; it does not broadcast")
    quantiles = torch.cat([outputs.median[..., None], outputs.upper], dim=-1)
    error = (levels[..., None] - quantiles) / net.step[:, None, net.zones, :, None]
    shares = torch.tensor(QUANTILES, device=levels.device)
    pinball = torch.maximum(shares * error, (shares - 1.0) * error).sum(-1)
    distance = (net.values(outputs.mean) - net.values(levels)) / net.rms[:, None, net.zones]
    bounded = functional.huber_loss(distance, torch.zeros_like(distance), reduction="none", delta=MOST_ERRORS)
    total: Tensor = ((pinball + 0.5 * bounded) * weights).sum() / weights.sum().clamp(min=1.0)
    return total
