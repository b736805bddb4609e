"""What a network is worth on the validation part: whether it still improves, and how much of it is used in the end.

The criterion is in the features' own units: what counts is by how much a forecast is better than the skip. A gate is
the share of a correction that is used; it is chosen as the skip is (:mod:`predictors.forecasting.choice`).
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from metaverse_env.units import QUANTILES
from predictors.forecasting.choice import BLOCKS, block_of, choose
from predictors.forecasting.selection import validation_origins
from predictors.forecasting.windows import Windows
from predictors.stgnn.panel.network import PanelNet, TensorInputs

GATES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
STRETCHES: Final = tuple(2.0 ** (power / 4.0) for power in range(-4, 9))
"""Factors of the spreads that are tried: half to four times."""
MOST_ROWS: Final = 40_000
"""Zone-ticks that are judged; more are thinned evenly."""
_LEAST_ERROR: Final = 1e-12


class Judge:
    """Judges a network on the validation part.

    Args:
        net: To judge.
        windows: With a validation part.
    """

    def __init__(self, net: PanelNet, windows: Windows) -> None:
        self._net, series = net, windows.series
        origins = validation_origins(windows)
        most = max(BLOCKS, MOST_ROWS // windows.levels.shape[1])
        if len(origins) > most:
            origins = origins[np.linspace(0, len(origins) - 1, most).astype(int)]
        device = net.skip.device
        self._inputs = TensorInputs.of(windows.inputs(origins), device)
        levels, weights = windows.targets(origins, series.train_end, series.validation_end)
        self._truth = net.values(torch.from_numpy(levels).to(device)).double()
        self._weights = torch.from_numpy(weights).to(device)
        blocks = [block_of(origins + ahead, series.train_end, series.validation_end) for ahead in windows.horizons]
        rows = functional.one_hot(torch.from_numpy(np.stack(blocks)), BLOCKS)
        self._rows = rows.to(device=device, dtype=torch.float64)
        self._counts = self._by_block(self._weights.double())
        self._skip = self.errors(0)[:, 0].sum((-1, -2)).clamp(min=_LEAST_ERROR)

    def _by_block(self, found: Tensor) -> Tensor:
        """Sum ``[H, B, N, F]`` over the origins of a block of time: ``[H, F, N, BLOCKS]``."""
        return torch.einsum("hbnf,hbk->hfnk", found, self._rows)

    @torch.no_grad()
    def errors(self, member: int | None) -> Tensor:
        """Return summed errors ``[2, gates, H, F, N, BLOCKS]``: absolute of the median, squared of the mean."""
        net = self._net.eval()
        outputs = net(self._inputs, member)
        found = []
        for gate in GATES:
            median = net.values(torch.lerp(outputs.skip[0], outputs.median, gate)) - self._truth
            mean = net.values(torch.lerp(outputs.skip[1], outputs.mean, gate)) - self._truth
            both = (torch.abs(median), torch.square(mean))
            found.append(torch.stack([self._by_block(part * self._weights) for part in both]))
        return torch.stack(found, dim=1)

    def ratio(self, member: int) -> float:
        """Return the mean error relative to the skip's, each horizon and feature with its best gate."""
        best = (self.errors(member).sum((-1, -2)) / self._skip[:, None]).min(dim=1).values
        return float((best[0].mean() + best[1].sqrt().mean()) / 2.0)

    def gates(self) -> Tensor:
        """Return gates ``[2, H, N + 1, F]`` for the average of all members; the last zone is an unknown one."""
        self._net.gates.fill_(1.0)
        errors, counts = self.errors(None).cpu().numpy(), self._counts.cpu().numpy()
        found = torch.empty(self._net.gates.shape)
        for which, h, f in np.ndindex(2, *counts.shape[:2]):
            shares = choose(errors[which, :, h, f], counts[h, f])
            found[which, h, :, f] = torch.from_numpy(shares @ np.array(GATES))
        return found

    @torch.no_grad()
    def stretch(self) -> Tensor:
        """Return factors ``[2, H, F]`` of the spreads, from median to .9 and on to .99, that cover best.

        A network is surer of what it has learnt than it should be; the validation part tells by how much.
        """
        net = self._net.eval()
        net.stretch.fill_(1.0)
        outputs = net(self._inputs)
        spreads = torch.diff(outputs.upper, dim=-1, prepend=outputs.median[..., None]).unbind(-1)
        base, found = outputs.median, []
        for share, spread in zip(QUANTILES[1:], spreads, strict=True):
            losses = torch.stack([self._pinball(base + factor * spread, share) for factor in STRETCHES])
            best = torch.tensor(STRETCHES)[losses.argmin(dim=0).cpu()]
            base = base + best.to(spread)[:, None, None] * spread
            found.append(best)
        return torch.stack(found)

    def _pinball(self, levels: Tensor, share: float) -> Tensor:
        """Return the summed quantile loss ``[H, F]`` of levels ``[H, B, N, F]``."""
        error = self._truth - self._net.values(levels)
        return (torch.maximum(share * error, (share - 1.0) * error) * self._weights).sum((1, 2))
