"""How long a policy thinks."""

import time
from types import TracebackType
from typing import Self

import numpy as np

Array = np.ndarray


class DecisionClock:
    """Measures what it is entered around; see ``thinking`` of :func:`metaverse_env.recording.play`.

    >>> clock = DecisionClock()
    >>> for _ in range(4):
    ...     with clock:
    ...         pass
    >>> clock.decisions_ms.shape  # the first was the policy's reset, the second its first decision
    (2,)
    """

    def __init__(self) -> None:
        self._start_s = 0.0
        self._spent_s: list[float] = []

    def __enter__(self) -> Self:
        self._start_s = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._spent_s.append(time.perf_counter() - self._start_s)

    @property
    def decisions_ms(self) -> Array:
        """``[T - 1]``: wall time of each decision but the first, which may compile, ms; of a single one, that one."""
        return 1e3 * np.array(self._spent_s[2:] or self._spent_s[1:], dtype=np.float64)
