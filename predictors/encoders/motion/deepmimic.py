"""The clips of DeepMimic: JSON with 44 numbers a frame, angles of a standard humanoid.

X. B. Peng et al., "DeepMimic", SIGGRAPH 2018; github.com/xbpeng/DeepMimic (MIT): ``data/motions`` and
``data/characters/humanoid3d.txt``, of which the offsets of the joints are taken [V].
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.errors import SampleError
from predictors.encoders.motion.rotations import Link, about, of_quaternions, posed
from predictors.encoders.motion.skeleton import MAX_FRAMES, Motion, motion_of

Array = np.ndarray
WIDTH: Final = 44
LINKS: Final = {
    "chest": Link("root", (0.0, 0.236151, 0.0)),
    "neck": Link("chest", (0.0, 0.223894, 0.0)),
    "right_hip": Link("root", (0.0, 0.0, 0.084887)),
    "right_knee": Link("right_hip", (0.0, -0.421546, 0.0)),
    "right_ankle": Link("right_knee", (0.0, -0.409870, 0.0)),
    "right_shoulder": Link("chest", (-0.02405, 0.24350, 0.18311)),
    "right_elbow": Link("right_shoulder", (0.0, -0.274788, 0.0)),
    "right_wrist": Link("right_elbow", (0.0, -0.258947, 0.0)),
    "left_hip": Link("root", (0.0, 0.0, -0.084887)),
    "left_knee": Link("left_hip", (0.0, -0.421546, 0.0)),
    "left_ankle": Link("left_knee", (0.0, -0.409870, 0.0)),
    "left_shoulder": Link("chest", (-0.02405, 0.24350, -0.18311)),
    "left_elbow": Link("left_shoulder", (0.0, -0.274788, 0.0)),
    "left_wrist": Link("left_elbow", (0.0, -0.258947, 0.0)),
}
"""Metres: x ahead, y up, z to the right [V]."""
_ANGLES: Final = (
    ("root", 4), ("chest", 4), ("neck", 4), ("right_hip", 4), ("right_knee", 1), ("right_ankle", 4),
    ("right_shoulder", 4), ("right_elbow", 1), ("left_hip", 4), ("left_knee", 1), ("left_ankle", 4),
    ("left_shoulder", 4), ("left_elbow", 1),
)  # fmt: skip
"""Columns after the frame's duration and the root's place: a quaternion (w x y z), or an angle about z [V]."""
_NAMES: Final = {"root": "pelvis", "chest": "spine2"}
"""Joints that have another name here."""


def read_deepmimic(path: Path) -> Motion:
    """Read a clip.

    Raises:
        SampleError: It is no JSON, or not of this layout.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SampleError(f"{path.name} is no DeepMimic clip, for it is no JSON: {error}") from error
    return kinematics(_rows(document, path.name))


def _rows(document: Any, name: str) -> Array:
    """Return the frames ``[frames, 44]``."""
    frames = document.get("Frames") if isinstance(document, dict) else None
    if not isinstance(frames, list) or not 0 < len(frames) <= MAX_FRAMES:
        count = len(frames) if isinstance(frames, list) else "no"
        raise SampleError(f'{name} is no DeepMimic clip: it has {count} "Frames"; 1 to {MAX_FRAMES} are expected')
    try:
        rows = np.array(frames, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise SampleError(f"{name}: its frames are not all {WIDTH} numbers long: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != WIDTH:
        raise SampleError(f"{name}: its frames have the shape {list(rows.shape)}, not [frames, {WIDTH}]")
    return rows


def kinematics(rows: Array) -> Motion:
    """Turn frames ``[frames, 44]`` into positions.

    Raises:
        SampleError: A quaternion has no length, or frames no duration.
    """
    turns, column = {}, 4
    for name, count in _ANGLES:
        part = rows[:, column : column + count]
        turns[name] = about("z", part[:, 0]) if count == 1 else of_quaternions(_with_length(part, name))
        column += count
    places = posed(LINKS, turns, "root", rows[:, 1:4])
    ours = {_NAMES.get(name, name): path[:, [2, 1, 0]] * (-1.0, 1.0, 1.0) for name, path in places.items()}
    return motion_of(ours, 1.0 / _step_s(rows[:, 0]))


def _with_length(quaternions: Array, name: str) -> Array:
    lengths = np.linalg.norm(quaternions, axis=-1)
    if (lengths < 1e-6).any():
        raise SampleError(f"the quaternion of {name} in frame {int(lengths.argmin())} has no length")
    return quaternions


def _step_s(durations: Array) -> float:
    """Return how long a frame lasts, s; the last one often has no duration."""
    step = float(np.median(durations))
    if not step > 0.0:
        raise SampleError(f"its frames last {step:g} s; a duration above 0 is expected")
    return step
