"""Many worlds on several cores: blocks of the batch, each stepped by a thread without the interpreter lock."""

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import Any, Final

WORLDS_PER_BLOCK: Final = 128
"""Below twice as many worlds, threads cost more than they win."""


@lru_cache(maxsize=1)
def _executor(process: int, threads: int) -> ThreadPoolExecutor:
    """Return this process's threads; a forked child, which inherits none, makes its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="metaverse")


@lru_cache(maxsize=16)
def blocks(worlds: int, cores: int) -> tuple[slice, ...]:
    """Return how a batch is divided: at most one block per core, none smaller than :data:`WORLDS_PER_BLOCK`.

    >>> blocks(1000, 2), blocks(100, 2)
    ((slice(0, 500, None), slice(500, 1000, None)), (slice(0, 100, None),))
    """
    count = max(1, min(cores, worlds // WORLDS_PER_BLOCK))
    edges = [worlds * n // count for n in range(count + 1)]
    return tuple(slice(first, last) for first, last in itertools.pairwise(edges))


def usable_cores() -> int:
    """Return how many cores this process may use; where that cannot be known, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_worlds(function: Callable[..., Any], batched: Sequence[Any], fixed: Sequence[Any]) -> None:
    """Call ``function(*batched, *fixed)``, for large batches in blocks at the same time; errors are raised here.

    Args:
        function: Compiled, without the interpreter lock, and without a result.
        batched: Arrays whose leading axis is the worlds; each block gets its slice of every one.
        fixed: Arguments that every block gets whole.
    """
    worlds = len(batched[0])
    if worlds < 2 * WORLDS_PER_BLOCK:
        function(*batched, *fixed)
        return

    def work(part: slice) -> None:
        function(*(array[part] for array in batched), *fixed)

    cores = usable_cores()
    own, *others = blocks(worlds, cores)
    elsewhere = [_executor(os.getpid(), cores).submit(work, part) for part in others]
    try:
        work(own)  # this thread would only wait, and waking one more costs as much as many zones
    finally:
        wait(elsewhere)
    for future in elsewhere:
        future.result()
