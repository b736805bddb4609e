"""Motions to read, and a network that was trained."""

import numpy as np
import pytest

from predictors.encoders.motion.encoder import KanEncoder
from predictors.encoders.motion.skeleton import JOINTS, Motion


@pytest.fixture(scope="session")
def shipped() -> KanEncoder:
    return KanEncoder.from_pretrained(device="cpu")


@pytest.fixture
def walking() -> Motion:
    """Return a body like a coat stand that glides a metre a second along +z for two seconds, at 20 Hz."""
    random = np.random.default_rng(0)
    body = random.normal(0.0, 0.3, (len(JOINTS), 3))
    body[:, 0] = np.where([name.startswith("left") for name in JOINTS], 0.2, 0.0)
    body[[name.startswith("right") for name in JOINTS], 0] = -0.2
    body[0] = 0.0
    path = np.zeros((41, 1, 3))
    path[:, 0, 2] = np.arange(41) / 20.0
    return Motion((body + path + [0.0, 1.0, 0.0]).astype(np.float32), 20.0, np.ones(len(JOINTS), dtype=bool))
