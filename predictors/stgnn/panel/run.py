"""The training of one panel's forecaster: resumable after every round, stopped early, without pickle.

What a round of steps draws depends on the seed, the member and the round alone, so a run that was interrupted and
resumed ends with the same weights as one that was not.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from metaverse_env.errors import CheckpointError
from predictors.forecasting.selection import Linear
from predictors.stgnn.checkpoints import (
    CHECKPOINT,
    load_optimiser,
    optimiser_tensors,
    part,
    prefixed,
    read_checkpoint,
    write_checkpoint,
)
from predictors.stgnn.panel.fitting import Fitting, build
from predictors.stgnn.panel.judge import Judge
from predictors.stgnn.panel.loss import panel_loss
from predictors.stgnn.panel.network import PanelNet, TensorInputs

ROUND_STEPS: Final = 100
"""Steps between two judgements."""
_BATCH_ROWS: Final = 1024
"""Zone-ticks of a step."""
_LEAST_ORIGINS: Final = 4
_LEAST_GAIN: Final = 1e-4
_AVERAGE: Final = 0.998
"""Memory of the moving average of weights, which is what is judged and kept."""
_YOUNG: Final = 20.0
"""Steps after which that memory is half a step's share of its final one, so that it forgets how it began."""


@dataclass
class Progress:
    """How far a run is: what is in the checkpoint beside tensors.

    Attributes:
        member: Which is being trained.
        step: Of it.
        stale: Its rounds without gain.
        best: Its best error relative to the skip's.
        seconds: It has been trained.
        losses: For each member, of each round: the mean loss.
        ratios: For each member, of each round: the error on the validation part relative to the skip's.
    """

    member: int = 0
    step: int = 0
    stale: int = 0
    best: float = 1.0
    seconds: float = 0.0
    losses: list[list[float]] = field(default_factory=lambda: [[]])
    ratios: list[list[float]] = field(default_factory=lambda: [[]])

    def next_member(self, members: int) -> None:
        """Go on to the next of so many members."""
        self.member, self.step, self.stale, self.best, self.seconds = self.member + 1, 0, 0, 1.0, 0.0
        if self.member < members:
            self.losses.append([])
            self.ratios.append([])


class PanelRun:
    """The training of one network.

    Args:
        linear: What it starts from.
        settings: How to train.
        folder: For checkpoints, which exists; ``None`` keeps none.
        resume: Go on from the folder's checkpoint.
        fixed: What else must be the same in a run that is resumed.

    Raises:
        CheckpointError: There is none to go on from, it is damaged, or it was made with other settings.
    """

    def __init__(
        self, linear: Linear, settings: Fitting, folder: Path | None = None, *, resume: bool = False, fixed: Any = None
    ) -> None:
        torch.set_num_threads(settings.threads)
        self.settings, self._folder, self._fixed = settings, folder, fixed
        self._windows = linear.windows
        self.net: PanelNet = build(linear, settings)
        self._judge = Judge(self.net, linear.windows)
        self.progress = Progress()
        self.fewest_steps = 0
        """Of a member that the limit of time ended here; 0 if it ended none."""
        self._begin_member()
        if resume and folder is not None:
            self._load(folder)

    def fit(self, report: Callable[[Progress], None] = lambda progress: None) -> PanelNet:
        """Train what is left to train; return the network with its best weights and gates.

        Args:
            report: Called after every round.
        """
        while self.progress.member < self.settings.members:
            while not self.member_over:
                self._round()
                self._save()
                report(self.progress)
            self._member.load_state_dict(self._best)
            self._note_stop()
            self.progress.next_member(self.settings.members)
            if self.progress.member < self.settings.members:
                self._begin_member()
            self._save()
        self.net.gates.copy_(self._judge.gates())
        self.net.stretch.copy_(self._judge.stretch())
        return self.net.eval()

    @property
    def share_done(self) -> float:
        """How much of the member's training is done, from 0 to 1."""
        return min(max(self.progress.step / self.settings.steps, self._share_of_time(self.progress.seconds)), 1.0)

    @property
    def member_over(self) -> bool:
        """Whether there is nothing left to do for the member."""
        return self.progress.stale >= self.settings.patience or self.share_done >= 1.0

    def _note_stop(self) -> None:
        steps = self.progress.step
        if self.progress.stale < self.settings.patience and steps < self.settings.steps:
            self.fewest_steps = min(steps, self.fewest_steps or steps)

    def _share_of_time(self, seconds: float) -> float:
        minutes, members = self.settings.minutes, self.settings.members
        return 0.0 if minutes is None else seconds * members / (60.0 * minutes)

    def _begin_member(self) -> None:
        self._member: Any = self.net.members[self.progress.member]
        self._optimiser = torch.optim.AdamW(self._member.parameters(), lr=self.settings.rate, weight_decay=1e-2)
        self._average = {name: tensor.clone() for name, tensor in self._member.state_dict().items()}
        self._best = {name: tensor.clone() for name, tensor in self._average.items()}

    def _round(self) -> None:
        """Train some steps and judge the averaged weights; they are kept if they are the best."""
        progress, started = self.progress, time.perf_counter()
        key = [self.settings.seed, progress.member, progress.step]
        random = np.random.default_rng(key)
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        losses = []
        for step in range(progress.step, min(progress.step + ROUND_STEPS, self.settings.steps)):
            seconds = progress.seconds + time.perf_counter() - started
            share = max(step / self.settings.steps, self._share_of_time(seconds))
            if share >= 1.0:
                break
            losses.append(self._step(random, step, share))
        progress.step += len(losses)
        ratio = self._ratio_of_average()
        progress.losses[-1].append(float(np.mean(losses)) if losses else float("nan"))
        progress.ratios[-1].append(ratio)
        progress.seconds += time.perf_counter() - started
        progress.stale += 1
        if ratio < progress.best - _LEAST_GAIN:
            progress.best, progress.stale = ratio, 0
            self._best = {name: tensor.clone() for name, tensor in self._average.items()}

    def _step(self, random: np.random.Generator, step: int, share: float) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.rate * 0.5 * (1.0 + np.cos(np.pi * share))
        inputs, levels, weights = self._batch(random)
        self.net.train()
        loss = panel_loss(self.net, self.net(inputs, self.progress.member), levels, weights)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._member.parameters(), 1.0)
        self._optimiser.step()
        keep = min(_AVERAGE, (step + 1.0) / (step + 1.0 + _YOUNG))
        for name, tensor in self._member.state_dict().items():
            self._average[name].lerp_(tensor, 1.0 - keep)
        return float(loss.detach())

    def _batch(self, random: np.random.Generator) -> tuple[TensorInputs, Tensor, Tensor]:
        """Return inputs at random origins, and levels and weights of their targets in the training part."""
        windows, device = self._windows, self.net.skip.device
        end = windows.series.train_end
        count = max(_LEAST_ORIGINS, _BATCH_ROWS // windows.levels.shape[1])
        origins = random.integers(0, end - min(windows.horizons), count)
        levels, weights = windows.targets(origins, 0, end)
        inputs = TensorInputs.of(windows.inputs(origins), device)
        return inputs, torch.from_numpy(levels).to(device), torch.from_numpy(weights).to(device)

    def _ratio_of_average(self) -> float:
        present = {name: tensor.clone() for name, tensor in self._member.state_dict().items()}
        self._member.load_state_dict(self._average)
        ratio = self._judge.ratio(self.progress.member)
        self._member.load_state_dict(present)
        return ratio

    def _note(self) -> dict[str, Any]:
        """Return what a resumed run cannot change."""
        free = ("minutes", "threads")
        settings = {name: value for name, value in asdict(self.settings).items() if name not in free}
        return {"settings": settings, "fixed": self._fixed}

    def _save(self) -> None:
        if self._folder is None:
            return
        tensors = prefixed("members.", self.net.members.state_dict())
        tensors |= prefixed("average.", self._average) | prefixed("best.", self._best)
        tensors |= optimiser_tensors(self._optimiser)
        write_checkpoint(self._folder, tensors, self._note() | {"progress": asdict(self.progress)})

    def _load(self, folder: Path) -> None:
        tensors, note = read_checkpoint(folder)
        wanted = self._note()
        for name, value in wanted.items():
            if note.get(name) != value:
                raise CheckpointError(
                    f"{folder / CHECKPOINT} was made with other {name}: {note.get(name)}, not {value}; use the same, "
                    "or leave --resume out"
                )
        self.progress = Progress(**note["progress"])
        if self.progress.member < self.settings.members:
            self._begin_member()
        self.net.members.load_state_dict(part(tensors, "members."))
        device = self.net.skip.device
        self._average = {name: tensor.to(device) for name, tensor in part(tensors, "average.").items()}
        self._best = {name: tensor.to(device) for name, tensor in part(tensors, "best.").items()}
        load_optimiser(self._optimiser, tensors)
