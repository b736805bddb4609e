"""The Master Motor Map, in which KIT-ML comes: joint angles in XML become positions.

The file names joints and gives their angles, the root's place in mm and its rotation (roll, pitch, yaw), 100 times a
second; bones are shares of the person's height (Winter 2009). The lengths are those of the reference model,
``mmm.xml`` of github.com/chahuja/language2pose (MIT): the limits of its sliding joints, in thousandths of the height.
They add up to one height, and put its markers C7, CLAV and LSHO where people have them; the offsets in the model's
matrices do not (BP, BT and BLN have twice, the shoulder the whole width) [V].

O. Terlemez et al., "Master Motor Map (MMM)", Humanoids 2014. M. Plappert et al., "The KIT Motion-Language Dataset",
Big Data 4(4), 2016.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from metaverse_env.errors import SampleError
from predictors.encoders.motion.rotations import Link, chained, posed
from predictors.encoders.motion.skeleton import MAX_FRAMES, Motion, motion_of

Array = np.ndarray
_AXES: Final = {
    "BP": "xzy", "BT": "xzy", "BLN": "xzy", "LSC": "xzy", "LS": "xzy", "LE": "xz", "LW": "xy", "LH": "xzy", "LK": "x",
    "LA": "xzy", "RSC": "xzy", "RS": "xzy", "RE": "xz", "RW": "xy", "RH": "xzy", "RK": "x", "RA": "xzy",
}  # fmt: skip
"""Axes about which a joint turns, in the model's order [V]."""
_FOOT_RAD: Final = (np.deg2rad(9.0), np.deg2rad(15.0))
"""How the middle of the foot is set on the ankle: outwards, and up, rad [V]."""
_SELDOM: Final = ("LSC", "RSC")
"""Collar bones: KIT-ML does not record them, and they rest."""
_LEFT: Final = {
    "SC": Link("BT", (-87.0, 0.0, 188.0)),
    "S": Link("SC", (-23.0, 0.0, 0.0)),
    "E": Link("S", (0.0, 0.0, -188.0)),
    "W": Link("E", (0.0, 0.0, -145.0)),
    "H": Link("root", (-52.0, 0.0, 0.0)),
    "K": Link("H", (0.0, 0.0, -245.0)),
    "A": Link("K", (0.0, 0.0, -246.0)),
    "M": Link("A", (0.6, 23.8, -18.7)),
    "F": Link("M", (-8.8, 53.7, -14.4)),
}
_CENTRE: Final = ("root", "BT")


def _side(letter: str, sign: float) -> dict[str, Link]:
    """Return one side's joints; ``sign`` is -1 for the right, the mirror image of the left."""
    return {
        f"{letter}{name}": Link(parent if parent in _CENTRE else f"{letter}{parent}", (_mirrored(name, sign, x), y, z))
        for name, (parent, (x, y, z)) in _LEFT.items()
    }


def _mirrored(name: str, sign: float, x: float) -> float:
    """Return where a joint is aside; the middle of the foot is on the same side of both ankles in the model [V]."""
    return x if name == "M" else sign * x


LINKS: Final = {
    "BP": Link("root", (0.0, 0.0, 40.0)),
    "BT": Link("BP", (0.0, 0.0, 60.0)),
    "BLN": Link("BT", (0.0, 0.0, 210.0)),
    "BUN": Link("BLN", (0.0, 0.0, 30.0)),
    **_side("L", 1.0),
    **_side("R", -1.0),
}
"""The chain in thousandths of the height: x to the right, y ahead, z up [V: mmm.xml]."""
NAMES: Final = {
    "root": "pelvis", "BP": "spine1", "BT": "spine2", "BLN": "neck", "BUN": "head",
    "LS": "left_shoulder", "LE": "left_elbow", "LW": "left_wrist", "RS": "right_shoulder", "RE": "right_elbow",
    "RW": "right_wrist", "LH": "left_hip", "LK": "left_knee", "LA": "left_ankle", "LF": "left_foot",
    "RH": "right_hip", "RK": "right_knee", "RA": "right_ankle", "RF": "right_foot",
}  # fmt: skip
"""MMM's joints and ours; neither collar bones nor the third spine joint have a counterpart."""
_SHORTEST_M, _TALLEST_M = 0.4, 2.6
"""Heights of people, m [choice]."""


class Recording(NamedTuple):
    """What an MMM file says.

    Attributes:
        height_m: Of the person.
        joints: Names of the angles, without ``_joint``.
        rows: ``[frames, 7 + joints]``: time s, root position mm, root rotation rad, angles rad.
    """

    height_m: float
    joints: tuple[str, ...]
    rows: Array


def read_mmm(path: Path) -> Motion:
    """Read a motion from an MMM file.

    Raises:
        SampleError: It is no XML, expands entities, is no motion of a person, or has no frames.
    """
    return kinematics(parse(path))


def parse(path: Path) -> Recording:
    """Read the numbers of the first person in an MMM file, frame after frame; see :func:`read_mmm`."""
    try:
        return _parsed(path)
    except DefusedXmlException as error:
        raise SampleError(
            f"{path.name} declares XML entities or a DTD ({type(error).__name__}); it is refused"
        ) from error
    except (ParseError, UnicodeDecodeError) as error:
        raise SampleError(f"{path.name} is no complete XML: {error}") from error


def kinematics(recording: Recording) -> Motion:
    """Turn joint angles into positions."""
    rows = recording.rows
    angles = dict(zip(recording.joints, rows[:, 7:].T, strict=True))
    roll, pitch, yaw = rows[:, 4:7].T
    turns = {"root": chained([("z", yaw), ("y", pitch), ("x", roll)])}
    still = np.zeros(len(rows))
    for name, axes in _AXES.items():
        turns[name] = chained([(axis, angles.get(f"{name}{axis}", still)) for axis in axes])
    for letter, sign in (("L", -1.0), ("R", 1.0)):
        tilt = [("z", still + sign * _FOOT_RAD[0]), ("x", still + _FOOT_RAD[1])]
        turns[f"{letter}M"] = chained([*tilt, ("y", angles.get(f"{letter}Mrot", still))])
    places = posed(LINKS, turns, "root", rows[:, 1:4] / 1000.0, recording.height_m / 1000.0)
    known = {NAMES[name]: path for name, path in places.items() if name in NAMES and _known(name, angles)}
    return motion_of(
        {name: path[:, [0, 2, 1]] * (-1.0, 1.0, 1.0) for name, path in known.items()}, _rate_hz(rows[:, 0])
    )


def _known(name: str, angles: dict[str, Array]) -> bool:
    """Return whether all angles above a joint were recorded."""
    while name != "root":
        name = LINKS[name].parent
        if name not in _SELDOM and any(f"{name}{axis}" not in angles for axis in _AXES.get(name, "")):
            return False
    return True


def _rate_hz(times: Array) -> float:
    """Return the rate of time stamps, s; KIT-ML's own where there is but one."""
    if len(times) == 1:
        return 100.0
    step = float(np.median(np.diff(times)))
    if not step > 0.0:
        raise SampleError(f"the time stamps do not rise: their median step is {step:g} s")
    return 1.0 / step


def _parsed(path: Path) -> Recording:
    """Walk through the file; of its tree no more than one frame is kept."""
    height_m, joints, rows = 0.0, [], []
    for tag, element in _elements(path):
        if tag == "Height":
            height_m = float(_numbers(element, 1, path)[0])
        elif tag == "Joint":
            joints.append(str(element.get("name")).removesuffix("_joint"))
        elif tag == "MotionFrame":
            rows.append(_row(element, len(joints), path))
            if len(rows) > MAX_FRAMES:
                raise SampleError(f"{path.name} has more than {MAX_FRAMES} frames; cut it into parts")
        if tag == "Motion" and rows:
            break
    if not joints or not rows:
        raise SampleError(f"{path.name} is no MMM motion: {len(joints)} joints and {len(rows)} frames were found")
    if not _SHORTEST_M <= height_m <= _TALLEST_M:
        raise SampleError(
            f"{path.name}: the person is {height_m:g} m tall; {_SHORTEST_M} to {_TALLEST_M} m are expected"
        )
    return Recording(height_m, tuple(joints), np.stack(rows))


def _elements(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the elements as they end, and forget each frame after it was used."""
    with path.open("rb") as file:
        for _, element in iterparse(file, events=("end",), forbid_dtd=True):
            yield element.tag, element
            if element.tag == "MotionFrame":
                element.clear()


def _row(frame: Element, joints: int, path: Path) -> Array:
    parts = (("Timestep", 1), ("RootPosition", 3), ("RootRotation", 3), ("JointPosition", joints))
    return np.concatenate([_numbers(frame.find(name), count, path, name) for name, count in parts])


def _numbers(element: Element | None, count: int, path: Path, name: str = "Height") -> Array:
    """Return the numbers between an element's tags."""
    words = (element.text or "").split() if element is not None else []
    try:
        numbers = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise SampleError(f"{path.name}: <{name}> holds something that is no number: {error}") from error
    if len(numbers) != count:
        raise SampleError(f"{path.name}: <{name}> has {len(numbers)} numbers, not {count}")
    return numbers
