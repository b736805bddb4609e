"""Moves of the hands, standing: gestures, work, music, fighting. All synthetic; see :mod:`.moves`."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from predictors.encoders.motion.performing import Pose, Take, both, one

_SIDES: Final = {"left": ("left",), "right": ("right",), "both": ("left", "right")}


def _each(sides: str, **channels: np.ndarray) -> Pose:
    """Return channels of one side, or of both."""
    pose: Pose = {}
    for side in _SIDES[sides]:
        pose |= one(side, **channels)
    return pose


def wave(take: Take, side: str, hz: float = 1.6) -> Pose:
    """Wave with raised hands."""
    up = take.once(0.0, 0.15)
    return _each(side, spread=1.4 * up, turn=1.5 * up, elbow=1.3 * up + 0.5 * take.swing(hz))


def reach(take: Take, side: str, up: float, aside: float = 0.0, bend: float = 0.0) -> Pose:
    """Hold an arm out: pointing ahead, aside or up, raising a hand."""
    held = take.once(0.05, 0.3)
    return _each(side, shoulder=up * held, spread=aside * held, elbow=bend * held) | {"twist": 0.03 * take.swing(0.3)}


def clap(take: Take, up: float = 1.0) -> Pose:
    """Clap, before the chest or above the head."""
    apart = 0.5 * (1.0 + take.swing(1.8))
    return both(shoulder=take.stay(up), elbow=take.stay(0.9), turn=-0.7 + 0.6 * apart, spread=0.35 * apart)


def cheer(take: Take) -> Pose:
    """Cheer: both fists go up again and again."""
    pump = 0.5 * (1.0 + take.swing(1.3))
    return both(shoulder=2.2 + 0.5 * pump, elbow=1.5 - 1.3 * pump) | {"air": 0.03 * take.pulse(1.3)}


def punch(take: Take, side: str, up: float = 0.0) -> Pose:
    """Punch from a guard, with one fist or in turn."""
    pose = both(shoulder=take.stay(0.5), elbow=take.stay(2.0)) | both(knee=take.stay(0.3), hip=take.stay(0.15))
    turns = {"left": (0.0,), "right": (0.0,), "both": (0.0, 0.5)}[side]
    for fist, lag in zip(_SIDES[side], turns, strict=True):
        out = take.pulse(0.8, lag) ** 2
        pose |= one(fist, shoulder=0.5 + (1.0 + up) * out, elbow=2.0 - (1.9 - 0.8 * up) * out)
    return pose | {"twist": 0.35 * take.swing(0.8) * (1.0 if side == "right" else -1.0)}


def throw(take: Take, side: str) -> Pose:
    """Throw: draw the arm back over the shoulder, and let it go ahead."""
    back, ahead = take.pulse(0.4), take.pulse(0.4, 0.2)
    sign = 1.0 if side == "left" else -1.0
    arm = one(side, shoulder=2.2 * back + 0.8 * ahead, elbow=1.8 * back, spread=0.5 * back)
    return arm | {"twist": sign * 0.6 * (back - ahead), "lean": 0.25 * ahead - 0.1 * back}


def hammer(take: Take, side: str) -> Pose:
    """Hammer: one hand strikes what the other holds."""
    strike = 0.5 * (1.0 + take.swing(1.4))
    hold = both(shoulder=take.stay(0.6), elbow=take.stay(1.2))
    return hold | one(side, shoulder=0.5 + 0.9 * strike, elbow=1.0 + 0.9 * strike) | {"lean": take.stay(0.25)}


def saw(take: Take, side: str) -> Pose:
    """Saw: one arm goes to and fro, the trunk with it."""
    s = take.swing(1.1)
    arm = one(side, shoulder=0.5 + 0.6 * s, elbow=1.2 - 0.8 * s)
    return both(shoulder=take.stay(0.5), elbow=take.stay(0.6)) | arm | {"lean": 0.55 + 0.08 * s}


def lift(take: Take, up: float = 1.0) -> Pose:
    """Lift something from the floor, or set it down there."""
    share = take.once(0.25, 0.7)
    down = 1.0 - share if up else share
    arms = both(shoulder=1.0 - 0.2 * down, elbow=1.2 - 0.9 * down)
    return both(hip=1.2 * down, knee=1.5 * down) | arms | {"lean": 0.9 * down}


def stack(take: Take) -> Pose:
    """Build: pick up from below, put above, again and again."""
    high = 0.5 * (1.0 + take.swing(0.45))
    arms = both(shoulder=0.5 + 1.7 * high, elbow=0.8 - 0.3 * high)
    return arms | both(hip=0.9 * (1 - high), knee=1.2 * (1 - high)) | {"lean": 0.8 * (1 - high), "yaw": 0.4 * high}


def carry(take: Take) -> Pose:
    """Walk with a box before the chest."""
    hip = 0.32 * take.swing(0.8)
    legs = one("left", hip=hip, knee=0.5 * take.pulse(0.8, -0.25)) | one("right", hip=-hip)
    held = both(shoulder=take.stay(0.7), elbow=take.stay(1.4))
    return legs | one("right", knee=0.5 * take.pulse(0.8, 0.25)) | held | {"ahead": take.stay(0.5)}


def push(take: Take) -> Pose:
    """Push something heavy ahead."""
    arms = both(shoulder=1.3 + 0.1 * take.swing(0.7), elbow=0.3 + 0.3 * take.pulse(0.7))
    legs = one("left", hip=0.4 * take.swing(0.7), knee=0.6 * take.pulse(0.7, -0.25))
    back = one("right", hip=-0.4 * take.swing(0.7), knee=0.6 * take.pulse(0.7, 0.25))
    return arms | legs | back | {"lean": take.stay(0.6), "ahead": take.stay(0.3)}


def give(take: Take, side: str) -> Pose:
    """Hand something over: stretch the hands out and take them back."""
    out = take.pulse(0.35)
    return _each(side, shoulder=0.4 + 0.9 * out, elbow=1.5 - 1.2 * out) | {"lean": 0.15 * out}


def shake(take: Take) -> Pose:
    """Shake hands."""
    held = take.once(0.0, 0.25)
    return one("right", shoulder=0.7 * held + 0.15 * take.swing(2.0), elbow=0.9 * held + 0.2 * take.swing(2.0))


def drink(take: Take, side: str) -> Pose:
    """Drink: the hand goes to the mouth, and the head back."""
    up = take.pulse(0.3)
    return one(side, shoulder=0.5 + 0.5 * up, elbow=1.0 + 1.3 * up, turn=-0.4 * up) | {"lean": -0.12 * up}


def phone(take: Take, side: str) -> Pose:
    """Hold a telephone to the ear, shifting about."""
    arm = one(side, shoulder=take.stay(0.7), spread=take.stay(0.5), elbow=take.stay(2.4), turn=take.stay(0.3))
    return arm | {"yaw": 0.3 * take.swing(0.15)}


def typing(take: Take) -> Pose:
    """Type, or touch things on a menu before one's eyes."""
    pose: Pose = {"lean": take.stay(0.1)}
    for side, lag in (("left", 0.0), ("right", 0.37)):
        pose |= one(side, shoulder=0.5 + 0.08 * take.swing(2.6, lag), elbow=1.4 + 0.12 * take.swing(2.9, lag))
    return pose


def guitar(take: Take) -> Pose:
    """Play the guitar: one hand strums, the other holds the neck."""
    neck = one("left", shoulder=take.stay(0.7), spread=take.stay(0.6), elbow=take.stay(1.7))
    strum = one("right", shoulder=take.stay(0.2), elbow=1.5 + 0.35 * take.swing(2.2), turn=take.stay(-0.6))
    return neck | strum | both(knee=0.12 + 0.12 * take.swing(1.1))


def drums(take: Take) -> Pose:
    """Play the drums, sitting: hands in turn."""
    pose = both(hip=take.stay(1.4), knee=take.stay(1.5))
    for side, lag in (("left", 0.0), ("right", 0.5)):
        pose |= one(side, shoulder=0.5 + 0.35 * take.swing(2.0, lag), elbow=1.3 + 0.5 * take.swing(2.0, lag))
    return pose


def conduct(take: Take) -> Pose:
    """Conduct an orchestra."""
    return both(shoulder=1.2 + 0.4 * take.swing(0.9), spread=0.4 + 0.35 * take.swing(0.9, 0.25), elbow=take.stay(0.9))


def swim(take: Take) -> Pose:
    """Swing the arms in circles, as swimming or warming up."""
    pose: Pose = {"lean": take.stay(0.3)}
    for side, lag in (("left", 0.0), ("right", 0.5)):
        pose[f"{side}_shoulder"] = 2.0 * np.pi * (take.cycles(0.6) + lag)
    return pose


def stretch(take: Take) -> Pose:
    """Stretch the trunk from side to side with the arms above the head."""
    return both(shoulder=take.stay(2.8), elbow=take.stay(0.2)) | {"tilt": 0.5 * take.swing(0.3)}


def rest(take: Take, elbow: float, turn: float, shoulder: float = 0.1, spread: float = 0.3) -> Pose:
    """Stand with the hands somewhere: on the hips, folded."""
    held = both(elbow=take.stay(elbow), turn=take.stay(turn), shoulder=take.stay(shoulder), spread=take.stay(spread))
    return held | {"tilt": 0.03 * take.swing(0.25)}


def shrug(take: Take) -> Pose:
    """Shrug with open hands."""
    up = take.pulse(0.4)
    return both(elbow=1.4 * up, turn=0.8 * up, spread=0.35 * up)


def look(take: Take) -> Pose:
    """Look around: turn the trunk to and fro."""
    return {"twist": 0.7 * take.swing(0.3), "yaw": 0.2 * take.swing(0.3)}


def zombie(take: Take) -> Pose:
    """Walk like a zombie: arms stiffly ahead, small dragging steps."""
    hip = 0.22 * take.swing(0.6)
    arms = both(shoulder=1.4 + 0.1 * take.swing(0.6, 0.2), elbow=take.stay(0.2))
    return (
        arms | one("left", hip=hip) | one("right", hip=-hip) | {"ahead": take.stay(0.3), "tilt": 0.2 * take.swing(0.6)}
    )


HANDS: Final[Mapping[str, Callable[..., Pose]]] = {
    move.__name__: move
    for move in (
        wave, reach, clap, cheer, punch, throw, hammer, saw, lift, stack, carry, push, give, shake, drink, phone,
        typing, guitar, drums, conduct, swim, stretch, rest, shrug, look, zombie,
    )
}  # fmt: skip
