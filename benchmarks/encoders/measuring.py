"""One encoder in a process of its own: how fast it is, beside how fast the machine is just then, and what it holds."""

import resource
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch

from benchmarks.encoders.samples import write_samples
from predictors.encoders import ENCODERS, load_encoder

_SIDE: Final = 768
"""Of the matrices whose product tells how fast the machine is."""
_PRODUCTS: Final = 8


def measure(
    name: str, where: str | None, count: int, rounds: int, batch_size: int, threads: int, device: str
) -> dict[str, Any]:
    """Load an encoder, let it encode files some times, and tell its figures.

    Call it in a fresh process: the most memory of a process counts from its start.

    Args:
        name: In the table of encoders.
        where: Its weights; ``None`` for its own.
        count: Files of its modality.
        rounds: How often it encodes all of them, after once to warm up.
        batch_size: Files together.
        threads: Of torch.
        device: As in :func:`predictors.encoders.devices.choose_device`.

    Returns:
        ``samples_per_s`` and ``cpu_s_per_sample`` (medians over the rounds), ``load_s``, ``peak_mb`` of the process,
        of which ``loaded_mb`` before the first sample, ``dimension``, ``version`` and ``machine_gflops``, of matrix
        products between the rounds on as many threads.

    Raises:
        MetaverseError: The encoder cannot be loaded.
    """
    torch.set_num_threads(threads)
    start_s = time.perf_counter()
    encoder = load_encoder(name, where, device=device, batch_size=batch_size)
    load_s, loaded_mb = time.perf_counter() - start_s, _peak_mb()
    with TemporaryDirectory() as folder:
        files = write_samples(ENCODERS[name].modality, count, Path(folder))
        encoder.encode(files)
        walls, cpus, gflops = [], [], []
        for _ in range(rounds):
            gflops.append(_gflops())
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            encoder.encode(files)
            walls.append(time.perf_counter() - wall_s)
            cpus.append(time.process_time() - cpu_s)
    return {
        "samples_per_s": count / median(walls),
        "cpu_s_per_sample": median(cpus) / count,
        "load_s": load_s,
        "peak_mb": _peak_mb(),
        "loaded_mb": loaded_mb,
        "dimension": encoder.dimension,
        "version": encoder.version,
        "machine_gflops": median(gflops),
    }


def _peak_mb() -> float:
    """Return the most memory that this process has held so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _gflops() -> float:
    """Return how many 10^9 operations a second matrix products in float32 do now."""
    matrix = torch.ones(_SIDE, _SIDE)
    start_s = time.perf_counter()
    for _ in range(_PRODUCTS):
        torch.mm(matrix, matrix)
    return 2.0 * _PRODUCTS * _SIDE**3 / (time.perf_counter() - start_s) / 1e9
