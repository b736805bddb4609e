"""The features of HumanML3D and KIT-ML (Guo et al., CVPR 2022), and the joints that they came from.

A row of ``4 + 3(J-1) + 6(J-1) + 3J + 4`` numbers, J = 22 or 21: change of heading, change of place ahead and aside,
height of the root; the other joints as seen from the root; their rotations; velocities; contacts of the feet. The
joints are recovered from the first ``4 + 3(J-1)`` by summing the changes up; the rest is redundant.

KIT-ML's release numbers joints as the Master Motor Map does, but was mirrored on its way: its authors' code calls joint
11 the *right* hip (``face_joint_indx``), which it is by its place, and so do we. All persons were brought to one
skeleton in a unit of its own; legs of a person of 1.70 m give it back a size.
"""

from typing import Final

import numpy as np

from metaverse_env.errors import SampleError
from predictors.encoders.motion.skeleton import JOINTS, Motion, motion_of

Array = np.ndarray
HUMANML3D_HZ: Final = 20.0
"""Rate of HumanML3D, Hz [V]."""
KIT_HZ: Final = 12.5
"""Rate of KIT-ML's features, Hz [V]."""
HUMANML3D_WIDTH: Final = 263
KIT_WIDTH: Final = 251
KIT_JOINTS: Final = (
    "pelvis", "spine1", "spine2", "neck", "head", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "", "right_foot", "left_hip", "left_knee",
    "left_ankle", "", "left_foot",
)  # fmt: skip
"""Our names of KIT-ML's 21 joints in its order; the middle of the foot has none [V: motion_process.py]."""
LEG_M: Final = 0.491 * 1.70
"""Thigh and shin of a person of 1.70 m, m: 0.245 and 0.246 of the height (Winter 2009)."""


def joints_of(features: Array, joints: int) -> Array:
    """Recover the positions ``[frames, joints, 3]`` from features ``[frames, 4 + 3 (joints - 1) + …]``.

    The inverse of the features' definition: a row tells how the next frame differs in heading and in place.
    """
    rows = features.astype(np.float64)
    half = _summed(rows[:, 0])  # the quaternion's angle, half of the heading
    cosine, sine = np.cos(2.0 * half), np.sin(2.0 * half)
    steps = np.concatenate([np.zeros((1, 2)), rows[:-1, 1:3]])
    x, z = _turned(steps[:, 0], steps[:, 1], cosine, sine)
    root = np.stack([np.cumsum(x), rows[:, 3], np.cumsum(z)], axis=-1)
    local = rows[:, 4 : 4 + 3 * (joints - 1)].reshape(len(rows), joints - 1, 3)
    x, z = _turned(local[..., 0], local[..., 2], cosine[:, np.newaxis], sine[:, np.newaxis])
    others = np.stack([x + root[:, :1], local[..., 1], z + root[:, 2:]], axis=-1)
    return np.concatenate([root[:, np.newaxis], others], axis=1)


def _summed(changes: Array) -> Array:
    """Return the sums before each change: the first is zero."""
    return np.concatenate([[0.0], np.cumsum(changes[:-1])])


def _turned(x: Array, z: Array, cosine: Array, sine: Array) -> tuple[Array, Array]:
    """Turn back from the heading: the inverse of a rotation about y."""
    return cosine * x - sine * z, sine * x + cosine * z


def from_features(rows: Array) -> Motion:
    """Return the motion of ``[frames, 263]`` (HumanML3D) or ``[frames, 251]`` (KIT-ML) features."""
    joints = 22 if rows.shape[1] == HUMANML3D_WIDTH else 21
    return from_joints(joints_of(rows, joints))


def from_joints(positions: Array) -> Motion:
    """Return the motion of ``[frames, 22, 3]`` (HumanML3D, m) or ``[frames, 21, 3]`` (KIT-ML) positions."""
    if positions.shape[1] == len(JOINTS):
        return Motion(positions.astype(np.float32), HUMANML3D_HZ, np.ones(len(JOINTS), dtype=bool))
    named = {name: positions[:, place] for place, name in enumerate(KIT_JOINTS) if name}
    return _sized(named)


def _sized(joints: dict[str, Array]) -> Motion:
    """Return KIT-ML's motion in metres, by the length of its legs."""
    legs = [
        np.linalg.norm(joints[f"{side}_{upper}"] - joints[f"{side}_{lower}"], axis=-1)
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    length = float(np.median(np.sum(legs, axis=0)) / 2.0) if len(legs[0]) else 1.0
    if not (np.isfinite(length) and length > 0.0):
        raise SampleError(f"KIT-ML features give legs of length {length:g}; give them as they are, not standardised")
    return motion_of({name: path * (LEG_M / length) for name, path in joints.items()}, KIT_HZ)
