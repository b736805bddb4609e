"""Randomness of a step: from its seed and number alone, and without a trace outside."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_all(seed: int, step: int) -> np.random.Generator:
    """Seed what models draw from, and return a generator of one's own.

    Dropout asks torch; SpecAugment of Wav2Vec2 asks NumPy's old global generator.
    """
    random = np.random.default_rng([seed, 1, step])
    torch.manual_seed(int(random.integers(2**62)))
    np.random.seed(int(random.integers(2**32)))  # noqa: NPY002
    return random


@contextmanager
def own_randomness() -> Iterator[None]:
    """Leave the global generators as they were."""
    numpy_state = np.random.get_state()  # noqa: NPY002
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices=devices):
        yield
    np.random.set_state(numpy_state)  # noqa: NPY002
