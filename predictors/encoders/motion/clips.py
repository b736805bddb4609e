"""The twenty clips of DeepMimic as motions with captions, and variants of them to learn from.

The clips are real motion capture, retargeted (MIT). Whole clips are held out: five folds of four, by the alphabet, so
that nobody chose which are easy.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from metaverse_env.errors import ConfigurationError
from predictors.encoders.motion.deepmimic import read_deepmimic
from predictors.encoders.motion.samples import Labelled
from predictors.encoders.motion.skeleton import mirrored

PREFIX: Final = "humanoid3d_"
FOLDS: Final = 5
"""Groups of clips, each held out once [choice]."""
_SPEEDS: Final = (0.8, 0.9, 1.0, 1.1, 1.25)
"""At which a clip is learnt from, relative [choice]."""


def clip_captions() -> dict[str, tuple[str, ...]]:
    """Return the captions of each clip by its name.

    >>> clip_captions()["run"][0]
    'a person runs forward'
    """
    text = (resources.files("predictors.encoders.motion") / "clips.toml").read_text(encoding="utf-8")
    return {name: tuple(f"a person {said}" for said in listed) for name, listed in tomllib.loads(text)["clips"].items()}


def held_out(fold: int) -> tuple[str, ...]:
    """Return the names of a fold's clips.

    >>> held_out(0)
    ('backflip', 'dance_spin', 'kick', 'spin')
    """
    return tuple(sorted(clip_captions())[fold % FOLDS :: FOLDS])


def read_clips(folder: str | Path) -> list[Labelled]:
    """Read the clips of a folder that have captions.

    Raises:
        ConfigurationError: There is none.
        SampleError: One is damaged.
    """
    said, folder = clip_captions(), Path(folder)
    paths = {path.stem.removeprefix(PREFIX): path for path in sorted(folder.glob(f"{PREFIX}*.txt"))}
    clips = [
        Labelled(name, read_deepmimic(path), said[name], f"clip {name}") for name, path in paths.items() if name in said
    ]
    if not clips:
        raise ConfigurationError(f"{folder} has none of DeepMimic's clips, such as {PREFIX}walk.txt")
    return clips


def variants(clip: Labelled) -> Iterator[Labelled]:
    """Yield a clip at several speeds, as it is and in a mirror; its captions name no side."""
    for motion in (clip.motion, mirrored(clip.motion)):
        for speed in _SPEEDS:
            faster = replace(motion, rate_hz=motion.rate_hz * speed)
            yield clip._replace(motion=faster)


def split_clips(clips: list[Labelled], fold: int) -> tuple[list[Labelled], list[Labelled]]:
    """Return what is learnt from, in variants, and the clips of a fold, as they are."""
    out = held_out(fold)
    learnt = [variant for clip in clips if clip.name not in out for variant in variants(clip)]
    return learnt, [clip for clip in clips if clip.name in out]
