"""Motions that fit an activity, performed by synthetic performers that no encoder learnt from.

Some fit several activities, as real ones do: who picks something up may buy it or build with it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.errors import UnknownNameError
from predictors.encoders.motion.invariant import HUMANML3D_HZ
from predictors.encoders.motion.moves import MOVES
from predictors.encoders.motion.performing import Take, performed, performer
from predictors.encoders.motion.skeleton import resampled
from predictors.encoders.motion.synthesis import scenes

FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "idle": (
        "stand", "look_around", "sitting", "sit_down", "lie", "folded_arms", "hands_on_hips", "stretch", "phone_left",
        "walk_slowly", "turn_around",
    ),
    "social": (
        "wave_left", "wave_right", "wave_both", "bow", "shake_hands", "drink_left", "drink_right", "shrug",
        "point_left", "point_right", "walk", "sitting",
    ),
    "trade": (
        "give_left", "give_right", "give_both", "pick_up", "put_down", "carry", "point_aside_left", "shake_hands",
        "typing", "walk", "look_around",
    ),
    "build": (
        "hammer_left", "hammer_right", "saw_left", "saw_right", "stack", "pick_up", "put_down", "carry", "push",
        "squat", "typing",
    ),
    "game": (
        "run", "jump_forward", "kick_left", "kick_right", "punch_left", "punch_right", "box", "throw_left",
        "throw_right", "roll", "cartwheel", "sneak", "cheer", "run_circle",
    ),
    "concert": (
        "dance_sway", "dance_wild", "dance_arms_up", "dance_twist", "clap", "clap_high", "cheer", "guitar", "drums",
        "conduct", "raise_both", "jump",
    ),
}  # fmt: skip
"""Names of :func:`predictors.encoders.motion.synthesis.scenes` by activity [choice]."""


def write(path: Path, activity: str, random: np.random.Generator) -> str:
    """Write a motion of an activity as HumanML3D's joints, ``.npy [frames, 22, 3]``, and say what it is.

    Raises:
        UnknownNameError: No motion fits an activity of this name.
    """
    if activity not in FITTING:
        raise UnknownNameError("activity with motions", activity, FITTING)
    names = FITTING[activity]
    wanted = names[int(random.integers(len(names)))]
    scene = next(scene for scene in scenes() if scene.name == wanted)
    take = Take(performer(random), float(random.uniform(*scene.seconds)), random)
    motion = performed(take, MOVES[scene.move](take, **scene.arguments))
    np.save(path, resampled(motion, HUMANML3D_HZ).positions.astype(np.float32), allow_pickle=False)
    return scene.captions[0]
