"""What a fusion is worth beside its rivals: the same heads, trained with the same effort on each one's intents.

Rivals are the embeddings side by side as they are, their principal components, and no intents at all. All figures are
of samples and worlds from which nothing was learnt; intervals are over those worlds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from predictors.encoders.bank import DIMENSIONS, Components
from predictors.encoders.collecting import Signals
from predictors.encoders.fusion.learner import Lesson
from predictors.encoders.fusion.net import Heads, heads_loss, moments, pooled
from predictors.encoders.fusion.runtime import Fusion
from predictors.encoders.fusion.worlds import AHEAD_TICKS
from predictors.forecasting.progress import Report, silent

Array = np.ndarray
Vectors = Callable[[str, Array], Array]
"""From a modality and its embeddings ``[..., d]`` to vectors ``[..., E]``."""

HEAD_STEPS: Final = 600
HEAD_BATCH: Final = 256
HEAD_RATE: Final = 3e-3
SEEDS: Final = 3
"""Heads of each rival, trained from as many first weights; their errors are averaged."""
RESAMPLES: Final = 2_000
FIGURES: Final = (
    "activity now",
    *(f"activity +{tick}" for tick in AHEAD_TICKS),
    *(f"cpu +{tick}" for tick in AHEAD_TICKS),
    *(f"bandwidth +{tick}" for tick in AHEAD_TICKS),
)
"""Shares of moments whose activity is told wrongly, and absolute errors of the log of demand over the use observed."""


class Concatenation:
    """Embeddings side by side, standardised; a modality that is missing is at its mean.

    Args:
        embeddings: By modality ``[samples, d]``, to learn means and spreads from.
    """

    def __init__(self, embeddings: Mapping[str, Array]) -> None:
        self._known = {name: (rows.mean(axis=0), rows.std(axis=0) + 1e-3) for name, rows in embeddings.items()}

    def vectors(self, modality: str, embeddings: Array) -> Array:
        """Return ``float32 [..., all dimensions together]``."""
        parts = [np.zeros((*embeddings.shape[:-1], len(mean))) for mean, _ in self._known.values()]
        mean, spread = self._known[modality]
        parts[list(self._known).index(modality)] = (embeddings - mean) / spread
        found: Array = np.concatenate(parts, axis=-1).astype(np.float32)
        return found


def nothing(modality: str, embeddings: Array) -> Array:
    """Return vectors that say nothing: what is known where nobody listens."""
    return np.zeros((*embeddings.shape[:-1], 1), dtype=np.float32)


def compare(
    fusion: Fusion, lesson: Lesson, test: Lesson, steps: int = HEAD_STEPS, seeds: int = SEEDS, report: Report = silent
) -> dict[str, Any]:
    """Judge a fusion and its rivals.

    Args:
        fusion: Trained on the lesson.
        lesson: What heads learn from.
        test: Samples and worlds that nothing was learnt from.
        steps: Of the heads' training.
        seeds: Heads of each rival.
        report: Told the share that is done.

    Returns:
        By name ``mean``, ``low`` and ``high`` of each of :data:`FIGURES`, and ``gain``, ``gain_low``, ``gain_high``:
        by what share the errors are below those without intents. ``single`` is the share of single signals of each
        modality whose activity the fusion's own head tells; :func:`.encoding.picture.nearest_activities` asks for less,
        the nearest mean of other samples of the same bank.
    """
    flat = lesson.signals.flat()
    rivals: dict[str, Vectors] = {
        "fusion": fusion.vectors,
        "principal components": Components(flat, min(DIMENSIONS, lesson.signals.size - len(flat))).vectors,
        "concatenation": Concatenation(flat).vectors,
        "no intents": nothing,
    }
    errors: dict[str, Array] = {}
    for place, (name, vectors) in enumerate(rivals.items()):
        runs = []
        for seed in range(seeds):
            report((place + seed / seeds) / len(rivals), f"heads {seed + 1} of {seeds} on {name}")
            runs.append(_errors(vectors, lesson, test, steps, seed))
        errors[name] = np.mean(runs, axis=0)
    return {
        "figures": {name: _summed_up(found, errors["no intents"]) for name, found in errors.items()},
        "single": single_signals(fusion, test.signals),
        "moments": len(test.experience.now),
        "worlds": int(test.experience.world.max()) + 1,
    }


def single_signals(fusion: Fusion, signals: Signals) -> dict[str, float]:
    """Return which share of single samples the fusion puts to their activity, by modality."""
    truth = np.arange(len(signals.activities))[:, None]
    return {
        name: round(float((fusion.activity(fusion.vectors(name, rows)).argmax(axis=-1) == truth).mean()), 4)
        for name, rows in signals.embeddings.items()
    }


def _errors(vectors: Vectors, lesson: Lesson, test: Lesson, steps: int, seed: int) -> Array:
    """Return errors ``[worlds, figures]`` of heads that were trained on a rival's intents."""
    seen, asked = (_stacked(vectors, one.signals) for one in (lesson, test))
    heads = _trained(seen, lesson, steps, seed)
    batch = moments(test.experience)
    with torch.inference_mode():
        now, later, growth = heads(pooled(batch["shares"], asked), batch["context"])
        wrong = torch.cat([(now.argmax(dim=1) != batch["now"])[:, None], later.argmax(dim=2) != batch["later"]], dim=1)
        off = (growth - batch["growth"]).abs()
        found = torch.cat([wrong.float(), off[:, :, 0], off[:, :, 1]], dim=1).numpy()
    world = test.experience.world
    return np.stack([found[world == one].mean(axis=0) for one in range(int(world.max()) + 1)])


def _stacked(vectors: Vectors, signals: Signals) -> Tensor:
    return torch.from_numpy(np.concatenate([vectors(name, rows) for name, rows in signals.flat().items()]))


def _trained(vectors: Tensor, lesson: Lesson, steps: int, seed: int) -> Heads:
    """Train heads on intents that stay as they are."""
    torch.manual_seed(seed)
    context = lesson.experience.context
    known = np.stack([context.mean(axis=0), context.std(axis=0) + 1e-6])
    heads = Heads(vectors.shape[1], len(lesson.signals.activities), known)
    optimiser = torch.optim.AdamW(heads.parameters(), lr=HEAD_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    random = np.random.default_rng(seed)
    for _ in range(steps):
        batch = moments(lesson.experience, random.integers(len(lesson.experience.now), size=HEAD_BATCH))
        optimiser.zero_grad()
        loss = heads_loss(heads(pooled(batch["shares"], vectors), batch["context"]), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return heads.eval()


def _summed_up(errors: Array, without: Array, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return mean errors, and gains over no intents, with 95 % percentile intervals over worlds drawn in pairs."""
    picks = np.random.default_rng(seed).integers(0, len(errors), size=(RESAMPLES, len(errors)))
    drawn, base = errors[picks].mean(axis=1), without[picks].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    gain_low, gain_high = np.quantile(1.0 - drawn / base, (0.025, 0.975), axis=0)
    rows: Sequence[tuple[str, Array]] = (
        ("mean", errors.mean(axis=0)), ("low", low), ("high", high),
        ("gain", 1.0 - errors.mean(axis=0) / without.mean(axis=0)), ("gain_low", gain_low), ("gain_high", gain_high),
    )  # fmt: skip
    return {key: {name: round(float(row[place]), 4) for place, name in enumerate(FIGURES)} for key, row in rows}
