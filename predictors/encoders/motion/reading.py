"""Motions from files and arrays, whatever their layout; bounded, and without running what they may hold."""

import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.errors import SampleError
from predictors.encoders.motion import invariant
from predictors.encoders.motion.deepmimic import read_deepmimic
from predictors.encoders.motion.mmm import read_mmm
from predictors.encoders.motion.skeleton import MAX_FRAMES, Motion

Array = np.ndarray
LAYOUTS: Final = {
    "KIT-ML, MMM": "*_mmm.xml, joint angles",
    "KIT-ML, features": ".npy [frames, 251]",
    "KIT-ML, joints": ".npy [frames, 21, 3]",
    "HumanML3D, features": ".npy [frames, 263]",
    "HumanML3D, joints": ".npy [frames, 22, 3]",
    "DeepMimic": ".txt or .json with 44 numbers a frame",
}
"""What is read, and how it looks."""
MAX_FILE_MB: Final = 512
"""Of the largest file, MB; an hour of MMM at 100 Hz has 330 MB [choice]."""
_SMALLEST_M: Final = 0.01
"""Between the joints of the smallest body, m [choice]."""
_SUFFIXES: Final = (".xml", ".npy", ".txt", ".json")


def known_layouts() -> str:
    """Return the layouts in words."""
    return "; ".join(f"{name}: {looks}" for name, looks in LAYOUTS.items())


def read_motion(sample: object) -> Motion:
    """Return the motion of a file, an array, or a motion itself.

    Args:
        sample: A path; an array of one of the layouts ``[frames, 22, 3]``, ``[frames, 21, 3]``, ``[frames, 263]``,
            ``[frames, 251]``; or a :class:`.skeleton.Motion`.

    Raises:
        SampleError: It is none of these, too large, or damaged, or all joints are in one point.
    """
    if isinstance(sample, Motion):
        return _of_a_body(sample, "the motion")
    if isinstance(sample, np.ndarray):
        return _of_a_body(_of_array(sample, "the array"), "the array")
    if isinstance(sample, str | os.PathLike):
        return _of_a_body(_of_file(Path(sample)), Path(sample).name)
    raise SampleError(
        f"a motion is a path, an array or a Motion, not {type(sample).__name__}. Known: {known_layouts()}"
    )


def _of_a_body(motion: Motion, name: str) -> Motion:
    """Return the motion, whose joints must be apart in some frame: zeros are what nobody recorded."""
    joints = motion.positions[:, motion.present]
    reach_m = float((joints.max(axis=1) - joints.min(axis=1)).max())
    if reach_m < _SMALLEST_M:
        raise SampleError(
            f"{name}: all joints lie within {reach_m:.2g} m in every frame, which is no body; give positions in metres"
        )
    return motion


def _of_file(path: Path) -> Motion:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise SampleError(f"{path.name}: no layout has the suffix {suffix!r}. Known: {known_layouts()}")
    try:
        size_mb = path.stat().st_size / 1e6
        if size_mb > MAX_FILE_MB:
            raise SampleError(f"{path.name} has {size_mb:.0f} MB; at most {MAX_FILE_MB} MB are read. Cut it into parts")
        if suffix == ".xml":
            return read_mmm(path)
        return _of_array(_loaded(path), path.name) if suffix == ".npy" else read_deepmimic(path)
    except OSError as error:
        raise SampleError(f"{path} cannot be read: {error.strerror or error}") from error


def _loaded(path: Path) -> Array:
    """Return the array of a file; objects, which are pickled, are refused."""
    try:
        loaded: Any = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        why = "holds pickled objects, which may run code" if "pickle" in str(error) else f"is no whole array: {error}"
        raise SampleError(f"{path.name} {why}; save a plain float array with numpy.save") from error
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise SampleError(f"{path.name} holds several arrays (.npz); give one, as numpy.save writes it")
    return loaded


def _of_array(array: Array, name: str) -> Motion:
    if array.dtype.kind not in "fiu":
        raise SampleError(f"{name} holds {array.dtype}, not numbers")
    if array.ndim >= 1 and not 0 < len(array) <= MAX_FRAMES:
        raise SampleError(f"{name} has {len(array)} frames; give 1 to {MAX_FRAMES}")
    if array.ndim == 2 and array.shape[1] in (invariant.HUMANML3D_WIDTH, invariant.KIT_WIDTH):
        return invariant.from_features(_finite(array, name))
    if array.ndim == 3 and array.shape[1:] in ((22, 3), (21, 3)):
        return invariant.from_joints(_finite(array, name))
    raise SampleError(f"{name} has the shape {list(array.shape)}, which is no known layout. Known: {known_layouts()}")


def _finite(array: Array, name: str) -> Array:
    """Return the array, whose numbers must be some: a sum over frames would spread a NaN."""
    finite = np.isfinite(array)
    if not finite.all():
        frame = int(np.argwhere(~finite)[0][0])
        raise SampleError(
            f"{name}: {np.count_nonzero(~finite)} numbers are NaN or infinite, the first in frame {frame}; "
            "fill the gaps or cut them out"
        )
    return array
