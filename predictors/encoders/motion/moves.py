"""Moves as joint angles over time: what a body does, for :mod:`.performing`. All synthetic."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from predictors.encoders.motion.moves_hands import HANDS
from predictors.encoders.motion.performing import Pose, Take, both, one

Array = np.ndarray


def _other(side: str) -> str:
    return "right" if side == "left" else "left"


def stand(take: Take) -> Pose:
    """Stand and breathe."""
    return {"tilt": 0.03 * take.swing(0.25), "twist": 0.03 * take.swing(0.2, 0.3)}


def walk(
    take: Take, pace: float = 1.0, ahead: float = 1.0, aside: float = 0.0, turn: float = 0.0, lean: float = 0.0,
    crouch: float = 0.0, lift: float = 1.0, arms: float = 1.0, limp: float = 0.0,
) -> Pose:  # fmt: skip
    """Walk: legs in turn, arms against them; backwards and sideways too, upright or crouching, high or limping."""
    hz, reach = 0.9 * pace**0.5, 0.42 * pace**0.5 * (1.0 if ahead else 0.35)
    way = np.sign(ahead) or 1.0
    legs: Pose = {}
    for side, lag in (("left", 0.0), ("right", 0.5)):
        part = reach * (1.0 - limp * (side == "left"))
        hip = part * take.swing(hz, way * lag) + 0.35 * (lift - 1.0) * take.pulse(hz, lag)
        knee = 1.1 * lift * part * take.pulse(hz, lag - way * 0.25)
        legs |= one(side, hip=hip + crouch, knee=knee + 2.0 * crouch)
        legs |= one(side, shoulder=-0.6 * arms * hip, open=abs(aside) * 0.3 * take.pulse(hz, lag))
    drift = {"ahead": take.stay(0.72 * pace * ahead * take.by.size), "aside": take.stay(0.45 * aside * take.by.size)}
    return legs | drift | {"yaw": turn * take.time, "lean": take.stay(lean), "tilt": limp * 0.2 * take.swing(hz)}


def run(take: Take, pace: float = 1.0, ahead: float = 1.0, turn: float = 0.0) -> Pose:
    """Run: longer, with bent arms, and both feet in the air between steps."""
    hz = 1.35 * pace**0.5
    legs: Pose = {}
    for side, lag in (("left", 0.0), ("right", 0.5)):
        hip = 0.65 * pace**0.5 * take.swing(hz, lag)
        legs |= one(side, hip=hip + 0.2, knee=0.3 + 1.4 * take.pulse(hz, lag - 0.3), shoulder=-0.9 * hip)
    air = {"air": 0.035 * np.abs(take.swing(hz, 0.1)), "lean": take.stay(0.15 * pace)}
    return legs | both(elbow=take.stay(1.4)) | air | {"ahead": take.stay(1.7 * pace * ahead), "yaw": turn * take.time}


def jump(
    take: Take, hz: float = 0.65, height: float = 0.16, ahead: float = 0.0, spin: float = 0.0, jacks: float = 0.0
) -> Pose:
    """Jump again and again: crouch, take off, fly, land; ahead, with a turn, or as jumping jacks."""
    phase = take.cycles(hz) % 1.0
    flight = np.clip((phase - 0.45) / 0.35, 0.0, 1.0)
    crouch = np.sin(np.pi * np.clip(phase / 0.45, 0.0, 1.0)) + 0.6 * np.sin(np.pi * np.clip((phase - 0.8) / 0.2, 0, 1))
    up = np.sin(np.pi * flight)
    legs = both(hip=0.7 * crouch, knee=1.3 * crouch, open=0.5 * jacks * up)
    arms = both(shoulder=(1.0 - jacks) * (1.6 * up - 0.5 * crouch), spread=2.4 * jacks * up)
    turned = spin * (np.floor(take.cycles(hz)) + flight)
    motion = {"air": height * take.by.size * 4.0 * flight * (1.0 - flight), "lean": 0.4 * crouch, "yaw": turned}
    return legs | arms | motion | {"ahead": ahead * (flight > 0.0) * (flight < 1.0) * 2.2}


def hop(take: Take, side: str) -> Pose:
    """Hop on one leg."""
    bounce = np.abs(take.swing(0.9))
    legs = one(side, knee=0.5 * (1.0 - bounce), hip=0.3 * (1.0 - bounce))
    return legs | one(_other(side), knee=take.stay(1.6), hip=take.stay(0.5)) | {"air": 0.07 * bounce}


def balance(take: Take, side: str) -> Pose:
    """Stand on one leg with the arms out."""
    rise = take.once(0.0, 0.3)
    arms = both(spread=1.3 * rise + 0.15 * take.swing(0.5))
    return arms | one(_other(side), hip=1.2 * rise, knee=1.8 * rise) | {"tilt": 0.08 * take.swing(0.4)}


def kick(take: Take, side: str, aside: float = 0.0) -> Pose:
    """Kick: draw the knee up, and let the leg snap."""
    up, snap = take.pulse(0.45), take.pulse(0.45, 0.06) ** 2
    leg = one(side, hip=(1.0 - aside) * 1.4 * up, open=aside * 1.2 * up, knee=np.maximum(1.5 * up - 1.6 * snap, 0.0))
    arms = both(shoulder=take.stay(0.6), elbow=take.stay(1.7))
    return leg | arms | {"lean": -0.25 * up, "tilt": aside * 0.4 * up * (1.0 if side == "right" else -1.0)}


def turn(take: Take, angle: float) -> Pose:
    """Turn on the spot by an angle, stepping."""
    steps = take.pulse(1.2) * 0.4
    legs = one("left", hip=steps, knee=1.5 * steps) | one("right", hip=0.4 * take.pulse(1.2, 0.5))
    return legs | one("right", knee=0.6 * take.pulse(1.2, 0.5)) | {"yaw": angle * take.once(0.15, 0.85)}


def spin(take: Take, hz: float = 0.6) -> Pose:
    """Spin round and round with the arms out."""
    return both(spread=take.stay(1.2)) | {"yaw": 2.0 * np.pi * take.cycles(hz)} | one("left", knee=take.pulse(2 * hz))


def sit(take: Take, begin: float, end: float, up: float = 0.0) -> Pose:
    """Sit down between two shares of the time, or get up from it, or stay sitting (a low chair that is not there)."""
    share = take.once(begin, end) if end > begin else take.stay(1.0)
    share = 1.0 - share if up else share
    bend = {"lean": 0.5 * np.sin(np.pi * share) + 0.05}
    return both(hip=1.45 * share, knee=1.5 * share, shoulder=0.5 * share, elbow=0.7 * share) | bend


def squat(take: Take) -> Pose:
    """Do squats with the arms ahead."""
    down = 0.5 * (1.0 + take.swing(0.45))
    return both(hip=1.5 * down, knee=2.1 * down, shoulder=1.3 * down) | {"lean": 0.6 * down}


def lunge(take: Take, side: str) -> Pose:
    """Step ahead into a lunge, and back."""
    down = take.pulse(0.35)
    return one(side, hip=1.2 * down, knee=1.3 * down) | one(_other(side), hip=-0.5 * down, knee=0.9 * down)


def bow(take: Take, depth: float = 1.0) -> Pose:
    """Bow."""
    return {"lean": 1.1 * depth * take.pulse(0.3)} | both(shoulder=0.5 * depth * take.pulse(0.3))


def crawl(take: Take) -> Pose:
    """Crawl on hands and knees."""
    pose: Pose = {"pitch": take.stay(1.4), "ahead": take.stay(0.25)}
    for side, lag in (("left", 0.0), ("right", 0.5)):
        pose |= one(side, shoulder=1.5 + 0.35 * take.swing(0.7, lag), hip=1.4 - 0.3 * take.swing(0.7, lag))
        pose |= one(side, knee=take.stay(1.5), elbow=0.3 * take.pulse(0.7, lag))
    return pose


def lie(take: Take, face: float = -1.0) -> Pose:
    """Lie on the back, or on the face."""
    return {"pitch": take.stay(face * 1.5)} | both(spread=take.stay(0.3), knee=0.1 + 0.05 * take.swing(0.3))


def get_up(take: Take, face: float = -1.0) -> Pose:
    """Get up from lying: bend, crouch, rise."""
    pitch = face * 1.5 * (1.0 - take.once(0.1, 0.6))
    crouch = np.sin(np.pi * take.once(0.1, 0.95))
    support = both(shoulder=(1.2 if face > 0 else -0.7) * np.sin(np.pi * take.once(0.0, 0.7)), elbow=0.6 * crouch)
    return {"pitch": pitch, "lean": 0.6 * crouch} | both(hip=1.5 * crouch, knee=2.0 * crouch) | support


def fall(take: Take, face: float = 1.0) -> Pose:
    """Fall to the floor and stay there."""
    down = take.once(0.25, 0.55)
    return {"pitch": face * 1.5 * down} | both(shoulder=1.4 * np.sin(np.pi * down), knee=0.8 * np.sin(np.pi * down))


def tumble(take: Take, pitch: float = 0.0, roll: float = 0.0, air: float = 0.0, tuck: float = 1.0) -> Pose:
    """Turn over once: forward and backward rolls, flips in the air, a cartwheel."""
    over = take.once(0.25, 0.75)
    middle = np.sin(np.pi * over)
    legs = both(hip=2.0 * tuck * middle, knee=2.2 * tuck * middle, open=0.6 * (1.0 - tuck) * middle)
    arms = both(shoulder=tuck * 1.3 * middle, spread=(1.0 - tuck) * 2.7 * middle, elbow=tuck * middle)
    turned = {"pitch": 2.0 * np.pi * pitch * over, "roll": 2.0 * np.pi * roll * over, "air": air * middle}
    return legs | arms | turned | {"ahead": 1.1 * np.sign(pitch) * middle, "aside": 1.1 * -np.sign(roll) * middle}


def sway(take: Take, hz: float = 0.7, arms: float = 0.5) -> Pose:
    """Dance: shift the weight from side to side, with the arms along."""
    s = take.swing(hz)
    legs = one("left", knee=0.4 * np.maximum(s, 0.0)) | one("right", knee=0.4 * np.maximum(-s, 0.0))
    moved = (
        both(elbow=take.stay(1.2)) | one("left", shoulder=arms * (1.0 + s)) | one("right", shoulder=arms * (1.0 - s))
    )
    return legs | moved | {"tilt": 0.22 * s, "aside": 0.25 * take.swing(hz, 0.25), "twist": 0.2 * take.swing(hz, 0.1)}


def bounce(take: Take, hz: float = 1.8, up: float = 2.6) -> Pose:
    """Dance with the arms up: bounce to the beat."""
    beat = 0.5 * (1.0 + take.swing(hz))
    arms = both(shoulder=take.stay(up) + 0.25 * take.swing(hz), elbow=0.4 + 0.5 * beat)
    return arms | both(knee=0.55 * beat, hip=0.28 * beat) | {"twist": 0.15 * take.swing(0.5 * hz)}


def twist(take: Take) -> Pose:
    """Dance the twist: hips and shoulders against each other, going down and up."""
    s, down = take.swing(1.3), 0.3 + 0.3 * take.swing(0.25)
    arms = both(elbow=take.stay(1.5), shoulder=take.stay(0.3))
    return arms | {"yaw": 0.5 * s, "twist": -0.9 * s} | both(knee=2.0 * down, hip=1.0 * down)


STEPS: Final[Mapping[str, Callable[..., Pose]]] = {
    move.__name__: move
    for move in (
        stand, walk, run, jump, hop, balance, kick, turn, spin, sit, squat, lunge, bow, crawl, lie, get_up, fall,
        tumble, sway, bounce, twist,
    )
}  # fmt: skip
MOVES: Final[Mapping[str, Callable[..., Any]]] = {**STEPS, **HANDS}
"""Every move by its name."""
