"""Training a panel's forecaster: members one after the other, stopped early, then gated on the validation part.

The loss is in units of the skip's error, the criterion in the features' own: what counts is by how much a forecast is
better than the skip. A gate is the share of a correction that is used; it takes the smallest whose gain is not clearly
less than the best one's (the one-standard-error rule), so what was learnt of noise is left out.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from metaverse_env.errors import PanelError
from metaverse_env.units import QUANTILES
from predictors.forecasting.selection import Linear, validation_origins
from predictors.forecasting.windows import Windows
from predictors.stgnn.panel.correction import MOST_LEARNED, GraphKind
from predictors.stgnn.panel.innovation import measure_innovation
from predictors.stgnn.panel.network import Outputs, PanelNet, TensorInputs

GATES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
EVALUATE_STEPS: Final = 100
_BATCH_ROWS: Final = 1024
_LEAST_ORIGINS: Final = 4
_VALIDATION_ROWS: Final = 40_000
STRETCHES: Final = tuple(2.0 ** (power / 4.0) for power in range(-4, 9))
"""Factors of the spreads that are tried: half to four times."""
_BLOCKS: Final = 10
"""Of validation time, between which the gain of a gate is compared."""
_MOST_ERRORS: Final = 5.0
"""Errors of the skip beyond which a sample pulls the mean no harder."""
_AVERAGE: Final = 0.998
"""Memory of the moving average of weights, which is what is judged and kept."""


@dataclass(frozen=True)
class Fitting:
    """How to train.

    Attributes:
        seed: Of weights and batches.
        members: Networks that are averaged.
        steps: At most, for each.
        minutes: At most, for all together.
        patience: Evaluations without gain before a member stops.
        rate: Learning rate at the start.
        hidden: Width; ``None`` takes 64, and 128 from 100 zones on.
        graph: ``None`` takes the panel's graph if it has one; to learn one of few hours is to learn noise.
        threads: Of torch.
    """

    seed: int = 0
    members: int = 3
    steps: int = 6_000
    minutes: float = 8.0
    patience: int = 12
    rate: float = 2e-3
    hidden: int | None = None
    graph: GraphKind | None = None
    threads: int = 1


class Report(NamedTuple):
    """How far the training is: the member, its step, and its error relative to the skip's, now and best."""

    member: int
    step: int
    ratio: float
    best: float


def fit(linear: Linear, settings: Fitting, report: Callable[[Report], None] = lambda report: None) -> PanelNet:
    """Train a forecaster that starts from ``linear``."""
    torch.set_num_threads(settings.threads)
    windows = linear.windows
    zones = windows.levels.shape[1]
    hidden = settings.hidden or (64 if zones < 100 else 128)
    net = PanelNet(
        linear, measure_innovation(linear), settings.members, hidden, choose_graph(windows, settings.graph),
        settings.seed,
    )  # fmt: skip
    judge = Judge(net, windows)
    for member in range(settings.members):
        _Trainer(net, windows, judge, settings, member).run(report)
    net.gates.copy_(judge.gates())
    net.stretch.copy_(judge.stretch())
    return net.eval()


def choose_graph(windows: Windows, wish: GraphKind | None) -> GraphKind:
    """Return along what zones hear each other: as wished, else along the panel's graph if it has one.

    Raises:
        PanelError: The wish is a graph that the panel does not have, or one to be learned of too many zones.
    """
    panel = windows.series.panel
    has_edges = panel.edge_index is not None and panel.edge_index.shape[1] > 0
    if wish == "given" and not has_edges:
        raise PanelError(f"panel {panel.source} has no edges to hear neighbours along; add edge_index, or use no graph")
    if wish == "learned" and len(panel.names) > MOST_LEARNED:
        raise PanelError(
            f"panel {panel.source} has {len(panel.names)} zones; a graph can be learned of {MOST_LEARNED} at most"
        )
    return wish or ("given" if has_edges else "none")


class Judge:
    """Judges a network on the validation part, in the features' units.

    Args:
        net: To judge.
        windows: With a validation part.
    """

    def __init__(self, net: PanelNet, windows: Windows) -> None:
        self._net, series = net, windows.series
        origins = validation_origins(windows)
        most = max(_BLOCKS, _VALIDATION_ROWS // windows.levels.shape[1])
        if len(origins) > most:
            origins = origins[np.linspace(0, len(origins) - 1, most).astype(int)]
        self._inputs = TensorInputs.of(windows.inputs(origins))
        levels, weights = windows.targets(origins, series.train_end, series.validation_end)
        self._truth = net.values(torch.from_numpy(levels))
        self._weights = torch.from_numpy(weights)
        self._skip = self.errors(0)[:, 0].sum(-1).clamp(min=1e-12)

    @torch.no_grad()
    def errors(self, member: int | None) -> Tensor:
        """Return summed errors ``[2, gates, H, F, blocks]``: absolute of the median, squared of the mean."""
        net = self._net.eval()
        outputs = net(self._inputs, member)
        found = []
        for gate in GATES:
            median = net.values(outputs.skip + gate * (outputs.median - outputs.skip)) - self._truth
            mean = net.values(outputs.skip + gate * (outputs.mean - outputs.skip)) - self._truth
            both = torch.stack([torch.abs(median), torch.square(mean)]) * self._weights
            found.append(torch.stack([part.sum((2, 3)) for part in both.tensor_split(_BLOCKS, dim=2)], dim=-1))
        return torch.stack(found, dim=1)

    def ratio(self, member: int) -> float:
        """Return the mean error relative to the skip's, each horizon and feature with its best gate."""
        best = (self.errors(member).sum(-1) / self._skip[:, None]).min(dim=1).values
        return float((best[0].mean() + best[1].sqrt().mean()) / 2.0)

    def gates(self) -> Tensor:
        """Return gates ``[2, H, F]`` for the average of all members, by the one-standard-error rule."""
        self._net.gates.fill_(1.0)
        errors = self.errors(None)
        best = errors.sum(-1).argmin(dim=1, keepdim=True)[..., None].expand(-1, -1, -1, -1, _BLOCKS)
        worse = errors - torch.gather(errors, 1, best)
        margin = worse.std(-1) * _BLOCKS**0.5
        good_enough = worse.sum(-1) <= margin
        return torch.tensor(GATES)[good_enough.float().argmax(dim=1)]

    @torch.no_grad()
    def stretch(self) -> Tensor:
        """Return factors ``[2, H, F]`` of the spreads, from median to .9 and on to .99, that cover best.

        A network is surer of what it has learnt than it should be; the validation part tells by how much.
        """
        net = self._net.eval()
        for place, share in enumerate(QUANTILES[1:]):
            losses = []
            for factor in STRETCHES:
                net.stretch[place] = factor
                error = self._truth - net.values(net(self._inputs).upper[..., place])
                pinball = torch.maximum(share * error, (share - 1.0) * error) * self._weights
                losses.append(pinball.sum((1, 2)))
            net.stretch[place] = torch.tensor(STRETCHES)[torch.stack(losses).argmin(dim=0)]
        return net.stretch.clone()


class _Trainer:
    """The training of one member."""

    def __init__(self, net: PanelNet, windows: Windows, judge: Judge, settings: Fitting, member: int) -> None:
        self._net, self._windows, self._judge, self._settings, self._member = net, windows, judge, settings, member
        self._part: Any = net.members[member]
        self._optimiser = torch.optim.AdamW(self._part.parameters(), lr=settings.rate, weight_decay=1e-2)
        self._average = {name: tensor.clone() for name, tensor in self._part.state_dict().items()}
        self._best, self._best_ratio, self._stale = dict(self._average), 1.0, 0
        self._random = np.random.default_rng([settings.seed, member])
        self._rms, self._step_size = net.rms[:, None, net.zones], net.step[:, None, net.zones]

    def run(self, report: Callable[[Report], None]) -> None:
        """Train until the last step, the time limit, or no gain; leave the best weights in the network."""
        torch.manual_seed(self._settings.seed + 1000 * self._member)
        started, limit = time.perf_counter(), 60.0 * self._settings.minutes / self._settings.members
        for step in range(1, self._settings.steps + 1):
            share = max(step / self._settings.steps, (time.perf_counter() - started) / limit)
            if share > 1.0 or self._stale >= self._settings.patience:
                break
            self._learn(step, 0.5 * (1.0 + np.cos(np.pi * share)))
            if step % EVALUATE_STEPS == 0:
                report(Report(self._member, step, self._evaluate(), self._best_ratio))
        self._part.load_state_dict(self._best)

    def _learn(self, step: int, share: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.rate * share
        series, zones = self._windows.series, self._windows.levels.shape[1]
        count = max(_LEAST_ORIGINS, _BATCH_ROWS // zones)
        origins = self._random.integers(0, max(series.train_end - min(self._windows.horizons), 1), count)
        inputs = TensorInputs.of(self._windows.inputs(origins))
        levels, weights = (torch.from_numpy(part) for part in self._windows.targets(origins, 0, series.train_end))
        self._net.train()
        outputs = self._net(inputs, self._member)
        loss = self._loss(outputs, levels, weights)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._part.parameters(), 1.0)
        self._optimiser.step()
        keep = min(_AVERAGE, step / (step + 20.0))
        for name, tensor in self._part.state_dict().items():
            self._average[name].lerp_(tensor, 1.0 - keep)

    def _loss(self, outputs: Outputs, levels: Tensor, weights: Tensor) -> Tensor:
        """Return quantile loss of levels plus bounded squared error of the mean's values, each over the skip's."""
        if outputs.median.shape != levels.shape:
            raise ValueError(f"forecast {tuple(outputs.median.shape)} and truth {tuple(levels.shape)} differ in shape")
        quantiles = torch.cat([outputs.median[..., None], outputs.upper], dim=-1)
        error = (levels[..., None] - quantiles) / self._step_size[..., None]
        shares = torch.tensor(QUANTILES)
        pinball = torch.maximum(shares * error, (shares - 1.0) * error).sum(-1)
        distance = (self._net.values(outputs.mean) - self._net.values(levels)) / self._rms
        bounded = functional.huber_loss(distance, torch.zeros_like(distance), reduction="none", delta=_MOST_ERRORS)
        total: Tensor = ((pinball + 0.5 * bounded) * weights).sum() / weights.sum().clamp(min=1.0)
        return total

    def _evaluate(self) -> float:
        """Judge the averaged weights; keep them if they are the best."""
        present = {name: tensor.clone() for name, tensor in self._part.state_dict().items()}
        self._part.load_state_dict(self._average)
        ratio = self._judge.ratio(self._member)
        self._part.load_state_dict(present)
        if ratio < self._best_ratio - 1e-4:
            self._best_ratio, self._stale = ratio, 0
            self._best = {name: tensor.clone() for name, tensor in self._average.items()}
        else:
            self._stale += 1
        return ratio
