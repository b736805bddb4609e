"""The loop: seeded, saved at every look and at Ctrl-C, stopped early, and without pickle.

What a step draws depends on the seed and its number alone, so a run that was interrupted and resumed ends with the same
weights as one that was not.
"""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from metaverse_env.errors import ConfigurationError
from predictors.encoders.devices import choose_device, mixed_precision
from predictors.encoders.training.interrupting import interruption
from predictors.encoders.training.layout import MODEL
from predictors.encoders.training.learner import Learner
from predictors.encoders.training.randomness import own_randomness, seed_all
from predictors.encoders.training.resuming import check_same, fixed_settings
from predictors.encoders.training.schedule import places_of, rate_of
from predictors.stgnn.checkpoints import (
    CHECKPOINT,
    load_optimiser,
    optimiser_tensors,
    part,
    prefixed,
    read_checkpoint,
    write_checkpoint,
)

_LONGEST_GRADIENT: Final = 1.0
"""Norm to which gradients are cut [choice]."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        seed: Of the order of samples, of augmentation and of dropout.
        steps: At most.
        batch_size: Samples a step.
        rate: Learning rate at its peak, of AdamW.
        warmup_steps: Until the peak.
        decay: Weight decay.
        every: Steps between two looks at what is held out; at each the run is saved.
        patience: Looks without a better one before it stops.
        device: As in :func:`predictors.encoders.devices.choose_device`.
        threads: Of torch.
    """

    seed: int = 0
    steps: int = 1000
    batch_size: int = 8
    rate: float = 5e-5
    warmup_steps: int = 20
    decay: float = 0.05
    every: int = 50
    patience: int = 10
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "every", "patience", "threads"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} is {getattr(self, name)}; give at least 1")
        if not (math.isfinite(self.rate) and self.rate > 0.0):
            raise ConfigurationError(f"the learning rate is {self.rate}; give a positive number, such as 5e-5")


@dataclass
class Progress:
    """How far a run is: what is in the checkpoint beside tensors.

    Attributes:
        step: How many are done.
        best: The lowest watched figure so far.
        best_step: When it was seen.
        seconds: Spent on steps and looks.
        losses: Of the steps since the last look.
        looks: What was seen: ``step``, ``training`` (mean loss since the look before) and the learner's figures.
    """

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    looks: list[dict[str, float]] = field(default_factory=list)


Report = Callable[[Progress], None]


class Run:
    """The training of one encoder in one folder.

    Args:
        learner: What learns, from what.
        settings: How.
        folder: For the checkpoint and the model; made if absent.
        resume: Go on from the folder's checkpoint.

    Raises:
        ConfigurationError: There are no samples, or the device is not there.
        CheckpointError: There is none to go on from, it is damaged, or it was made of other data or settings.
    """

    def __init__(self, learner: Learner, settings: Settings, folder: Path, resume: bool = False) -> None:
        if learner.size < 1:
            raise ConfigurationError(f"{learner.kind}: there is no sample to learn from")
        self.learner, self.settings, self.folder = learner, settings, folder
        self.device = choose_device(settings.device)
        learner.net.to(self.device)
        trained = [parameter for parameter in learner.net.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, lr=settings.rate, weight_decay=settings.decay)
        self.progress = Progress()
        folder.mkdir(parents=True, exist_ok=True)
        if resume:
            self._load()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        looks = self.progress.looks
        stale = sum(look["step"] > self.progress.best_step for look in looks) >= self.settings.patience
        return self.progress.step >= self.settings.steps or stale

    def fit(self, report: Report = lambda progress: None) -> Path:
        """Train until the end or until nothing improves; return the folder of the best weights.

        Args:
            report: Called after every step.

        Raises:
            ConfigurationError: The loss is no finite number any more.
            KeyboardInterrupt: Ctrl-C, after the step was finished and the run saved.
        """
        torch.set_num_threads(self.settings.threads)
        with own_randomness(), interruption() as stop:
            while not self.over:
                started = time.perf_counter()
                self._step()
                look_now = self.progress.step % self.settings.every == 0 or self.progress.step >= self.settings.steps
                if look_now:
                    self._look()
                self.progress.seconds += time.perf_counter() - started
                report(self.progress)
                asked = stop.asked
                if look_now or asked:
                    self._save()
                if asked:
                    raise KeyboardInterrupt
        return self.folder / MODEL

    def _step(self) -> None:
        settings, step, net = self.settings, self.progress.step, self.learner.net
        for group in self.optimiser.param_groups:
            group["lr"] = rate_of(step, settings.steps, settings.warmup_steps, settings.rate)
        places = places_of(step, self.learner.size, settings.batch_size, settings.seed)
        random = seed_all(settings.seed, step)
        net.train()
        self.optimiser.zero_grad()
        with mixed_precision(self.device, training=True):
            loss = self.learner.loss(places, random)
        value = float(loss.detach())
        self._check_finite("loss", value)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), _LONGEST_GRADIENT)
        self.optimiser.step()
        self.progress.step += 1
        self.progress.losses.append(value)

    def _look(self) -> None:
        """Judge by what is held out; keep the weights if they are the best so far."""
        progress, learner = self.progress, self.learner
        learner.net.eval()
        with torch.inference_mode(), mixed_precision(self.device):
            figures = {name: float(value) for name, value in learner.validate().items()}
        self._check_finite(f"{learner.watched} of what is held out", figures[learner.watched])
        progress.looks.append({"step": progress.step, "training": float(np.mean(progress.losses)), **figures})
        progress.losses = []
        if figures[learner.watched] < progress.best:
            progress.best, progress.best_step = figures[learner.watched], progress.step
            self._keep()

    def _check_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise ConfigurationError(
                f"step {self.progress.step + 1}: the {what} is {value}; take a lower learning rate than "
                f"{self.settings.rate:g} (--lr). The best weights so far stay in {self.folder / MODEL}"
            )

    def _keep(self) -> None:
        """Write the model beside the old one and swap them, so that there is always a whole one."""
        fresh, old, kept = (self.folder / name for name in (f"{MODEL}.new", f"{MODEL}.old", MODEL))
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir()
        self.learner.save(fresh)
        if kept.exists():
            kept.rename(old)
        fresh.rename(kept)
        shutil.rmtree(old, ignore_errors=True)

    def _save(self) -> None:
        tensors = prefixed("net.", _unshared(self.learner.net)) | optimiser_tensors(self.optimiser)
        write_checkpoint(self.folder, tensors, {**self._identity(), "progress": asdict(self.progress)})

    def _identity(self) -> dict[str, Any]:
        """Return what a resumed run cannot change."""
        about = {"kind": self.learner.kind, "data": self.learner.data}
        return {"settings": fixed_settings(self.settings), **about}

    def _load(self) -> None:
        tensors, note = read_checkpoint(self.folder)
        path, now = self.folder / CHECKPOINT, self._identity()
        check_same(path, note.get("settings", {}), now.pop("settings"))  # first: another seed makes other data too
        check_same(path, note, now)
        self.progress = Progress(**{one.name: note["progress"][one.name] for one in fields(Progress)})
        self.learner.net.load_state_dict(part(tensors, "net."), strict=False)
        load_optimiser(self.optimiser, tensors)


def _unshared(net: nn.Module) -> dict[str, Tensor]:
    """Return the state of a net, weights that go by two names once: putting one back puts back both."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    state = {}
    for name, tensor in net.state_dict().items():
        key = tensor.data_ptr(), tuple(tensor.shape)
        if key not in seen or not tensor.numel():
            state[name] = tensor
        seen.add(key)
    return state
