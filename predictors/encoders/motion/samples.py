"""A motion and what is said of it."""

from typing import Final, NamedTuple

from predictors.encoders.motion.skeleton import Motion

SYNTHETIC: Final = "performer "
"""How the names of sources begin that are synthetic."""


class Labelled(NamedTuple):
    """A motion with its captions.

    Attributes:
        name: Of the motion, once in a set.
        motion: What moves.
        captions: All that is said of it; at least one.
        source: Who performed it, or the clip that it comes from: whole sources are held out, never parts.
    """

    name: str
    motion: Motion
    captions: tuple[str, ...]
    source: str
