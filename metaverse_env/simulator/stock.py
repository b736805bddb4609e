"""Arrays that every tick needs anew, without the cost of making them anew."""

import itertools
import math
import sys
from typing import Any, Final

import numpy as np

Array = np.ndarray

_SPARE: Final = 3
"""Ticks whose arrays are in use at a time: the one being written, the last, and the one that trends look back to."""


def _references_of_an_unused_one() -> int:
    """Return how many references an array shows that only its stock holds: it differs between versions of Python."""
    arrays, found = [np.empty(0)], 0
    for array in arrays:  # counted in the very way that a stock counts
        found = sys.getrefcount(array)
    return found


_UNUSED: Final = _references_of_an_unused_one()


class Stock:
    """Arrays that every tick needs anew, made in one piece of memory; those that nobody holds any more are used again.

    So what is kept of a tick, be it a view of one column, is never overwritten, and for who keeps nothing no memory is
    allocated, which would take a third as long as the physics of a small world. Whoever takes arrays fills them.

    Args:
        *kinds: ``(axes, dtype)`` of each: how many axes of the shape it has; the most strictly aligned first.

    >>> stock = Stock((2, np.dtype("f4")), (1, np.dtype("f4")))
    >>> users, ready = stock.take((2, 3))
    >>> users.shape, ready.shape
    ((2, 3), (2,))
    """

    def __init__(self, *kinds: tuple[int, np.dtype]) -> None:
        self._kinds = kinds
        self._shape: tuple[int, ...] = ()
        self._made: list[list[Array]] = []

    def take(self, shape: tuple[int, ...]) -> tuple[Array, ...]:
        """Return arrays that nobody else holds."""
        if shape != self._shape:
            self._shape, self._made = shape, [self._make(shape) for _ in range(_SPARE)]
        arrays = self._made.pop(0)
        for array in arrays:
            if sys.getrefcount(array) > _UNUSED:
                arrays = self._make(shape)
                break
        self._made.append(arrays)
        return tuple(arrays)

    def _make(self, shape: tuple[int, ...]) -> list[Array]:
        sizes = [math.prod(shape[:axes]) * dtype.itemsize for axes, dtype in self._kinds]
        memory, starts = bytearray(sum(sizes)), itertools.accumulate(sizes, initial=0)
        # Not over an array: a view of a view would keep that one alive, and its own array would look unused.
        plan = zip(self._kinds, starts, strict=False)
        return [np.ndarray(shape[:axes], dtype, memory, start) for (axes, dtype), start in plan]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_shape": (), "_made": []}
