"""Synthetic motions with sentences: performers who were drawn by chance perform what ``motions.toml`` lists."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

from predictors.encoders.motion.moves import MOVES
from predictors.encoders.motion.performing import Take, performed, performer
from predictors.encoders.motion.samples import SYNTHETIC, Labelled

_SUBJECT: Final = "a person "
_SECONDS: Final = (2.5, 6.0)
"""Shortest and longest performance unless it is said otherwise, s [choice]."""
_PERFORMERS: Final = 7_919
"""Keeps the draws of performers apart from those of performances."""


@dataclass(frozen=True)
class Scene:
    """Something to perform.

    Attributes:
        name: Of it, once for each side.
        move: A key of :data:`.moves.MOVES`.
        arguments: Of the move.
        seconds: Shortest and longest.
        captions: Sentences about it.
    """

    name: str
    move: str
    arguments: Mapping[str, Any]
    seconds: tuple[float, float]
    captions: tuple[str, ...]


@cache
def scenes() -> tuple[Scene, ...]:
    """Return all scenes, as the file lists them."""
    text = (resources.files("predictors.encoders.motion") / "motions.toml").read_text(encoding="utf-8")
    listed = tomllib.loads(text)["motions"]
    return tuple(scene for name, entry in listed.items() for scene in _scenes(name, entry))


def _scenes(name: str, entry: Mapping[str, Any]) -> Iterator[Scene]:
    """Yield a scene, or that of each side."""
    for side in ("left", "right") if "{side}" in name else ("",):
        arguments = {**entry.get("with", {}), **({"side": side} if side else {})}
        captions = tuple(_SUBJECT + said.format(side=side) for said in entry["said"])
        shortest, longest = entry.get("seconds", _SECONDS)
        yield Scene(name.format(side=side), entry["move"], arguments, (shortest, longest), captions)


def synthesise(performers: range, seed: int = 0, wider: float = 1.0) -> Iterator[Labelled]:
    """Yield every scene by every performer.

    Args:
        performers: Their numbers; the same number is the same performer for one seed, whoever else performs.
        seed: Of everything.
        wider: As in :func:`.performing.performer`.
    """
    for number in performers:
        by = performer(np.random.default_rng([seed, _PERFORMERS, number]), wider)
        for place, scene in enumerate(scenes()):
            random = np.random.default_rng([seed, number, place])
            take = Take(by, random.uniform(*scene.seconds), random)
            motion = performed(take, MOVES[scene.move](take, **scene.arguments))
            yield Labelled(f"{scene.name}/{number}", motion, scene.captions, f"{SYNTHETIC}{number}")
