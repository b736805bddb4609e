"""One training loop for both networks: seeded, resumable after every epoch, stopped early, and without pickle.

What an epoch draws depends on the seed and its number alone, so a run that was interrupted and resumed ends with the
same weights as one that was not.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from metaverse_env.errors import CheckpointError
from predictors.stgnn.checkpoints import (
    CHECKPOINT,
    load_optimiser,
    optimiser_tensors,
    part,
    prefixed,
    read_checkpoint,
    write_checkpoint,
)
from predictors.stgnn.data import Recording
from predictors.stgnn.task import Task

_FINAL_RATE: Final = 0.02
"""Share of the learning rate at the end of its cosine."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        seed: Of weights and batches.
        epochs: At most.
        rate: Learning rate at the start.
        patience: Epochs without a better validation loss before it stops.
        minutes: At most; ``None`` has no limit, and only then is a run reproducible.
        threads: Of torch.
    """

    seed: int = 0
    epochs: int = 60
    rate: float = 3e-3
    patience: int = 15
    minutes: float | None = None
    threads: int = 1


@dataclass
class Progress:
    """How far a run is: what is in the checkpoint beside tensors."""

    epoch: int = 0
    best_loss: float = math.inf
    best_epoch: int = 0
    seconds: float = 0.0
    training: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()


def words_of(now: Progress, epochs: int) -> str:
    """Say how far a training is."""
    return f"epoch {now.epoch}/{epochs}, loss {now.validation[-1]:.4f}, best {now.best_loss:.4f}"


class Run:
    """The training of one network in one folder.

    Args:
        task: What to learn.
        settings: How.
        folder: For checkpoints; made if absent.
        resume: Go on from the folder's checkpoint.

    Raises:
        CheckpointError: There is none to go on from, it is damaged, or it was made with other settings.
    """

    def __init__(self, task: Task[Any], settings: Settings, folder: Path, resume: bool = False) -> None:
        self.task, self.settings, self.folder = task, settings, folder
        torch.manual_seed(settings.seed)
        self.net: nn.Module = task.build()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=settings.rate, weight_decay=1e-4)
        self.progress = Progress()
        self.best = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        folder.mkdir(parents=True, exist_ok=True)
        if resume:
            self._load()

    def fit(
        self,
        training: Sequence[Recording],
        validation: Sequence[Recording],
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> nn.Module:
        """Train until the end, the time limit, or no gain; return the network with the best weights.

        Args:
            training: To learn from.
            validation: Of other seeds.
            report: Called after every epoch.
        """
        torch.set_num_threads(self.settings.threads)
        random = np.random.default_rng(0)
        held_out = [self.task.sample([part], random) for part in validation for _ in range(8)]
        while not self.over:
            started = time.perf_counter()
            self._epoch(training, held_out)
            self.progress.seconds += time.perf_counter() - started
            self._save()
            report(self.progress)
        self.net.load_state_dict(self.best)
        return self.net.eval()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        progress, settings = self.progress, self.settings
        stale = progress.epoch - progress.best_epoch >= settings.patience
        return progress.epoch >= settings.epochs or stale or self._share_of_time() >= 1.0

    def _share_of_time(self) -> float:
        return 0.0 if self.settings.minutes is None else self.progress.seconds / (60.0 * self.settings.minutes)

    def _epoch(self, training: Sequence[Recording], held_out: Sequence[dict[str, Tensor]]) -> None:
        progress, settings = self.progress, self.settings
        done = max(progress.epoch / settings.epochs, self._share_of_time())
        rate = settings.rate * (_FINAL_RATE + (1.0 - _FINAL_RATE) * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        random = np.random.default_rng([settings.seed, progress.epoch])
        self.net.train()
        total = sum(self._step(self.task.sample(training, random)) for _ in range(self.task.steps))
        with torch.no_grad():
            loss = float(np.mean([float(self.task.loss(self.net.eval(), batch)) for batch in held_out]))
        progress.epoch += 1
        progress.training = (*progress.training, total / self.task.steps)
        progress.validation = (*progress.validation, loss)
        if loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = loss, progress.epoch
            self.best = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}

    def _step(self, batch: dict[str, Tensor]) -> float:
        self.optimiser.zero_grad()
        loss = self.task.loss(self.net, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        return float(loss.detach())

    def _save(self) -> None:
        tensors = prefixed("net.", self.net.state_dict()) | prefixed("best.", self.best)
        note = {"kind": self.task.kind, "variant": self.task.variant, "settings": self._fixed_settings()}
        note["progress"] = asdict(self.progress)
        write_checkpoint(self.folder, tensors | optimiser_tensors(self.optimiser), note)

    def _fixed_settings(self) -> dict[str, Any]:
        """Return the settings that a resumed run cannot change."""
        return {name: value for name, value in asdict(self.settings).items() if name not in ("minutes", "threads")}

    def _load(self) -> None:
        tensors, note = read_checkpoint(self.folder)
        made = note["kind"], note.get("variant", "full"), note["settings"]
        asked = self.task.kind, self.task.variant, self._fixed_settings()
        if made != asked:
            raise CheckpointError(
                f"{self.folder / CHECKPOINT} was made with {' '.join(map(str, made))}, not "
                f"{' '.join(map(str, asked))}; use the same"
            )
        self.progress = Progress(**{name: _frozen(value) for name, value in note["progress"].items()})
        self.net.load_state_dict(part(tensors, "net."))
        self.best = part(tensors, "best.")
        load_optimiser(self.optimiser, tensors)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
