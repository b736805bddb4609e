"""Performers who are not real: bodies of several sizes that take joint angles over time and give positions.

Everything here and in :mod:`.moves` is synthetic: formulas of the project, no recording of a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from predictors.encoders.motion.rotations import Link, chained, posed
from predictors.encoders.motion.skeleton import JOINTS, Motion, motion_of

Array = np.ndarray
Pose = dict[str, Array]
"""Angles (rad) and speeds over time by channel; what is not there is zero."""
RATE_HZ: Final = 25.0
"""Of what is synthesised [choice]."""
_SIDES: Final = (("left", 1.0), ("right", -1.0))


@dataclass(frozen=True)
class Performer:
    """How somebody moves, whatever the move.

    Attributes:
        stature_m: Height, m.
        arms: Length of the arms, relative.
        legs: Length of the legs, relative.
        tempo: Speed of repetitions, relative.
        size: Of movements, relative.
        lean: Of the trunk at rest, rad.
        spread: Of the arms at rest, rad.
        bend: Of elbows and knees at rest, rad.
        shake: Of all angles, rad.
    """

    stature_m: float
    arms: float
    legs: float
    tempo: float
    size: float
    lean: float
    spread: float
    bend: float
    shake: float


def performer(random: np.random.Generator, wider: float = 1.0) -> Performer:
    """Draw a performer.

    Args:
        random: To draw with.
        wider: What the ranges [choice] are stretched by; above 1 some performers are like none within them.
    """

    def within(centre: float, reach: float) -> float:
        return centre + wider * random.uniform(-reach, reach)

    return Performer(
        stature_m=within(1.72, 0.22),
        arms=within(1.0, 0.1),
        legs=within(1.0, 0.08),
        tempo=float(np.exp(within(0.0, 0.22))),
        size=float(np.exp(within(0.0, 0.25))),
        lean=within(0.03, 0.12),
        spread=within(0.18, 0.15),
        bend=within(0.16, 0.15),
        shake=0.03 * float(np.exp(within(0.0, 0.7))),
    )


class Take:
    """One performance: the time, and curves over it in the performer's tempo and size.

    Args:
        by: Who performs.
        seconds: How long.
        random: Of the phase and the shaking.
    """

    def __init__(self, by: Performer, seconds: float, random: np.random.Generator) -> None:
        self.by, self.random = by, random
        self.time = np.arange(max(2, round(seconds * RATE_HZ))) / RATE_HZ
        self.phase = random.uniform(0.0, 1.0)

    def cycles(self, hz: float) -> Array:
        """Return how many repetitions were begun, as real numbers."""
        made: Array = hz * self.by.tempo * self.time + self.phase
        return made

    def swing(self, hz: float, lag: float = 0.0) -> Array:
        """Return a sine in the performer's size; ``lag`` in repetitions."""
        made: Array = self.by.size * np.sin(2.0 * np.pi * (self.cycles(hz) - lag))
        return made

    def pulse(self, hz: float, lag: float = 0.0) -> Array:
        """Return the upper half of a sine, zero in between."""
        made: Array = np.maximum(self.swing(hz, lag), 0.0)
        return made

    def once(self, begin: float, end: float) -> Array:
        """Return a smooth rise from 0 to 1 between two shares of the time."""
        share = np.clip((self.time / self.time[-1] - begin) / (end - begin), 0.0, 1.0)
        made: Array = share * share * (3.0 - 2.0 * share)
        return made

    def stay(self, value: float) -> Array:
        """Return a constant."""
        return np.full(len(self.time), value)


def both(**channels: Array) -> Pose:
    """Return the same for left and right: ``both(knee=…)`` is ``left_knee`` and ``right_knee``."""
    return {f"{side}_{name}": curve for side, _ in _SIDES for name, curve in channels.items()}


def one(side: str, **channels: Array) -> Pose:
    """Return channels of one side."""
    return {f"{side}_{name}": curve for name, curve in channels.items()}


def performed(take: Take, pose: Mapping[str, Array]) -> Motion:
    """Let a body take the angles; its lowest joint stands on the floor, or ``air`` statures above it."""
    angles = _Angles(take, pose)
    turns = {"pelvis": chained([("y", angles("yaw", 0.0)), ("x", angles("pitch", 0.0)), ("z", angles("roll", 0.0))])}
    trunk = [("x", angles("lean", take.by.lean)), ("z", angles("tilt", 0.0)), ("y", angles("twist", 0.0))]
    turns["spine1"] = chained(trunk)
    for side, sign in _SIDES:
        turns |= _arm(angles, side, sign, take.by) | _leg(angles, side, sign, take.by)
    links, still = _links(take.by), np.zeros((len(take.time), 3))
    places = posed(links, turns, "pelvis", still, take.by.stature_m)
    path = _path(take, pose)
    lowest = np.min([place[:, 1] for place in places.values()], axis=0)
    path[:, 1] += pose.get("air", 0.0) * take.by.stature_m - lowest
    return motion_of({name: places[name] + path for name in JOINTS}, RATE_HZ)


class _Angles:
    """The angles of a pose, shaken a little, on top of the rest."""

    def __init__(self, take: Take, pose: Mapping[str, Array]) -> None:
        self._take, self._pose = take, pose

    def __call__(self, channel: str, rest: float) -> Array:
        count = len(self._take.time)
        knots = self._take.random.normal(0.0, self._take.by.shake, 2 + count // 12)
        shaking = np.interp(np.arange(count) / 12.0, np.arange(len(knots)), knots)
        angle: Array = self._pose.get(channel, 0.0) + rest + shaking
        return angle


def _arm(angles: _Angles, side: str, sign: float, by: Performer) -> dict[str, Array]:
    shoulder = [
        ("x", -angles(f"{side}_shoulder", 0.0)),
        ("z", sign * angles(f"{side}_spread", by.spread)),
        ("y", sign * angles(f"{side}_turn", 0.0)),
    ]
    return {
        f"{side}_shoulder": chained(shoulder),
        f"{side}_elbow": chained([("x", -np.clip(angles(f"{side}_elbow", by.bend), 0.0, 2.6))]),
    }


def _leg(angles: _Angles, side: str, sign: float, by: Performer) -> dict[str, Array]:
    knee = np.clip(angles(f"{side}_knee", by.bend), 0.0, 2.6)
    hip = angles(f"{side}_hip", 0.5 * by.bend)
    return {
        f"{side}_hip": chained([("x", -hip), ("z", sign * angles(f"{side}_open", 0.04))]),
        f"{side}_knee": chained([("x", knee)]),
        f"{side}_ankle": chained([("x", hip - knee)]),
    }


def _links(by: Performer) -> dict[str, Link]:
    """Return the body in statures: x to the left, y up, z ahead; segments as Winter (2009)."""
    links = {
        "spine1": Link("pelvis", (0.0, 0.06, 0.0)),
        "spine2": Link("spine1", (0.0, 0.075, 0.0)),
        "spine3": Link("spine2", (0.0, 0.035, 0.0)),
        "neck": Link("spine3", (0.0, 0.12, 0.0)),
        "head": Link("neck", (0.0, 0.055, 0.02)),
    }
    for side, sign in _SIDES:
        links |= {
            f"{side}_collar": Link("spine3", (0.045 * sign, 0.075, 0.0)),
            f"{side}_shoulder": Link(f"{side}_collar", (0.065 * sign, 0.02, 0.0)),
            f"{side}_elbow": Link(f"{side}_shoulder", (0.0, -0.175 * by.arms, 0.0)),
            f"{side}_wrist": Link(f"{side}_elbow", (0.0, -0.15 * by.arms, 0.0)),
            f"{side}_hip": Link("pelvis", (0.052 * sign, -0.03, 0.0)),
            f"{side}_knee": Link(f"{side}_hip", (0.0, -0.245 * by.legs, 0.0)),
            f"{side}_ankle": Link(f"{side}_knee", (0.0, -0.246 * by.legs, 0.0)),
            f"{side}_foot": Link(f"{side}_ankle", (0.0, -0.03, 0.085)),
        }
    return links


def _path(take: Take, pose: Mapping[str, Array]) -> Array:
    """Return where the root is on the floor: speeds ahead and to the left, in the direction of the heading, summed."""
    yaw = pose.get("yaw", take.stay(0.0))
    ahead, aside = pose.get("ahead", take.stay(0.0)), pose.get("aside", take.stay(0.0))
    x = np.cumsum(ahead * np.sin(yaw) + aside * np.cos(yaw))
    z = np.cumsum(ahead * np.cos(yaw) - aside * np.sin(yaw))
    return np.stack([x, np.zeros_like(x), z], axis=-1) * (take.by.stature_m / RATE_HZ)
