"""Fusions and samples for tests."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from predictors.encoders.collecting import Signals
from predictors.encoders.fusion.runtime import Fusion, FusionCard, Maker, write_card

Array = np.ndarray


def tiny_weights() -> dict[str, Array]:
    """Weights that can be followed by hand: images of 2 numbers, speech of 1, intents of 2."""
    image = {
        "mean": [1.0, 0.0], "scale": [1.0, 2.0], "inner.weight": [[1.0, 0.0], [0.0, 1.0]], "inner.bias": [0.0, 0.0],
        "outer.weight": [[1.0, 0.0], [0.0, 2.0]], "outer.bias": [0.5, 0.0],
    }  # fmt: skip
    speech = {
        "mean": [0.0], "scale": [1.0], "inner.weight": [[1.0]], "inner.bias": [0.0], "outer.weight": [[1.0], [1.0]],
        "outer.bias": [0.0, 0.0],
    }  # fmt: skip
    tensors = {f"image.{name}": values for name, values in image.items()}
    tensors |= {f"speech.{name}": values for name, values in speech.items()}
    tensors |= {"now.weight": [[2.0, 0.0], [0.0, 2.0]], "now.bias": [0.0, 0.0]}
    return {name: np.array(values, dtype=np.float32) for name, values in tensors.items()}


def tiny_fusion(folder: Path, **changes: Any) -> Fusion:
    stem = folder / "tiny"
    save_file({**tiny_weights(), **changes}, stem.with_suffix(".safetensors"))
    makers = {"image": Maker("seer", "1", 2), "speech": Maker("hearer", "2", 1)}
    write_card(FusionCard(makers, ("calm", "loud"), 2), stem)
    return Fusion(stem)


def clustered(
    activities: tuple[str, ...],
    samples: int,
    seed: int,
    noise: float = 0.7,
    modalities: tuple[str, ...] = ("image", "speech"),
) -> Signals:
    """Samples around one point an activity and modality; the points are the same for every seed."""
    places, random = np.random.default_rng(99), np.random.default_rng(seed)
    embeddings = {}
    for width, name in zip((40, 24, 16), modalities, strict=False):
        centres = places.normal(size=(len(activities), 1, width))
        embeddings[name] = (centres + noise * random.normal(size=(len(activities), samples, width))).astype(np.float32)
    files = {name: [[f"{activity}/{n}" for n in range(samples)] for activity in activities] for name in embeddings}
    makers = {name: Maker(f"{name}-reader", "1", rows.shape[-1]) for name, rows in embeddings.items()}
    return Signals(activities, embeddings, files, files, makers, {})
