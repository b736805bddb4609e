"""Which random numbers a world uses next: a new seed's first episode, or the next episode of the seed it has."""

import secrets
from collections.abc import Sequence

import numpy as np

from metaverse_env.errors import ConfigurationError

Array = np.ndarray
_SEED_BITS = 64


def seed_worlds(
    records: Array, mask: Array, seeds: Sequence[int | None], noise_seeds: Sequence[int] | None = None
) -> None:
    """Write the seeds and episodes of the worlds that are about to start.

    Args:
        records: Record ``[W]`` WORLD_STATE; ``episode`` is -1 where there never was one.
        mask: ``bool [W]``, the worlds that start.
        seeds: ``W`` seeds; ``None`` goes on to the next episode of that world's last seed, or draws the first.
        noise_seeds: ``W`` seeds of the noise alone; where ``None``, a new seed is also that of the noise.

    Raises:
        ConfigurationError: Not ``W`` seeds, or one that is no whole number of 64 bits.
    """
    for what, values in (("seeds", seeds), ("noise seeds", noise_seeds)):
        if values is not None and len(values) != len(records):
            raise ConfigurationError(f"needs {len(records)} {what}, one per world, got {len(values)}")
    for index in np.flatnonzero(mask).tolist():
        record, seed = records[index], seeds[index]
        if seed is None and record["episode"] >= 0:
            record["episode"] += 1
        else:
            record["seed"] = record["noise_seed"] = secrets.randbits(32) if seed is None else _checked(seed)
            record["episode"] = 0
        if noise_seeds is not None:
            record["noise_seed"] = _checked(noise_seeds[index])


def _checked(seed: int) -> int:
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << _SEED_BITS:
        raise ConfigurationError(f"seed = {seed!r}; must be a whole number from 0 to 2^{_SEED_BITS} - 1, or None")
    return int(seed)
