"""What a container needs that was killed for using more memory than it had.

Source: ``RecordOOM`` in ``recommender/model/container.go`` of Kubernetes' autoscaler [V].
"""

from typing import Any, Final

import numpy as np

Array = np.ndarray
BUMP_RATIO: Final = 1.2
LEAST_BUMP_BYTES: Final = 104_857_600.0
"""100 MiB [V]."""


def bumped(
    request_bytes: Any, peak_bytes: Any, ratio: float = BUMP_RATIO, least_bytes: float = LEAST_BUMP_BYTES
) -> Array:
    """Return what a killed container is taken to need: 1.2 times, and 100 MiB more than, what it had or used.

    >>> float(bumped(2097152000, 0))
    2516582400.0
    """
    used = np.maximum(request_bytes, peak_bytes)
    needed: Array = np.maximum(used + least_bytes, np.trunc(used * ratio))
    return needed
