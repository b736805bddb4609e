"""What a network sees of a motion: a row of numbers a frame, in windows of some seconds.

Rows are the same wherever a body stands, whichever way it looks and however tall it is: positions are seen from the
pelvis in the direction of its heading, lengths are divided by the size of the body, the rate is one. Absent joints are
zeros after standardising, as if they were where they are on average.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from predictors.encoders.motion.invariant import LEG_M
from predictors.encoders.motion.skeleton import (
    JOINT,
    Motion,
    heading_aligned,
    headings,
    leg_length_m,
    resampled,
    velocities,
)

Array = np.ndarray
RATE_HZ: Final = 12.5
"""Frames a second that the network sees: the lowest rate of the known layouts, KIT-ML's [choice]."""
WINDOW: Final = 32
"""Frames of a window, 2.56 s: a few steps, one jump [choice]."""
SEEN: Final = (
    "left_hip", "right_hip", "spine2", "neck", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
"""Joints that the network sees: all that every layout has, but the pelvis, which is the origin."""
_PLACES: Final = [JOINT[name] for name in SEEN]
FEATURES: Final = (
    "height", "speed_aside", "speed_up", "speed_ahead", "turning",
    *(f"{name}_{axis}" for name in SEEN for axis in "xyz"),
    *(f"{name}_v{axis}" for name in SEEN for axis in "xyz"),
)  # fmt: skip
"""Columns: of the root in sizes, sizes/s and rad/s, then positions in sizes, then velocities in sizes/s."""
_ROOT: Final = 5


def features_of(motion: Motion) -> tuple[Array, Array]:
    """Return what the network sees of a motion.

    Returns:
        ``float32 [frames at 12.5 Hz, 89]`` in the order of :data:`FEATURES`, and ``bool [89]``, which columns the
        layout has.
    """
    motion = _standing(resampled(motion, RATE_HZ))
    heading = headings(motion)
    root = motion.positions[:, 0]
    local = heading_aligned(motion.positions[:, _PLACES] - root[:, np.newaxis], heading)
    speed = heading_aligned(velocities(root, RATE_HZ)[:, np.newaxis], heading)[:, 0]
    joints = heading_aligned(velocities(motion.positions[:, _PLACES] - root[:, np.newaxis], RATE_HZ), heading)
    turning = velocities(heading, RATE_HZ)[:, np.newaxis]
    parts = (root[:, 1:2], speed, turning, local.reshape(len(root), -1), joints.reshape(len(root), -1))
    present = np.repeat(motion.present[_PLACES], 3)
    return np.concatenate(parts, axis=1).astype(np.float32), np.concatenate([np.ones(_ROOT, bool), present, present])


def _standing(motion: Motion) -> Motion:
    """Return the motion of a body of one size whose lowest joint touches the floor once."""
    length = leg_length_m(motion)
    scale = LEG_M / length if length else 1.0
    lowest = motion.positions[:, motion.present, 1].min()
    positions = (motion.positions - np.array([0.0, lowest, 0.0], dtype=np.float32)) * np.float32(scale)
    return replace(motion, positions=positions)


def windows_of(rows: Array) -> Iterator[Array]:
    """Yield ``[up to 32, columns]`` parts of the rows, one after the other; of one length, but for rounding.

    >>> [len(part) for part in windows_of(np.zeros((70, 2)))]
    [24, 23, 23]
    """
    yield from np.array_split(rows, max(1, -(-len(rows) // WINDOW)))
