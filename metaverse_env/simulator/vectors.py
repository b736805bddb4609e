"""Small loops over the resources, since assigning one array to another would allocate."""

from typing import Any

import numpy as np

from metaverse_env.compiling import compiled


@compiled
def copy(target: Any, source: Any) -> None:
    """Write every element of ``source`` into ``target``; both are one-dimensional."""
    for index in range(len(target)):
        target[index] = source[index]


@compiled
def fill(target: Any, value: float) -> None:
    """Write one value everywhere."""
    for index in np.ndindex(target.shape):
        target[index] = value
