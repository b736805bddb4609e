"""Sound that is already in memory."""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Waveform:
    """Sound as numbers; a raw sample that speech encoders take beside files and their bytes.

    Attributes:
        samples: ``[n]`` or ``[n, channels]``; floats with full scale at 1, or integers, which are scaled by the range
            of their type (unsigned ones are centred on its middle, as in 8-bit WAV files).
        rate_hz: Samples a second, Hz.
    """

    samples: Array
    rate_hz: float
