"""One form for all motions: joints of one skeleton in metres, y upwards, at a rate; and pure functions of it.

Axes are right-handed: a body that looks along +z has its left at +x and its head at +y, as in HumanML3D. Joints that a
layout does not have are marked as absent and hold zeros, which nobody may take for data.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from metaverse_env.errors import SampleError

Array = np.ndarray

JOINTS: Final = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
"""The 22 joints of HumanML3D, in its order [V: Guo et al. 2022, the first 22 of SMPL]."""
JOINT: Final = {name: place for place, name in enumerate(JOINTS)}
"""Place of a joint by its name."""
_NEEDED: Final = ("pelvis", "left_hip", "right_hip")
"""Without these a motion has neither a place nor a heading."""
_MIRRORED: Final = [
    JOINT[name.replace("left_", "_right_").replace("right_", "left_").replace("_left_", "right_")] for name in JOINTS
]
"""The joint on the other side, by place."""
MAX_FRAMES: Final = 400_000
"""Frames of the longest motion, a little more than an hour at 100 Hz: 106 MB [choice]."""
MAX_RATE_HZ: Final = 1000.0
"""Of the fastest cameras, Hz [choice]."""
_FARTHEST_M: Final = 10_000.0
"""Beyond this distance from the origin coordinates are no metres [choice]."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A body that moves.

    Attributes:
        positions: ``float32 [frames, 22, 3]``, metres, y up; zero where a joint is absent.
        rate_hz: Frames a second.
        present: ``bool [22]``, which joints the layout has.

    Raises:
        SampleError: No or too many frames, other shapes, numbers that are not finite or no metres, a rate that is
            none, or no pelvis or hips.
    """

    positions: Array
    rate_hz: float
    present: Array

    def __post_init__(self) -> None:
        shape = self.positions.shape
        if len(shape) != 3 or shape[1:] != (len(JOINTS), 3) or self.present.shape != (len(JOINTS),):
            raise SampleError(f"a motion needs positions [frames, {len(JOINTS)}, 3], not {list(shape)}")
        if not 0 < shape[0] <= MAX_FRAMES:
            raise SampleError(f"the motion has {shape[0]} frames; give 1 to {MAX_FRAMES}")
        if not 0.0 < self.rate_hz <= MAX_RATE_HZ:
            raise SampleError(
                f"the motion's rate is {self.rate_hz:g} Hz; it must be above 0 and at most {MAX_RATE_HZ:g}"
            )
        missing = [name for name in _NEEDED if not self.present[JOINT[name]]]
        if missing:
            raise SampleError(f"the motion has no {', '.join(missing)}; these joints are needed: {', '.join(_NEEDED)}")
        self._check_numbers()

    def _check_numbers(self) -> None:
        finite = np.isfinite(self.positions)
        if not finite.all():
            frame, joint, _ = np.argwhere(~finite)[0]
            raise SampleError(
                f"{np.count_nonzero(~finite)} coordinates are NaN or infinite, first {JOINTS[joint]} in frame {frame}; "
                "fill the gaps or cut them out"
            )
        farthest = float(np.abs(self.positions).max())
        if farthest > _FARTHEST_M:
            raise SampleError(
                f"a joint is {farthest:.4g} m from the origin; metres are expected, at most {_FARTHEST_M:g}"
            )

    @property
    def seconds(self) -> float:
        """How long it lasts, s."""
        return len(self.positions) / self.rate_hz


def motion_of(joints: dict[str, Array], rate_hz: float) -> Motion:
    """Make a motion of the positions ``[frames, 3]`` of some joints by name; the others are absent."""
    frames = len(next(iter(joints.values())))
    positions = np.zeros((frames, len(JOINTS), 3), dtype=np.float32)
    present = np.zeros(len(JOINTS), dtype=bool)
    for name, path in joints.items():
        positions[:, JOINT[name]], present[JOINT[name]] = path, True
    return Motion(positions, rate_hz, present)


def resampled(motion: Motion, rate_hz: float) -> Motion:
    """Return the motion at another rate, linearly between its frames; it starts with the same frame.

    >>> still = motion_of({name: np.zeros((5, 3)) for name in _NEEDED}, rate_hz=10.0)
    >>> len(resampled(still, 20.0).positions)
    9
    """
    if rate_hz == motion.rate_hz:
        return motion
    last = len(motion.positions) - 1
    count = int(np.floor(last / motion.rate_hz * rate_hz + 1e-6)) + 1
    at = np.minimum(np.arange(count) * (motion.rate_hz / rate_hz), last)
    before = np.floor(at).astype(np.intp)
    share = (at - before).astype(np.float32)[:, np.newaxis, np.newaxis]
    after = np.minimum(before + 1, last)
    positions = motion.positions[before] * (1.0 - share) + motion.positions[after] * share
    return replace(motion, positions=positions, rate_hz=rate_hz)


def headings(motion: Motion) -> Array:
    """Return where the body looks in each frame, ``float64 [frames]``, rad from +z towards +x.

    Across hips and shoulders, as in HumanML3D (Guo et al. 2022); hips alone where a shoulder is absent. A body that
    stands on its head or lies has the heading of its left side, a quarter turn off. Continuous: no jumps of 2π.
    """
    across = _across(motion.positions, "hip")
    if motion.present[[JOINT["left_shoulder"], JOINT["right_shoulder"]]].all():
        across = across + _across(motion.positions, "shoulder")
    heading: Array = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    return heading


def _across(positions: Array, pair: str) -> Array:
    """Return the vector ``[frames, 3]`` from the right joint to the left one."""
    across: Array = positions[:, JOINT[f"left_{pair}"]] - positions[:, JOINT[f"right_{pair}"]]
    return across.astype(np.float64)


def heading_aligned(vectors: Array, heading: Array) -> Array:
    """Turn vectors ``[frames, joints, 3]`` about the vertical so that the heading ``[frames]`` becomes +z."""
    sine, cosine = (turn(heading)[:, np.newaxis].astype(vectors.dtype) for turn in (np.sin, np.cos))
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([cosine * x - sine * z, y, sine * x + cosine * z], axis=-1)


def velocities(positions: Array, rate_hz: float) -> Array:
    """Return the change per second of ``[frames, …]`` by central differences; zero for a single frame."""
    if len(positions) < 2:
        return np.zeros_like(positions)
    slopes: Array = np.gradient(positions, axis=0) * rate_hz
    return slopes


def mirrored(motion: Motion) -> Motion:
    """Return the motion in a mirror: left is right."""
    positions = motion.positions[:, _MIRRORED] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    return replace(motion, positions=positions, present=motion.present[_MIRRORED])


def leg_length_m(motion: Motion) -> float | None:
    """Return the median length of thigh and shin together, m; ``None`` where a leg is not complete."""
    lengths = [
        np.linalg.norm(motion.positions[:, JOINT[upper]] - motion.positions[:, JOINT[lower]], axis=-1)
        for side in ("left", "right")
        for upper, lower in ((f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle"))
        if motion.present[[JOINT[upper], JOINT[lower]]].all()
    ]
    if len(lengths) < 4:
        return None
    return float(np.median(np.sum(lengths, axis=0)) / 2.0)
